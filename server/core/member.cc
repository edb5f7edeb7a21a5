#include "server/core/member.h"

#include <cassert>
#include <string>

#include "common/duration.h"

namespace lekt {

void Member::begin() {
  assert(state_ == State::entering);
  state_ = State::handshaking;
}

void Member::begin_join(ByteView& input, AwakeTime now) {
  session_.keep(input);
  state_ = State::joining;
  since_ = now;  // from now on it waits for the server, and not the server for it
  registered_ = true;
}

void Member::joined(std::int64_t second, AwakeTime now, Bytes& out) {
  assert(state_ == State::joining);
  state_ = State::established;
  was_heard(now);
  session_.joined(second, out);
}

std::optional<std::int64_t> Member::take_heard(AwakeTime now, std::int64_t wall) {
  if (!heard_) return std::nullopt;
  heard_ = held_ = spared_ = false;
  return wall - std::chrono::duration_cast<std::chrono::seconds>(age(now)).count();
}

AwakeTime Member::overdue(const MemberSettings& settings, AwakeTime now) const {
  switch (state_) {
    case State::entering:
    case State::handshaking:
    case State::joining:
      return age(now) - settings.handshake_timeout;
    case State::established:
      return age(now) - settings.heartbeat_timeout;
    case State::ending:
    case State::draining:
    case State::closed:
      break;
  }
  return age(now) - settings.drain_timeout;
}

Rejection Member::timeout(const MemberSettings& settings) const {
  assert(is_open());
  if (state_ == State::established)
    return {
        ErrorCode::heartbeat_timeout,
        "no heartbeat came within " + format_duration(settings.heartbeat_timeout) + "; send them more often"};
  const std::string time = format_duration(settings.handshake_timeout);
  if (state_ == State::joining)
    return {ErrorCode::storage_unavailable,
            "the client could not be stored within " + time + "; the server is busy, try again later"};
  return {ErrorCode::handshake_timeout, "handshake and setup took longer than " + time +
                                            "; the session was in the " +
                                            std::string(to_string(session_.phase())) + " phase"};
}

std::optional<LeaveCommand> Member::leave(LeaveReason reason, AwakeTime now) {
  const bool was_registered = registered_;
  const bool was_told = is_established();
  state_ = State::ending;
  since_ = now;
  registered_ = false;
  if (!was_registered) return std::nullopt;
  return LeaveCommand{id(), address(), reason, was_told};
}

void Member::reject_was_sent() {
  assert(state_ == State::ending);
  state_ = State::draining;
}

}  // namespace lekt
