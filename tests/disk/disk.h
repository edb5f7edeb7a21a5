// A disk for SQLite that fails and loses power when a test says so: a VFS, the default one while it lives,
// that passes everything on to the real one, and notes what is safe on the medium (disk_file.h).
//
// The files are real, so plain file operations and other programs see what reads see. A file that SQLite has
// not opened yet is taken to be safe: code that makes one without SQLite syncs it (storage/file_creation.h). The
// name of a new file is safe once anything new in its directory was synced, as SQLite does it; a removed file
// may be back until then.
//
// Nothing is really synced and nobody really sleeps, so a test with thousands of commits takes no time. The
// same seed and the same calls give the same bytes.
//
// Owned by one thread, which makes it before the database and ends it after.
#pragma once

#include <sqlite3.h>

#include <cstdint>
#include <map>
#include <optional>
#include <string>

#include "tests/disk/disk_file.h"
#include "tests/support/support.h"

namespace lekt::test {

enum class DiskFault : std::uint8_t {
  io_error,     ///< EIO, in any operation
  failed_sync,  ///< EIO in a sync, which has then lost what it should have written
  full,         ///< ENOSPC, in what may need room
  short_write,  ///< half of it is written, then ENOSPC
  stop,         ///< this operation and every later one does not happen: the machine or the process dies here
};

/// What a test goes through for every operation that it can hit.
struct DiskTrouble {
  DiskFault fault;
  bool lasts;
  const char* name;
};
inline constexpr DiskTrouble disk_troubles[] = {{DiskFault::io_error, false, "one_error"},
                                                {DiskFault::io_error, true, "errors_from_then_on"},
                                                {DiskFault::failed_sync, false, "one_failed_sync"},
                                                {DiskFault::failed_sync, true, "failed_syncs_from_then_on"},
                                                {DiskFault::full, false, "full_once"},
                                                {DiskFault::full, true, "full_from_then_on"},
                                                {DiskFault::short_write, false, "one_short_write"},
                                                {DiskFault::short_write, true, "short_writes_from_then_on"}};

class Disk {
 public:
  explicit Disk(std::uint64_t seed);
  ~Disk();
  Disk(const Disk&) = delete;
  Disk& operator=(const Disk&) = delete;

  /// The operation that comes after `passed` further ones of those that this fault can hit fails; if it
  /// lasts, all later ones do so too, until heal().
  void fail(DiskFault fault, std::uint64_t passed, bool lasts);
  void heal();
  /// How often something failed, and how many operations there were in all.
  std::uint64_t failures() const { return failures_; }
  std::uint64_t operations() const { return operations_; }

  /// As if another program held the database's write lock.
  void hold_write_lock(bool held) { write_lock_held_ = held; }

  bool has_stopped() const { return stopped_; }
  /// The process dies: what it has open is of no use from now on, what it has written stays. A database that
  /// is still open has to be ended before the next one is opened.
  void kill();
  /// The machine dies: the same, and of what was not synced any part is lost.
  void lose_power(Random& random);

 private:
  friend class DiskVfs;

  enum class Operation : std::uint8_t {
    open,
    create,
    read,
    write,
    sync,
    truncate,
    size,
    remove,
    look,
    lock,
    map
  };

  struct Entry {
    DiskFile file;
    bool name_is_safe = true;
  };

  static bool can_hit(DiskFault fault, Operation operation);
  /// Called once for each operation, before it: what happens to it instead, if anything.
  std::optional<DiskFault> next(Operation operation);
  void opened(const std::string& path, bool created);
  void removed(const std::string& path, bool is_safe);
  void synced(const std::string& path);
  void names_are_safe();

  std::map<std::string, Entry> entries_;
  std::map<std::string, Bytes> removed_;  ///< whose removal is not safe yet, as they are on the medium
  std::optional<DiskFault> fault_;
  std::uint64_t passed_ = 0;
  bool lasts_ = false;
  std::uint64_t failures_ = 0;
  std::uint64_t operations_ = 0;
  std::uint64_t epoch_ = 0;  ///< what was opened in an earlier one is dead
  bool stopped_ = false;
  bool write_lock_held_ = false;
  Random random_;  ///< of SQLite's own randomness
  sqlite3_vfs* real_;
  sqlite3_vfs vfs_;
};

}  // namespace lekt::test
