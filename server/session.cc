#include "server/session.h"

#include <cassert>

namespace lekt {

namespace {

const Methods no_methods;

}  // namespace

std::string_view to_string(Session::Phase phase) {
  switch (phase) {
    case Session::Phase::handshake:
      return "handshake";
    case Session::Phase::setup:
      return "setup";
    case Session::Phase::joining:
      return "joining";
    case Session::Phase::heartbeat:
      return "heartbeat";
    case Session::Phase::ended:
      return "ended";
  }
  return "unknown";
}

Session::Session(SessionId id, Ipv4Address address, const SessionRules& rules)
    : id_(id), rules_(rules), setup_(std::make_unique<Setup>()), address_(address) {}

const Methods& Session::methods() const { return setup_ == nullptr ? no_methods : setup_->methods; }

Session::Action Session::next(ByteView& input, Bytes& out) {
  if (phase_ == Phase::ended) {
    input = {};
    return {Action::Kind::wait};
  }
  if (phase_ == Phase::joining) {
    keep(input);
    return {Action::Kind::wait};
  }
  if (kept_.empty()) {
    const Action action = step(input, out);
    if (action.kind == Action::Kind::wait) keep(input);
    return action;
  }
  keep(input);
  ByteView rest = kept_;
  const Action action = step(rest, out);
  const std::size_t used = kept_.size() - rest.size();
  if (used == kept_.size())
    Bytes().swap(kept_);  // gives back what a large packet took
  else
    kept_.erase(0, used);
  return action;
}

void Session::keep(ByteView& input) {
  if (phase_ != Phase::ended) kept_.append(input);
  input = {};
}

/// Goes on through whole packets until there is something to decide or bytes are missing.
Session::Action Session::step(ByteView& input, Bytes& out) {
  switch (phase_) {
    case Phase::handshake:
      return read_handshake(input, out);
    case Phase::setup:
      return read_response(input, out);
    case Phase::heartbeat:
      return read_heartbeat(input, out);
    case Phase::joining:
    case Phase::ended:
      break;
  }
  return {Action::Kind::wait};
}

Session::Action Session::read_handshake(ByteView& input, Bytes& out) {
  const ReadContext context{rules_.catalogue, rules_.methods_max};
  Rejection rejection{};
  const ReadStatus status = read(input, setup_->handshake, context, rejection);
  if (status != ReadStatus::complete) return stopped(status, rejection, out);
  AcceptPacket accept;
  accept.version.extra = setup_->handshake.version.extra & version_spoken.extra;
  write(out, accept);
  phase_ = Phase::setup;
  return request_next(input, out);
}

/// Asks for the next method that the client supports and the catalogue knows, or ends the setup.
Session::Action Session::request_next(ByteView& input, Bytes& out) {
  for (const Method& method : rules_.catalogue.methods()) {
    if (method.index <= setup_->requested || !setup_->handshake.supports(method.index)) continue;
    setup_->requested = method.index;
    RequestPacket request;
    request.index = method.index;
    write(out, request);
    return read_response(input, out);
  }
  normalise(setup_->methods);
  phase_ = Phase::joining;
  return {Action::Kind::join};
}

Session::Action Session::read_response(ByteView& input, Bytes& out) {
  const ReadContext context{rules_.catalogue, rules_.methods_max, setup_->requested};
  ResponsePacket response;
  Rejection rejection{};
  const ReadStatus status = read(input, response, context, rejection);
  if (status != ReadStatus::complete) return stopped(status, rejection, out);
  setup_->methods.push_back(std::move(response.method));
  return request_next(input, out);
}

Session::Action Session::read_heartbeat(ByteView& input, Bytes& out) {
  const ReadContext context{rules_.catalogue};
  HeartbeatPacket heartbeat;
  Rejection rejection{};
  const ReadStatus status = read(input, heartbeat, context, rejection);
  if (status != ReadStatus::complete) return stopped(status, rejection, out);
  return {Action::Kind::answer, heartbeat.timestamp};
}

Session::Action Session::stopped(ReadStatus status, const Rejection& rejection, Bytes& out) {
  if (status == ReadStatus::partial) return {Action::Kind::wait};
  reject(rejection, out);
  return {Action::Kind::end};
}

void Session::joined(std::int64_t second, Bytes& out) {
  assert(phase_ == Phase::joining);
  phase_ = Phase::heartbeat;
  cursor_.joined = second;
  setup_.reset();
  write(out, RequestPacket{});
}

void Session::reject(const Rejection& rejection, Bytes& out) {
  if (phase_ == Phase::ended) return;
  phase_ = Phase::ended;
  rejection_ = std::make_unique<const Rejection>(rejection);
  setup_.reset();
  RejectPacket packet;
  packet.text = rejection.text();
  write(out, packet);
}

}  // namespace lekt
