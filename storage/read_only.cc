#include "storage/read_only.h"

#include <sqlite3.h>
#include <unistd.h>

#include <cerrno>
#include <cstdint>
#include <string>

#include "common/errors.h"
#include "common/text.h"
#include "storage/file_checks.h"
#include "storage/migrations.h"
#include "storage/open_errors.h"

namespace lekt::storage {

namespace fs = std::filesystem;

namespace {

/// Readers wait for nobody but another one that recovers the log after a crash.
constexpr int busy_wait_milliseconds = 2000;

void expect_ours(const fs::path& path, SQLite::Database& database) {
  refuse_foreign(path, database.execAndGet("PRAGMA application_id").getUInt());
  const int version = schema_version(database);
  const int known = static_cast<int>(split_migrations(schema_text).size());
  if (version > known)
    throw CodedError(ErrorCode::database_newer, path.string() + " has schema version " +
                                                    std::to_string(version) + ", this program knows up to " +
                                                    std::to_string(known) +
                                                    "; use the program that wrote it or a later one");
  if (version == 0)
    throw CodedError(ErrorCode::database_unusable, path.string() + " has no tables yet; start its server");
}

/// A file name within a URI.
std::string percent_encoded(const std::string& name) {
  std::string encoded;
  for (const char character : name) {
    const bool special = character == '%' || character == '?' || character == '#';
    encoded += special ? "%" + to_hex({&character, 1}) : std::string(1, character);
  }
  return encoded;
}

SQLite::Database open(const fs::path& path, const std::string& name, int flags) {
  // SQLite would say "unable to open database file" and not why.
  if (access(path.c_str(), R_OK) != 0) throw_file_error("cannot read", path, errno);
  return with_open_errors(path, [&] {
    SQLite::Database database(name, SQLite::OPEN_READONLY | SQLite::OPEN_NOMUTEX | flags,
                              busy_wait_milliseconds);
    sqlite3_db_config(database.getHandle(), SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, 1, nullptr);
    database.exec("PRAGMA mmap_size = 0");
    database.exec("PRAGMA temp_store = MEMORY");
    expect_ours(path, database);
    return database;
  });
}

}  // namespace

SQLite::Database open_read_only(const fs::path& path) { return open(path, path.string(), 0); }

SQLite::Database open_immutable(const fs::path& path) {
  const std::string uri = "file:" + percent_encoded(fs::absolute(path).string()) + "?immutable=1";
  return open(path, uri, SQLite::OPEN_URI);
}

int schema_version(SQLite::Database& database) { return database.execAndGet("PRAGMA user_version").getInt(); }

}  // namespace lekt::storage
