// Checks before SQLite may open a database file: where it lies, and whose it is.
//
// Nothing here changes a file that exists. inspect() opens and closes a descriptor of the database, so call it
// before this process opens the database with SQLite, and never while it is open: closing one drops all of
// SQLite's POSIX locks (fcntl(2), https://sqlite.org/howtocorrupt.html).
#pragma once

#include <sys/types.h>

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <string_view>

#include "common/bytes.h"

namespace lekt::storage {

/// "LEKT" in the header of the file. It distinguishes our database from any other SQLite file.
inline constexpr std::uint32_t application_id = 0x4c454b54;

/// The owner may write, the group may read, and others may do neither. SQLite gives -wal and -shm the same
/// mode.
inline constexpr mode_t file_mode = 0640;

/// Who runs this program, for messages about rights: " as user alice (1000)".
std::string as_whom();

/// Throws CodedError E503: "<what> <path>: <text of the error number>". If rights are missing, it adds
/// as_whom().
[[noreturn]] void throw_file_error(std::string_view what, const std::filesystem::path& path,
                                   int error_number);

/// The absolute path without links, so that every name of a file leads to one lock. Throws CodedError E503,
/// for instance if the directory does not exist.
std::filesystem::path resolve(const std::filesystem::path& path);

/// The name of a file system on which several machines may share a file, by the type that statfs tells;
/// nothing for others.
std::optional<std::string_view> network_file_system(std::uint32_t type);

/// Throws CodedError E508 if the database would lie on a network file system.
void refuse_network_file_system(const std::filesystem::path& path);

/// Throws CodedError E513 if the file, or one next to it, has a second name (a hard link) or is a mount of its
/// own. A database is one file with one name: its lock and its log lie next to the name and its content lies in
/// the inode, so a server under another name would find neither lock nor log.
void refuse_other_names(const std::filesystem::path& path);

/// Like refuse_other_names(), for those who only read: a name that has the log next to it is fine, and so is a
/// file that needs no log.
void refuse_reading_without_log(const std::filesystem::path& path);

/// The first `size` bytes of the file, or as many as there are; none if there is no file. Throws CodedError
/// E503.
Bytes read_first_bytes(const std::filesystem::path& path, std::size_t size);

/// Whether the file was written to be read together with a write-ahead log. Throws CodedError E503.
bool uses_log(const std::filesystem::path& path);

enum class FileState {
  missing,
  empty,  ///< no bytes, or a page of zeros: as good as new
  ours,
};

/// Looks at the file's size and header. Throws CodedError E503, E505 (not ours) and E506 (there is only a
/// write-ahead log). It does not look at the version: the log may hold a newer one.
FileState inspect(const std::filesystem::path& path);

/// Throws CodedError E505 if an SQLite file with this application_id is not ours.
void refuse_foreign(const std::filesystem::path& path, std::uint32_t application);

/// Checks a database that this process had open and opens again. It uses no descriptor of the database, since
/// readers in this process may hold locks. Throws CodedError E503 and E506.
void expect_still_there(const std::filesystem::path& path);

/// Throws CodedError E503 if a restore was interrupted: then part of the old database may be there, or
/// nothing, and no new one must be made.
void refuse_interrupted_restore(const std::filesystem::path& database);

}  // namespace lekt::storage
