#include "storage/new_file.h"

#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <system_error>

#include "common/errors.h"
#include "storage/database_files.h"
#include "storage/file_checks.h"

namespace lekt::storage {

namespace fs = std::filesystem;

namespace {

/// The largest number of attempts. An attempt fails only if another program has just ended, or removes the same
/// leftover.
constexpr int partial_turns_max = 10;

[[noreturn]] void throw_under_way(const fs::path& target) {
  throw CodedError(ErrorCode::control_refused,
                   "another program is writing " + target.string() + "; wait for it, or choose another name");
}

/// Removes what a killed program has left behind. Nobody else's file is touched.
void remove_leftover(const fs::path& path, const fs::path& target) {
  const Descriptor leftover(open(path.c_str(), O_RDWR | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK));
  if (!leftover.is_open() && errno == ENOENT) return;
  struct stat found {};
  const bool known = leftover.is_open() && fstat(leftover.value(), &found) == 0;
  if (!known || !S_ISREG(found.st_mode) || found.st_uid != geteuid() || found.st_nlink != 1)
    throw CodedError(
        ErrorCode::database_unusable,
        path.string() + " is in the way, and not a file that this user has left there; remove it");
  if (flock(leftover.value(), LOCK_EX | LOCK_NB) != 0) throw_under_way(target);
  if (unlink(path.c_str()) != 0 && errno != ENOENT) throw_file_error("cannot remove", path, errno);
}

}  // namespace

bool is_there(const fs::path& path) {
  struct stat found {};
  return lstat(path.c_str(), &found) == 0;
}

void rename_exclusively(const fs::path& from, const fs::path& to) {
  int result = renameat2(AT_FDCWD, from.c_str(), AT_FDCWD, to.c_str(), RENAME_NOREPLACE);
  // Not every file system can rename without replacing.
  if (result != 0 && errno == EINVAL && !is_there(to)) result = std::rename(from.c_str(), to.c_str());
  if (result == 0) return;
  const int error = errno;
  if (error == EEXIST || is_there(to))
    throw CodedError(ErrorCode::target_exists, to.string() + " is there already; choose another name");
  throw_file_error("cannot give its name to", to, error);
}

fs::path unused_name(const fs::path& path) {
  fs::path name = path;
  for (int number = 2; is_there(name); ++number) name = path.string() + "-" + std::to_string(number);
  return name;
}

void sync_directory_of(const fs::path& path) {
  const fs::path directory = path.parent_path();
  const Descriptor descriptor(open(directory.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  if (!descriptor.is_open() || fsync(descriptor.value()) != 0)
    throw_file_error("cannot sync", directory, errno);
}

NewFile::NewFile(const fs::path& target) : target_(target), path_(partial_of(target)) {
  for (int turn = 0; turn < partial_turns_max; ++turn) {
    Descriptor made(
        open(path_.c_str(), O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, S_IRUSR | S_IWUSR));
    if (!made.is_open() && errno != EEXIST) throw_file_error("cannot create", path_, errno);
    if (!made.is_open()) {
      remove_leftover(path_, target_);
      continue;
    }
    if (flock(made.value(), LOCK_EX | LOCK_NB) != 0) continue;
    // Before the file was locked, another program may have removed it as a leftover.
    struct stat named {};
    struct stat opened {};
    if (stat(path_.c_str(), &named) != 0 || fstat(made.value(), &opened) != 0 ||
        named.st_ino != opened.st_ino || named.st_dev != opened.st_dev)
      continue;
    descriptor_ = std::move(made);
    std::error_code ignored;
    for (const char* suffix : companion_suffixes) fs::remove(beside(path_, suffix), ignored);
    return;
  }
  throw_under_way(target_);
}

NewFile::~NewFile() {
  if (!placed_) remove();
}

void NewFile::remove() const {
  std::error_code ignored;
  for (const char* suffix : companion_suffixes) fs::remove(beside(path_, suffix), ignored);
  fs::remove(path_, ignored);
}

void NewFile::sync() const {
  if (fsync(descriptor_.value()) != 0) throw_file_error("cannot sync", path_, errno);
}

void NewFile::place() {
  sync();
  rename_exclusively(path_, target_);
  placed_ = true;
  sync_directory_of(target_);
}

}  // namespace lekt::storage
