// What operators see of the running server. Copies, taken when somebody asks.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include "common/address.h"
#include "common/errors.h"
#include "server/histogram.h"
#include "server/storage_state.h"
#include "storage/database.h"

namespace lekt {

/// Numbers. Those in the second half only grow, and begin at 0 with the process.
struct Totals {
  std::int64_t started = 0;  ///< Unix seconds
  double uptime_seconds = 0;
  std::size_t clients = 0;      ///< present: with a session, or waited for
  std::size_t waiting = 0;      ///< of these, not back since the restart
  std::size_t sessions = 0;     ///< connections that have joined
  std::size_t connections = 0;  ///< all, those that are being told why they are refused included
  std::size_t handshakes = 0;   ///< connections that have not joined yet
  std::size_t handshakes_max = 0;
  std::size_t bans = 0;
  double grace_seconds_left = 0;  ///< of the restart grace; 0 when it is over
  StorageState storage = StorageState::usable;
  std::uint64_t database_bytes = 0;
  std::uint64_t wal_bytes = 0;
  std::uint64_t wal_bytes_held = 0;  ///< that readers keep from being used again
  std::int64_t last_commit = 0;      ///< Unix seconds; 0 before the first
  std::uint64_t sequence = 0;        ///< of the newest change
  std::vector<ErrorCode> warnings;   ///< what is wrong now

  std::uint64_t connections_accepted = 0;
  std::uint64_t joins = 0;
  std::uint64_t leaves = 0;  ///< sessions that had joined and have ended
  std::uint64_t heartbeats = 0;
  std::uint64_t full_lists = 0;  ///< answers that began with everything
  std::uint64_t received_bytes = 0;
  std::uint64_t sent_bytes = 0;
  std::uint64_t added = 0;  ///< committed changes: added, or its methods changed
  std::uint64_t removed = 0;
  std::uint64_t commits = 0;
  std::uint64_t commits_failed = 0;
  std::vector<std::pair<ErrorCode, std::uint64_t>> codes;  ///< given to clients; those above 0, ascending
  Histogram::Copy join;                                    ///< seconds from the last response to the commit
  Histogram::Copy commit;                                  ///< seconds of one transaction
  Histogram::Copy answer;  ///< seconds from a heartbeat read to its answer sent
};

/// A connection that has not joined yet.
struct HandshakeStatus {
  Ipv4Address address;
  std::uint64_t session = 0;
  std::string phase;  ///< "entrance" (PROXY header or TLS), "handshake", "setup", "joining"
  double age_seconds = 0;
  bool tls = false;
};

/// A connection that has joined.
struct SessionStatus {
  Ipv4Address address;
  std::uint64_t session = 0;
  double silent_seconds = 0;      ///< since it was last heard
  std::size_t waiting_bytes = 0;  ///< of answers that it has not read yet
  bool tls = false;
  bool slowed = false;  ///< its heartbeats come too fast (E303)
};

struct RejectStatus {
  std::int64_t second = 0;  ///< Unix seconds
  Ipv4Address address;
  ErrorCode code{};
  std::string message;
};

struct TraceStatus {
  std::string block;  ///< CIDR
  std::string file;   ///< absolute path
  double seconds_left = 0;
  std::uint64_t bytes = 0;
};

struct Rates {
  double window_seconds = 0;  ///< what the rates are means of; 0 just after the start
  double connections = 0;     ///< a second, as are the next ones
  double heartbeats = 0;
  double joins = 0;
  double leaves = 0;
  double changes = 0;
  double sent_bytes = 0;
};

struct Status {
  std::string version;
  std::int64_t process = 0;  ///< its id
  std::string database;      ///< absolute path
  Totals totals;
  Rates rates;
  double last_commit_seconds = 0;            ///< how long it took
  std::vector<HandshakeStatus> in_progress;  ///< the oldest first; at most 50
  std::vector<storage::Warning> warnings;    ///< what is wrong now
  std::vector<TraceStatus> traces;
  std::size_t threads = 0;
  std::size_t threads_silent = 0;  ///< that did not answer within a second
};

}  // namespace lekt
