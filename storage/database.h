// The database: the newest change of every address, in one SQLite file that operators can read.
//
// It remembers, and decides nothing: the writer (server/) gives sequence numbers, seconds and what to forget.
// It never hands out SQLite or Protocol Buffers types.
//
// Exactly one Database is open on a file (a lock on `<path>.lock` sees to it), and it is the only read-write
// connection: Debian 12's SQLite (3.40.1) can lose committed rows when one connection checkpoints a WAL while
// another commits. So checkpoints are done here, too, and everybody else opens the file with mode=ro.
//
// The file, its log (-wal) and shared memory (-shm) belong to the server's user and can be read by that user's
// group.
//
// Owned and called by one thread, the writer's.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <stdexcept>
#include <string>
#include <vector>

#include "common/address.h"
#include "common/block.h"
#include "common/catalogue.h"
#include "common/errors.h"
#include "common/features.h"
#include "common/leave_reason.h"
#include "common/packets.h"
#include "storage/device_rows.h"
#include "storage/log_identity.h"

namespace lekt::storage {

/// The newest state of one address: it was added (or its methods changed), or it was removed.
struct Change {
  std::uint64_t sequence = 0;  ///< ascending, from 1, never reused
  std::int64_t second = 0;     ///< server's Unix seconds; never descends with the sequence
  UpdateKind kind = UpdateKind::added;
  Address address;
  Methods methods;                            ///< empty for a removal
  LeaveReason reason = LeaveReason::unknown;  ///< why it was removed; for operators, never read back
};

/// The sessions and the last sign of life of a connected client. Only operators need them, so they are written
/// late and never read back. A client that a change has added counts as one session until its presence says
/// otherwise.
struct Presence {
  Address address;
  std::uint32_t sessions = 0;
  std::int64_t heard = 0;  ///< second of the last heartbeat or join; 0 leaves the stored value
};

/// How often a code was given to clients.
struct CodeCount {
  ErrorCode code;
  std::uint64_t count = 0;  ///< how often, to be added to what is stored
  std::int64_t second = 0;  ///< when it was given last

  template <class Self, class Io>
  static void fields(Self& self, Io& io) {
    io.field("code", self.code);
    io.field("count", self.count);
    io.time("last", self.second);
  }
};

/// Something that is wrong with the server, for operators.
struct Warning {
  ErrorCode code;
  std::int64_t second = 0;  ///< since when
  std::string message;

  template <class Self, class Io>
  static void fields(Self& self, Io& io) {
    io.field("code", self.code);
    io.time("since", self.second);
    io.field("message", self.message);
  }
};

/// The most bans that there may be: each new connection is compared with all of them.
inline constexpr std::size_t bans_max = 10'000;

/// A block of addresses that the operator has banned.
struct Ban {
  Block block;
  std::int64_t second = 0;                 ///< since when
  std::string reason;                      ///< in the operator's words
  std::optional<std::int64_t> until = {};  ///< the first second in which it no longer holds; nothing: no end

  bool is_over(std::int64_t now) const { return until && *until <= now; }

  template <class Self, class Io>
  static void fields(Self& self, Io& io) {
    io.field("block", self.block);
    io.time("since", self.second);
    io.time("until", self.until);
    io.field("reason", self.reason);
  }
};

/// A ban that begins now. Without a duration it has no end.
inline Ban make_ban(const Block& block, const std::string& reason, std::int64_t now,
                    std::optional<std::chrono::seconds> duration) {
  return {block, now, reason, duration ? std::optional(now + duration->count()) : std::nullopt};
}

/// A ban that begins, replaces an earlier one of the same block, or ends.
struct BanChange {
  Ban ban;
  bool ends = false;
};

/// Where the change log stands.
struct LogState {
  std::int64_t second = 0;               ///< the newest second that was stamped or reserved; never goes back
  std::uint64_t sequence = 0;            ///< number of the newest change; 0 before the first
  std::int64_t history_begins = 0;       ///< a client can resume from this second or a later one
  std::uint64_t forgotten_sequence = 0;  ///< number of the newest forgotten removal; 0 if none was

  bool operator==(const LogState&) const = default;
};

/// What one transaction writes.
struct Batch {
  LogState state;                   ///< the state after this batch: not before its last change
  std::span<const Change> changes;  ///< ascend, and follow those committed before; each address at most once
  std::span<const Presence> presences = {};  ///< presences of addresses that are present (others are ignored)
  std::int64_t forget_before = 0;            ///< removals of an earlier second are deleted; 0 deletes none
  std::span<const CodeCount> codes = {};
  /// All warnings that hold now; null if these are the ones written last.
  const std::vector<Warning>* warnings = nullptr;
  std::span<const BanChange> bans = {};  ///< in the order in which they were made
  const DeviceRows* devices = nullptr;   ///< what is new of devices; null: nothing
  /// Devices without a session that were seen last before this second are deleted, and of the others as many as it takes
  /// to make room for devices_written_max; 0 deletes none.
  std::int64_t forget_devices_before = 0;
};

/// The database refuses one change, because of the rules of a table or a trigger. Nothing of its batch was
/// written, and memory may be trusted. This is not E601: the other changes can be committed without this one.
class ChangeRefused : public std::runtime_error {
 public:
  ChangeRefused(Address address, const std::string& why) : std::runtime_error(why), address_(address) {}
  Address address() const { return address_; }

 private:
  Address address_;
};

/// What a row is for; all of these are for operators alone, and so is the deletion of old ones.
enum class RowKind : std::uint8_t {
  presence,
  history,   ///< of changes, and its end
  removals,  ///< that are forgotten
  code,
  warning,
  ban,
  device,  ///< and the deletion of old ones
  device_session,
  device_alert,
};

/// A row for operators that the database refuses, because of a constraint or a trigger. Its batch was written without
/// it.
struct RefusedRow {
  RowKind kind;
  std::string what;               ///< "the presence of 10.0.0.7"
  std::string why;                ///< in the words of what refuses it
  std::optional<Block> ban = {};  ///< of a ban, which one
};

enum class CommitResult {
  done,
  busy,  ///< another program holds the write lock; nothing was written; try again
};

struct DatabaseSettings {
  std::filesystem::path path;
  const MethodCatalogue* catalogue = nullptr;  ///< puts methods into words; outlives the database
  std::string program_version;                 ///< shown to operators
  std::int64_t started = 0;                    ///< wall clock, Unix seconds
  /// How long commit() waits for another program's write lock before it answers `busy`.
  std::chrono::milliseconds busy_wait{200};
  /// The size at which the write-ahead log is copied back.
  std::size_t checkpoint_bytes = 4 * 1024 * 1024;
  /// False only in tests that run thousands of commits in virtual time: then a power loss may lose commits.
  bool durable = true;
  /// Makes the identity of a log that has none.
  std::function<LogIdentity()> make_identity = random_identity;
};

/// Methods in words, as the database has them: at most 500 characters.
std::string stored_words(const MethodCatalogue& catalogue, const Methods& methods);

class Database {
 public:
  /// Opens or creates the file, takes the lock, checks identity, version and integrity, and migrates an older
  /// schema. If the log that continues the file is lost, history begins anew (lost_log()). Throws CodedError
  /// E503 to E508 and E513, and then leaves the file as it was.
  explicit Database(const DatabaseSettings& settings);
  ~Database();  ///< closes; the write-ahead log stays, so that others can still open the file read-only
  Database(const Database&) = delete;
  Database& operator=(const Database&) = delete;

  /// The state as of the last commit. A new database begins at `started`: state().second is started + 1, and
  /// state().history_begins is started.
  const LogState& state() const;

  /// Which log it is: made with the database, and the same after restarts, backups and restores. It never changes
  /// while the database is open, so any thread may ask.
  const LogIdentity& identity() const;

  /// How many changes load() gives. Throws like load().
  std::size_t count();
  /// Calls `take` with every remembered change, ascending by sequence. Throws CodedError E503 or E506.
  void load(const std::function<void(Change&&)>& take);

  /// Why the newest state was lost before this start, in words; empty if it was not. If it was, the database
  /// holds an older state, and history begins after everything that clients may have been told.
  const std::string& lost_log() const;

  /// All bans that hold, the oldest first. Throws like load().
  std::vector<Ban> bans();

  /// Writes the batch in one durable transaction. Throws CodedError E601 if the outcome is not known, the disk
  /// refuses, or the names no longer lead to the open files. Then nothing in memory may be trusted, and
  /// reopen() comes next. Throws ChangeRefused if the database takes all but one of the changes.
  CommitResult commit(const Batch& batch);

  /// The rows for operators that the last batch was written without: the first one of each kind, and all bans.
  const std::vector<RefusedRow>& refused_rows() const;

  /// Closes the connection, opens it again and reads state() again, keeping the lock. As after the
  /// constructor, everything that can be read is then durable, even if the commit that wrote it had failed.
  /// Throws like the constructor, and can then be called again. Never makes a new database: one that was
  /// deleted, moved or replaced stays open until it is back.
  void reopen();

  /// Gives the free pages back to the file system. Nothing is committed meanwhile. It takes about a second for
  /// a hundred megabytes, as much memory as the database is large, and twice as much space. `progress` is
  /// called often meanwhile. Throws like commit(), and E602.
  void compact(const std::function<void()>& progress = {});

  /// Notes a clean stop, for operators and for the next start, once everything has been copied from the log.
  /// Nothing is committed after it. This is best effort: no error is reported.
  void note_stop(std::int64_t second);

  /// Sets the catalogue that puts methods into words; it outlives the database.
  void use(const MethodCatalogue& catalogue);

  /// Bytes of the write-ahead log that readers keep from being copied back or used again, as of the last
  /// commit; usually 0. They grow while a reader holds an old state, or while readers overlap without a gap.
  std::size_t wal_bytes_held() const;

 private:
  class Implementation;
  std::unique_ptr<Implementation> implementation_;
};

}  // namespace lekt::storage
