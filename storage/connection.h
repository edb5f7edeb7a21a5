// The read-write connection: what SQLite has to be told before the first statement, and the write-ahead log's
// upkeep.
//
// Nothing checkpoints but this connection: neither SQLite by itself (wal_autocheckpoint is 0) nor another
// one. The log and its shared memory stay behind when it closes, so that a user who may not write the
// directory can read the file.
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
  /// Opens a file that exists. Nothing in it is changed before begin_writing(). Throws SQLite::Exception.
  Connection(const std::filesystem::path& path, std::chrono::milliseconds busy_wait, bool durable);
  /// Copies the log back when settle() was called, as far as readers allow.
  ~Connection();
  Connection(const Connection&) = delete;
  Connection& operator=(const Connection&) = delete;

  /// Whose it is, version and integrity, now that the log is read too. Throws CodedError E505, E506 or E507.
  void check(std::size_t version_known);
  void begin_writing(std::size_t checkpoint_bytes);

  /// Makes what can be read durable, and what cannot be read impossible. A process that was killed between a
  /// write and its sync, or a sync that failed, leaves a commit that reads see and the disk may not have; and
  /// what a failed sync has dropped is not written by a later one that succeeds. So the log is written over
  /// with itself, and synced. While a reader keeps the log's index, a failed commit stands behind its end,
  /// and would be there after a power loss: a commit of our own takes its place. Throws SQLite::Exception.
  void secure_log();

  /// After a successful open: closing may touch the file. After a failure that may not be trusted: it may
  /// not.
  void settle() { settle(true); }
  void distrust() { settle(false); }
  bool is_trusted() const { return settled_; }

  /// Copies the log back when it has grown by checkpoint_bytes since the last time, or when a reader held
  /// something back then. Never fails: the commit is durable without it, and the next call tries again.
  void checkpoint_if_due();

  /// Copies the whole log back and empties it; false when a reader does not let it, or the disk.
  bool copy_log_back();

  /// Bytes of the log that readers keep from being copied back or used again.
  std::size_t wal_bytes_held() const;

  SQLite::Database& database() { return database_; }

 private:
  void settle(bool settled);
  /// Returns SQLite's code.
  int copy_back(int mode);

  std::filesystem::path path_;
  SQLite::Database database_;
  bool settled_ = false;
  bool copy_is_doubtful_ = false;    ///< what was copied back may not be on the disk, though reads see it
  std::size_t frame_bytes_ = 0;      ///< a page and its header in the log
  std::size_t frames_due_ = 0;       ///< growth that calls for a checkpoint
  std::size_t frames_ = 0;           ///< in the log after the last commit, told by SQLite
  std::size_t frames_checked_ = 0;   ///< in the log at the last checkpoint; 0 when it has started over since
  int frames_copied_ = 0;            ///< by the last checkpoint that left some
  std::size_t frames_uncopied_ = 0;  ///< by the last checkpoint: a reader has an old view
  /// Kept by a log that is much too long and still did not start over: that takes a moment without any
  /// reader.
  std::size_t frames_overdue_ = 0;
};

}  // namespace lekt::storage
