#include "storage/file_checks.h"

#include <fcntl.h>
#include <linux/magic.h>
#include <pwd.h>
#include <sys/stat.h>
#include <sys/vfs.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <string>
#include <system_error>

#include "common/descriptor.h"
#include "common/errors.h"
#include "storage/database_files.h"

namespace lekt::storage {

namespace fs = std::filesystem;

namespace {

// The first 100 bytes of an SQLite file (https://sqlite.org/fileformat.html, "The Database Header").
constexpr std::size_t header_bytes = 100;
constexpr ByteView header_magic("SQLite format 3\0", 16);
constexpr std::size_t application_id_offset = 68;
constexpr std::size_t read_version_offset = 19;
constexpr char read_version_log = 2;

/// The size of a new database, which has one page. After a power loss during its creation, a file system may have
/// kept the size without the bytes.
constexpr std::size_t blank_bytes_max = 4096;

struct NetworkFileSystem {
  std::uint32_t type;
  std::string_view name;
};

// Types that linux/magic.h does not have are from statfs(2) or from the file system's own sources.
constexpr std::array network_file_systems = {
    NetworkFileSystem{NFS_SUPER_MAGIC, "NFS"},   NetworkFileSystem{SMB_SUPER_MAGIC, "SMB"},
    NetworkFileSystem{0xff534d42, "CIFS"},       NetworkFileSystem{0xfe534d42, "SMB2"},
    NetworkFileSystem{V9FS_MAGIC, "9P"},         NetworkFileSystem{AFS_SUPER_MAGIC, "AFS"},
    NetworkFileSystem{AFS_FS_MAGIC, "AFS"},      NetworkFileSystem{0x00c36400, "Ceph"},
    NetworkFileSystem{CODA_SUPER_MAGIC, "Coda"}, NetworkFileSystem{NCP_SUPER_MAGIC, "NCP"},
    NetworkFileSystem{0x7461636f, "OCFS2"},      NetworkFileSystem{0x01161970, "GFS2"},
    NetworkFileSystem{0x0bd00bd0, "Lustre"},     NetworkFileSystem{0x47504653, "GPFS"},
};

/// The user in words: "alice (1000)".
std::string user_text(uid_t user) {
  std::array<char, 4096> buffer{};
  passwd entry{};
  passwd* found = nullptr;
  const std::string number = std::to_string(user);
  if (getpwuid_r(user, &entry, buffer.data(), buffer.size(), &found) != 0 || found == nullptr) return number;
  return std::string(entry.pw_name) + " (" + number + ")";
}

/// Who owns the file, or its directory if there is no file or it cannot be seen. For the end of a message.
std::string owner_text(const fs::path& path) {
  struct stat found {};
  fs::path owned = path;
  if (stat(owned.c_str(), &found) != 0) owned = path.parent_path();
  if (owned != path && stat(owned.c_str(), &found) != 0) return {};
  return "; " + (owned == path ? "it" : "the directory " + owned.string()) + " belongs to user " +
         user_text(found.st_uid) + ", so run this as that user or as root";
}

/// Why more than one name may lead to the file; empty if only this one does, or there is no file.
std::string other_names_of(const fs::path& path) {
  struct statx found {};
  if (statx(AT_FDCWD, path.c_str(), AT_SYMLINK_NOFOLLOW, STATX_TYPE | STATX_NLINK, &found) != 0) return {};
  if (S_ISREG(found.stx_mode) && found.stx_nlink > 1)
    return "has " + std::to_string(found.stx_nlink) + " names (hard links)";
  if ((found.stx_attributes & STATX_ATTR_MOUNT_ROOT) != 0) return "is mounted as a file of its own";
  // On an older kernel, a mounted file shows only by being on another device than its directory.
  struct statx directory {};
  if ((found.stx_attributes_mask & STATX_ATTR_MOUNT_ROOT) == 0 &&
      statx(AT_FDCWD, path.parent_path().c_str(), 0, STATX_TYPE, &directory) == 0 &&
      (found.stx_dev_major != directory.stx_dev_major || found.stx_dev_minor != directory.stx_dev_minor))
    return "is mounted as a file of its own";
  return {};
}

[[noreturn]] void throw_other_names(const fs::path& path, const std::string& what) {
  throw CodedError(ErrorCode::database_other_names,
                   path.string() + " " + what +
                       ", so a server could have it open under another name, with another lock and log; " +
                       (what.starts_with("has") ? "remove the other names (find -samefile lists them)"
                                                : "mount the directory of the database instead"));
}

[[noreturn]] void throw_foreign(const fs::path& path, const std::string& why) {
  throw CodedError(ErrorCode::database_foreign, path.string() + " is not a database of this program: " + why +
                                                    "; it was left as it was, choose another file");
}

/// The size of the file, found without opening it; nothing if there is no file.
std::optional<off_t> size_of_file(const fs::path& path) {
  struct stat information {};
  if (lstat(path.c_str(), &information) != 0) {
    if (errno != ENOENT) throw_file_error("cannot look at", path, errno);
    return std::nullopt;
  }
  if (!S_ISREG(information.st_mode))
    throw CodedError(ErrorCode::database_unusable, path.string() + " is not a file; name a file");
  return information.st_size;
}

/// The part of the file's beginning that matters. The file is opened for writing, too: one that we may only read
/// is of no use.
Bytes read_beginning(const fs::path& path) {
  const Descriptor descriptor(open(path.c_str(), O_RDWR | O_CLOEXEC | O_NOFOLLOW));
  if (!descriptor.is_open()) throw_file_error("cannot open for reading and writing", path, errno);
  Bytes beginning(blank_bytes_max + 1, '\0');
  const ssize_t size = pread(descriptor.value(), beginning.data(), beginning.size(), 0);
  if (size < 0) throw_file_error("cannot read", path, errno);
  beginning.resize(static_cast<std::size_t>(size));
  return beginning;
}

bool is_blank(ByteView beginning) {
  return beginning.size() <= blank_bytes_max && beginning.find_first_not_of('\0') == beginning.npos;
}

/// Refuses a write-ahead log without its database: it still holds committed rows, and SQLite would throw it away, or
/// mix it into the new file.
void refuse_orphaned_log(const fs::path& path) {
  const fs::path log = log_of(path);
  const std::uint64_t size = size_of(log);
  if (size == 0) return;
  throw CodedError(ErrorCode::database_corrupt,
                   path.string() + " is missing or empty, but its write-ahead log " + log.string() + " has " +
                       std::to_string(size) +
                       " bytes; restore the database, or move the log away to begin anew");
}

/// Names the log or index that cannot be opened: SQLite would say "unable to open database file" and not which.
void check_companions(const fs::path& path) {
  for (const fs::path& companion : {log_of(path), shared_memory_of(path)})
    if (access(companion.c_str(), R_OK | W_OK) != 0 && errno != ENOENT)
      throw_file_error("cannot read and write", companion, errno);
}

}  // namespace

std::string as_whom() { return " as user " + user_text(geteuid()); }

void throw_file_error(std::string_view what, const fs::path& path, int error_number) {
  std::string message = std::string(what) + " " + path.string();
  const bool lacks_rights = error_number == EACCES || error_number == EPERM;
  if (lacks_rights) message += as_whom();
  message += ": " + std::generic_category().message(error_number);
  if (lacks_rights) message += owner_text(path);
  throw CodedError(ErrorCode::database_unusable, message);
}

fs::path resolve(const fs::path& path) {
  std::error_code error;
  const fs::path absolute = fs::absolute(path, error);
  const fs::path resolved = error ? path : fs::weakly_canonical(absolute, error);
  if (error) throw_file_error("cannot resolve", path, error.value());
  if (fs::is_directory(resolved, error))
    throw CodedError(ErrorCode::database_unusable, resolved.string() + " is a directory; name a file in it");
  const fs::path directory = resolved.parent_path();
  if (!fs::exists(directory, error) && !error)
    throw CodedError(ErrorCode::database_unusable,
                     "the directory " + directory.string() + " does not exist; create it");
  if (error) throw_file_error("cannot look into", directory, error.value());
  return resolved;
}

std::optional<std::string_view> network_file_system(std::uint32_t type) {
  for (const NetworkFileSystem& known : network_file_systems)
    if (known.type == type) return known.name;
  return std::nullopt;
}

void refuse_network_file_system(const fs::path& path) {
  // The file itself is asked first, since it may be mounted on its own; a file that does not exist yet will be on
  // its directory's file system.
  struct statfs information {};
  const fs::path directory = path.parent_path();
  if (statfs(path.c_str(), &information) != 0 && statfs(directory.c_str(), &information) != 0)
    throw_file_error("cannot look into", directory, errno);
  const auto name = network_file_system(static_cast<std::uint32_t>(information.f_type));
  if (!name) return;
  throw CodedError(ErrorCode::database_network, path.string() + " lies on the network file system " +
                                                    std::string(*name) + "; put it on a local disk");
}

void refuse_other_names(const fs::path& path) {
  for (const char* suffix : opened_suffixes) {
    const fs::path file = beside(path, suffix);
    if (const std::string wrong = other_names_of(file); !wrong.empty()) throw_other_names(file, wrong);
  }
}

void refuse_reading_without_log(const fs::path& path) {
  std::error_code error;
  const fs::path resolved = fs::canonical(path, error);
  const std::string wrong = error ? std::string() : other_names_of(resolved);
  if (wrong.empty()) return;
  if (size_of(log_of(resolved)) == 0 && uses_log(resolved)) throw_other_names(resolved, wrong);
}

Bytes read_first_bytes(const fs::path& path, std::size_t size) {
  const Descriptor descriptor(open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK));
  if (!descriptor.is_open() && errno == ENOENT) return {};
  if (!descriptor.is_open()) throw_file_error("cannot read", path, errno);
  Bytes bytes(size, '\0');
  const ssize_t read = pread(descriptor.value(), bytes.data(), bytes.size(), 0);
  if (read < 0) throw_file_error("cannot read", path, errno);
  bytes.resize(static_cast<std::size_t>(read));
  return bytes;
}

bool uses_log(const fs::path& path) {
  const Bytes header = read_first_bytes(path, header_bytes);
  return header.size() > read_version_offset && header[read_version_offset] == read_version_log;
}

FileState inspect(const fs::path& path) {
  if (!size_of_file(path)) {
    refuse_orphaned_log(path);
    return FileState::missing;
  }
  const Bytes header = read_beginning(path);
  if (is_blank(header)) {
    refuse_orphaned_log(path);
    return FileState::empty;
  }
  if (!header.starts_with(header_magic) || header.size() < header_bytes)
    throw_foreign(path, "its first bytes are not those of an SQLite file");
  refuse_foreign(path, ByteReader(ByteView(header).substr(application_id_offset)).u32());
  check_companions(path);
  return FileState::ours;
}

void refuse_foreign(const fs::path& path, std::uint32_t application) {
  if (application != application_id)
    throw_foreign(path, "its application_id is " + std::to_string(application) + " instead of " +
                            std::to_string(application_id));
}

void expect_still_there(const fs::path& path) {
  if (size_of_file(path).value_or(0) == 0) {
    refuse_orphaned_log(path);
    throw CodedError(ErrorCode::database_unusable,
                     path.string() + " is gone; stop the server and restore it");
  }
  check_companions(path);
}

void refuse_interrupted_restore(const std::filesystem::path& database) {
  std::error_code ignored;
  if (std::filesystem::exists(restore_mark_of(database), ignored))
    throw CodedError(ErrorCode::database_unusable,
                     "a restore of " + database.string() + " was interrupted, as " +
                         restore_mark_of(database).string() + " shows; run `lektctl restore` again");
}

}  // namespace lekt::storage
