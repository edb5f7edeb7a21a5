// The read-write connection. It configures SQLite before the first statement, and looks after the write-ahead
// log.
//
// Nothing but this connection checkpoints: neither SQLite by itself (wal_autocheckpoint is 0) nor another
// connection. The log and its shared memory stay behind when it closes, so that a user who may not write to
// the directory can read the file.
//
// Owned by Database, used by its thread.
#pragma once

#include <SQLiteCpp/SQLiteCpp.h>

#include <chrono>
#include <cstddef>
#include <filesystem>

namespace lekt::storage {

class Connection {
 public:
  /// Opens an existing file. Nothing in the file is changed before begin_writing(). Throws SQLite::Exception.
  Connection(const std::filesystem::path& path, std::chrono::milliseconds busy_wait, bool durable);
  /// Copies the log back if settle() was called, as far as readers allow. The log is emptied only if the
  /// database says that it was stopped; otherwise the next start would take it for lost (log_check.h).
  ~Connection();
  Connection(const Connection&) = delete;
  Connection& operator=(const Connection&) = delete;

  enum class Depth {
    quick,
    all,  ///< indexes against tables as well: the file may have been interrupted between two states
  };
  /// Checks whose database it is, its version and its integrity, log included. Throws CodedError E505,
  /// E506 or E507.
  void check(std::size_t version_known, Depth depth = Depth::quick);
  /// Throws CodedError E506 if the database has a trigger, which would be somebody else's.
  void refuse_triggers();
  void begin_writing(std::size_t checkpoint_bytes);

  /// Makes durable what can be read, and makes sure that nothing else comes back. If a process was killed
  /// between a write and its sync, or a sync failed, readers see a commit that the disk may not have; and a
  /// later sync that succeeds does not write what a failed one has dropped. So the log is written over with
  /// itself, and synced. While a reader keeps the log's index, a failed commit lies beyond its end and would be
  /// there after a power loss, so a commit of our own takes its place. Throws SQLite::Exception.
  void secure_log();

  /// Copies the log back for the first time, so that the file itself says that a server runs, and needs its
  /// log from now on. What readers do not let it copy now, a later checkpoint copies. Throws
  /// SQLite::Exception if the disk fails.
  void copy_start();

  /// Lets closing touch the file from now on. Called after a successful open, and after a clean stop was noted.
  /// Throws SQLite::Exception. distrust() takes it back, after a failure that makes memory untrustworthy.
  void settle();
  void distrust() { settle(false); }
  bool is_trusted() const { return settled_; }

  /// Copies the log back if it has grown by checkpoint_bytes since the last time, or if a reader prevented part
  /// of it then. Never fails: the commit is durable without it, and the next call tries again.
  void checkpoint_if_due();

  /// Copies the whole log back and cuts it; false if a reader or the disk prevents it.
  bool copy_log_back();

  /// Copies the whole log back and leaves nothing in it; false if a reader or the disk prevents it.
  bool empty_log();

  /// Bytes of the log that readers keep from being copied back or used again.
  std::size_t wal_bytes_held() const;

  SQLite::Database& database() { return database_; }

 private:
  void settle(bool settled);
  void write_a_page();
  /// Checkpoints in SQLite's `mode`, and returns SQLite's code.
  int copy_back(int mode);

  std::filesystem::path path_;
  SQLite::Database database_;
  bool settled_ = false;
  bool says_stopped_ = false;        ///< the database says that it was stopped, as of settle()
  bool copy_is_doubtful_ = false;    ///< pages copied back may not be on the disk, though reads see them
  std::size_t frame_bytes_ = 0;      ///< size of a page and its header in the log
  std::size_t frames_due_ = 0;       ///< growth after which a checkpoint is due
  std::size_t frames_ = 0;           ///< frames in the log after the last commit, as SQLite said
  std::size_t frames_checked_ = 0;   ///< those at the last checkpoint; 0 if the log has started over since
  int frames_copied_ = 0;            ///< frames copied by the last checkpoint that left some
  std::size_t frames_uncopied_ = 0;  ///< frames left by the last checkpoint, because a reader has an old view
  /// Frames in a log that is much too long and has not started over yet: that takes a moment without any reader.
  std::size_t frames_overdue_ = 0;
};

}  // namespace lekt::storage
