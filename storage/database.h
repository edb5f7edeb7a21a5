// The database: the newest change of every address, in one SQLite file that operators can read.
//
// It remembers and decides nothing: sequence numbers, seconds and what to forget come from the writer
// (server/). It never hands out SQLite or Protocol Buffers types.
//
// Exactly one Database is open on a file (a lock on `<path>.lock` sees to it), and it is the only read-write
// connection: Debian 12's SQLite (3.40.1) can lose committed rows when one connection checkpoints a WAL while
// another commits. So checkpoints are done here too, and everybody else opens the file with mode=ro.
//
// The file, its log (-wal) and shared memory (-shm) belong to the user of the server and can be read by his
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
#include <span>
#include <string>
#include <vector>

#include "common/address.h"
#include "common/catalogue.h"
#include "common/cidr.h"
#include "common/errors.h"
#include "common/packets.h"

namespace lekt::storage {

/// The newest state of one address: it was added (or its methods changed), or it was removed.
struct Change {
  std::uint64_t sequence = 0;  ///< ascending, from 1, never reused
  std::int64_t second = 0;     ///< server's Unix seconds; never descends with the sequence
  UpdateKind kind = UpdateKind::added;
  Ipv4Address address;
  Methods methods;  ///< empty for a removal
};

/// What operators see of a connected client and nobody else needs: written late, never read back. A client
/// that a change has added counts as one session until its presence says otherwise.
struct Presence {
  Ipv4Address address;
  std::uint32_t sessions = 0;
  std::int64_t heard = 0;  ///< second of the last heartbeat or join; 0 leaves the stored value
};

/// That a code was given to clients.
struct CodeCount {
  ErrorCode code;
  std::uint64_t count = 0;  ///< times, to be added
  std::int64_t second = 0;  ///< of the last time
};

/// What is wrong with the server, for operators.
struct Warning {
  ErrorCode code;
  std::int64_t second = 0;  ///< since when
  std::string message;
};

/// Addresses that the operator does not want to be served.
struct Ban {
  Cidr block;
  std::int64_t second = 0;  ///< since when
  std::string reason;       ///< in the operator's words
};

/// A ban that begins, replaces an earlier one of the same block, or ends.
struct BanChange {
  Ban ban;
  bool ends = false;
};

/// Where the change log stands.
struct LogState {
  std::int64_t second = 0;               ///< the newest second that was stamped or reserved; never goes back
  std::uint64_t sequence = 0;            ///< of the newest change; 0 before the first
  std::int64_t history_begins = 0;       ///< a client can resume from this second or a later one
  std::uint64_t forgotten_sequence = 0;  ///< of the newest removal that was forgotten; 0 if none was

  bool operator==(const LogState&) const = default;
};

/// One transaction.
struct Batch {
  LogState state;                   ///< after this batch: not before its last change
  std::span<const Change> changes;  ///< ascending, after those committed before; each address at most once
  std::span<const Presence> presences;  ///< of addresses that are present (others are ignored)
  std::int64_t forget_before = 0;       ///< removals of an earlier second are deleted; 0 deletes none
  std::span<const CodeCount> codes = {};
  /// All that hold now; null when that is what was written last.
  const std::vector<Warning>* warnings = nullptr;
  std::span<const BanChange> bans = {};  ///< in the order in which they were made
};

enum class CommitResult {
  done,
  busy,  ///< another program holds the write lock; nothing was written, try again
};

struct DatabaseSettings {
  std::filesystem::path path;
  const MethodCatalogue* catalogue = nullptr;  ///< for methods in words; outlives the database
  std::string program_version;                 ///< shown to operators
  std::int64_t started = 0;                    ///< wall clock, Unix seconds
  /// How long commit() waits for a foreign writer before it answers `busy`.
  std::chrono::milliseconds busy_wait{200};
  /// The write-ahead log is copied back once it has so many bytes.
  std::size_t checkpoint_bytes = 4 * 1024 * 1024;
  /// False only in tests that run thousands of commits in virtual time: then a power loss may lose commits.
  bool durable = true;
};

/// Methods in words, as they stand in the database: at most 500 characters.
std::string stored_words(const MethodCatalogue& catalogue, const Methods& methods);

class Database {
 public:
  /// Opens or creates the file, takes the lock, checks identity, version and integrity, migrates an older
  /// schema. Throws CodedError E503 to E508, and then leaves the file as it was.
  explicit Database(const DatabaseSettings& settings);
  ~Database();  ///< closes; the write-ahead log stays, so that other users can still open the file read-only
  Database(const Database&) = delete;
  Database& operator=(const Database&) = delete;

  /// As of the last commit. A new database begins at `started`: state().second is started + 1, history_begins
  /// started.
  const LogState& state() const;

  /// Every remembered change, ascending by sequence. Throws CodedError E503 or E506.
  void load(const std::function<void(Change&&)>& take);

  /// All that hold, the oldest first. Throws like load().
  std::vector<Ban> bans();

  /// Writes the batch in one durable transaction. Throws CodedError E601 when the outcome is not known, the
  /// disk refuses, or the files are no longer those of their names: then nothing in memory may be trusted,
  /// and reopen() comes next.
  CommitResult commit(const Batch& batch);

  /// Closes the connection, opens it anew and reads state() again, keeping the lock. As after the
  /// constructor, what can be read then is durable, even if the commit that wrote it has failed. Throws like
  /// the constructor, and can be called again then. Never makes a new database: one that was deleted, moved
  /// or replaced stays open until it is back.
  void reopen();

  /// Gives the free pages back to the file system. Nothing is committed meanwhile; takes about a second for a
  /// hundred megabytes, and needs as much memory, and twice as much space, as the database is large.
  /// `progress` is called often meanwhile. Throws like commit(), and E602.
  void compact(const std::function<void()>& progress = {});

  /// Notes a clean stop for operators. Best effort: no error is reported.
  void note_stop(std::int64_t second);

  /// The catalogue for methods in words; outlives the database.
  void use(const MethodCatalogue& catalogue);

  /// Bytes of the write-ahead log that readers keep from being copied back or used again; 0 as a rule. They
  /// grow while a reader holds an old state, or while readers overlap without a gap. As of the last commit.
  std::size_t wal_bytes_held() const;

 private:
  class Implementation;
  std::unique_ptr<Implementation> implementation_;
};

}  // namespace lekt::storage
