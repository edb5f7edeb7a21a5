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
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <unordered_map>
#include <vector>

#include "common/address_rates.h"
#include "common/descriptor.h"
#include "common/rate.h"
#include "common/time.h"
#include "server/core/member.h"
#include "server/core/output.h"
#include "server/core/writer.h"
#include "server/net/admission.h"
#include "server/net/connection.h"
#include "server/net/doors.h"
#include "server/net/front.h"
#include "server/net/membership.h"
#include "server/net/published_view.h"
#include "server/net/push_round.h"
#include "server/net/tls.h"
#include "server/net/watchdog.h"
#include "server/operators/log.h"
#include "server/operators/meters.h"
#include "server/operators/seen.h"
#include "server/operators/status.h"

namespace lekt {

struct WorkerSettings {
  MemberSettings members;
  /// Within which every established connection is looked at once: whether it has expired, and whether the
  /// writer is to be told that it was heard. A tenth of the heartbeat timeout when that is less.
  AwakeTime round = std::chrono::seconds(5);
  /// The memory that older lists may take in the whole server because answers made from them have not been read yet;
  /// four times the newest list in any case.
  std::size_t output_bytes_max = 64 * 1024 * 1024;
  /// The least time from the end of one round of pushes to the beginning of the next.
  AwakeTime push_interval = std::chrono::milliseconds(100);
};

/// A connected socket that the admission has counted. One that is refused is taken over only to be told why.
struct Arrival {
  Descriptor socket;
  Address address;
  Admission::Decision decision;
  bool proxied = false;             ///< a trusted proxy's: its header comes first
  std::shared_ptr<TlsContext> tls;  ///< null for plain text
};

/// A worker's io_context, through which each of its sockets knows the worker.
///
/// Posting from other threads is safe; sockets are made and used on the worker's thread only, so their operations need
/// no lock.
class WorkerContext : public asio::io_context {
 public:
  explicit WorkerContext(Worker& its_worker)
      : asio::io_context(ASIO_CONCURRENCY_HINT_UNSAFE_IO), worker(its_worker) {}

  Worker& worker;
};

class Worker final : public Front {
 public:
  /// What all workers of a server share; outlives them.
  struct Shared {
    const SessionRules& rules;
    Doors& doors;
    Seen& seen;
  };

  /// `index` of `count` workers: together they give out session ids that tell the worker.
  Worker(std::uint32_t index, std::uint32_t count, const WorkerSettings& settings, const Shared& shared);
  ~Worker() override;
  Worker(const Worker&) = delete;
  Worker& operator=(const Worker&) = delete;

  // ---- From any thread ----

  /// Takes over connected sockets.
  void adopt(std::vector<Arrival> arrivals);
  void post(std::function<void()> task) override;
  void deliver(std::vector<Writer::Completion> completions) override;
  void view_was_published() override;
  void stop() override;
  const WorkerMeters& meters() const override { return meters_; }
  const TurnCount& turns() const override { return turns_; }

  // ---- On the worker's thread ----

  void run() override;
  /// For an owner that drives the worker itself, instead of run(): everything that is ready, and what a tick
  /// does at the time `now`.
  void turn(std::chrono::steady_clock::time_point now);

  std::vector<HandshakeStatus> handshakes(std::size_t count_max) const override;
  std::vector<SessionStatus> sessions(Address address) const override;
  std::size_t end_sessions(const Block& block, const Rejection& rejection) override;
  void watch(const Block& block) override;
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
  const SessionRules& rules() const override { return *rules_; }
  WorkerMeters& meters() { return meters_; }
  Tracer& tracer() { return shared_.seen.tracer; }
  const WorkerSettings& settings() const { return settings_; }
  Admission::Decision identify(Address proxy, Address client, bool tls);
  void ask_to_join(Connection& connection);
  /// A session that the writer knows is over.
  void has_left(LeaveCommand command);
  /// The connection's member was in the state `before`, and may be in another one.
  void has_changed(Connection& connection, Member::State before);
  /// A client was told this code, or should have been. Yields the level at which that is logged.
  LogLevel note_code(ErrorCode code);
  LogLevel note_reject(Address address, const std::string& peer, const Rejection& rejection);
  /// As long as the membership lives, each tick calls the connection's resume().
  std::unique_ptr<Membership<Connection>> slow_down(Connection& connection) {
    return std::make_unique<Membership<Connection>>(slowed_, connection);
  }
  void stay_slowed(Membership<Connection>& slowed) { slowed.move_to(slowed_); }
  /// A client has joined or left. Yields the level at which that is logged.
  LogLevel note_session_line(Address address);
  /// As long as the membership lives, the connection's shake_hands() is called once those before it had their
  /// turn, and in between the worker looks after everybody else.
  std::unique_ptr<Membership<Connection>> wait_for_turn(Connection& connection);
  /// Those whose output waits for the socket; who has read nothing for the longest time stands first.
  MemberList<Connection>& blocked() { return blocked_; }
  /// Somebody has to be told of changes who cannot wait for the next one.
  void want_round();
  void was_closed(Connection& connection);

 private:
  /// What connections wait for, and so which list they stand in.
  enum class Stage : std::uint8_t { handshaking, established, draining, closed };

  void tick();
  void look(std::chrono::steady_clock::time_point now);
  void admit(Arrival& arrival);
  void expire(Connection::List& list);
  void look_at_established();
  void free_closed();
  bool may_expire(Connection& connection);
  std::size_t clients_present() const;
  void resume_slowed();
  void report_hidden_lines();
  void limit_old_answers();
  void shake_hands();
  void follow_pushes(Connection& connection, Stage from, Stage to);
  void look_for_changes();
  std::chrono::steady_clock::time_point time() const;
  std::chrono::steady_clock::time_point round_due() const;
  void begin_round_in_time();
  void begin_round();
  void go_on_with_round();
  void begin_stop();
  void close_everything();
  AwakeTime tick_interval() const;

  std::uint32_t index_;
  std::uint32_t count_;
  WorkerSettings settings_;
  Shared shared_;
  const SessionRules* rules_;
  WorkerMeters meters_;
  PublishedView::Reader reader_;

  WorkerContext io_{*this};
  asio::steady_timer timer_{io_};
  AwakeClock clock_;
  TurnCount turns_;
  AwakeTime now_{0};
  AwakeTime stop_at_{0};
  SessionId serial_ = 0;
  Rate::Time reject_lines_paid_until_{0};
  std::uint64_t rejects_hidden_ = 0;  ///< since the log last said so
  AddressRates session_lines_;
  Rate::Time session_lines_reported_until_{0};
  std::uint64_t sessions_hidden_ = 0;  ///< joins and leaves, since the log last said so
  Output output_;
  std::array<char, 16 * 1024> buffer_;
  std::vector<asio::const_buffer> parts_;
  Bytes record_;  ///< what is sent encrypted

  struct Joining {
    Connection* connection;
    std::chrono::steady_clock::time_point asked;
  };

  static Stage stage_of(Member::State state);
  Connection::List& list_of(Stage stage) { return lists_[static_cast<std::size_t>(stage)]; }
  const Connection::List& list_of(Stage stage) const { return lists_[static_cast<std::size_t>(stage)]; }

  // These outlive their members, which stand in the next ones.
  MemberList<Connection> slowed_;
  MemberList<Connection> blocked_;
  MemberList<Connection> shaking_hands_;
  bool has_turns_to_give_ = false;  ///< shake_hands() is going to be called
  /// By stage. Handshaking and draining connections stand oldest first; the established one that was not
  /// looked at for the longest time stands first.
  std::array<Connection::List, 4> lists_;
  std::unordered_map<SessionId, Joining> joining_;

  // Pushes (worker_push.cc).
  PushRound<Connection, &Connection::push_place_> push_round_;
  std::atomic<bool> awaits_view_{false};  ///< the next view is looked at for changes
  bool round_wanted_ = false;             ///< once the time for it has come
  bool round_goes_on_ = false;
  std::uint64_t round_sequence_ = 0;  ///< of the view with which the last one began
  std::chrono::steady_clock::time_point round_began_{};
  std::chrono::steady_clock::time_point round_ended_{};
  asio::steady_timer round_timer_{io_};
  /// The time, for a worker that is driven instead of run.
  std::optional<std::chrono::steady_clock::time_point> driven_at_;
  bool stopping_ = false;
};

}  // namespace lekt
