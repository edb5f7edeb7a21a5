#include "storage/read_only.h"

#include <sqlite3.h>
#include <sys/stat.h>
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

/// How long a reader waits for another reader that recovers the log after a crash; it never waits for anything else.
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

/// The name as a part of a URI.
std::string percent_encoded(const std::string& name) {
  std::string encoded;
  for (const char character : name) {
    const bool special = character == '%' || character == '?' || character == '#';
    encoded += special ? "%" + to_hex({&character, 1}) : std::string(1, character);
  }
  return encoded;
}

SQLite::Database connect(const std::string& name, int flags) {
  SQLite::Database database(name, SQLite::OPEN_READONLY | SQLite::OPEN_NOMUTEX | flags,
                            busy_wait_milliseconds);
  sqlite3_db_config(database.getHandle(), SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, 1, nullptr);
  database.exec("PRAGMA mmap_size = 0");
  database.exec("PRAGMA temp_store = MEMORY");
  return database;
}

/// Says why a file cannot be opened: SQLite would say "unable to open database file" and not why.
void expect_readable(const fs::path& path) {
  struct stat found {};
  if (stat(path.c_str(), &found) == 0 && S_ISDIR(found.st_mode))
    throw CodedError(ErrorCode::database_unusable, path.string() + " is a directory; name a file in it");
  if (access(path.c_str(), R_OK) != 0) throw_file_error("cannot read", path, errno);
}

template <class Connect>
SQLite::Database open(const fs::path& path, Connect connect_to) {
  return with_open_errors(path, [&] {
    return retried([&] {
      SQLite::Database database = connect_to();
      expect_ours(path, database);
      return database;
    });
  });
}

}  // namespace

SQLite::Database open_read_only(const fs::path& path) {
  expect_readable(path);
  refuse_reading_without_log(path);
  return open(path, [&] { return connect(path.string(), 0); });
}

SQLite::Database connect_immutable(const fs::path& path) {
  return connect("file:" + percent_encoded(fs::absolute(path).string()) + "?immutable=1", SQLite::OPEN_URI);
}

SQLite::Database open_immutable(const fs::path& path) {
  expect_readable(path);
  return open(path, [&] { return connect_immutable(path); });
}

bool is_passing(const SQLite::Exception& error) {
  const int code = code_of(error);
  return code == SQLITE_READONLY || code == SQLITE_READONLY_RECOVERY || code == SQLITE_READONLY_CANTLOCK ||
         code == SQLITE_READONLY_CANTINIT || code == SQLITE_BUSY_RECOVERY;
}

bool wait_for_another_try(int done) {
  constexpr int tries_max = 12;
  if (done >= tries_max) return false;
  usleep(static_cast<useconds_t>(500U << (done - 1)));  // 0.5 ms to 0.5 s, 1 s in all
  return true;
}

int schema_version(SQLite::Database& database) { return database.execAndGet("PRAGMA user_version").getInt(); }

}  // namespace lekt::storage
