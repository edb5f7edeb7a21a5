// Every number that operators see of the running server, named once: how JSON calls it, how Prometheus calls
// it, and what it means.
//
// A counter is two lines in Counts, its member and its place in the list, and one where it is counted. The rest
// visits the list: to_json (json.h), the metrics (admin/metrics.cc), the adding up of what threads have counted
// (meters.h), lektctl, and the tests of the documents. Counts nothing itself, and knows no form of output.
//
// Names of a list: JSON's is given. Prometheus' is `lekt_NAME_total` for a counter and `lekt_NAME_seconds` for
// a histogram, and is given where it differs. The list's order is that of the output.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <utility>
#include <vector>

#include "common/errors.h"
#include "server/core/storage_state.h"
#include "server/operators/device_totals.h"
#include "server/operators/histogram.h"
#include "server/operators/labelled.h"

namespace lekt {

/// The metric of committed changes.
inline constexpr LabelledMetric changes_metric{
    "lekt_changes_total", "kind",
    "Committed changes: clients that were added or have other methods, and removed."};

/// What threads count: numbers that only grow, and begin at 0 with the process. Each thread has a set of its own, of
/// which it counts what it does; Totals have the sums.
template <class Count, class Durations>
struct Counts {
  Count connections_accepted{};
  Count joins{};
  Count leaves{};
  Count heartbeats{};
  Count pushes{};
  Count full_lists{};
  Count received_bytes{};
  Count sent_bytes{};
  Count added{};
  Count removed{};
  Count commits{};
  Count commits_failed{};
  Durations join{};
  Durations commit{};
  Durations answer{};

  /// The list of the counters: `io` visits one set, or several side by side.
  template <class Io, class... Self>
  static void counters(Io& io, Self&... self) {
    io.counter("connections_accepted", "Connections that were accepted.", self.connections_accepted...);
    io.counter("joins", "Sessions that have joined.", self.joins...);
    io.counter("leaves", "Sessions that had joined and have ended.", self.leaves...);
    io.counter("heartbeats", "Heartbeats that were answered.", self.heartbeats...);
    io.counter("pushes", "Answers that no heartbeat asked for, because there was something new.",
               self.pushes...);
    io.counter("full_lists", "Answers that began with the full list.", self.full_lists...);
    io.counter("received_bytes", "Bytes received from clients.", self.received_bytes...);
    io.counter("sent_bytes", "Bytes sent to clients.", self.sent_bytes...);
    io.counter("added", Labelled{changes_metric, "added"}, self.added...);
    io.counter("removed", Labelled{changes_metric, "removed"}, self.removed...);
    io.counter("commits", "Transactions that were committed.", self.commits...);
    io.counter("commits_failed", "Transactions that failed.", self.commits_failed...);
  }

  /// The list of the durations, which take longer to add up.
  template <class Io, class... Self>
  static void durations(Io& io, Self&... self) {
    io.histogram("join", "From a client's last response to the commit of its join.", self.join...);
    io.histogram("commit", "One transaction, its sync included.", self.commit...);
    io.histogram(
        "answer",
        "From the first heartbeat of a turn to the last answer of that turn handed to the socket: one "
        "sample for heartbeats that come together, without the time that a slow client takes to read.",
        self.answer...);
  }
};

/// The sums of what threads have counted, and how things are now.
struct Totals : Counts<std::uint64_t, Histogram::Copy> {
  std::int64_t started = 0;  ///< Unix seconds
  double uptime_seconds = 0;
  std::size_t clients = 0;
  std::size_t waiting = 0;  ///< clients that are not back since the restart
  std::size_t sessions = 0;
  std::size_t connections = 0;
  std::size_t handshakes = 0;
  std::size_t handshakes_max = 0;  ///< for readiness only
  std::size_t bans = 0;
  double grace_seconds_left = 0;
  StorageState storage = StorageState::usable;
  std::uint64_t database_bytes = 0;
  std::uint64_t wal_bytes = 0;
  std::uint64_t wal_bytes_held = 0;
  std::int64_t last_commit = 0;
  std::uint64_t sequence = 0;
  std::int64_t certificate_expires = 0;
  std::int64_t client_authorities_expire = 0;
  double log_blocked_seconds = 0;
  std::uint64_t log_lines_lost = 0;
  std::uint64_t trace_entries_lost = 0;                    ///< of all protocol traces
  std::vector<std::pair<ErrorCode, std::uint64_t>> codes;  ///< those above 0, ascending
  std::vector<ErrorCode> warnings;                         ///< what is wrong now
  std::optional<DeviceTotals> devices;                     ///< nothing: the server takes none

  template <class Self, class Io>
  static void fields(Self& self, Io& io) {
    io.time("started", "process_start_time_seconds", "When the process was started, in Unix seconds.",
            self.started);
    io.number("uptime_seconds", self.uptime_seconds);
    io.gauge("clients", "lekt_clients", "Clients that are present: with a session, or waited for.",
             self.clients);
    io.gauge("waiting", "lekt_clients_waiting", "Clients that have not come back since the restart.",
             self.waiting);
    io.gauge("sessions", "lekt_sessions", "Connections that have joined.", self.sessions);
    io.gauge("connections", "lekt_connections", "All connections, those that are being refused included.",
             self.connections);
    io.gauge("handshakes", "lekt_handshakes", "Connections that have not joined yet.", self.handshakes);
    io.gauge("bans", "lekt_bans", "Blocks of addresses that the operator has banned.", self.bans);
    io.gauge("grace_left_seconds", "lekt_restart_grace_remaining_seconds",
             "Time that clients of before the restart still have to come back; 0 when it is over.",
             self.grace_seconds_left);
    io.storage("storage", "lekt_storage_state",
               "1 for the state in which storage is: joins can be stored only when it is usable.",
               self.storage);
    io.gauge("database_bytes", "lekt_database_size_bytes", "Size of the database file.", self.database_bytes);
    io.gauge("wal_bytes", "lekt_wal_size_bytes", "Size of the database's write-ahead log.", self.wal_bytes);
    io.gauge("wal_held_bytes", "lekt_wal_held_bytes",
             "Bytes of the write-ahead log that readers keep from being used again.", self.wal_bytes_held);
    io.time_or_never("last_commit", "lekt_last_commit_timestamp_seconds",
                     "When the last commit was done; 0 before the first.", self.last_commit);
    io.gauge("sequence", "lekt_change_sequence", "Sequence number of the newest change.", self.sequence);
    Counts::counters(io, self);
    io.time_or_never(
        "certificate_expires", "lekt_certificate_expiry_timestamp_seconds",
        "When the first certificate in the server's file expires, in Unix seconds; 0 without TLS.",
        self.certificate_expires);
    io.time_or_never("client_authorities_expire", "lekt_client_authority_expiry_timestamp_seconds",
                     "When the first authority of clients expires, in Unix seconds; 0 without any.",
                     self.client_authorities_expire);
    io.gauge("log_blocked_seconds", "lekt_log_blocked_seconds",
             "For how long the log's output takes no line; 0 when it does.", self.log_blocked_seconds);
    io.counter("log_lines_lost",
               "Lines of the log that were dropped, since its output did not take those before.",
               self.log_lines_lost);
    io.counter("trace_entries_lost",
               "Packets and notes that protocol traces lack, since the disk did not take them in time.",
               self.trace_entries_lost);
    io.codes("codes", "lekt_codes_total", "Codes that were given to clients (docs/errors.md).", self.codes);
    io.warnings("lekt_warning", "1 for each warning that holds now (docs/errors.md).", self.warnings);
    Counts::durations(io, self);
    io.field("devices", self.devices);
  }
};

}  // namespace lekt
