// One server a database: an exclusive flock on `<database>.lock`, a file that exists only for this.
//
// Never on the database itself: closing any descriptor of it would drop the POSIX locks that SQLite holds
// there. And flock rather than fcntl, so that two databases within one process exclude each other, too.
//
// The file is there while the lock is held (a killed server leaves it behind; the next one takes it over). It
// is removed while still locked, and whoever acquires the lock makes sure that what he locked is still the
// file of that name: so removing it cannot let in two.
#pragma once

#include <filesystem>

#include "common/descriptor.h"

namespace lekt::storage {

class InstanceLock {
 public:
  /// Throws CodedError E504 naming the holder's process, E503 when the lock file cannot be made or is
  /// somebody else's.
  explicit InstanceLock(const std::filesystem::path& database);
  ~InstanceLock();
  /// Takes it anew, after its file was deleted or replaced. Throws like the constructor.
  void acquire();
  InstanceLock(const InstanceLock&) = delete;
  InstanceLock& operator=(const InstanceLock&) = delete;

 private:
  std::filesystem::path path_;
  Descriptor descriptor_{-1};
};

}  // namespace lekt::storage
