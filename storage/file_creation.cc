#include "storage/file_creation.h"

#include <SQLiteCpp/SQLiteCpp.h>
#include <fcntl.h>
#include <sqlite3.h>
#include <unistd.h>

#include <cerrno>
#include <memory>
#include <string>
#include <system_error>

#include "common/bytes.h"
#include "common/descriptor.h"
#include "storage/database_files.h"

namespace lekt::storage {

namespace fs = std::filesystem;

namespace {

/// The bytes of a database without tables. SQLite makes them, so that nothing here knows the file format.
Bytes empty_database() {
  SQLite::Database memory(":memory:", SQLite::OPEN_READWRITE | SQLite::OPEN_CREATE);
  memory.exec("PRAGMA application_id = " + std::to_string(application_id));
  sqlite3_int64 size = 0;
  const std::unique_ptr<unsigned char, decltype(&sqlite3_free)> image(
      sqlite3_serialize(memory.getHandle(), "main", &size, 0), sqlite3_free);
  if (image == nullptr) throw SQLite::Exception("cannot make an empty database", SQLITE_NOMEM);
  return {reinterpret_cast<const char*>(image.get()), static_cast<std::size_t>(size)};
}

/// Syncs the directory, so that the file's name survives a power loss, too. As in SQLite, a failure is ignored: not
/// every file system can do this.
void sync_directory(const fs::path& directory) {
  const Descriptor descriptor(open(directory.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  if (descriptor.is_open()) fsync(descriptor.value());
}

}  // namespace

void create_database_file(const fs::path& path, FileState state) {
  const int exclusive = state == FileState::missing ? O_EXCL : 0;
  const Descriptor descriptor(
      open(path.c_str(), O_WRONLY | O_CREAT | O_CLOEXEC | O_NOFOLLOW | exclusive, file_mode));
  if (!descriptor.is_open()) throw_file_error("cannot create", path, errno);
  const Bytes content = empty_database();
  const ssize_t written = pwrite(descriptor.value(), content.data(), content.size(), 0);
  if (written < 0) throw_file_error("cannot write", path, errno);
  if (static_cast<std::size_t>(written) != content.size()) throw_file_error("cannot write", path, ENOSPC);
  if (fsync(descriptor.value()) != 0) throw_file_error("cannot sync", path, errno);
  sync_directory(path.parent_path());
}

FailedOpenUndo::FailedOpenUndo(const fs::path& path, FileState state)
    : path_(path),
      state_(state),
      had_log_(fs::exists(log_of(path))),
      had_shared_memory_(fs::exists(shared_memory_of(path))) {}

FailedOpenUndo::~FailedOpenUndo() {
  if (keep_) return;
  std::error_code ignored;
  // The journal goes first: a later database of that name would be rolled back with it.
  if (state_ != FileState::ours) fs::remove(journal_of(path_), ignored);
  if (state_ == FileState::missing) fs::remove(path_, ignored);
  if (state_ == FileState::empty) fs::resize_file(path_, 0, ignored);
  if (!had_log_) fs::remove(log_of(path_), ignored);
  if (!had_shared_memory_) fs::remove(shared_memory_of(path_), ignored);
}

}  // namespace lekt::storage
