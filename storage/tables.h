// The rows of the tables in schema.sql: this and device_tables.h are the only places that know their columns.
//
// Everything here throws SQLite::Exception. Transactions are the caller's.
#pragma once

#include <SQLiteCpp/SQLiteCpp.h>

#include <cstdint>
#include <functional>
#include <optional>
#include <stdexcept>
#include <string>
#include <string_view>

#include "common/catalogue.h"
#include "storage/database.h"
#include "storage/device_tables.h"
#include "storage/refused_rows.h"

namespace lekt::storage {

/// How many changes operators can look back on.
inline constexpr std::uint64_t history_changes_max = 10'000;

/// How many characters methods in words may have: they are for reading, and a client can announce 64 KiB of
/// information.
inline constexpr std::size_t words_max = 500;
inline constexpr std::string_view words_ellipsis = "...";  ///< their end where they were longer

/// The last second that is valid: one after the year 9999 is no time, and one near the largest number leaves no room
/// for a next one.
inline constexpr std::int64_t second_max = 253'402'300'799;
/// The last sequence that is valid: more changes than a server can make, with room for the next ones.
inline constexpr std::int64_t sequence_max = std::int64_t{1} << 62;

/// Thrown for a row that the program cannot have written; what() says which and why.
class RowError : public std::runtime_error {
 public:
  using std::runtime_error::runtime_error;
};

struct ServerRow {
  LogState state;
  std::int64_t run = 0;
};

/// Counts a start of the server. The first one makes the row, and history begins with it.
void note_start(SQLite::Database& database, const std::string& version, std::int64_t started);
void note_stop(SQLite::Database& database, std::int64_t second);

/// Whether the server has noted its clean stop since its last start; false without a row.
bool is_stopped(SQLite::Database& database);

/// Reads the server's row. Throws RowError if there is no sensible one.
ServerRow read_server(SQLite::Database& database);

/// How many changes read_changes() gives.
std::size_t count_changes(SQLite::Database& database);

/// Calls `take` with all changes, ascending, each checked against `state`. Throws RowError.
void read_changes(SQLite::Database& database, const LogState& state,
                  const std::function<void(Change&&)>& take);

/// The block that two columns hold. Throws RowError if it has bits beyond its prefix.
Block read_block(const SQLite::Column& address, const SQLite::Column& prefix);

/// All bans, the oldest first. Throws RowError.
std::vector<Ban> read_bans(SQLite::Database& database);

/// Writes rows with statements that are prepared once.
class TableWriter {
 public:
  /// `run` is the server's current run. The database and the catalogue outlive this object.
  TableWriter(SQLite::Database& database, const MethodCatalogue& catalogue, std::int64_t run);

  /// Writes the batch. Rows that only operators need are left out if the database refuses them, and noted in
  /// `refused`. Throws ChangeRefused and TransactionEnded.
  void write(const Batch& batch, RefusedRows& refused);
  /// Uses another catalogue for everything that is written from now on.
  void use(const MethodCatalogue& catalogue) { catalogue_ = &catalogue; }

 private:
  void write(const Change& change, bool into_history, RefusedRows& refused);
  void write_client(const Change& change, const std::string& words);
  void write_history(const Change& change, const std::string& words);
  void write(const Presence& presence);
  void write(const LogState& state);
  void write(const CodeCount& count);
  void write(const std::vector<Warning>& warnings, RefusedRows& refused);
  void write(const BanChange& change);

  const MethodCatalogue* catalogue_;
  std::int64_t run_;
  SQLite::Statement add_;
  SQLite::Statement remove_;
  SQLite::Statement remember_;
  SQLite::Statement prune_;
  SQLite::Statement see_;
  SQLite::Statement forget_;
  SQLite::Statement set_state_;
  SQLite::Statement count_code_;
  SQLite::Statement warn_;
  SQLite::Statement clear_warnings_;
  SQLite::Statement ban_;
  SQLite::Statement unban_;
  DeviceTableWriter devices_;
};

}  // namespace lekt::storage
