#include "storage/connection.h"

#include <sqlite3.h>

#include <algorithm>
#include <cstdlib>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "common/errors.h"
#include "common/text.h"
#include "storage/file_checks.h"
#include "storage/open_errors.h"
#include "storage/schema_check.h"
#include "storage/tables.h"

namespace lekt::storage {

namespace {

constexpr std::size_t frame_header_bytes = 24;  // https://sqlite.org/fileformat.html, "WAL File Format"

/// The size of the page cache: enough for the inner pages of the indexes of a million clients.
constexpr int cache_kibibytes = 256;

/// The log may grow to this many times the size at which a checkpoint is due. A log that grew further is cut back to
/// this size when it starts over.
constexpr std::size_t overdue_factor = 2;

/// A file is written over with its own content in parts of this size.
constexpr int rewrite_bytes = 64 * 1024;

int note_frames(void* frames, sqlite3*, const char*, int frames_in_log) {
  *static_cast<std::size_t*>(frames) = static_cast<std::size_t>(frames_in_log);
  return SQLITE_OK;
}

/// The number in a finding such as "Page 5: unable to get the page. error code=266"; 0 if there is none.
int error_code_in(const std::string& finding) {
  constexpr std::string_view label = "error code=";
  const std::size_t at = finding.find(label);
  return at == finding.npos ? SQLITE_OK : std::atoi(finding.c_str() + at + label.size());
}

void expect_ok(int result, const char* what) {
  if (result != SQLITE_OK) throw SQLite::Exception(what, result);
}

/// The database's file for SQLITE_FCNTL_FILE_POINTER, its log for SQLITE_FCNTL_JOURNAL_POINTER.
sqlite3_file& file_of(SQLite::Database& database, int which) {
  sqlite3_file* file = nullptr;
  sqlite3_file_control(database.getHandle(), "main", which, &file);
  return *file;
}

int sync(sqlite3_file& file) { return file.pMethods->xSync(&file, SQLITE_SYNC_NORMAL); }

/// Writes the file's own content over it, and syncs it. Returns SQLite's code.
int write_again(sqlite3_file& file) {
  sqlite3_int64 size = 0;
  int result = file.pMethods->xFileSize(&file, &size);
  std::vector<char> buffer(rewrite_bytes);
  for (sqlite3_int64 offset = 0; result == SQLITE_OK && offset < size; offset += rewrite_bytes) {
    const int part = static_cast<int>(std::min<sqlite3_int64>(size - offset, rewrite_bytes));
    result = file.pMethods->xRead(&file, buffer.data(), part, offset);
    if (result == SQLITE_OK) result = file.pMethods->xWrite(&file, buffer.data(), part, offset);
  }
  return result == SQLITE_OK ? sync(file) : result;
}

}  // namespace

Connection::Connection(const std::filesystem::path& path, std::chrono::milliseconds busy_wait, bool durable)
    : path_(path),
      database_(path.string(), SQLite::OPEN_READWRITE | SQLite::OPEN_NOMUTEX,
                static_cast<int>(busy_wait.count())) {
  settle(false);
  int persist = 1;
  sqlite3_file_control(database_.getHandle(), "main", SQLITE_FCNTL_PERSIST_WAL, &persist);
  // EXTRA rather than FULL: a new database leaves its rollback journal behind when it switches to the log, and
  // a journal whose removal a power loss takes back would roll the database back to its beginning.
  database_.exec(durable ? "PRAGMA synchronous = EXTRA" : "PRAGMA synchronous = OFF");
  database_.exec("PRAGMA wal_autocheckpoint = 0");
  // If a mapped file is damaged beneath the process, the result is SIGBUS instead of an error.
  database_.exec("PRAGMA mmap_size = 0");
  // Nothing is written outside of the database's directory.
  database_.exec("PRAGMA temp_store = MEMORY");
  database_.exec("PRAGMA cache_size = -" + std::to_string(cache_kibibytes));
}

Connection::~Connection() {
  if (!settled_) return;
  copy_back(says_stopped_ ? SQLITE_CHECKPOINT_TRUNCATE : SQLITE_CHECKPOINT_FULL);
  // After distrust(), closing the database leaves the log as it is instead of emptying it.
  if (!says_stopped_ || copy_is_doubtful_) distrust();
}

void Connection::settle() {
  says_stopped_ = is_stopped(database_);
  settle(true);
}

void Connection::check(std::size_t version_known, Depth depth) {
  refuse_foreign(path_, database_.execAndGet("PRAGMA application_id").getUInt());
  const std::uint32_t version = database_.execAndGet("PRAGMA user_version").getUInt();
  if (version > version_known)
    throw CodedError(ErrorCode::database_newer,
                     path_.string() + " has schema version " + std::to_string(version) +
                         ", this program knows up to " + std::to_string(version_known) +
                         "; run the program that wrote it or a later one, the file was left as it was");
  const char* command = depth == Depth::all ? "PRAGMA integrity_check(1)" : "PRAGMA quick_check(1)";
  std::string findings = database_.execAndGet(command).getString();
  if (findings == "ok") return;
  std::ranges::replace(findings, '\n', ' ');
  // A page that cannot be read at the moment is not a damaged page.
  const int code = error_code_in(findings) & 0xff;
  if (code != SQLITE_OK && code != SQLITE_CORRUPT)
    throw CodedError(ErrorCode::database_unusable, "cannot read " + path_.string() + " (" + findings + ")");
  throw CodedError(ErrorCode::database_corrupt, path_.string() + " is damaged (" + findings +
                                                    "); restore a backup, the file was left as it was");
}

void Connection::refuse_triggers() {
  const std::string trigger = foreign_trigger(database_);
  if (!trigger.empty())
    throw_corrupt(path_, "it has the trigger " + escape(trigger) + ", which is not of this program");
}

void Connection::begin_writing(std::size_t checkpoint_bytes) {
  // The statement is run to its end: its first step returns the mode, and the next one commits it, which can fail.
  SQLite::Statement change_mode(database_, "PRAGMA journal_mode = WAL");
  std::string mode;
  while (change_mode.executeStep()) mode = change_mode.getColumn(0).getString();
  if (mode != "wal")
    throw CodedError(ErrorCode::database_unusable,
                     path_.string() + " cannot use a write-ahead log (journal mode " + mode + ")");
  database_.exec("PRAGMA journal_size_limit = " + std::to_string(overdue_factor * checkpoint_bytes));
  frame_bytes_ =
      static_cast<std::size_t>(database_.execAndGet("PRAGMA page_size").getInt()) + frame_header_bytes;
  frames_due_ = std::max<std::size_t>(checkpoint_bytes / frame_bytes_, 1);
  sqlite3_wal_hook(database_.getHandle(), note_frames, &frames_);
}

void Connection::secure_log() {
  // While the write lock is held, nobody else writes the log.
  SQLite::Transaction transaction(database_, SQLite::TransactionBehavior::IMMEDIATE);
  sqlite3_file& log = file_of(database_, SQLITE_FCNTL_JOURNAL_POINTER);
  sqlite3_int64 size = 0;
  expect_ok(log.pMethods->xFileSize(&log, &size), "cannot ask for the size of the write-ahead log");
  copy_is_doubtful_ = size > 0;
  expect_ok(write_again(log), "cannot write the write-ahead log again");
  write_a_page();
  transaction.commit();
}

/// Writes a page without changing anything. SQLite does not write a row that stays the same, but it does write the
/// version.
void Connection::write_a_page() {
  const std::string version = database_.execAndGet("PRAGMA user_version").getString();
  database_.exec("PRAGMA user_version = " + version);
}

void Connection::copy_start() {
  const int result = copy_back(SQLITE_CHECKPOINT_PASSIVE);
  if (result != SQLITE_BUSY) expect_ok(result, "cannot copy the write-ahead log back");
}

/// SQLite syncs the file only when all of the log is copied, and after a failed sync it copies only the last part
/// again. So each part is synced as it is copied, and after a failure the whole file is written over with itself
/// before the log may start over.
int Connection::copy_back(int mode) {
  sqlite3_file& file = file_of(database_, SQLITE_FCNTL_FILE_POINTER);
  int result = copy_is_doubtful_ ? write_again(file) : SQLITE_OK;
  if (result != SQLITE_OK) return result;
  int frames_in_log = 0;
  int copied = 0;
  result = sqlite3_wal_checkpoint_v2(database_.getHandle(), "main", mode, &frames_in_log, &copied);
  if (copied < frames_in_log && std::exchange(frames_copied_, copied) != copied && sync(file) != SQLITE_OK)
    result = SQLITE_IOERR_FSYNC;
  copy_is_doubtful_ = result != SQLITE_OK && result != SQLITE_BUSY;
  frames_uncopied_ = result == SQLITE_OK ? static_cast<std::size_t>(frames_in_log - copied) : frames_;
  return result;
}

void Connection::checkpoint_if_due() {
  const bool started_over = frames_ <= frames_checked_;
  if (started_over) frames_checked_ = 0;
  frames_overdue_ = frames_checked_ > overdue_factor * frames_due_ ? frames_checked_ : 0;
  if (frames_ - frames_checked_ < frames_due_ && frames_uncopied_ == 0) return;
  copy_back(SQLITE_CHECKPOINT_PASSIVE);
  frames_checked_ = frames_;
}

bool Connection::empty_log() { return copy_back(SQLITE_CHECKPOINT_TRUNCATE) == SQLITE_OK; }

bool Connection::copy_log_back() {
  if (says_stopped_) return empty_log();
  if (copy_back(SQLITE_CHECKPOINT_FULL) != SQLITE_OK) return false;
  try {
    // The commit of this page starts the log over and cuts it, so the log is never without content.
    write_a_page();
  } catch (const SQLite::Exception&) {
    return false;
  }
  return true;
}

std::size_t Connection::wal_bytes_held() const {
  return std::max(frames_uncopied_, frames_overdue_) * frame_bytes_;
}

void Connection::settle(bool settled) {
  settled_ = settled;
  sqlite3_db_config(database_.getHandle(), SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, settled ? 0 : 1, nullptr);
}

}  // namespace lekt::storage
