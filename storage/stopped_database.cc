#include "storage/stopped_database.h"

#include <SQLiteCpp/SQLiteCpp.h>

#include <algorithm>
#include <cassert>
#include <chrono>
#include <optional>
#include <system_error>
#include <type_traits>

#include "common/errors.h"
#include "storage/address_column.h"
#include "storage/connection.h"
#include "storage/database_files.h"
#include "storage/file_checks.h"
#include "storage/file_creation.h"
#include "storage/log_identity.h"
#include "storage/open_errors.h"
#include "storage/opening.h"
#include "storage/record.h"
#include "storage/tables.h"

namespace lekt::storage {

namespace fs = std::filesystem;

namespace {

/// How long to wait for the write lock, which somebody's SQLite shell may hold for a moment.
constexpr std::chrono::seconds busy_wait{5};

constexpr std::size_t checkpoint_bytes = 4 * 1024 * 1024;

/// The run of imported clients: none, since they have not been connected to this server.
constexpr std::int64_t no_run = 0;

bool contains(const std::vector<Ban>& bans, const Block& block) {
  return std::ranges::find(bans, block, &Ban::block) != bans.end();
}

void expect_room(std::size_t bans) {
  if (bans > bans_max)
    throw CodedError(ErrorCode::control_refused, "there would be " + std::to_string(bans) +
                                                     " bans, and at most " + std::to_string(bans_max) +
                                                     " are possible; ban larger blocks, or lift some bans");
}

}  // namespace

std::unique_ptr<InstanceLock> lock_stopped(const fs::path& database) {
  try {
    return std::make_unique<InstanceLock>(database);
  } catch (const CodedError& error) {
    if (error.code() != ErrorCode::database_in_use) throw;
    const std::string words = error.what();
    throw CodedError(ErrorCode::server_running, "the server of " + database.string() +
                                                    " runs, so its database is left alone (" +
                                                    words.substr(words.find(' ') + 1) + "); stop it first");
  }
}

class StoppedDatabase::Implementation {
 public:
  explicit Implementation(const Settings& settings)
      : settings_(settings), path_(local_path(settings.path)), lock_(lock_stopped(path_)) {
    assert(settings.catalogue != nullptr);
    refuse_interrupted_restore(path_);
    const FileState found = inspect(path_);
    if (found != FileState::ours && settings.missing == Missing::refuse)
      throw CodedError(ErrorCode::database_unusable, "there is no database " + path_.string());
    FailedOpenUndo undo(path_, found);
    with_open_errors(path_, [&] {
      if (found != FileState::ours) create_database_file(path_, found);
      open(found);
    });
    undo.keep();
  }

  const std::string& lost_log() const { return lost_log_; }

  bool ban(const Block& block, const std::string& reason, std::optional<std::chrono::seconds> duration) {
    return write([&] {
      const std::vector<Ban> bans = read_bans(database());
      const bool is_new = !contains(bans, block);
      expect_room(bans.size() + (is_new ? 1 : 0));
      write_bans({{make_ban(block, reason, settings_.now, duration)}});
      return is_new;
    });
  }

  bool unban(const Block& block) {
    return write([&] {
      const bool found = contains(read_bans(database()), block);
      write_bans({{{block, 0, ""}, true}});
      return found;
    });
  }

  ImportResult import(const std::vector<PortableClient>& clients, const std::vector<Ban>& bans) {
    return write([&] {
      ImportResult result;
      write_clients(clients, result);
      std::vector<BanChange> new_ones;
      const std::vector<Ban> old_ones = read_bans(database());
      for (const Ban& ban : bans)
        if (!contains(old_ones, ban.block)) new_ones.push_back({ban});
      expect_room(old_ones.size() + new_ones.size());
      write_bans(new_ones);
      result.bans = new_ones.size();
      return result;
    });
  }

  CompactResult compact() {
    CompactResult result{size_of(path_), 0};
    with_open_errors(path_, [&] { database().exec("VACUUM"); });
    if (!connection_->copy_log_back())
      throw CodedError(ErrorCode::database_unusable,
                       "cannot copy the log back into " + path_.string() +
                           "; end the programs that read the database, and check the free space");
    result.bytes_after = size_of(path_);
    return result;
  }

 private:
  SQLite::Database& database() { return connection_->database(); }

  /// Members are set only when everything has worked.
  void open(FileState found) {
    const OpeningSettings opening{
        .path = path_, .busy_wait = busy_wait, .checkpoint_bytes = checkpoint_bytes, .now = settings_.now};
    auto [connection, lost_log] = open_for_writing(opening, found);
    lost_log_ = std::move(lost_log);
    if (found != FileState::ours) {
      note_start(connection->database(), settings_.program_version, settings_.now);
      note_stop(connection->database(), settings_.now);
      name_log(connection->database(), random_identity);
    }
    connection->settle();
    connection_ = std::move(connection);
  }

  template <class Action>
  std::invoke_result_t<Action> write(Action action) {
    try {
      return with_open_errors(path_, [&] {
        SQLite::Transaction transaction(database(), SQLite::TransactionBehavior::IMMEDIATE);
        const auto result = action();
        transaction.commit();
        return result;
      });
    } catch (const ChangeRefused& refused) {
      throw CodedError(ErrorCode::database_unusable, path_.string() + " does not take a change of " +
                                                         to_string(refused.address()) + ": " +
                                                         refused.what());
    }
  }

  void write_bans(const std::vector<BanChange>& changes) {
    Batch batch;
    batch.state = read_server(database()).state;
    batch.bans = changes;
    write(batch);
  }

  /// Throws if any row is refused, since an operator waits for each of them.
  void write(const Batch& batch) {
    RefusedRows refused(database());
    try {
      TableWriter(database(), *settings_.catalogue, no_run).write(batch, refused);
    } catch (const TransactionEnded&) {
      // The row that ended the transaction is reported below.
    }
    if (refused.list().empty()) return;
    const RefusedRow& row = refused.list().front();
    throw CodedError(ErrorCode::database_unusable,
                     path_.string() + " does not take " + row.what + ": " + row.why);
  }

  /// The stored methods, if the client is present.
  std::optional<Bytes> record_of(Address address) {
    SQLite::Statement row(database(), "SELECT record FROM client_record WHERE address = ?1 AND present = 1");
    row.bind(1, stored_number(address));
    if (!row.executeStep()) return std::nullopt;
    return row.getColumn(0).getString();
  }

  void write_clients(const std::vector<PortableClient>& clients, ImportResult& result) {
    Batch batch;
    batch.state = read_server(database()).state;
    batch.state.second = std::max(batch.state.second, settings_.now);
    std::vector<Change> changes;
    std::vector<const PortableClient*> added;
    for (const PortableClient& client : clients) {
      const auto record = record_of(client.address);
      if (record == encode_record(client.methods)) {
        ++result.unchanged;
        continue;
      }
      if (!record) added.push_back(&client);
      changes.push_back(
          {++batch.state.sequence, batch.state.second, UpdateKind::added, client.address, client.methods});
    }
    if (changes.empty()) return;
    batch.changes = changes;
    write(batch);
    for (const PortableClient* client : added) write_past(*client, batch.state.second);
    result.added = added.size();
    result.changed = changes.size() - added.size();
  }

  /// Writes the times that the client brings from the server that exported it.
  void write_past(const PortableClient& client, std::int64_t newest) {
    SQLite::Statement statement(database(),
                                "UPDATE client_record SET since = ?2, heard = ?3 WHERE address = ?1");
    statement.bind(1, stored_number(client.address));
    statement.bind(2, std::min(client.since, newest));
    statement.bind(3, std::min(client.heard, newest));
    statement.exec();
  }

  Settings settings_;
  fs::path path_;
  std::unique_ptr<InstanceLock> lock_;
  std::unique_ptr<Connection> connection_;
  std::string lost_log_;
};

StoppedDatabase::StoppedDatabase(const Settings& settings)
    : implementation_(std::make_unique<Implementation>(settings)) {}
StoppedDatabase::~StoppedDatabase() = default;

const std::string& StoppedDatabase::lost_log() const { return implementation_->lost_log(); }
bool StoppedDatabase::ban(const Block& block, const std::string& reason,
                          std::optional<std::chrono::seconds> duration) {
  return implementation_->ban(block, reason, duration);
}
bool StoppedDatabase::unban(const Block& block) { return implementation_->unban(block); }
ImportResult StoppedDatabase::import(const std::vector<PortableClient>& clients,
                                     const std::vector<Ban>& bans) {
  return implementation_->import(clients, bans);
}
CompactResult StoppedDatabase::compact() { return implementation_->compact(); }

}  // namespace lekt::storage
