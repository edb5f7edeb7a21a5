// Copies a database while its server runs, and puts a copy back while the server is stopped.
//
// A copy is one file that needs no log next to it, so it can be read from anywhere. Nothing is ever
// overwritten: a file that is being written has another name until it is complete and on the disk.
#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>

namespace lekt::storage {

struct BackupResult {
  std::uint64_t bytes = 0;
  std::size_t clients = 0;     ///< clients that are present
  std::uint64_t sequence = 0;  ///< number of the newest change
};

/// Copies one state of the database, checks the copy as a start would, and gives it its name. The copy has the
/// database's mode, less all rights of others. Throws CodedError E804 if the target exists, E806 if the copy is
/// not sound, E503 and E505 to E507; then no target is made.
BackupResult back_up(const std::filesystem::path& database, const std::filesystem::path& target);

struct RestoreResult {
  std::size_t clients = 0;
  std::int64_t history_begins = 0;  ///< Unix seconds
  std::filesystem::path kept;       ///< where the old database is now; empty if there was none
};

/// Puts a copy of the backup in the place of a stopped server's database. History begins anew, after everything
/// that clients may have been told, so each client gets the full list, and none resumes across the gap. Owner,
/// group and mode stay; the old files are kept next to the new one, with the time in their names. `now` is the
/// wall clock in Unix seconds. Throws CodedError E805 if the server runs, E806 if the backup is not sound, E503
/// and E505 to E508; then everything is left as it was.
RestoreResult restore(const std::filesystem::path& database, const std::filesystem::path& backup,
                      std::int64_t now);

}  // namespace lekt::storage
