// What operators see of the running server. Copies, taken when somebody asks. `fields` are their lists, with the names
// that operators know (json.h).
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "common/address.h"
#include "common/block.h"
#include "common/errors.h"
#include "server/operators/totals.h"
#include "storage/database.h"

namespace lekt {

/// A connection that has not joined yet.
struct HandshakeStatus {
  Address address;
  std::uint64_t session = 0;
  std::string phase;  ///< "entrance" (PROXY header or TLS), "handshake", "setup", "joining"
  double age_seconds = 0;
  bool tls = false;

  template <class Self, class Io>
  static void fields(Self& self, Io& io) {
    io.field("address", self.address);
    io.field("session", self.session);
    io.field("phase", self.phase);
    io.field("age_seconds", self.age_seconds);
    io.field("tls", self.tls);
  }
};

/// A connection that has joined.
struct SessionStatus {
  Address address;
  std::uint64_t session = 0;
  double silent_seconds = 0;      ///< since it was last heard
  std::size_t waiting_bytes = 0;  ///< of answers that it has not read yet
  bool tls = false;
  bool slowed = false;  ///< its heartbeats come too fast (E303)
  std::uint16_t port =
      0;  ///< of its TCP connection, the proxy's behind one: which program of the address it is
  std::optional<std::string> methods =
      {};  ///< in words, at most 500 characters; nothing when the writer is busy

  template <class Self, class Io>
  static void fields(Self& self, Io& io) {
    io.field("address", self.address);
    io.field("session", self.session);
    io.field("silent_seconds", self.silent_seconds);
    io.field("waiting_bytes", self.waiting_bytes);
    io.field("tls", self.tls);
    io.field("slowed", self.slowed);
    io.field("port", self.port);
    io.field("methods", self.methods);
  }
};

struct RejectStatus {
  std::int64_t second = 0;  ///< Unix seconds
  Address address;
  ErrorCode code{};
  std::string message;
  std::string peer;  ///< the address in words; of IPv6 when `address` is 0.0.0.0

  template <class Self, class Io>
  static void fields(Self& self, Io& io) {
    io.time("time", self.second);
    io.peer("address", self.address, self.peer);
    io.field("code", self.code);
    io.field("message", self.message);
  }
};

struct TraceStatus {
  Block block;
  std::string file;  ///< absolute path
  double seconds_left = 0;
  std::uint64_t bytes = 0;  ///< written
  std::uint64_t lost = 0;   ///< packets and notes that the disk did not take in time

  template <class Self, class Io>
  static void fields(Self& self, Io& io) {
    io.field("block", self.block);
    io.field("file", self.file);
    io.field("left_seconds", self.seconds_left);
    io.field("file_bytes", self.bytes);
    io.field("lost", self.lost);
  }
};

/// Where the server can be reached.
struct ListenStatus {
  std::string kind;     ///< "plain", "tls", "admin" or "control"
  std::string address;  ///< with the port that was picked when 0 was asked for; of "control" an absolute path
  bool passed = false;  ///< the service manager listens

  template <class Self, class Io>
  static void fields(Self& self, Io& io) {
    io.field("kind", self.kind);
    io.field("address", self.address);
    io.field("passed", self.passed);
  }
};

/// What the running server has of its settings, and what it has not.
struct Whereabouts {
  std::vector<ListenStatus> listening;
  std::vector<std::string> needs_restart;  ///< names of settings that were read again and wait for it
};

struct Rates {
  double window_seconds = 0;  ///< what the rates are means of; 0 just after the start
  double connections = 0;     ///< a second, as are the next ones
  double heartbeats = 0;
  double joins = 0;
  double leaves = 0;
  double changes = 0;
  double sent_bytes = 0;

  template <class Self, class Io>
  static void fields(Self& self, Io& io) {
    io.field("window_seconds", self.window_seconds);
    io.field("connections", self.connections);
    io.field("heartbeats", self.heartbeats);
    io.field("joins", self.joins);
    io.field("leaves", self.leaves);
    io.field("changes", self.changes);
    io.field("sent_bytes", self.sent_bytes);
  }
};

/// A thread of the server that makes no progress.
struct HangingThread {
  std::string name;           ///< "main", "writer", "devices", "worker 0" and so on
  double silent_seconds = 0;  ///< since it was last seen to
};

/// Whether the server lives, and can take clients in.
struct Health {
  std::size_t threads = 0;                      ///< that serve clients
  std::optional<Rejection> hangs;               ///< which threads make no progress (E620); nothing: it lives
  std::optional<Rejection> not_ready;           ///< why no client can be taken in; nothing: it is ready
  std::chrono::duration<double> log_blocked{};  ///< for how long the log's output takes no line
};

struct Status {
  std::string version;
  std::int64_t process = 0;  ///< its id
  std::string database;      ///< absolute path
  std::string identity;      ///< of the change log, in hexadecimal
  Totals totals;
  Rates rates;
  Whereabouts whereabouts;
  double last_commit_seconds = 0;            ///< how long it took
  std::vector<HandshakeStatus> in_progress;  ///< the oldest first; at most 50
  std::vector<storage::Warning> warnings;    ///< what is wrong now
  std::vector<TraceStatus> traces;
  std::size_t threads = 0;
  std::size_t threads_silent = 0;  ///< that did not answer within a second

  template <class Self, class Io>
  static void fields(Self& self, Io& io) {
    io.field("version", self.version);
    io.field("process", self.process);
    io.field("database", self.database);
    io.field("identity", self.identity);
    io.field("listening", self.whereabouts.listening);
    io.field("needs_restart", self.whereabouts.needs_restart);
    io.field("totals", self.totals);
    io.field("rates", self.rates);
    io.field("last_commit_seconds", self.last_commit_seconds);
    io.field("in_progress", self.in_progress);
    io.field("warnings", self.warnings);
    io.field("traces", self.traces);
    io.field("threads", self.threads);
    io.field("threads_silent", self.threads_silent);
  }
};

}  // namespace lekt
