// A read-only connection to a database that a server may have open. Reader, the check and the backup use it.
//
// It never checkpoints, never writes, and opens no descriptor of the database but SQLite's own, so it may be
// used within the server's process, too. It waits for a moment if SQLite is recovering a log.
#pragma once

#include <SQLiteCpp/SQLiteCpp.h>

#include <filesystem>

namespace lekt::storage {

/// Opens a database read-only. Throws CodedError E513 if the log of the database lies next to another name of
/// the file, E503 if the database is missing or may not be read, E505 if it is not ours, E506 if it is damaged,
/// and E507 if a newer program wrote it. An older schema is accepted.
SQLite::Database open_read_only(const std::filesystem::path& path);

/// A connection that sees the file without its log, whatever the log holds. Throws SQLite::Exception.
SQLite::Database connect_immutable(const std::filesystem::path& path);

/// Like open_read_only(), for a file that nobody changes meanwhile and that has no log, such as a backup. No
/// file next to it is needed or made.
SQLite::Database open_immutable(const std::filesystem::path& path);

// Migrations that added something that readers do not find in older databases.
inline constexpr int version_of_codes = 2;     ///< tables of codes and warnings
inline constexpr int version_of_bans = 3;      ///< the table of bans
inline constexpr int version_of_reasons = 4;   ///< reasons of removals, ends of bans
inline constexpr int version_of_devices = 5;   ///< tables of devices, their sessions and alerts
inline constexpr int version_of_identity = 6;  ///< the identity of the log

/// Whether a read may succeed a moment later. A reader that may not write the log's index has to wait until the
/// server has written it again, after a crash or while many commits race with the opening. SQLite calls that an
/// attempt to write a readonly database.
bool is_passing(const SQLite::Exception& error);
/// Waits before try number `done` + 1; false if there have been enough, which takes about a second.
bool wait_for_another_try(int done);

/// Runs an action that begins to read, and runs it again while is_passing() says that this may help.
template <class Action>
auto retried(Action action) {
  for (int tries = 1;; ++tries) {
    try {
      return action();
    } catch (const SQLite::Exception& error) {
      if (!is_passing(error) || !wait_for_another_try(tries)) throw;
    }
  }
}

/// The number of the last migration that was applied.
int schema_version(SQLite::Database& database);

}  // namespace lekt::storage
