#include "storage/opening.h"

#include <algorithm>
#include <optional>
#include <system_error>
#include <utility>

#include "storage/database_files.h"
#include "storage/log_check.h"
#include "storage/migrations.h"
#include "storage/read_only.h"
#include "storage/tables.h"

namespace lekt::storage {

namespace fs = std::filesystem;

namespace {

std::unique_ptr<Connection> open_connection(const OpeningSettings& settings, Connection::Depth depth) {
  auto connection = std::make_unique<Connection>(settings.path, settings.busy_wait, settings.durable);
  connection->check(split_migrations(schema_text).size(), depth);
  return connection;
}

/// Removes the log's index, which SQLite would believe although the log has changed.
void forget_index(const fs::path& path) {
  std::error_code ignored;
  fs::remove(shared_memory_of(path), ignored);
}

/// Writes the new history before anything else: it is then safe with the log's first commit, and no later start takes
/// the log for one that continues the file.
void begin_history_anew(Connection& connection, std::int64_t now) {
  SQLite::Database& database = connection.database();
  SQLite::Transaction transaction(database, SQLite::TransactionBehavior::IMMEDIATE);
  begin_history(database, std::max(read_server(database).state.second, now) + 1);
  transaction.commit();
}

void prepare(Connection& connection, const OpeningSettings& settings) {
  if (settings.durable) connection.secure_log();
  migrate(connection.database(), split_migrations(schema_text));
}

/// Whether the log is an older one. A database whose first start was killed has no row yet; a damaged row is reported
/// by those who read it.
bool is_older(Connection& connection, const LogCheck& check) {
  try {
    return schema_version(connection.database()) > 0 && check.is_older(read_server(connection.database()));
  } catch (const RowError&) {
    return false;
  }
}

/// Opens the database, and once more without the log if that turns out to be an older one.
std::unique_ptr<Connection> connect_checked(const OpeningSettings& settings, const LogCheck& check,
                                            std::string& lost) {
  auto connection =
      open_connection(settings, lost.empty() ? Connection::Depth::quick : Connection::Depth::all);
  if (!lost.empty() || !is_older(*connection, check)) return connection;
  connection.reset();
  lost = "the write-ahead log beside it is an older one, now " +
         move_log_away(settings.path, settings.now).string();
  return open_connection(settings, Connection::Depth::all);
}

}  // namespace

fs::path local_path(const fs::path& path) {
  fs::path resolved = resolve(path);
  refuse_network_file_system(resolved);
  refuse_other_names(resolved);
  return resolved;
}

Opened open_for_writing(const OpeningSettings& settings, FileState found) {
  if (found != FileState::ours) {
    auto connection = open_connection(settings, Connection::Depth::quick);
    connection->begin_writing(settings.checkpoint_bytes);
    prepare(*connection, settings);
    return {std::move(connection), {}};
  }
  const LogCheck check(settings.path);
  std::string lost;
  if (check.is_foreign())
    lost = "the write-ahead log beside it is not its own, now " +
           move_log_away(settings.path, settings.now).string();
  if (check.is_lost()) {
    lost = "it was not stopped cleanly, and its write-ahead log " + log_of(settings.path).string() +
           " is missing, empty or damaged";
    forget_index(settings.path);
  }
  auto connection = connect_checked(settings, check, lost);
  connection->refuse_triggers();
  connection->begin_writing(settings.checkpoint_bytes);
  if (!lost.empty()) begin_history_anew(*connection, settings.now);
  prepare(*connection, settings);
  return {std::move(connection), std::move(lost)};
}

std::unique_ptr<Connection> open_again(const OpeningSettings& settings) {
  auto connection = open_connection(settings, Connection::Depth::quick);
  connection->begin_writing(settings.checkpoint_bytes);
  prepare(*connection, settings);
  return connection;
}

}  // namespace lekt::storage
