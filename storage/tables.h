// The rows of the tables in schema.sql: the only place that knows their columns.
//
// Everything here throws SQLite::Exception. Transactions are the caller's.
#pragma once

#include <SQLiteCpp/SQLiteCpp.h>

#include <cstdint>
#include <functional>
#include <optional>
#include <stdexcept>
#include <string>

#include "common/catalogue.h"
#include "storage/database.h"

namespace lekt::storage {

/// Changes that operators can look back on.
inline constexpr std::uint64_t history_changes_max = 10'000;

/// Methods in words are cut here: they are for reading, and a client can announce 64 KiB of information.
inline constexpr std::size_t words_max = 500;

/// A row that the program cannot have written; what() says which and why.
class RowError : public std::runtime_error {
 public:
  using std::runtime_error::runtime_error;
};

struct ServerRow {
  LogState state;
  std::int64_t run = 0;
};

/// Counts a start. The first one makes the row: history begins then.
void note_start(SQLite::Database& database, const std::string& version, std::int64_t started);
void note_stop(SQLite::Database& database, std::int64_t second);

/// Throws RowError when there is no sensible row.
ServerRow read_server(SQLite::Database& database);

/// All changes, ascending, each of them checked against `state`. Throws RowError.
void read_changes(SQLite::Database& database, const LogState& state,
                  const std::function<void(Change&&)>& take);

/// The oldest first. Throws RowError.
std::vector<Ban> read_bans(SQLite::Database& database);

/// Writes rows with statements that are prepared once.
class TableWriter {
 public:
  /// `run` is the server's current one. The database and the catalogue outlive this.
  TableWriter(SQLite::Database& database, const MethodCatalogue& catalogue, std::int64_t run);

  void write(const Batch& batch);
  /// Another catalogue for what is written from now on.
  void use(const MethodCatalogue& catalogue) { catalogue_ = &catalogue; }

 private:
  void write_client(const Change& change, const std::string& words);
  void write_history(const Change& change, const std::string& words);
  void write(const Presence& presence);
  void write(const LogState& state);
  void write(const CodeCount& count);
  void write(const std::vector<Warning>& warnings);
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
};

}  // namespace lekt::storage
