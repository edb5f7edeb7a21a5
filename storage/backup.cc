#include "storage/backup.h"

#include <SQLiteCpp/Backup.h>
#include <SQLiteCpp/SQLiteCpp.h>
#include <fcntl.h>
#include <sqlite3.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <string>
#include <system_error>
#include <utility>
#include <vector>

#include "common/calendar.h"
#include "common/descriptor.h"
#include "common/errors.h"
#include "storage/database_files.h"
#include "storage/file_checks.h"
#include "storage/log_check.h"
#include "storage/new_file.h"
#include "storage/open_errors.h"
#include "storage/read_only.h"
#include "storage/reader.h"
#include "storage/schema_check.h"
#include "storage/stopped_database.h"
#include "storage/tables.h"

namespace lekt::storage {

namespace fs = std::filesystem;

namespace {

/// Copies all pages in one step, so that the copy is one consistent state, into a file without a write-ahead log.
SQLite::Database copy_pages(SQLite::Database& source, const fs::path& target) {
  SQLite::Database copy(target.string(), SQLite::OPEN_READWRITE);
  // Nobody else knows the file, so SQLite needs no shared memory next to it.
  copy.exec("PRAGMA locking_mode = EXCLUSIVE");
  copy.exec("PRAGMA temp_store = MEMORY");
  SQLite::Backup backup(copy, source);
  const int result = backup.executeStep(-1);
  if (result != SQLITE_DONE) throw SQLite::Exception(sqlite3_errstr(result), result);
  return copy;
}

void leave_log_mode(SQLite::Database& copy) {
  const std::string mode = copy.execAndGet("PRAGMA journal_mode = DELETE").getString();
  if (mode != "delete") throw SQLite::Exception("the copy stays in journal mode " + mode, SQLITE_ERROR);
}

[[noreturn]] void refuse_copy(const fs::path& origin, std::string why) {
  std::ranges::replace(why, '\n', ' ');
  throw CodedError(ErrorCode::check_failed,
                   "the copy of " + origin.string() + " is not sound, and was removed: " + why);
}

/// Throws CodedError if a server would refuse the copy at its start. Returns the copy's server row and its number of
/// clients.
std::pair<ServerRow, std::size_t> expect_sound(SQLite::Database& copy, const fs::path& origin) {
  try {
    const std::string findings = copy.execAndGet("PRAGMA integrity_check(1)").getString();
    if (findings != "ok") refuse_copy(origin, findings);
    const std::vector<std::string> schema = schema_findings(copy);
    if (!schema.empty()) refuse_copy(origin, schema.front());
    const ServerRow server = read_server(copy);
    std::size_t clients = 0;
    read_changes(copy, server.state,
                 [&](Change&& change) { clients += change.kind == UpdateKind::added ? 1 : 0; });
    return {server, clients};
  } catch (const RowError& error) {
    refuse_copy(origin, error.what());
  }
}

/// Runs an action that reads the original and writes the copy. Gives its errors their codes and the name of the
/// file that they are about.
template <class Action>
auto with_copy_errors(const fs::path& origin, const fs::path& copy, Action action) {
  return with_open_errors(origin, [&] {
    try {
      return action();
    } catch (const SQLite::Exception& error) {
      // Only the copy is written, so a failed write is the copy's.
      const int code = code_of(error);
      if (code == SQLITE_FULL || code == SQLITE_IOERR_WRITE || code == SQLITE_IOERR_FSYNC)
        throw_open_error(copy, error);
      throw;
    }
  });
}

/// Opens the backup. One without a log may lie in a directory that cannot be written, where SQLite would insist on
/// making one.
SQLite::Database open_backup(const fs::path& path) {
  return is_there(log_of(path)) ? open_read_only(path) : open_immutable(path);
}

/// The latest second that a client may have been told of.
std::int64_t newest_second(const fs::path& database, std::int64_t now) {
  try {
    return std::max(Reader(database).server().log.second, now);
  } catch (const CodedError&) {
    // The database is missing or damaged, which is why it is restored. Its stamps followed the clock.
    return now;
  }
}

/// Removes the note of a clean stop: a copy that is used without a restore is an older state (log_check.h).
void note_not_stopped(SQLite::Database& copy) { copy.exec("UPDATE server_record SET stopped = NULL"); }

/// Gives the file the owner, group and mode of the old database; without one, the directory's owner and group.
void give_to_owner(const fs::path& path, const fs::path& database) {
  struct stat model {};
  const bool existed = stat(database.c_str(), &model) == 0;
  if (!existed && stat(database.parent_path().c_str(), &model) != 0)
    throw_file_error("cannot look at", database.parent_path(), errno);
  const mode_t mode = existed ? model.st_mode & 0777 : file_mode;
  const bool given = chown(path.c_str(), model.st_uid, model.st_gid) == 0;
  if (!given && existed) throw_file_error("cannot keep owner and group of", database, errno);
  if (chmod(path.c_str(), mode) != 0) throw_file_error("cannot set the mode of", path, errno);
}

/// Renames that are undone, the last one first, unless they are kept.
class Renames {
 public:
  Renames() = default;
  ~Renames() {
    std::error_code ignored;
    for (auto done = done_.rbegin(); done != done_.rend(); ++done)
      fs::rename(done->second, done->first, ignored);
  }
  Renames(const Renames&) = delete;
  Renames& operator=(const Renames&) = delete;

  void rename(const fs::path& from, const fs::path& to) {
    rename_exclusively(from, to);
    done_.emplace_back(from, to);
  }
  void keep() { done_.clear(); }

 private:
  std::vector<std::pair<fs::path, fs::path>> done_;
};

/// A mark that keeps every start from making a new database while the old one is away. If the program ends in
/// between, the mark stays until a restore has finished.
class RestoreMark {
 public:
  explicit RestoreMark(const fs::path& database)
      : path_(restore_mark_of(database)), was_there_(is_there(path_)) {
    const Descriptor made(open(path_.c_str(), O_WRONLY | O_CREAT | O_CLOEXEC | O_NOFOLLOW, file_mode));
    if (!made.is_open()) throw_file_error("cannot create", path_, errno);
    sync_directory_of(path_);
  }
  ~RestoreMark() {
    if (!was_there_) remove();
  }
  RestoreMark(const RestoreMark&) = delete;
  RestoreMark& operator=(const RestoreMark&) = delete;

  void remove() const {
    std::error_code ignored;
    fs::remove(path_, ignored);
  }

 private:
  fs::path path_;
  bool was_there_;
};

void move_away(const fs::path& database, const fs::path& kept, Renames& renames) {
  if (is_there(database)) renames.rename(database, kept);
  for (const char* suffix : companion_suffixes)
    if (is_there(beside(database, suffix))) renames.rename(beside(database, suffix), beside(kept, suffix));
}

}  // namespace

BackupResult back_up(const fs::path& database, const fs::path& given_target) {
  const fs::path target = fs::absolute(given_target);
  if (is_there(target))
    throw CodedError(ErrorCode::target_exists, target.string() + " is there already; choose another name");
  SQLite::Database source = open_read_only(database);
  NewFile file(target);
  const BackupResult result = with_copy_errors(database, target, [&] {
    SQLite::Database copy = copy_pages(source, file.path());
    leave_log_mode(copy);
    const auto [server, clients] = expect_sound(copy, database);
    note_not_stopped(copy);
    return BackupResult{0, clients, server.state.sequence};
  });
  struct stat model {};
  if (stat(database.c_str(), &model) != 0) throw_file_error("cannot look at", database, errno);
  if (chmod(file.path().c_str(), model.st_mode & 0770) != 0)
    throw_file_error("cannot set the mode of", file.path(), errno);
  file.place();
  return {fs::file_size(target), result.clients, result.sequence};
}

RestoreResult restore(const fs::path& given_database, const fs::path& given_backup, std::int64_t now) {
  const fs::path backup =
      resolve(given_backup);  // the log of a backup is next to the file that a link leads to
  const fs::path database = resolve(given_database);
  refuse_network_file_system(database);
  refuse_other_names(database);
  const auto lock = lock_stopped(database);
  SQLite::Database source = open_backup(backup);
  NewFile file(database);
  RestoreResult result;
  with_copy_errors(backup, database, [&] {
    SQLite::Database copy = copy_pages(source, file.path());
    leave_log_mode(copy);
    const auto [server, clients] = expect_sound(copy, backup);
    result.clients = clients;
    result.history_begins = std::max(newest_second(database, now), server.state.second) + 1;
    begin_history(copy, result.history_begins);
    note_stop(copy, now);
  });
  give_to_owner(file.path(), database);
  const fs::path kept = unused_name(database.string() + ".before-restore-" + to_compact_iso(now));
  if (is_there(database)) result.kept = kept;
  file.sync();
  const RestoreMark mark(database);
  Renames renames;
  move_away(database, kept, renames);
  file.place();
  renames.keep();
  mark.remove();
  return result;
}

}  // namespace lekt::storage
