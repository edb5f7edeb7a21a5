// The files of a database: those that SQLite and this program keep next to it, named once.
#pragma once

#include <array>
#include <cstdint>
#include <filesystem>
#include <string>
#include <system_error>

namespace lekt::storage {

/// Suffixes of the files that SQLite keeps next to a database.
inline constexpr const char* log_suffix = "-wal";            ///< the write-ahead log
inline constexpr const char* shared_memory_suffix = "-shm";  ///< the log's index
inline constexpr const char* journal_suffix = "-journal";    ///< a rollback journal
inline constexpr std::array companion_suffixes = {log_suffix, shared_memory_suffix, journal_suffix};

/// The suffix of the file that a server keeps locked while it has the database open (instance_lock.h).
inline constexpr const char* lock_suffix = ".lock";

/// The suffixes of all files that a server has open. The first one is that of the database itself: none.
inline constexpr std::array opened_suffixes = {"", log_suffix, shared_memory_suffix, lock_suffix};

inline std::filesystem::path beside(const std::filesystem::path& database, const char* suffix) {
  return database.string() + suffix;
}

inline std::filesystem::path log_of(const std::filesystem::path& database) {
  return beside(database, log_suffix);
}
inline std::filesystem::path shared_memory_of(const std::filesystem::path& database) {
  return beside(database, shared_memory_suffix);
}
inline std::filesystem::path journal_of(const std::filesystem::path& database) {
  return beside(database, journal_suffix);
}
inline std::filesystem::path lock_of(const std::filesystem::path& database) {
  return beside(database, lock_suffix);
}
/// The mark that lies next to a database while a restore replaces it.
inline std::filesystem::path restore_mark_of(const std::filesystem::path& database) {
  return beside(database, ".restoring");
}
/// The name of a copy that is being written, until it is complete and gets its own.
inline std::filesystem::path partial_of(const std::filesystem::path& target) {
  return beside(target, ".partial");
}

/// Bytes of a file; 0 if there is none, or if its size is not known.
inline std::uint64_t size_of(const std::filesystem::path& file) {
  std::error_code error;
  const auto size = std::filesystem::file_size(file, error);
  return error ? 0 : size;
}

}  // namespace lekt::storage
