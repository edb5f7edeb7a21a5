#include "tests/disk/disk_vfs.h"

#include <unistd.h>

namespace lekt::test {

namespace {

constexpr int write_lock_slot = 0;  // https://sqlite.org/walformat.html, "WAL Locks"

Disk& disk_of(sqlite3_vfs* vfs) { return *static_cast<Disk*>(vfs->pAppData); }

}  // namespace

/// In memory that SQLite gives, with the real file behind it.
struct DiskVfs::Handle {
  sqlite3_file base;
  Disk* disk;
  std::string* path;
  std::uint64_t epoch;

  static Handle& of(sqlite3_file* file) { return *reinterpret_cast<Handle*>(file); }
  static sqlite3_file* real(sqlite3_file* file) {
    return reinterpret_cast<sqlite3_file*>(reinterpret_cast<Handle*>(file) + 1);
  }
  bool is_alive() const { return epoch == disk->epoch_; }
  DiskFile& file() { return disk->entries_.at(*path).file; }
};

std::optional<DiskFault> DiskVfs::next(sqlite3_file* file, Operation operation) {
  const Handle& handle = Handle::of(file);
  return handle.is_alive() ? handle.disk->next(operation) : DiskFault::stop;
}

template <class Action>
int DiskVfs::unless_failed(sqlite3_file* file, Operation operation, int error, Action action) {
  if (next(file, operation)) return error;
  sqlite3_file* real = Handle::real(file);
  return action(real, real->pMethods);
}

// ---- The VFS ----

sqlite3_vfs DiskVfs::of(Disk& disk) {
  sqlite3_vfs vfs = *disk.real_;
  vfs.iVersion = 2;  // without system calls to exchange
  vfs.szOsFile += static_cast<int>(sizeof(Handle));
  vfs.pNext = nullptr;
  vfs.zName = "lekt-test-disk";
  vfs.pAppData = &disk;
  vfs.xOpen = open;
  vfs.xDelete = remove;
  vfs.xAccess = access;
  vfs.xFullPathname = [](sqlite3_vfs* own, const char* name, int size, char* result) {
    return disk_of(own).real_->xFullPathname(disk_of(own).real_, name, size, result);
  };
  vfs.xRandomness = [](sqlite3_vfs* own, int size, char* result) {
    for (int index = 0; index < size; ++index) result[index] = static_cast<char>(disk_of(own).random_.next());
    return size;
  };
  vfs.xSleep = [](sqlite3_vfs*, int microseconds) { return microseconds; };
  return vfs;
}

int DiskVfs::open(sqlite3_vfs* vfs, const char* name, sqlite3_file* file, int flags, int* flags_out) {
  Disk& disk = disk_of(vfs);
  file->pMethods = nullptr;
  if (name == nullptr)
    return disk.real_->xOpen(disk.real_, name, file, flags, flags_out);  // a temporary file
  const bool creates = (flags & SQLITE_OPEN_CREATE) != 0 && ::access(name, F_OK) != 0;
  if (disk.next(creates ? Operation::create : Operation::open)) return SQLITE_CANTOPEN;
  const int result = disk.real_->xOpen(disk.real_, name, Handle::real(file), flags, flags_out);
  if (result != SQLITE_OK) return result;
  disk.opened(name, creates);
  Handle::of(file) = {{methods()}, &disk, new std::string(name), disk.epoch_};
  return SQLITE_OK;
}

int DiskVfs::remove(sqlite3_vfs* vfs, const char* name, int sync_directory) {
  Disk& disk = disk_of(vfs);
  if (disk.next(Operation::remove)) return SQLITE_IOERR_DELETE;
  const int result = disk.real_->xDelete(disk.real_, name, 0);
  if (result == SQLITE_OK) disk.removed(name, sync_directory != 0);
  return result;
}

int DiskVfs::access(sqlite3_vfs* vfs, const char* name, int flags, int* result) {
  Disk& disk = disk_of(vfs);
  if (disk.next(Operation::look)) return SQLITE_IOERR_ACCESS;
  return disk.real_->xAccess(disk.real_, name, flags, result);
}

// ---- Its files ----

const sqlite3_io_methods* DiskVfs::methods() {
  static const sqlite3_io_methods methods = [] {
    sqlite3_io_methods made{};
    made.iVersion = 2;  // with shared memory, without mapped reads
    made.xClose = close;
    made.xRead = read;
    made.xWrite = write;
    made.xTruncate = truncate;
    made.xSync = sync;
    made.xFileSize = file_size;
    made.xLock = lock;
    made.xUnlock = [](sqlite3_file* file, int level) {
      sqlite3_file* real = Handle::real(file);
      return real->pMethods->xUnlock(real, level);
    };
    made.xCheckReservedLock = check_reserved_lock;
    made.xFileControl = [](sqlite3_file* file, int operation, void* argument) {
      sqlite3_file* real = Handle::real(file);
      return real->pMethods->xFileControl(real, operation, argument);
    };
    made.xSectorSize = [](sqlite3_file* file) {
      sqlite3_file* real = Handle::real(file);
      return real->pMethods->xSectorSize(real);
    };
    made.xDeviceCharacteristics = [](sqlite3_file* file) {
      sqlite3_file* real = Handle::real(file);
      return real->pMethods->xDeviceCharacteristics(real);
    };
    made.xShmMap = map_shared;
    made.xShmLock = lock_shared;
    made.xShmBarrier = [](sqlite3_file* file) {
      sqlite3_file* real = Handle::real(file);
      real->pMethods->xShmBarrier(real);
    };
    made.xShmUnmap = unmap_shared;
    return made;
  }();
  return &methods;
}

int DiskVfs::close(sqlite3_file* file) {
  sqlite3_file* real = Handle::real(file);
  delete Handle::of(file).path;
  return real->pMethods->xClose(real);
}

int DiskVfs::read(sqlite3_file* file, void* buffer, int size, sqlite3_int64 offset) {
  return unless_failed(file, Operation::read, SQLITE_IOERR_READ, [&](sqlite3_file* real, auto* methods) {
    return methods->xRead(real, buffer, size, offset);
  });
}

int DiskVfs::write(sqlite3_file* file, const void* buffer, int size, sqlite3_int64 offset) {
  const auto fault = next(file, Operation::write);
  if (fault == DiskFault::io_error || fault == DiskFault::stop) return SQLITE_IOERR_WRITE;
  if (fault == DiskFault::full) return SQLITE_FULL;
  if (fault == DiskFault::short_write) size /= 2;
  sqlite3_file* real = Handle::real(file);
  const int result = size == 0 ? SQLITE_OK : real->pMethods->xWrite(real, buffer, size, offset);
  if (result != SQLITE_OK) return result;
  Handle::of(file).file().write(static_cast<std::size_t>(offset),
                                {static_cast<const char*>(buffer), static_cast<std::size_t>(size)});
  return fault == DiskFault::short_write ? SQLITE_FULL : SQLITE_OK;
}

int DiskVfs::truncate(sqlite3_file* file, sqlite3_int64 size) {
  return unless_failed(file, Operation::truncate, SQLITE_IOERR_TRUNCATE,
                       [&](sqlite3_file* real, auto* methods) {
                         const int result = methods->xTruncate(real, size);
                         if (result == SQLITE_OK)
                           Handle::of(file).file().truncate(static_cast<std::size_t>(size));
                         return result;
                       });
}

int DiskVfs::sync(sqlite3_file* file, int) {
  Handle& handle = Handle::of(file);
  const auto fault = next(file, Operation::sync);
  if (fault && fault != DiskFault::stop) handle.file().fail_sync();
  if (fault) return SQLITE_IOERR_FSYNC;
  handle.disk->synced(*handle.path);
  return SQLITE_OK;
}

int DiskVfs::file_size(sqlite3_file* file, sqlite3_int64* size) {
  return unless_failed(file, Operation::size, SQLITE_IOERR_FSTAT,
                       [&](sqlite3_file* real, auto* methods) { return methods->xFileSize(real, size); });
}

int DiskVfs::lock(sqlite3_file* file, int level) {
  return unless_failed(file, Operation::lock, SQLITE_IOERR_LOCK,
                       [&](sqlite3_file* real, auto* methods) { return methods->xLock(real, level); });
}

int DiskVfs::check_reserved_lock(sqlite3_file* file, int* result) {
  return unless_failed(
      file, Operation::lock, SQLITE_IOERR_CHECKRESERVEDLOCK,
      [&](sqlite3_file* real, auto* methods) { return methods->xCheckReservedLock(real, result); });
}

int DiskVfs::map_shared(sqlite3_file* file, int region, int size, int extend, void volatile** memory) {
  return unless_failed(file, Operation::map, SQLITE_IOERR_SHMMAP, [&](sqlite3_file* real, auto* methods) {
    return methods->xShmMap(real, region, size, extend, memory);
  });
}

int DiskVfs::lock_shared(sqlite3_file* file, int offset, int count, int flags) {
  sqlite3_file* real = Handle::real(file);
  if ((flags & SQLITE_SHM_UNLOCK) != 0) return real->pMethods->xShmLock(real, offset, count, flags);
  const bool is_write_lock = offset == write_lock_slot && (flags & SQLITE_SHM_EXCLUSIVE) != 0;
  if (is_write_lock && Handle::of(file).disk->write_lock_held_) return SQLITE_BUSY;
  return unless_failed(file, Operation::lock, SQLITE_IOERR_SHMLOCK, [&](sqlite3_file*, auto* methods) {
    return methods->xShmLock(real, offset, count, flags);
  });
}

/// What died cannot remove the shared memory.
int DiskVfs::unmap_shared(sqlite3_file* file, int remove) {
  const Handle& handle = Handle::of(file);
  sqlite3_file* real = Handle::real(file);
  const bool can_remove = handle.is_alive() && !handle.disk->has_stopped();
  return real->pMethods->xShmUnmap(real, can_remove ? remove : 0);
}

}  // namespace lekt::test
