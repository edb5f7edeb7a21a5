// Makes sure that a database has only one server: an exclusive flock on `<database>.lock`, a file that exists
// only for this.
//
// The lock is never on the database itself, because closing any descriptor of the database would drop the
// POSIX locks that SQLite holds there. It is a flock rather than an fcntl lock, so that two databases within
// one process exclude each other, too.
//
// The file exists while the lock is held (a killed server leaves it behind, and the next one takes it over). It
// is removed while still locked, and a process that acquires the lock checks that the locked file is still the one of
// that name. So removing it cannot let in two servers.
#pragma once

#include <filesystem>

#include "common/descriptor.h"

namespace lekt::storage {

class InstanceLock {
 public:
  /// Acquires the lock. Throws CodedError E504, which names the holder's process, and E503 if the lock file
  /// cannot be made or is somebody else's.
  explicit InstanceLock(const std::filesystem::path& database);
  ~InstanceLock();
  /// Acquires the lock again, after its file was deleted or replaced. Throws like the constructor.
  void acquire();
  InstanceLock(const InstanceLock&) = delete;
  InstanceLock& operator=(const InstanceLock&) = delete;

 private:
  std::filesystem::path path_;
  Descriptor descriptor_{-1};
};

}  // namespace lekt::storage
