#include "storage/tables.h"

#include <sqlite3.h>

#include <limits>
#include <string_view>

#include "common/utf8.h"
#include "storage/address_column.h"
#include "storage/record.h"
#include "storage/statements.h"

namespace lekt::storage {

namespace {

// In DO UPDATE a bare column is the row's old value.

// A client that is added or changed has a session in this run; presences tell how many.
constexpr const char* add_sql = R"sql(
  INSERT INTO client_record (sequence, address, present, second, since, methods, record, sessions, run, heard)
  VALUES (?1, ?2, 1, ?3, ?3, ?4, ?5, 1, ?6, ?3)
  ON CONFLICT (address) DO UPDATE SET
    sequence = excluded.sequence,
    present = 1,
    second = excluded.second,
    since = iif(present = 1, since, excluded.since),
    methods = excluded.methods,
    record = excluded.record,
    sessions = iif(present = 1 AND run = excluded.run, max(sessions, 1), 1),
    run = excluded.run,
    heard = iif(present = 1, heard, excluded.heard),
    reason = ''
)sql";

// Methods in words, since and heard stay as they were: operators ask who a removed client was.
constexpr const char* remove_sql = R"sql(
  INSERT INTO client_record (sequence, address, present, second, since, methods, record, sessions, run, heard, reason)
  VALUES (?1, ?2, 0, ?3, ?3, '', x'', 0, 0, 0, ?4)
  ON CONFLICT (address) DO UPDATE SET
    sequence = excluded.sequence,
    present = 0,
    second = excluded.second,
    record = x'',
    sessions = 0,
    reason = excluded.reason
)sql";

// Runs before the client's row is written, so that it can tell added from changed.
constexpr const char* remember_sql = R"sql(
  INSERT INTO change_record (sequence, second, kind, address, methods, reason)
  VALUES (?1, ?2,
          CASE WHEN ?3 = 0 THEN 'removed'
               WHEN EXISTS (SELECT 1 FROM client_record WHERE address = ?4 AND present = 1) THEN 'changed'
               ELSE 'added' END,
          ?4, ?5, ?6)
)sql";

constexpr const char* prune_sql = "DELETE FROM change_record WHERE sequence <= ?1";

constexpr const char* see_sql = R"sql(
  UPDATE client_record SET sessions = ?2, run = ?3, heard = max(heard, ?4) WHERE address = ?1 AND present = 1
)sql";

constexpr const char* forget_sql = "DELETE FROM client_record WHERE present = 0 AND second < ?1";

constexpr const char* set_state_sql = R"sql(
  UPDATE server_record SET second = ?1, sequence = ?2, history_begins = ?3, forgotten_sequence = ?4
)sql";

constexpr const char* count_code_sql = R"sql(
  INSERT INTO code_record (code, count, second) VALUES (?1, ?2, ?3)
  ON CONFLICT (code) DO UPDATE SET count = count + excluded.count, second = excluded.second
)sql";

constexpr const char* warn_sql = "INSERT INTO warning_record (code, second, message) VALUES (?1, ?2, ?3)";

constexpr const char* clear_warnings_sql = "DELETE FROM warning_record";

constexpr const char* ban_sql = R"sql(
  INSERT INTO ban_record (address, prefix, second, reason, until) VALUES (?1, ?2, ?3, ?4, ?5)
  ON CONFLICT (address, prefix) DO UPDATE SET
    second = excluded.second,
    reason = excluded.reason,
    until = excluded.until
)sql";

constexpr const char* unban_sql = "DELETE FROM ban_record WHERE address = ?1 AND prefix = ?2";

constexpr const char* note_start_sql = R"sql(
  INSERT INTO server_record (only_row, second, sequence, history_begins, forgotten_sequence, version, created, started,
                             stopped, run)
  VALUES (1, ?2 + 1, 0, ?2, 0, ?1, ?2, ?2, NULL, 1)
  ON CONFLICT (only_row) DO UPDATE SET
    version = excluded.version,
    started = excluded.started,
    stopped = NULL,
    run = run + 1
)sql";

std::int64_t signed_of(std::uint64_t sequence) { return static_cast<std::int64_t>(sequence); }

[[noreturn]] void refuse_row(std::int64_t sequence, const std::string& why) {
  throw RowError("client_record, sequence " + std::to_string(sequence) + ": " + why);
}

/// The methods in words, cut to words_max, though not within a character.
std::string cut(std::string words) {
  if (words.size() <= words_max) return words;
  words.resize(cut_to_bytes(words, words_max - words_ellipsis.size()).size());
  return words.append(words_ellipsis);
}

/// A row of client_record, checked on its own; the caller checks how it follows the one before.
Change read_change(const SQLite::Statement& row) {
  const std::int64_t sequence = row.getColumn(0).getInt64();
  const std::int64_t address = row.getColumn(2).getInt64();
  if (address < 1 || address > std::numeric_limits<std::uint32_t>::max())
    refuse_row(sequence, "address " + std::to_string(address) + " is not an IPv4 address");
  Change change;
  change.sequence = static_cast<std::uint64_t>(sequence);
  change.second = row.getColumn(1).getInt64();
  change.kind = row.getColumn(3).getInt64() != 0 ? UpdateKind::added : UpdateKind::removed;
  change.address = stored_address(address);
  const SQLite::Column record = row.getColumn(4);
  const auto size = static_cast<std::size_t>(record.getBytes());
  auto methods = decode_record({static_cast<const char*>(record.getBlob()), size});
  if (!methods) refuse_row(sequence, "its record cannot be read");
  if (change.kind == UpdateKind::removed && !methods->empty())
    refuse_row(sequence, "a removed client has methods");
  change.methods = std::move(*methods);
  return change;
}

}  // namespace

std::string stored_words(const MethodCatalogue& catalogue, const Methods& methods) {
  return cut(catalogue.describe(methods));
}

void note_start(SQLite::Database& database, const std::string& version, std::int64_t started) {
  SQLite::Statement statement(database, note_start_sql);
  statement.bind(1, version);
  statement.bind(2, started);
  statement.exec();
  database.exec(clear_warnings_sql);
  clear_device_sessions(database);
}

void note_stop(SQLite::Database& database, std::int64_t second) {
  SQLite::Statement statement(database, "UPDATE server_record SET stopped = ?1");
  statement.bind(1, second);
  statement.exec();
}

bool is_stopped(SQLite::Database& database) {
  SQLite::Statement row(database, "SELECT stopped FROM server_record");
  return row.executeStep() && !row.getColumn(0).isNull();
}

ServerRow read_server(SQLite::Database& database) {
  SQLite::Statement row(
      database, "SELECT second, sequence, history_begins, forgotten_sequence, run FROM server_record");
  if (!row.executeStep()) throw RowError("server_record is empty");
  const std::int64_t sequence = row.getColumn(1).getInt64();
  const std::int64_t forgotten = row.getColumn(3).getInt64();
  if (sequence < 0 || forgotten < 0 || forgotten > sequence)
    throw RowError("server_record: sequence " + std::to_string(sequence) + " and forgotten_sequence " +
                   std::to_string(forgotten) + " do not fit");
  if (sequence > sequence_max)
    throw RowError("server_record: sequence " + std::to_string(sequence) +
                   " is beyond all that a server can reach");
  const std::int64_t second = row.getColumn(0).getInt64();
  const std::int64_t history_begins = row.getColumn(2).getInt64();
  for (const std::int64_t time : {second, history_begins})
    if (time < 0 || time > second_max)
      throw RowError("server_record: second " + std::to_string(time) + " is not within 0 to " +
                     std::to_string(second_max) + ", the years 1970 to 9999");
  return {{.second = second,
           .sequence = static_cast<std::uint64_t>(sequence),
           .history_begins = history_begins,
           .forgotten_sequence = static_cast<std::uint64_t>(forgotten)},
          row.getColumn(4).getInt64()};
}

std::size_t count_changes(SQLite::Database& database) {
  return static_cast<std::size_t>(database.execAndGet("SELECT count(*) FROM client_record").getInt64());
}

void read_changes(SQLite::Database& database, const LogState& state,
                  const std::function<void(Change&&)>& take) {
  SQLite::Statement row(
      database, "SELECT sequence, second, address, present, record FROM client_record ORDER BY sequence");
  std::int64_t newest_second = std::numeric_limits<std::int64_t>::min();
  while (row.executeStep()) {
    Change change = read_change(row);
    const std::int64_t sequence = signed_of(change.sequence);
    if (sequence < 1 || change.sequence > state.sequence)
      refuse_row(sequence, "the sequence is not within 1 to " + std::to_string(state.sequence));
    if (change.second < newest_second || change.second > state.second)
      refuse_row(sequence, "second " + std::to_string(change.second) + " is not within " +
                               std::to_string(newest_second) + " to " + std::to_string(state.second));
    newest_second = change.second;
    take(std::move(change));
  }
}

Block read_block(const SQLite::Column& address, const SQLite::Column& prefix) {
  const Address first = stored_address(address.getInt64());
  const auto block = Block::v4(first, prefix.getUInt());
  if (!block)
    throw RowError("ban_record: " + to_string(first) + "/" + prefix.getString() +
                   " has bits behind its prefix");
  return *block;
}

std::vector<Ban> read_bans(SQLite::Database& database) {
  SQLite::Statement row(
      database, "SELECT address, prefix, second, reason, until FROM ban_record ORDER BY second, address");
  std::vector<Ban> bans;
  while (row.executeStep()) {
    Ban ban;
    ban.block = read_block(row.getColumn(0), row.getColumn(1));
    ban.second = row.getColumn(2).getInt64();
    ban.reason = row.getColumn(3).getString();
    if (!row.getColumn(4).isNull()) ban.until = row.getColumn(4).getInt64();
    bans.push_back(std::move(ban));
  }
  return bans;
}

TableWriter::TableWriter(SQLite::Database& database, const MethodCatalogue& catalogue, std::int64_t run)
    : catalogue_(&catalogue),
      run_(run),
      add_(database, add_sql),
      remove_(database, remove_sql),
      remember_(database, remember_sql),
      prune_(database, prune_sql),
      see_(database, see_sql),
      forget_(database, forget_sql),
      set_state_(database, set_state_sql),
      count_code_(database, count_code_sql),
      warn_(database, warn_sql),
      clear_warnings_(database, clear_warnings_sql),
      ban_(database, ban_sql),
      unban_(database, unban_sql),
      devices_(database) {}

void TableWriter::write(const Batch& batch, RefusedRows& refused) {
  const std::uint64_t newest = batch.state.sequence;
  const std::uint64_t pruned = newest > history_changes_max ? newest - history_changes_max : 0;
  for (const Change& change : batch.changes) write(change, change.sequence > pruned, refused);
  for (const Presence& presence : batch.presences)
    refused.attempt(
        RowKind::presence, [&] { write(presence); },
        [&] { return "the presence of " + to_string(presence.address); });
  if (!batch.changes.empty())
    refused.attempt(
        RowKind::history, [&] { execute(prune_, signed_of(pruned)); },
        [] { return "history that is too old"; });
  if (batch.forget_before > 0)
    refused.attempt(
        RowKind::removals, [&] { execute(forget_, batch.forget_before); },
        [] { return "removals that are forgotten"; });
  for (const CodeCount& count : batch.codes)
    refused.attempt(
        RowKind::code, [&] { write(count); }, [&] { return "the count of " + code_text(count.code); });
  if (batch.warnings != nullptr) write(*batch.warnings, refused);
  for (const BanChange& change : batch.bans)
    refused.attempt(
        RowKind::ban, [&] { write(change); },
        [&] { return (change.ends ? "the lifted ban of " : "the ban of ") + to_string(change.ban.block); },
        change.ban.block);
  if (batch.forget_devices_before > 0) devices_.forget(batch.forget_devices_before, refused);
  if (batch.devices != nullptr) devices_.write(*batch.devices, refused);
  write(batch.state);
}

void TableWriter::write(const Change& change, bool into_history, RefusedRows& refused) {
  const std::string words = stored_words(*catalogue_, change.methods);
  if (into_history)
    refused.attempt(
        RowKind::history, [&] { write_history(change, words); },
        [&] { return "the history of " + to_string(change.address); });
  try {
    write_client(change, words);
  } catch (const SQLite::Exception& error) {
    if (error.getErrorCode() != SQLITE_CONSTRAINT) throw;
    throw ChangeRefused(change.address, error.what());
  }
}

void TableWriter::write_client(const Change& change, const std::string& words) {
  const bool added = change.kind == UpdateKind::added;
  SQLite::Statement& statement = added ? add_ : remove_;
  statement.bind(1, signed_of(change.sequence));
  statement.bind(2, stored_number(change.address));
  statement.bind(3, change.second);
  const Bytes record = encode_record(change.methods);
  if (added) {
    statement.bindNoCopy(4, words);
    statement.bindNoCopy(5, record.data(), static_cast<int>(record.size()));
    statement.bind(6, run_);
  } else {
    statement.bind(4, to_string(change.reason));
  }
  execute(statement);
}

void TableWriter::write_history(const Change& change, const std::string& words) {
  remember_.bind(1, signed_of(change.sequence));
  remember_.bind(2, change.second);
  remember_.bind(3, change.kind == UpdateKind::added ? 1 : 0);
  remember_.bind(4, stored_number(change.address));
  remember_.bindNoCopy(5, words);
  remember_.bind(6, to_string(change.reason));
  execute(remember_);
}

void TableWriter::write(const Presence& presence) {
  see_.bind(1, stored_number(presence.address));
  see_.bind(2, presence.sessions);
  see_.bind(3, run_);
  see_.bind(4, presence.heard);
  execute(see_);
}

void TableWriter::write(const LogState& state) {
  set_state_.bind(1, state.second);
  set_state_.bind(2, signed_of(state.sequence));
  set_state_.bind(3, state.history_begins);
  set_state_.bind(4, signed_of(state.forgotten_sequence));
  execute(set_state_);
}

void TableWriter::write(const CodeCount& count) {
  count_code_.bind(1, static_cast<std::int64_t>(count.code));
  count_code_.bind(2, signed_of(count.count));
  count_code_.bind(3, count.second);
  execute(count_code_);
}

void TableWriter::write(const BanChange& change) {
  SQLite::Statement& statement = change.ends ? unban_ : ban_;
  statement.bind(1, stored_number(change.ban.block.first()));
  statement.bind(2, change.ban.block.v4_prefix());
  if (!change.ends) {
    statement.bind(3, change.ban.second);
    statement.bindNoCopy(4, change.ban.reason);
    change.ban.until ? statement.bind(5, *change.ban.until) : statement.bind(5);
  }
  execute(statement);
}

void TableWriter::write(const std::vector<Warning>& warnings, RefusedRows& refused) {
  refused.attempt(
      RowKind::warning, [&] { execute(clear_warnings_); }, [] { return "warnings that are over"; });
  for (const Warning& warning : warnings)
    refused.attempt(
        RowKind::warning,
        [&] {
          warn_.bind(1, static_cast<std::int64_t>(warning.code));
          warn_.bind(2, warning.second);
          warn_.bindNoCopy(3, warning.message);
          execute(warn_);
        },
        [&] { return "the warning " + code_text(warning.code); });
}

}  // namespace lekt::storage
