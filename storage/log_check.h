// Finds out whether the write-ahead log next to a database is the one that continues it.
//
// The newest commits are in the log alone. If the log is lost after a crash, SQLite silently opens the file,
// and an older state would be taken for the newest: clients would resume across the gap. So the file itself
// says that it needs its log. `stopped` in its server_record is null from before the first client is served
// (Connection::copy_start) until a clean stop has copied everything (Database::note_stop), and all that time
// the log has content (Connection::~Connection). It follows:
//
//     the file says      the log                             so
//     stopped            none, or empty                      it was stopped cleanly
//     not stopped        none, empty, or without a header    the log was lost, unless the file has all that is
//                                                            in it: the log starts over only then, and a write
//                                                            that fails can leave half of its new header
//     anything           is behind the file                  it is an older one, and the log was lost
//     no log was ever    has content                         a copy was put over the database: the log is
//     written for it                                         another one's, and the copy's own is lost
//
// A backup always says "not stopped" (storage/backup.h), so one that was copied into place without
// `lektctl restore` counts as an older state as well.
//
// Programs before 0.1.0 copied their start back only with the first checkpoint, so the loss of such a log may
// be missed once. While a reader holds a state from before a start, that start cannot be copied.
#pragma once

#include <SQLiteCpp/SQLiteCpp.h>

#include <cstdint>
#include <filesystem>
#include <optional>

#include "storage/tables.h"

namespace lekt::storage {

class LogCheck {
 public:
  /// Reads the file without its log, before this process opens it with SQLite. Throws SQLite::Exception if the
  /// disk fails, and CodedError E503.
  explicit LogCheck(const std::filesystem::path& database);

  /// Whether the file needs a log and there is none that SQLite would read.
  bool is_lost() const { return !has_log_ && !stopped_ && row_.has_value() && !has_all_; }
  /// Whether the log is another database's.
  bool is_foreign() const { return has_log_ && !uses_log_; }
  /// Whether the log is an older one: `with_log`, which SQLite reads with the log, is older than the row that
  /// the file has without it.
  bool is_older(const ServerRow& with_log) const;

 private:
  void read_without_log();
  bool has_all_of_log() const;

  std::filesystem::path path_;
  bool has_log_;   ///< there is a log with a header that SQLite accepts
  bool uses_log_;  ///< the file was written to be read with a log
  /// The file's row without the log; nothing if it cannot be read: a checkpoint was interrupted, or it is new.
  std::optional<ServerRow> row_;
  bool stopped_ = false;
  bool has_all_ = false;  ///< the file has everything that is in a log without a header
};

/// Gives the log another name, so that somebody can look at it later, and removes its index. Returns the name.
/// Throws CodedError E503.
std::filesystem::path move_log_away(const std::filesystem::path& database, std::int64_t now);

/// Lets history begin at `begins`, as for a new or a restored database: a client that comes with an earlier
/// second gets the full list. The caller has the transaction.
void begin_history(SQLite::Database& database, std::int64_t begins);

}  // namespace lekt::storage
