// A member: one client's session, and what the server decides about it besides the protocol: whether it is heard in
// time, whether it asks too fast, and what the writer has to be told about it.
//
//     entering ──begin()──▶ handshaking ──next(): join──▶ joining ──joined()──▶ established
//         └─────────────────────┴──────────── leave() ───────┴──────────────────────┘
//                                                │
//                                                ▼
//                                             ending ──reject_was_sent()──▶ draining ──close()──▶ closed
//
// Its owner has the socket, the clock and the writer's inbox: it feeds next() with what was received, does what that
// asks for, and looks from time to time whether the member is overdue. So workers, the simulation and benchmarks drive
// the same rules.
//
// Invariants
// - The writer knows the session from the join until it has refused it, or was told that it is over; so one
//   JoinCommand is followed by at most one LeaveCommand.
// - Once `ending` is reached, nothing that comes from the client is looked at.
//
// Owned by one worker, which calls it from its thread.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <utility>

#include "common/errors.h"
#include "common/rate.h"
#include "common/time.h"
#include "server/core/change_view.h"
#include "server/core/commands.h"
#include "server/core/output.h"
#include "server/core/session.h"

namespace lekt {

struct MemberSettings {
  AwakeTime heartbeat_timeout = std::chrono::seconds(90);
  AwakeTime handshake_timeout = std::chrono::seconds(10);
  /// How long a rejected client may go on sending until it has read the reject.
  AwakeTime drain_timeout = std::chrono::seconds(2);
  /// Of one connection. An answer counts once, and once more for each 64 KiB of it, whether or not it was asked for.
  Rate heartbeats{100, 200};
};

class Member {
 public:
  enum class State : std::uint8_t {
    entering,     ///< something comes before LEKT: the header of a proxy, a TLS handshake
    handshaking,  ///< handshake and setup
    joining,      ///< the writer decides about the join
    established,  ///< it has joined, and heartbeats are answered
    ending,       ///< it is over; a reject may have to be sent
    draining,     ///< the reject was sent, and what the client still sends is dropped until it has read it
    closed,
  };

  struct Answer {
    Basis basis;
    bool too_fast;  ///< the next heartbeat is looked at once asks_too_fast() is over
  };

  Member(SessionId id, Address address, const SessionRules& rules, AwakeTime now)
      : session_(id, address, rules), since_(now) {}

  /// Entering: a trusted proxy says for whom it connects.
  void name_client(Address address) { session_.name_client(address); }
  /// LEKT begins.
  void begin();

  // ---- Input ----

  /// Whether next() may be called: nothing is decided about the member, and it is not over.
  bool takes_input() const { return state_ == State::handshaking || state_ == State::established; }

  /// Takes bytes from the front of `input`, appends what is owed at once to `out`, and says what the owner has to do
  /// (Session::Action). `join`: post join_command(); the rest of the input is kept. `answer`: call answer(). `end`:
  /// call leave(), and send `out`.
  Session::Action next(ByteView& input, AwakeTime now, Bytes& out) {
    const Session::Action action = session_.next(input, out);
    if (action.kind == Session::Action::Kind::join) begin_join(input, now);
    return action;
  }
  /// Keeps input for a later next(), if the owner cannot go on with it now.
  void keep(ByteView& input) { session_.keep(input); }

  /// Answers a heartbeat. The shared parts of `output` live as long as `view`.
  Answer answer(std::int64_t timestamp, const ChangeView& view, const MemberSettings& settings, AwakeTime now,
                Output& output) {
    was_heard(now);
    const std::size_t before = output.size();
    const Basis basis = view.answer(session_.cursor(), timestamp, session_.features(), output);
    charge(settings, now, output.size() - before);
    return {basis, asks_too_fast(settings, now)};
  }

  /// Whether the client is to be told of changes without asking: the feature is in force, and it has joined.
  bool is_pushed_to() const { return is_established() && session_.features().has(Feature::push); }
  /// Whether there is something for push() to say: its first heartbeat was answered, and the view is another one.
  bool is_behind(const ChangeView& view) const {
    return !session_.cursor().first && session_.cursor().answered != view.newest_sequence();
  }
  /// Answers a client that is_behind() without having been asked, or appends nothing if there is no entry for it. It was
  /// not heard by that, but what it is sent counts as if it had asked: not while it asks_too_fast(). `output` is empty,
  /// and its shared parts live as long as `view`.
  std::optional<Basis> push(const ChangeView& view, const MemberSettings& settings, AwakeTime now,
                            Output& output) {
    const std::optional<Basis> basis = view.push(session_.cursor(), session_.features(), output);
    if (basis) charge(settings, now, output.size());
    return basis;
  }

  bool asks_too_fast(const MemberSettings& settings, AwakeTime now) const {
    return settings.heartbeats.is_used_up(paid_until_, now);
  }

  // ---- Joining ----

  JoinCommand join_command() const { return {session_.id(), session_.address(), session_.methods()}; }
  /// The client is stored: appends the zero-index request. For `second`, see Cursor::joined.
  void joined(std::int64_t second, AwakeTime now, Bytes& out);
  /// The writer has refused the join, and forgotten the session. Refuse the client then.
  void join_was_refused() { registered_ = false; }

  // ---- Time ----

  /// It shows that it is alive, by a heartbeat or because it reads.
  void was_heard(AwakeTime now) {
    heard_ = true;
    since_ = now;
  }
  /// When it was last heard as a Unix second, if that was after the last call; for the HeardCommand.
  std::optional<std::int64_t> take_heard(AwakeTime now, std::int64_t wall);
  /// How long its state lasts; established: how long it was not heard.
  AwakeTime age(AwakeTime now) const { return now - since_; }
  /// By how much age() is longer than the state may last; less than 0: not yet overdue.
  AwakeTime overdue(const MemberSettings& settings, AwakeTime now) const;
  /// Spares an overdue member for which bytes wait: they may be heartbeats that were sent in time, and its owner gets to
  /// them before he looks again. Once, until it was heard: neither parts of a heartbeat nor messages of TLS keep it.
  /// False: it was spared before.
  bool spare() {
    const bool is_new = !spared_;
    spared_ = true;
    return is_new;
  }
  /// What to tell an overdue member. Not once it is ending.
  Rejection timeout(const MemberSettings& settings) const;
  /// For the guard against mass silence: whether the member is overdue, and was not ended for that reason.
  bool is_held() const { return held_; }
  void hold(bool held) { held_ = held; }

  // ---- The end ----

  /// Appends the reject. Call leave() then.
  void refuse(const Rejection& rejection, Bytes& out) { session_.reject(rejection, out); }
  /// It is over, for whatever reason: `ending`. Yields what the writer has to be told; nothing if it does not know the
  /// session.
  std::optional<LeaveCommand> leave(LeaveReason reason, AwakeTime now);
  void reject_was_sent();
  void close() { state_ = State::closed; }

  State state() const { return state_; }
  /// Whether it is not over.
  bool is_open() const { return state_ <= State::established; }
  bool is_established() const { return state_ == State::established; }
  /// Whether leave() would yield something.
  bool is_registered() const { return registered_; }
  const Session& session() const { return session_; }
  SessionId id() const { return session_.id(); }
  Address address() const { return session_.address(); }
  Cursor& cursor() { return session_.cursor(); }

  /// Throws std::logic_error when an invariant between two steps of the owner does not hold. For tests.
  void check() const;

 private:
  static constexpr std::size_t answer_bytes_unit = 64 * 1024;

  void begin_join(ByteView& input, AwakeTime now);
  void charge(const MemberSettings& settings, AwakeTime now, std::size_t answer_bytes) {
    const auto units = static_cast<std::uint32_t>(1 + answer_bytes / answer_bytes_unit);
    settings.heartbeats.charge(paid_until_, now, units);
  }

  [[no_unique_address]] Session session_;  // what follows lies in the bytes that it leaves free
  State state_ = State::entering;
  bool heard_ : 1 = false;       ///< since take_heard()
  bool held_ : 1 = false;        ///< overdue, and waited for
  bool spared_ : 1 = false;      ///< overdue, and bytes of it waited to be read
  bool registered_ : 1 = false;  ///< the writer knows the session
  Rate::Time paid_until_{0};     ///< heartbeats
  AwakeTime since_;              ///< last heard, or when the state began
};

}  // namespace lekt
