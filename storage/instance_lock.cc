#include "storage/instance_lock.h"

#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <string>

#include "common/errors.h"
#include "storage/database_files.h"
#include "storage/file_checks.h"

namespace lekt::storage {

namespace fs = std::filesystem;

namespace {

/// The largest number of attempts. An attempt fails only if another server stops at that moment, so a second one is
/// rare, and a tenth is no coincidence.
constexpr int turns_max = 10;

/// What a holder has written into the file: its process number and a line feed.
std::string content_of(const Descriptor& descriptor) {
  std::array<char, 32> text{};
  const ssize_t size = pread(descriptor.value(), text.data(), text.size(), 0);
  return size <= 0 ? std::string() : std::string(text.data(), static_cast<std::size_t>(size));
}

/// The holder in words, for a message: "process 4711".
std::string holder(const Descriptor& descriptor) {
  const std::string content = content_of(descriptor);
  const std::string digits = content.substr(0, content.find_first_not_of("0123456789"));
  return digits.empty() ? "another process" : "process " + digits;
}

bool is_file_of_name(const Descriptor& descriptor, const fs::path& path) {
  struct stat opened {};
  struct stat named {};
  return fstat(descriptor.value(), &opened) == 0 && stat(path.c_str(), &named) == 0 &&
         opened.st_ino == named.st_ino && opened.st_dev == named.st_dev;
}

/// Opens and locks the file, which may lose its name meanwhile.
Descriptor open_locked(const fs::path& path) {
  Descriptor descriptor(
      open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK, file_mode));
  if (!descriptor.is_open()) throw_file_error("cannot create or open the lock file", path, errno);
  if (flock(descriptor.value(), LOCK_EX | LOCK_NB) == 0) return descriptor;
  if (errno != EWOULDBLOCK) throw_file_error("cannot lock", path, errno);
  throw CodedError(ErrorCode::database_in_use,
                   holder(descriptor) + " holds the lock " + path.string() + "; one server per database");
}

/// Refuses a file that is not a lock of ours. Some programs keep lists in files with this suffix, and those must not
/// be emptied.
void refuse_foreign_lock(const Descriptor& descriptor, const fs::path& path) {
  if (content_of(descriptor).find_first_not_of("0123456789\n") == std::string::npos) return;
  throw CodedError(ErrorCode::database_unusable,
                   path.string() + " is not a lock of this program; choose another name for the database");
}

/// Writes this process's number into the file. Only the message of E504 needs it, so a full disk does not matter.
void write_process_id(const Descriptor& descriptor) {
  const std::string text = std::to_string(getpid()) + "\n";
  if (ftruncate(descriptor.value(), 0) != 0) return;
  [[maybe_unused]] const ssize_t written = pwrite(descriptor.value(), text.data(), text.size(), 0);
}

}  // namespace

InstanceLock::InstanceLock(const fs::path& database) : path_(lock_of(database)) { acquire(); }

void InstanceLock::acquire() {
  for (int turn = 0; turn < turns_max; ++turn) {
    Descriptor descriptor = open_locked(path_);
    if (!is_file_of_name(descriptor, path_)) continue;
    refuse_foreign_lock(descriptor, path_);
    write_process_id(descriptor);
    descriptor_ = std::move(descriptor);
    return;
  }
  throw CodedError(ErrorCode::database_in_use, "the lock " + path_.string() + " changes hands all the time");
}

InstanceLock::~InstanceLock() {
  if (is_file_of_name(descriptor_, path_)) unlink(path_.c_str());  // not if it is another server's
}

}  // namespace lekt::storage
