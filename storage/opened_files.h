// Tells whether the names of the files that the server has open still lead to them: the database, its log, its
// shared memory, and the lock.
//
// A file that was deleted, moved or replaced stays open and takes every write, and all of it is lost with the
// process. Asking costs four system calls, little compared with the sync of a commit.
//
// Owned by Database, used by its thread.
#pragma once

#include <sys/types.h>

#include <filesystem>
#include <vector>

namespace lekt::storage {

class OpenedFiles {
 public:
  /// Notes which files the names lead to. SQLite has to have opened all of them by then.
  explicit OpenedFiles(const std::filesystem::path& database);

  /// The files whose names lead elsewhere or nowhere, the database first.
  std::vector<std::filesystem::path> moved() const;

 private:
  struct Identity {
    dev_t device = 0;
    ino_t number = 0;

    bool operator==(const Identity&) const = default;
  };
  struct File {
    std::filesystem::path path;
    Identity identity;
  };
  static Identity identify(const std::filesystem::path& path);

  std::vector<File> files_;
};

}  // namespace lekt::storage
