#include "storage/database.h"

#include <SQLiteCpp/SQLiteCpp.h>
#include <sqlite3.h>

#include <algorithm>
#include <cassert>
#include <optional>
#include <utility>

#include "storage/connection.h"
#include "storage/database_files.h"
#include "storage/file_checks.h"
#include "storage/file_creation.h"
#include "storage/instance_lock.h"
#include "storage/log_identity.h"
#include "storage/open_errors.h"
#include "storage/opened_files.h"
#include "storage/opening.h"
#include "storage/refused_rows.h"
#include "storage/tables.h"

namespace lekt::storage {

namespace fs = std::filesystem;

namespace {

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
      Opened opened = open_for_writing(opening(), found);
      lost_log_ = std::move(opened.lost_log);
      use(std::move(opened.connection), Start::counted);
      // From here on the log may be copied into the file, which then needs its log.
      if (found == FileState::ours) undo.keep();
      copy_start();
    });
    undo.keep();
  }

  void reopen() {
    if (connection_) keep_what_is_open();
    close();
    expect_still_there(path_);
    with_open_errors(path_, [&] { use(open_again(opening()), Start::not_counted); });
  }

  std::size_t count() {
    if (!connection_) throw CodedError(ErrorCode::database_unusable, path_.string() + " is not open");
    return with_open_errors(path_, [&] { return count_changes(connection_->database()); });
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
      if (!connection_ || !connection_->is_trusted()) return;
      // The log is copied first, so that the file does not tell of a stop before it has everything else.
      connection_->copy_log_back();
      storage::note_stop(connection_->database(), second);
      connection_->settle();
    } catch (const SQLite::Exception&) {
      // Operators then see that the stop was not clean, which is true.
    }
  }

  const LogState& state() const { return state_; }
  const LogIdentity& identity() const { return identity_; }
  const std::string& lost_log() const { return lost_log_; }
  const std::vector<RefusedRow>& refused_rows() const { return refused_; }
  std::size_t wal_bytes_held() const { return connection_ ? connection_->wal_bytes_held() : 0; }

 private:
  enum class Start { counted, not_counted };

  OpeningSettings opening() const {
    return {.path = path_,
            .busy_wait = settings_.busy_wait,
            .checkpoint_bytes = settings_.checkpoint_bytes,
            .durable = settings_.durable,
            .now = settings_.started};
  }

  /// Members are set only when everything has worked.
  void use(std::unique_ptr<Connection> connection, Start start) {
    SQLite::Database& database = connection->database();
    const ServerRow server = start == Start::counted ? count_start(database) : read_server(database);
    auto writer = std::make_unique<TableWriter>(database, *settings_.catalogue, server.run);
    connection->settle();
    connection_ = std::move(connection);
    files_.emplace(path_);
    writer_ = std::move(writer);
    state_ = server.state;
  }

  void copy_start() {
    try {
      connection_->copy_start();
    } catch (const SQLite::Exception&) {
      connection_->distrust();
      close();
      throw;
    }
  }

  /// Counts the start in one transaction: a server row that is refused has not been touched.
  ServerRow count_start(SQLite::Database& database) {
    SQLite::Transaction transaction(database, SQLite::TransactionBehavior::IMMEDIATE);
    note_start(database, settings_.program_version, settings_.started);
    const ServerRow server = read_server(database);
    name_log(database, settings_.make_identity);
    identity_ = read_identity(database);
    transaction.commit();
    return server;
  }

  void close() {
    writer_.reset();
    connection_.reset();
  }

  /// Throws if a file has lost its name: what is written to it is lost with the process, so nobody may be told of it.
  void expect_files_in_place() {
    const std::vector<fs::path> moved = files_->moved();
    if (moved.empty()) return;
    // Without the lock, another server may be writing by now.
    if (contains(moved, lock_suffix)) connection_->distrust();
    throw CodedError(
        ErrorCode::commit_failed,
        moved.front().string() +
            " was deleted, moved or replaced under the running server; put it back, or restart the "
            "server to use what is there then");
  }

  /// Saves files that have lost their names. They hold what clients were told, and perhaps nothing else does, so they
  /// are closed only once all of it is in the database of this name. Throws CodedError E503 or E504.
  void keep_what_is_open() {
    const std::vector<fs::path> moved = files_->moved();
    if (moved.empty()) return;
    // Another database under this name must not find a log with content that is not its own.
    const bool saved = connection_->is_trusted() &&
                       (contains(moved, "") ? connection_->empty_log() : connection_->copy_log_back());
    if (contains(moved, ""))
      throw CodedError(ErrorCode::database_unusable,
                       path_.string() +
                           " is not the file that the server opened; put that one back, or restart "
                           "the server to use what is there then");
    if (contains(moved, lock_suffix)) lock_.acquire();
    const fs::path log = log_of(path_);
    if (contains(moved, log_suffix) && (!saved || size_of(log) > 0))
      throw CodedError(ErrorCode::database_unusable,
                       log.string() +
                           " was deleted or replaced, and what it held cannot be saved; end the "
                           "programs that use the database");
  }

  /// Whether the file of this database with the suffix is among the paths.
  bool contains(const std::vector<fs::path>& paths, const char* suffix) const {
    return std::ranges::find(paths, fs::path(path_.string() + suffix)) != paths.end();
  }

  /// Writes the batch in one transaction; false if another program holds the write lock.
  bool write(const Batch& batch) {
    RefusedRows refused(connection_->database());
    while (true) {
      std::optional<SQLite::Transaction> transaction;
      try {
        transaction.emplace(connection_->database(), SQLite::TransactionBehavior::IMMEDIATE);
      } catch (const SQLite::Exception& error) {
        if (error.getErrorCode() == SQLITE_BUSY) return false;
        throw;
      }
      try {
        writer_->write(batch, refused);
        transaction->commit();
      } catch (const TransactionEnded&) {
        continue;  // each new attempt leaves out one more kind of rows or one more ban
      }
      refused_ = refused.list();
      return true;
    }
  }

  DatabaseSettings settings_;
  fs::path path_;
  InstanceLock lock_;
  std::unique_ptr<Connection> connection_;
  std::unique_ptr<TableWriter> writer_;  ///< its statements end before the connection
  std::optional<OpenedFiles> files_;     ///< the files that the connection has open
  LogState state_;
  LogIdentity identity_{};
  std::vector<RefusedRow> refused_;
  std::string lost_log_;
};

Database::Database(const DatabaseSettings& settings)
    : implementation_(std::make_unique<Implementation>(settings)) {}
Database::~Database() = default;

const LogState& Database::state() const { return implementation_->state(); }
const LogIdentity& Database::identity() const { return implementation_->identity(); }
const std::string& Database::lost_log() const { return implementation_->lost_log(); }
std::size_t Database::count() { return implementation_->count(); }
void Database::load(const std::function<void(Change&&)>& take) { implementation_->load(take); }
std::vector<Ban> Database::bans() { return implementation_->bans(); }
void Database::compact(const std::function<void()>& progress) { implementation_->compact(progress); }
void Database::use(const MethodCatalogue& catalogue) { implementation_->use(catalogue); }
CommitResult Database::commit(const Batch& batch) { return implementation_->commit(batch); }
const std::vector<RefusedRow>& Database::refused_rows() const { return implementation_->refused_rows(); }
void Database::reopen() { implementation_->reopen(); }
void Database::note_stop(std::int64_t second) { implementation_->note_stop(second); }
std::size_t Database::wal_bytes_held() const { return implementation_->wal_bytes_held(); }

}  // namespace lekt::storage
