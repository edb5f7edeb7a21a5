// A worker: one thread with one io_context, which owns connections and answers their heartbeats from its own
// view.
//
// A heartbeat looks at one shared number for a newer view and takes no lock (published_view.h). Decisions
// about joins reach the worker through its io_context, after the view that holds them was published.
// Connections stand in lists by what they wait for. Those that shake hands or are being drained are ordered
// by time, and the front is looked at. The established ones are looked at in turns, all of them within a
// tenth of their timeout: a heartbeat then only notes the time, and touches no other connection.
#pragma once

#include <array>
#include <asio/buffer.hpp>
#include <asio/io_context.hpp>
#include <asio/steady_timer.hpp>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <unordered_map>
#include <vector>

#include "common/descriptor.h"
#include "server/admission.h"
#include "server/code_counts.h"
#include "server/connection.h"
#include "server/inbox.h"
#include "server/log.h"
#include "server/meters.h"
#include "server/output.h"
#include "server/published_view.h"
#include "server/rate.h"
#include "server/recent_rejects.h"
#include "server/silence_guard.h"
#include "server/time.h"
#include "server/tls.h"
#include "server/tracer.h"
#include "server/warnings.h"
#include "server/watchdog.h"
#include "server/writer.h"

namespace lekt {

struct WorkerSettings {
  AwakeTime heartbeat_timeout = std::chrono::seconds(90);
  AwakeTime handshake_timeout = std::chrono::seconds(10);
  /// How long a rejected client may go on sending until it has read the reject.
  AwakeTime drain_timeout = std::chrono::seconds(2);
  /// Within which every established connection is looked at once: whether it has expired, and whether the
  /// writer is to be told that it was heard. A tenth of the heartbeat timeout when that is less.
  AwakeTime round = std::chrono::seconds(5);
  /// Of one connection. A heartbeat counts once, and once more for each 64 KiB of its answer.
  Rate heartbeats{100, 200};
  /// Bytes that may wait until a client has read what came before.
  std::size_t output_bytes_max = 64 * 1024 * 1024;
};

/// A connected socket that the admission has counted. One that is refused is taken over only to be told why.
struct Arrival {
  Descriptor socket;
  Ipv4Address address;
  Admission::Decision decision;
  bool proxied = false;             ///< a trusted proxy's: its header comes first
  std::shared_ptr<TlsContext> tls;  ///< null for plain text
};

class Worker {
  using Stage = Connection::Stage;

 public:
  /// What all workers of a server share; outlives them.
  struct Shared {
    const SessionRules& rules;
    Inbox& inbox;
    Admission& admission;
    CodeCounts& counts;
    RecentRejects& rejects;
    Warnings& warnings;
    Tracer& tracer;
    SilenceGuard& silence_guard;
    const PublishedView& published;
  };

  /// `index` of `count` workers: together they give out session ids that tell the worker.
  Worker(std::uint32_t index, std::uint32_t count, const WorkerSettings& settings, const Shared& shared);

  // ---- From any thread ----

  /// Takes over connected sockets.
  void adopt(std::vector<Arrival> arrivals);
  /// What the writer has decided about joins of this worker's sessions; the view that holds them is
  /// published.
  void deliver(std::vector<Writer::Completion> completions);
  /// Runs the task on the worker's thread, soon; never, when the worker has stopped.
  void post(std::function<void(Worker&)> task);
  /// Tells every client that the server stops, and ends run() shortly after.
  void stop();
  const WorkerMeters& meters() const { return meters_; }
  /// Counted while run() runs.
  const TurnCount& turns() const { return turns_; }

  // ---- On the worker's thread ----

  void run();

  // For operators.
  /// Connections that have not joined, the oldest first, at most so many.
  std::vector<HandshakeStatus> handshakes(std::size_t count_max) const;
  std::vector<SessionStatus> sessions(Ipv4Address address) const;
  /// Refuses all connections of these addresses, and says how many had joined.
  std::size_t end_sessions(const Cidr& block, const Rejection& rejection);
  /// Looks anew which of its connections are traced.
  void watch(const Cidr& block);
  /// For what comes from now on; the rules outlive the worker.
  void use(const WorkerSettings& settings, const SessionRules& rules);

  // For its connections.
  const std::shared_ptr<const ChangeView>& view() const { return reader_.view(); }
  /// Takes the newest view; only when no output refers to the bytes of the one before.
  void refresh_view() { reader_.refresh(); }
  Output& output() { return output_; }
  std::array<char, 16 * 1024>& buffer() { return buffer_; }
  std::vector<asio::const_buffer>& parts() { return parts_; }
  Bytes& record() { return record_; }
  AwakeTime now() const { return now_; }
  bool is_stopping() const { return stopping_; }
  const SessionRules& rules() const { return *rules_; }
  WorkerMeters& meters() { return meters_; }
  Tracer& tracer() { return shared_.tracer; }
  const WorkerSettings& settings() const { return settings_; }
  Admission::Decision identify(Ipv4Address proxy, Ipv4Address client);
  void ask_to_join(Connection& connection);
  void was_heard(Connection& connection);  ///< or has just joined
  void has_left(const Connection& connection);
  /// A client was told this code, or should have been. Yields the level at which that is logged.
  LogLevel note_code(ErrorCode code);
  LogLevel note_reject(Ipv4Address address, const Rejection& rejection);
  /// Calls the connection's resume() with the next tick.
  void slow_down(Connection& connection) { slowed_.push_back(&connection); }
  void begins_draining(Connection& connection);
  void was_closed(Connection& connection);

 private:
  void tick();
  void admit(Arrival& arrival);
  void expire(Connection::List& list, AwakeTime timeout);
  void look_at_established();
  void free_closed();
  bool may_expire(Connection& connection);
  void watch_silence();
  void resume_slowed();
  void report_hidden_rejects();
  void begin_stop();
  void close_everything();
  void move(Connection& connection, Stage to);
  AwakeTime tick_interval() const;

  std::uint32_t index_;
  std::uint32_t count_;
  WorkerSettings settings_;
  Shared shared_;
  const SessionRules* rules_;
  WorkerMeters meters_;
  PublishedView::Reader reader_;

  // Posting from other threads is safe; sockets are made and used on this thread only, so their operations
  // need no lock.
  asio::io_context io_{ASIO_CONCURRENCY_HINT_UNSAFE_IO};
  asio::steady_timer timer_{io_};
  AwakeClock clock_;
  TurnCount turns_;
  AwakeTime now_{0};
  AwakeTime stop_at_{0};
  SessionId serial_ = 0;
  Rate::Time reject_lines_paid_until_{0};
  std::uint64_t rejects_hidden_ = 0;  ///< since the log last said so
  Output output_;
  std::array<char, 16 * 1024> buffer_;
  std::vector<asio::const_buffer> parts_;
  Bytes record_;  ///< what is sent encrypted

  struct Joining {
    Connection* connection;
    std::chrono::steady_clock::time_point asked;
  };

  Connection::List& list_of(Stage stage) { return lists_[static_cast<std::size_t>(stage)]; }
  const Connection::List& list_of(Stage stage) const { return lists_[static_cast<std::size_t>(stage)]; }

  /// By stage. Handshaking and draining connections stand oldest first; the established one that was not
  /// looked at for the longest time stands first.
  std::array<Connection::List, 4> lists_;
  std::unordered_map<SessionId, Joining> joining_;
  std::vector<Connection*> slowed_;  ///< until the next tick
  bool stopping_ = false;
};

}  // namespace lekt
