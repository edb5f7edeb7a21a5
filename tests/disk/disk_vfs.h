// The face of a Disk towards SQLite: the functions of a VFS and of its files (https://sqlite.org/vfs.html).
//
// Each asks the disk whether the operation happens, passes it on to the real file, and tells the disk. Locks
// and shared memory are the real ones; letting go of them always works, also for a file that is dead.
#pragma once

#include <sqlite3.h>

#include <cstdint>
#include <optional>
#include <string>

#include "tests/disk/disk.h"

namespace lekt::test {

class DiskVfs {
 public:
  static sqlite3_vfs of(Disk& disk);

 private:
  struct Handle;
  using Operation = Disk::Operation;

  static const sqlite3_io_methods* methods();
  static std::optional<DiskFault> next(sqlite3_file* file, Operation operation);
  template <class Action>
  static int unless_failed(sqlite3_file* file, Operation operation, int error, Action action);

  static int open(sqlite3_vfs* vfs, const char* name, sqlite3_file* file, int flags, int* flags_out);
  static int remove(sqlite3_vfs* vfs, const char* name, int sync_directory);
  static int access(sqlite3_vfs* vfs, const char* name, int flags, int* result);

  static int close(sqlite3_file* file);
  static int read(sqlite3_file* file, void* buffer, int size, sqlite3_int64 offset);
  static int write(sqlite3_file* file, const void* buffer, int size, sqlite3_int64 offset);
  static int truncate(sqlite3_file* file, sqlite3_int64 size);
  static int sync(sqlite3_file* file, int flags);
  static int file_size(sqlite3_file* file, sqlite3_int64* size);
  static int lock(sqlite3_file* file, int level);
  static int check_reserved_lock(sqlite3_file* file, int* result);
  static int map_shared(sqlite3_file* file, int region, int size, int extend, void volatile** memory);
  static int lock_shared(sqlite3_file* file, int offset, int count, int flags);
  static int unmap_shared(sqlite3_file* file, int remove);
};

}  // namespace lekt::test
