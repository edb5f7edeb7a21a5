// What is looked at before SQLite may open a database file: where it lies, and whose it is.
//
// Nothing here changes a file that exists. inspect() opens and closes a descriptor of the database, so it
// comes before this process opens it with SQLite, and never while it is open: closing one drops all of
// SQLite's POSIX locks (fcntl(2), https://sqlite.org/howtocorrupt.html).
#pragma once

#include <sys/types.h>

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string_view>

namespace lekt::storage {

/// In the header of the file, "LEKT": what tells our database from any other SQLite file.
inline constexpr std::uint32_t application_id = 0x4c454b54;

/// The owner writes, his group reads, and the world sees nothing of it. SQLite gives -wal and -shm the same.
inline constexpr mode_t file_mode = 0640;

/// Throws CodedError E503: "<what> <path>: <text of the error number>".
[[noreturn]] void throw_file_error(std::string_view what, const std::filesystem::path& path,
                                   int error_number);

/// The absolute path without links, so that every name of a file leads to one lock. Throws CodedError E503,
/// also when the directory does not exist.
std::filesystem::path resolve(const std::filesystem::path& path);

/// The name of a file system, by the type that statfs tells, on which several machines may share a file.
std::optional<std::string_view> network_file_system(std::uint32_t type);

/// Throws CodedError E508 when the database would lie on a network file system.
void refuse_network_file_system(const std::filesystem::path& path);

enum class FileState {
  missing,
  empty,  ///< no bytes, or a page of zeros: as good as new
  ours,
};

/// Looks at size and header. Throws CodedError E503, E505 (not ours) and E506 (only a write-ahead log is
/// there). The version is not looked at here: the log may hold a newer one.
FileState inspect(const std::filesystem::path& path);

/// Throws CodedError E505 when an SQLite file with this application_id is not ours.
void refuse_foreign(const std::filesystem::path& path, std::uint32_t application);

/// For a database that was open and is to be opened again: asks only what needs no descriptor of it, since
/// readers in this process may hold their locks. Throws CodedError E503 and E506.
void expect_still_there(const std::filesystem::path& path);

/// Stands beside a database while a restore replaces it.
std::filesystem::path restore_mark(const std::filesystem::path& database);

/// Throws CodedError E503 when a restore was interrupted: then part of the old database may be there, or
/// nothing, and a new one must not be made.
void refuse_interrupted_restore(const std::filesystem::path& database);

}  // namespace lekt::storage
