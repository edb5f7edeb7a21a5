#include <array>

#include "common/annotate.h"
#include "server/core/change_log.h"
#include "server/core/session.h"
#include "tests/fuzz/chunks.h"
#include "tests/fuzz/fuzzers.h"
#include "tests/support/round_trip.h"

namespace lekt::fuzz {

namespace {

constexpr std::int64_t joined_second = 1700000010;

/// Three clients, one of them gone: all kinds of answers have something in them.
std::shared_ptr<const ChangeView> small_view() {
  const std::array changes = {
      storage::Change{
          1, 1700000001, UpdateKind::added, Address::v4(0x0a000007), {{1, tcp_information(7890)}}},
      storage::Change{2, 1700000002, UpdateKind::added, Address::v4(0x0a000008), {}},
      storage::Change{3, 1700000005, UpdateKind::removed, Address::v4(0x0a000009), {}},
  };
  ChangeLog log(limits::packet_bytes_floor);
  log.append(changes);
  storage::LogState state;
  state.second = joined_second;
  state.sequence = 3;
  state.history_begins = 1700000000;
  return log.publish(state, joined_second - 1);
}

/// Owns a session as a worker does, and decides everything at once or later.
class SessionOwner {
 public:
  SessionOwner(bool refuses_joins, bool joins_late)
      : rules_{test::example_catalogue()},
        session_(1, Address::v4(0x0a000007), rules_),
        refuses_joins_(refuses_joins),
        joins_late_(joins_late) {}

  void receive(ByteView bytes) {
    if (join_waits_) decide_join();
    take(bytes);
  }

  /// No more bytes come: decisions that wait are made.
  const Bytes& finish() {
    if (join_waits_) decide_join();
    return out_;
  }

  Session::Phase phase() const { return session_.phase(); }

 private:
  void take(ByteView bytes) {
    for (;;) {
      const bool ended = session_.phase() == Session::Phase::ended;
      const std::size_t written = out_.size();
      const Session::Action action = session_.next(bytes, out_);
      require(!ended || (out_.size() == written && action.kind == Session::Action::Kind::wait),
              "nothing happens after the end");
      switch (action.kind) {
        case Session::Action::Kind::wait:
          require(bytes.empty(), "a session that waits has taken everything");
          return;
        case Session::Action::Kind::join:
          join_waits_ = true;
          if (!joins_late_) decide_join();
          break;
        case Session::Action::Kind::answer:
          answer(action.timestamp);
          break;
        case Session::Action::Kind::end:
          require(session_.phase() == Session::Phase::ended, "the end is a phase");
          break;
      }
    }
  }

  void decide_join() {
    join_waits_ = false;
    if (refuses_joins_)
      session_.reject({ErrorCode::storage_unavailable, "the database is busy"}, out_);
    else
      session_.joined(joined_second, out_);
    take({});
  }

  void answer(std::int64_t timestamp) {
    static const std::shared_ptr<const ChangeView> view = small_view();
    Output output;
    view->answer(session_.cursor(), timestamp, session_.features(), output);
    out_ += flatten(output);
  }

  SessionRules rules_;
  Session session_;
  bool refuses_joins_;
  bool joins_late_;
  bool join_waits_ = false;
  Bytes out_;
};

/// The refusal of bytes that are not LEKT quotes as many as had arrived; all else must not depend on the
/// chunks.
ByteView without_quoted_bytes(const Bytes& answers) {
  const std::string_view refusal = "E102 the bytes ";
  const std::size_t place = answers.rfind(refusal);
  return place == answers.npos ? ByteView(answers) : ByteView(answers).substr(0, place + refusal.size());
}

}  // namespace

void fuzz_session(ByteView input) {
  if (input.empty()) return;
  const auto choice = static_cast<std::uint8_t>(input.front());
  const bool refuses_joins = choice % 8 == 7;
  input.remove_prefix(1);

  SessionOwner whole(refuses_joins, false);
  whole.receive(input);
  const Bytes& answers = whole.finish();
  const Annotation annotation = annotate(answers, Direction::to_client, test::example_catalogue());
  require(annotation.complete, "a server sends whole packets of the protocol and nothing else");

  for (const bool joins_late : {false, true}) {
    SessionOwner chunked(refuses_joins, joins_late);
    for (const ByteView chunk : Chunks(input, joins_late ? choice : 0)) chunked.receive(chunk);
    require(without_quoted_bytes(chunked.finish()) == without_quoted_bytes(answers),
            "the answers do not depend on the chunks");
    require(chunked.phase() == whole.phase(), "the phase does not depend on the chunks");
  }
}

}  // namespace lekt::fuzz
