#include "client/command/output_file.h"

#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <sys/xattr.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <ios>
#include <system_error>
#include <utility>

#include "common/descriptor.h"
#include "common/errors.h"
#include "common/text.h"

namespace lekt::command {

namespace {

constexpr int links_max = 40;  // the kernel's own limit
constexpr const char* access_list = "system.posix_acl_access";

std::string quoted(const std::string& path) { return '"' + escape(path) + '"'; }

[[noreturn]] void fail_output(const std::string& what, const std::string& path, int error) {
  throw CodedError(ErrorCode::output_failed,
                   "cannot " + what + " " + quoted(path) + ": " + std::strerror(error));
}

/// The mode that the umask leaves new files. It is read from /proc, since umask() changes the mask for all threads in
/// order to tell it. Without /proc, a file that another thread makes at that moment has no rights.
mode_t mode_of_new_files() {
  std::ifstream status("/proc/self/status");
  for (std::string word; status >> word;) {
    unsigned mask = 0;
    if (word == "Umask:" && status >> std::oct >> mask) return 0644 & ~mask;
  }
  const mode_t mask = ::umask(0777);
  ::umask(mask);
  return 0644 & ~mask;
}

std::string kind_of(mode_t mode) {
  if (S_ISDIR(mode)) return "is a directory";
  if (S_ISFIFO(mode)) return "is a pipe";
  if (S_ISSOCK(mode)) return "is a socket";
  if (S_ISCHR(mode) || S_ISBLK(mode)) return "is a device";
  return "is no regular file";
}

bool is_same_file(const struct stat& a, const struct stat& b) {
  return a.st_dev == b.st_dev && a.st_ino == b.st_ino;
}

/// Whether the file is mounted by itself, as in containers, and so cannot be replaced. Kernels before 5.8 do not
/// tell; there the rename fails, which is noticed as well.
bool is_mount(const std::string& path) {
  struct statx information {};
  return ::statx(AT_FDCWD, path.c_str(), AT_SYMLINK_NOFOLLOW, STATX_TYPE, &information) == 0 &&
         (information.stx_attributes & STATX_ATTR_MOUNT_ROOT) != 0;
}

/// The target that the link names, relative to the directory it is in.
std::string follow(const std::string& link) {
  std::array<char, 4097> buffer{};
  const ssize_t size = ::readlink(link.c_str(), buffer.data(), buffer.size() - 1);
  if (size < 0) fail_output("follow the link", link, errno);
  const std::filesystem::path target(std::string(buffer.data(), static_cast<std::size_t>(size)));
  return (std::filesystem::path(link).parent_path() / target).string();
}

/// How the names of temporary files next to this one begin. Programs that read a whole directory (dnsmasq's
/// hostsdir, nginx's include, the patterns of Prometheus) take no name that begins with a dot, or none that
/// lacks their suffix.
std::string temporary_prefix(const std::string& target) {
  constexpr std::size_t name_max = 200;  // NAME_MAX less what is added
  return "." + std::filesystem::path(target).filename().string().substr(0, name_max) + ".lekt-";
}

std::string directory_of(const std::string& path) {
  const auto parent = std::filesystem::path(path).parent_path();
  return parent.empty() ? "." : parent.string();
}

/// Writes the whole text from the beginning of the file on. Returns the number of the error, or 0.
int write_whole(int descriptor, std::string_view text) {
  off_t offset = 0;
  while (!text.empty()) {
    const ssize_t written = ::pwrite(descriptor, text.data(), text.size(), offset);
    if (written < 0 && errno == EINTR) continue;
    if (written < 0) return errno;
    text.remove_prefix(static_cast<std::size_t>(written));
    offset += written;
  }
  return 0;
}

bool is_right(int error) { return error == EACCES || error == EPERM || error == EROFS; }

/// Gives a new file the owner, group, mode and access list of the old one. Returns the number of the error, or 0.
/// The mode is set after the owner, whose change takes bits of the mode away.
int keep_rights(int descriptor, const struct stat& old, const std::string& path) {
  struct stat own {};
  if (::fstat(descriptor, &own) != 0) return errno;
  if ((own.st_uid != old.st_uid || own.st_gid != old.st_gid) &&
      ::fchown(descriptor, old.st_uid, old.st_gid) != 0)
    return errno;
  if (::fchmod(descriptor, old.st_mode & 07777) != 0) return errno;
  std::array<char, 4096> list{};
  const ssize_t size = ::getxattr(path.c_str(), access_list, list.data(), list.size());
  if (size < 0) return errno == ENODATA || errno == ENOTSUP ? 0 : errno;
  return ::fsetxattr(descriptor, access_list, list.data(), static_cast<std::size_t>(size), 0) == 0 ? 0
                                                                                                   : errno;
}

/// Makes the rename itself durable. The file is in place already, so trouble here is not worth an error.
void sync_directory_of(const std::string& path) {
  const Descriptor directory(::open(directory_of(path).c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  if (directory.is_open()) ::fsync(directory.value());
}

/// A new file next to the target, removed unless it takes the target's place. It is locked while it lives, so
/// that another program that keeps the same file does not take it for a leftover.
class TemporaryFile {
 public:
  explicit TemporaryFile(const std::string& target)
      : path_(directory_of(target) + "/" + temporary_prefix(target) + "XXXXXX"),
        descriptor_(::mkostemp(path_.data(), O_CLOEXEC)),
        error_(descriptor_.is_open() ? 0 : errno) {
    if (descriptor_.is_open()) ::flock(descriptor_.value(), LOCK_EX | LOCK_NB);
  }
  ~TemporaryFile() {
    if (descriptor_.is_open() && !placed_) ::unlink(path_.c_str());
  }
  TemporaryFile(const TemporaryFile&) = delete;
  TemporaryFile& operator=(const TemporaryFile&) = delete;

  int error() const { return error_; }  ///< the number of the error if there is no file, or 0
  int descriptor() const { return descriptor_.value(); }

  /// Renames the file to the target. Returns the number of the error, or 0.
  int place(const std::string& target) {
    if (::rename(path_.c_str(), target.c_str()) != 0) return errno;
    placed_ = true;
    return 0;
  }

 private:
  std::string path_;
  const Descriptor descriptor_;
  const int error_;
  bool placed_ = false;
};

}  // namespace

/// The file that the path leads to.
struct OutputFile::Target {
  std::string path;                ///< with all links followed
  std::optional<struct stat> now;  ///< none: there is no such file yet
};

void OutputFile::refuse(const std::string& why) const {
  throw CodedError(ErrorCode::usage_wrong, flag_ + " " + quoted(path_) + " " + why +
                                               "; it has to be a regular file, or a name that is still free");
}

OutputFile::OutputFile(std::string path, std::string flag)
    : path_(std::move(path)), flag_(std::move(flag)), mode_of_new_(mode_of_new_files()) {
  if (path_.empty()) refuse("is empty");
  remove_leftovers();
  attempt({});
}

OutputFile::Target OutputFile::find() const {
  const auto name = std::filesystem::path(path_).filename();
  if (name.empty() || name == "." || name == "..") refuse("names a directory");
  struct stat led_to {};
  const bool exists = ::stat(path_.c_str(), &led_to) == 0;
  if (!exists && errno == ELOOP) refuse("is a link that leads nowhere");
  if (!exists && errno != ENOENT) fail_output("look at", path_, errno);
  if (exists && !S_ISREG(led_to.st_mode)) refuse(kind_of(led_to.st_mode));
  Target target{path_, {}};
  for (int links = 0; links < links_max; ++links) {
    struct stat information {};
    if (::lstat(target.path.c_str(), &information) != 0) {
      if (errno != ENOENT) fail_output("look at", target.path, errno);
      if (exists) refuse("leads to a file that has no name");
      return target;
    }
    if (S_ISREG(information.st_mode)) {
      // A link in /proc/self/fd leads to an open file, which may have no name any more.
      if (exists && !is_same_file(information, led_to)) refuse("leads to a file that has no name");
      target.now = information;
      return target;
    }
    if (!S_ISLNK(information.st_mode)) refuse(kind_of(information.st_mode));
    target.path = follow(target.path);
    const auto last = std::filesystem::path(target.path).filename();
    if (last.empty() || last == "." || last == "..") refuse("is a link to a directory");
  }
  refuse("is a link that leads nowhere");
}

void OutputFile::write(std::string_view text) {
  try {
    attempt(text);
  } catch (const CodedError& error) {
    // A path that was right at the start and is now a directory or a pipe is no longer the user's mistake.
    if (error.code() != ErrorCode::usage_wrong) throw;
    throw CodedError(ErrorCode::output_failed,
                     std::string(error.what()).substr(code_text(error.code()).size() + 1));
  }
}

/// Replaces the file with one that has the text. Without a text, tries everything but writing and replacing.
void OutputFile::attempt(const std::optional<std::string_view>& text) {
  const Target target = find();
  in_place_.clear();
  if (target.now && is_mount(target.path)) {
    in_place_ = "it is mounted by itself and cannot be replaced";
    return write_in_place(target, text);
  }
  TemporaryFile file(target.path);
  if (file.error() != 0) {
    if (!target.now || !is_right(file.error())) fail_output("create a file beside", path_, file.error());
    in_place_ = "no file can be created beside it (" + std::string(std::strerror(file.error())) + ")";
    return write_in_place(target, text);
  }
  if (target.now) {
    if (const int error = keep_rights(file.descriptor(), *target.now, target.path)) {
      if (!is_right(error)) fail_output("keep owner and mode of", path_, error);
      in_place_ =
          "its owner and mode cannot be given to a new file (" + std::string(std::strerror(error)) + ")";
      return write_in_place(target, text);
    }
  } else if (::fchmod(file.descriptor(), mode_of_new_) != 0) {
    fail_output("write", path_, errno);
  }
  if (!text) return;
  if (const int error = write_whole(file.descriptor(), *text)) fail_output("write", path_, error);
  struct stat information {};
  if (::fsync(file.descriptor()) != 0 || ::fstat(file.descriptor(), &information) != 0)
    fail_output("write", path_, errno);
  if (const int error = file.place(target.path)) {
    if (!target.now || (error != EBUSY && !is_right(error))) fail_output("replace", path_, error);
    in_place_ = "it cannot be replaced (" + std::string(std::strerror(error)) + ")";
    return write_in_place(target, text);
  }
  remember(information);
  sync_directory_of(target.path);
}

/// Writes the text over the old one, and only then cuts off the rest: a full disk does the least damage that way.
void OutputFile::write_in_place(const Target& target, const std::optional<std::string_view>& text) {
  const Descriptor file(::open(target.path.c_str(), O_WRONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC));
  if (!file.is_open()) {
    const int error = errno;
    throw CodedError(ErrorCode::output_failed,
                     "cannot write " + quoted(path_) + ": " + in_place_ +
                         ", and it cannot be written in place: " + std::strerror(error));
  }
  struct stat information {};
  if (::fstat(file.value(), &information) != 0) fail_output("look at", path_, errno);
  if (!S_ISREG(information.st_mode)) refuse(kind_of(information.st_mode));
  if (!text) return;
  if (::flock(file.value(), LOCK_EX | LOCK_NB) != 0 && errno == EWOULDBLOCK)
    throw CodedError(ErrorCode::output_failed,
                     "cannot write " + quoted(path_) + ": another program is writing it");
  if (const int error = write_whole(file.value(), *text)) fail_output("write", path_, error);
  if (::ftruncate(file.value(), static_cast<off_t>(text->size())) != 0 || ::fsync(file.value()) != 0 ||
      ::fstat(file.value(), &information) != 0)
    fail_output("write", path_, errno);
  remember(information);
}

void OutputFile::remember(const struct stat& information) { written_ = information; }

OutputFile::Found OutputFile::look(std::string_view text) {
  const Descriptor file(::open(path_.c_str(), O_RDONLY | O_NONBLOCK | O_CLOEXEC));
  struct stat information {};
  if (!file.is_open() || ::fstat(file.value(), &information) != 0) {
    // A user who may write a file may still be forbidden to read it.
    if (::stat(path_.c_str(), &information) != 0) return Found::missing;
    return written_ && is_same_file(information, *written_) ? Found::same : Found::other;
  }
  const auto is_untouched = [&] {
    return is_same_file(information, *written_) && information.st_size == written_->st_size &&
           information.st_mtim.tv_sec == written_->st_mtim.tv_sec &&
           information.st_mtim.tv_nsec == written_->st_mtim.tv_nsec;
  };
  if (written_ && is_untouched()) return Found::same;
  if (!S_ISREG(information.st_mode) || information.st_size != static_cast<off_t>(text.size()))
    return Found::other;
  std::string found(text.size(), '\0');
  std::size_t size = 0;
  while (size < found.size()) {
    const ssize_t read = ::read(file.value(), found.data() + size, found.size() - size);
    if (read <= 0) return Found::other;
    size += static_cast<std::size_t>(read);
  }
  if (found != text) return Found::other;
  remember(information);
  return Found::same;
}

/// Removes temporary files that nobody has locked, which killed programs have left. A file that cannot be read or
/// removed stays: the check that follows says what is wrong.
void OutputFile::remove_leftovers() const {
  const std::string target = find().path;
  const std::string prefix = temporary_prefix(target);
  std::error_code none;
  for (std::filesystem::directory_iterator entry(directory_of(target), none), end; !none && entry != end;
       entry.increment(none)) {
    const std::string name = entry->path().filename().string();
    if (name.size() != prefix.size() + 6 || !name.starts_with(prefix)) continue;
    const Descriptor file(::open(entry->path().c_str(), O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC));
    struct stat information {};
    if (!file.is_open() || ::fstat(file.value(), &information) != 0 || !S_ISREG(information.st_mode))
      continue;
    if (::flock(file.value(), LOCK_EX | LOCK_NB) == 0) ::unlink(entry->path().c_str());
  }
}

}  // namespace lekt::command
