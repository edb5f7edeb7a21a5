// Tells who holds the lock of a database without taking it, even for a moment: a server that started just then
// would be refused.
#pragma once

#include <cstdint>
#include <filesystem>
#include <istream>
#include <optional>
#include <string>

namespace lekt::storage {

/// The process that holds the lock of this database (storage/instance_lock.h), as the kernel lists it in
/// /proc/locks. Nothing if nobody holds it or this cannot be told: processes of other containers are not
/// listed.
std::optional<std::int64_t> lock_holder(const std::filesystem::path& database);

/// A lock file, as it is looked for in /proc/locks.
struct LockFile {
  std::uint64_t device = 0;
  std::uint64_t number = 0;  ///< inode
  /// The process that wrote its number into the file. It decides where a file system has one device for stat(2)
  /// and another in /proc/locks.
  std::int64_t written = 0;
};

/// The process that holds the lock of this file, according to a list in the form of /proc/locks.
std::optional<std::int64_t> holder_in(std::istream& locks, const LockFile& file);

/// The process in words: "process 4711 (lektd)", with the name of its program if that can be read.
std::string process_text(std::int64_t process);

}  // namespace lekt::storage
