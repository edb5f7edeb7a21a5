#include "server/core/session.h"

#include <cassert>

namespace lekt {

namespace {

const Methods no_methods;
const MethodCatalogue no_catalogue;  ///< a heartbeat has none

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

Session::Session(SessionId id, Address address, const SessionRules& rules)
    : id_(id), details_(std::make_unique<Details>()), address_(address) {
  details_->rules = &rules;
}

const Methods& Session::methods() const { return details_ == nullptr ? no_methods : details_->methods; }

const Rejection* Session::rejection() const {
  return details_ != nullptr && details_->rejection ? &*details_->rejection : nullptr;
}

Session::Details& Session::details() {
  if (details_ == nullptr) details_ = std::make_unique<Details>();
  return *details_;
}

Session::Action Session::next(ByteView& input, Bytes& out) {
  if (phase_ == Phase::ended) {
    input = {};
    return {Action::Kind::wait};
  }
  if (phase_ == Phase::joining) {
    keep(input);
    return {Action::Kind::wait};
  }
  if (details_ == nullptr || details_->kept.empty()) {
    // Behind every answer the owner asks once more.
    if (input.empty() && phase_ == Phase::heartbeat) return {Action::Kind::wait};
    const Action action = step(input, out);
    if (action.kind == Action::Kind::wait) keep(input);
    return action;
  }
  keep(input);
  Bytes& kept = details_->kept;
  ByteView rest = kept;
  const Action action = step(rest, out);
  kept.erase(0, kept.size() - rest.size());
  // What a large packet took is given back.
  if (kept.empty() && phase_ == Phase::heartbeat) details_.reset();
  return action;
}

void Session::keep(ByteView& input) {
  if (phase_ != Phase::ended && !input.empty()) details().kept.append(input);
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
  const SessionRules& rules = *details_->rules;
  const ReadContext context{rules.catalogue, rules.methods_max};
  Rejection rejection{};
  const ReadStatus status = read(input, details_->handshake, context, rejection);
  if (status != ReadStatus::complete) return stopped(status, rejection, out);
  const Features asked = details_->handshake.version.features();
  if (!asked.empty()) told_on_reject_ = rules.features;
  features_ = asked & rules.features;
  write(out, AcceptPacket{version_with(features_), rules.log_identity});
  phase_ = Phase::setup;
  return request_next(input, out);
}

/// Asks for the next method that the client supports and the catalogue knows, or ends the setup. Passes over methods
/// that the server gives, whatever the client says of them.
Session::Action Session::request_next(ByteView& input, Bytes& out) {
  for (const Method& method : details_->rules->catalogue.methods()) {
    if (method.given_by_server || method.index <= details_->requested) continue;
    if (!details_->handshake.supports(method.index)) continue;
    details_->requested = method.index;
    write(out, RequestPacket{version_with(features_), method.index});
    return read_response(input, out);
  }
  normalise(details_->methods);
  phase_ = Phase::joining;
  return {Action::Kind::join};
}

Session::Action Session::read_response(ByteView& input, Bytes& out) {
  const SessionRules& rules = *details_->rules;
  const ReadContext context{rules.catalogue, rules.methods_max, details_->requested};
  ResponsePacket response;
  Rejection rejection{};
  const ReadStatus status = read(input, response, context, rejection);
  if (status != ReadStatus::complete) return stopped(status, rejection, out);
  details_->methods.push_back(std::move(response.method));
  return request_next(input, out);
}

Session::Action Session::read_heartbeat(ByteView& input, Bytes& out) {
  const ReadContext context{no_catalogue};
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
  cursor_.second = second;
  if (details_->kept.empty())
    details_.reset();
  else
    details_->methods.clear();
  write(out, RequestPacket{.version = version_with(features_)});
}

void Session::reject(const Rejection& rejection, Bytes& out) {
  if (phase_ == Phase::ended) return;
  phase_ = Phase::ended;
  details().methods.clear();
  details().rejection = rejection;
  write(out, RejectPacket{version_with(told_on_reject_), rejection.text()});
}

}  // namespace lekt
