// A copy of the database while its server runs, and the way back when the server is stopped.
//
// A copy is one file that needs no log beside it, so it can be read from anywhere. Nothing is ever
// overwritten: what is written has another name until it is complete and on the disk.
#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>

namespace lekt::storage {

struct BackupResult {
  std::uint64_t bytes = 0;
  std::size_t clients = 0;     ///< present
  std::uint64_t sequence = 0;  ///< of the newest change
};

/// Copies one state of the database, checks the copy as a start would, and gives it its name. Its mode is the
/// database's, without anything for the world. Throws CodedError E804 when the target exists, E806 when the
/// copy is not sound, E503 and E505 to E507; then there is no target.
BackupResult back_up(const std::filesystem::path& database, const std::filesystem::path& target);

struct RestoreResult {
  std::size_t clients = 0;
  std::int64_t history_begins = 0;  ///< Unix seconds
  std::filesystem::path kept;       ///< where the old database is now; empty when there was none
};

/// Puts a copy of the backup in place of the database of a stopped server. History begins anew, after
/// everything that clients may have been told: so each of them gets the full list, and none resumes across
/// the gap. Owner, group and mode stay; the old files are kept beside it, with the time in their name. `now`
/// is the wall clock in Unix seconds. Throws CodedError E805 when the server runs, E806 when the backup is
/// not sound, E503 and E505 to E508; then everything is as before.
RestoreResult restore(const std::filesystem::path& database, const std::filesystem::path& backup,
                      std::int64_t now);

}  // namespace lekt::storage
