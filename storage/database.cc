#include "storage/database.h"

#include <SQLiteCpp/SQLiteCpp.h>
#include <sqlite3.h>

#include <algorithm>
#include <cassert>
#include <optional>
#include <string_view>
#include <utility>

#include "storage/connection.h"
#include "storage/file_checks.h"
#include "storage/file_creation.h"
#include "storage/instance_lock.h"
#include "storage/migrations.h"
#include "storage/open_errors.h"
#include "storage/opened_files.h"
#include "storage/tables.h"

namespace lekt::storage {

namespace fs = std::filesystem;

namespace {

fs::path local_path(const fs::path& path) {
  fs::path resolved = resolve(path);
  refuse_network_file_system(resolved);
  return resolved;
}

bool has_content(const fs::path& path) {
  std::error_code ignored;
  const auto size = fs::file_size(path, ignored);
  return !ignored && size > 0;
}

/// Calls the function often while SQLite works, until the end of the scope.
class ProgressHandler {
 public:
  ProgressHandler(SQLite::Database& database, const std::function<void()>& progress) : database_(database) {
    constexpr int instructions = 10'000;
    if (progress)
      sqlite3_progress_handler(database.getHandle(), instructions, call,
                               const_cast<void*>(static_cast<const void*>(&progress)));
  }
  ~ProgressHandler() { sqlite3_progress_handler(database_.getHandle(), 0, nullptr, nullptr); }
  ProgressHandler(const ProgressHandler&) = delete;
  ProgressHandler& operator=(const ProgressHandler&) = delete;

 private:
  static int call(void* progress) {
    (*static_cast<const std::function<void()>*>(progress))();
    return 0;
  }

  SQLite::Database& database_;
};

[[maybe_unused]] bool ascends(std::span<const Change> changes) {
  const auto follows = [](const Change& a, const Change& b) {
    return a.sequence >= b.sequence || a.second > b.second;
  };
  return std::ranges::adjacent_find(changes, follows) == changes.end();
}

}  // namespace

class Database::Implementation {
 public:
  explicit Implementation(const DatabaseSettings& settings)
      : settings_(settings), path_(local_path(settings.path)), lock_(path_) {
    assert(settings.catalogue != nullptr);
    refuse_interrupted_restore(path_);
    const FileState found = inspect(path_);
    FailedOpenUndo undo(path_, found);
    with_open_errors(path_, [&] {
      if (found != FileState::ours) create_database_file(path_, found);
      open(Start::counted);
    });
    undo.keep();
  }

  void reopen() {
    if (connection_) keep_what_is_open();
    close();
    expect_still_there(path_);
    with_open_errors(path_, [&] { open(Start::not_counted); });
  }

  void load(const std::function<void(Change&&)>& take) {
    if (!connection_) throw CodedError(ErrorCode::database_unusable, path_.string() + " is not open");
    with_open_errors(path_, [&] { read_changes(connection_->database(), state_, take); });
  }

  std::vector<Ban> bans() {
    if (!connection_) throw CodedError(ErrorCode::database_unusable, path_.string() + " is not open");
    return with_open_errors(path_, [&] { return read_bans(connection_->database()); });
  }

  void compact(const std::function<void()>& progress) {
    if (!connection_) throw CodedError(ErrorCode::commit_failed, path_.string() + " is not open");
    expect_files_in_place();
    try {
      const ProgressHandler handler(connection_->database(), progress);
      connection_->database().exec("VACUUM");
      connection_->copy_log_back();
    } catch (const SQLite::Exception& error) {
      if (error.getErrorCode() == SQLITE_BUSY)
        throw CodedError(ErrorCode::database_busy,
                         "another program uses " + path_.string() + "; end its transaction and try again");
      connection_->distrust();
      throw CodedError(ErrorCode::commit_failed, "cannot compact " + path_.string() + ": " + describe(error));
    }
  }

  void use(const MethodCatalogue& catalogue) {
    settings_.catalogue = &catalogue;
    if (writer_) writer_->use(catalogue);
  }

  CommitResult commit(const Batch& batch) {
    assert(ascends(batch.changes));
    assert(batch.changes.empty() || batch.changes.back().sequence <= batch.state.sequence);
    assert(batch.changes.empty() || batch.changes.back().second <= batch.state.second);
    if (!connection_) throw CodedError(ErrorCode::commit_failed, path_.string() + " is not open");
    expect_files_in_place();
    try {
      if (!write(batch)) return CommitResult::busy;
    } catch (const SQLite::Exception& error) {
      connection_->distrust();
      throw CodedError(ErrorCode::commit_failed,
                       "cannot commit to " + path_.string() + ": " + describe(error));
    }
    state_ = batch.state;
    connection_->checkpoint_if_due();
    return CommitResult::done;
  }

  void note_stop(std::int64_t second) {
    try {
      if (connection_ && connection_->is_trusted()) storage::note_stop(connection_->database(), second);
    } catch (const SQLite::Exception&) {
      // Then operators see no clean stop, and that is what it was.
    }
  }

  const LogState& state() const { return state_; }
  std::size_t wal_bytes_held() const { return connection_ ? connection_->wal_bytes_held() : 0; }

 private:
  enum class Start { counted, not_counted };

  /// Members are set only when everything has worked.
  void open(Start start) {
    auto connection = std::make_unique<Connection>(path_, settings_.busy_wait, settings_.durable);
    SQLite::Database& database = connection->database();
    connection->check(migrations_.size());
    connection->begin_writing(settings_.checkpoint_bytes);
    if (settings_.durable) connection->secure_log();
    migrate(database, migrations_);
    const ServerRow server = start == Start::counted ? count_start(database) : read_server(database);
    auto writer = std::make_unique<TableWriter>(database, *settings_.catalogue, server.run);
    connection->settle();
    connection_ = std::move(connection);
    files_.emplace(path_);
    writer_ = std::move(writer);
    state_ = server.state;
  }

  /// All or nothing: a row that is refused has not been touched.
  ServerRow count_start(SQLite::Database& database) {
    SQLite::Transaction transaction(database, SQLite::TransactionBehavior::IMMEDIATE);
    note_start(database, settings_.program_version, settings_.started);
    const ServerRow server = read_server(database);
    transaction.commit();
    return server;
  }

  void close() {
    writer_.reset();
    connection_.reset();
  }

  /// What goes into a file without a name is lost with the process, so nobody may be told of it.
  void expect_files_in_place() {
    const std::vector<fs::path> moved = files_->moved();
    if (moved.empty()) return;
    // Without the lock, another server may be writing by now.
    if (contains(moved, ".lock")) connection_->distrust();
    throw CodedError(
        ErrorCode::commit_failed,
        moved.front().string() +
            " was deleted, moved or replaced under the running server; put it back, or restart the "
            "server to use what is there then");
  }

  /// Files that have lost their names hold what clients were told, perhaps nothing else does: they are closed
  /// only when all of it is in the database of this name. Throws CodedError E503 or E504.
  void keep_what_is_open() {
    const std::vector<fs::path> moved = files_->moved();
    if (moved.empty()) return;
    const bool saved = connection_->is_trusted() && connection_->copy_log_back();
    if (contains(moved, ""))
      throw CodedError(ErrorCode::database_unusable,
                       path_.string() +
                           " is not the file that the server opened; put that one back, or restart "
                           "the server to use what is there then");
    if (contains(moved, ".lock")) lock_.acquire();
    const fs::path log = path_.string() + "-wal";
    if (contains(moved, "-wal") && (!saved || has_content(log)))
      throw CodedError(ErrorCode::database_unusable,
                       log.string() +
                           " was deleted or replaced, and what it held cannot be saved; end the "
                           "programs that use the database");
  }

  /// Whether the file of this database with the suffix is among the paths.
  bool contains(const std::vector<fs::path>& paths, const char* suffix) const {
    return std::ranges::find(paths, fs::path(path_.string() + suffix)) != paths.end();
  }

  /// False when a foreign writer does not let us begin.
  bool write(const Batch& batch) {
    std::optional<SQLite::Transaction> transaction;
    try {
      transaction.emplace(connection_->database(), SQLite::TransactionBehavior::IMMEDIATE);
    } catch (const SQLite::Exception& error) {
      if (error.getErrorCode() == SQLITE_BUSY) return false;
      throw;
    }
    writer_->write(batch);
    transaction->commit();
    return true;
  }

  DatabaseSettings settings_;
  std::vector<std::string_view> migrations_ = split_migrations(schema_text);
  fs::path path_;
  InstanceLock lock_;
  std::unique_ptr<Connection> connection_;
  std::unique_ptr<TableWriter> writer_;  ///< its statements end before the connection
  std::optional<OpenedFiles> files_;     ///< of the connection
  LogState state_;
};

Database::Database(const DatabaseSettings& settings)
    : implementation_(std::make_unique<Implementation>(settings)) {}
Database::~Database() = default;

const LogState& Database::state() const { return implementation_->state(); }
void Database::load(const std::function<void(Change&&)>& take) { implementation_->load(take); }
std::vector<Ban> Database::bans() { return implementation_->bans(); }
void Database::compact(const std::function<void()>& progress) { implementation_->compact(progress); }
void Database::use(const MethodCatalogue& catalogue) { implementation_->use(catalogue); }
CommitResult Database::commit(const Batch& batch) { return implementation_->commit(batch); }
void Database::reopen() { implementation_->reopen(); }
void Database::note_stop(std::int64_t second) { implementation_->note_stop(second); }
std::size_t Database::wal_bytes_held() const { return implementation_->wal_bytes_held(); }

}  // namespace lekt::storage
