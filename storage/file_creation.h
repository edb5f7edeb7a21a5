// Makes the file of a new database, and undoes what a failed open has made.
#pragma once

#include <filesystem>

#include "storage/file_checks.h"

namespace lekt::storage {

/// Writes an empty database that is recognisably ours, with file_mode (less the umask) if there was no file.
/// So a crash at any later moment of the first start leaves a file that the next start accepts. Throws
/// CodedError E503.
void create_database_file(const std::filesystem::path& path, FileState state);

/// Undoes a failed open. Unless keep() has been called, the destructor removes the database, its write-ahead
/// log and its shared memory file if they were not there at construction, and empties a database that was
/// empty. The rollback journal of a database that was missing or empty goes with it. The caller holds the
/// instance lock, and closes the database before this object ends.
class FailedOpenUndo {
 public:
  FailedOpenUndo(const std::filesystem::path& path, FileState state);
  ~FailedOpenUndo();
  FailedOpenUndo(const FailedOpenUndo&) = delete;
  FailedOpenUndo& operator=(const FailedOpenUndo&) = delete;

  void keep() { keep_ = true; }

 private:
  std::filesystem::path path_;
  FileState state_;
  bool had_log_;
  bool had_shared_memory_;
  bool keep_ = false;
};

}  // namespace lekt::storage
