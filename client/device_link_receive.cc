// What a device does with the datagrams that it receives; the other half is device_link.cc.
#include <algorithm>
#include <utility>

#include "client/device_link.h"

namespace lekt {

namespace {

/// What the server says. A failure may be too short for words, since it is no larger than the datagram that it answers.
Rejection rejection_of(std::uint32_t code, std::string_view text) {
  if (code > UINT16_MAX)
    return {ErrorCode::datagram_malformed, "the server has sent a code that does not exist"};
  const auto known = static_cast<ErrorCode>(code);
  if (!text.empty()) return {known, std::string(text)};
  const auto found = std::ranges::find(error_catalogue(), known, &ErrorInfo::code);
  return {known, found == error_catalogue().end() ? std::string() : std::string(found->meaning)};
}

}  // namespace

void DeviceLink::receive(std::uint16_t port, ByteView datagram, AwakeTime now) {
  const auto head = read_head_to_device(datagram);
  if (!head || phase_ == Phase::ended) return;
  Try* const attempt = find(head->registration);
  if (attempt == nullptr) return;
  // Once DTLS is agreed to, a plain datagram could be from anybody. Only the server's refusal of the handshake has to
  // be plain.
  const bool may_be_plain =
      !is_encrypted(*attempt) || (!attempt->is_sealed && head->type == DatagramType::failure);
  if (may_be_plain) receive_by(*attempt, port, *head, datagram, now);
}

void DeviceLink::receive_by(Try& attempt, std::uint16_t port, const DatagramHead& head, ByteView datagram,
                            AwakeTime now) {
  // Only the port that the attempt talks to is listened to.
  if (port != (attempt.step == Step::requesting ? 0 : attempt.port)) return;
  if (head.type == DatagramType::failure) return fail(attempt, head, datagram, now);
  if (attempt.step == Step::requesting || attempt.step == Step::registering)
    return go_on_registering(attempt, head, datagram, now);
  const Delivery::Receipt receipt = attempt.delivery.receive(head, now);
  if (receipt == Delivery::Receipt::impossible) return;
  while (!attempt.under_way.empty() && attempt.under_way.front().first <= attempt.delivery.acknowledged()) {
    // A message is acknowledged when the session has taken its input.
    while (!inputs_.empty() && inputs_.front().number <= attempt.under_way.front().second)
      inputs_.pop_front();
    attempt.under_way.pop_front();
  }
  look_at_silence(now);
  if (receipt != Delivery::Receipt::next) return;
  const auto body = read_body_to_device(head, datagram);
  if (const auto* read = std::get_if<BodyToDevice>(&body)) return use(attempt, *read, now);
  // A server that sends what nobody can read is asked again later.
  ending_ = {ErrorCode::datagram_malformed, std::get<std::string>(body)};
  if (phase_ == Phase::leaving) return end(*ending_);
  if (&attempt == current_.get()) current_.reset();
  pause_later(now);
}

/// Takes packets 2 and 4. If packet 5 overtakes packet 4, it comes again.
void DeviceLink::go_on_registering(Try& attempt, const DatagramHead& head, ByteView datagram, AwakeTime now) {
  const auto body = read_body_to_device(head, datagram);
  const auto* read = std::get_if<BodyToDevice>(&body);
  if (read == nullptr) return;
  const bool agrees_to_dtls = (head.version.extra & extra_dtls) != 0;
  if (const auto* accept = std::get_if<ConnectionAccept>(read)) {
    if (attempt.step != Step::requesting) return;
    if (encrypted_ && !agrees_to_dtls) return refuse_plain_server(now);
    attempt.step = Step::registering;
    attempt.port = accept->port;
    attempt.token = accept->token;
    attempt.send_at = now;
    attempt.sends = 0;
    if (current_ == nullptr) message_ = "Register Port " + std::to_string(accept->port);
  } else if (std::holds_alternative<RegistrationAccept>(*read)) {
    if (attempt.step != Step::registering || (encrypted_ && !agrees_to_dtls)) return;
    attempt.step = Step::waiting;
    attempt.since = now;
    if (current_ == nullptr) message_ = "Connected";
  }
}

void DeviceLink::use(Try& attempt, const BodyToDevice& body, AwakeTime now) {
  if (std::holds_alternative<GetDeviceConfig>(body)) {
    attempt.describes = true;
  } else if (const auto* config = std::get_if<SetDeviceConfig>(&body)) {
    configure(attempt, *config, now);
  } else if (const auto* time = std::get_if<SetTime>(&body)) {
    time_ = *time;
  } else if (const auto* screen = std::get_if<ScreenMessage>(&body)) {
    if (screen_.apply(screen->items).rings) ++bells_;
  }
}

/// Takes packet 7: the attempt has a session, and becomes the current registration.
void DeviceLink::configure(Try& attempt, const SetDeviceConfig& config, AwakeTime now) {
  rules_.clear();
  keep_alive_ = AwakeTime(0);
  for_each_rule(config.rules, [&](DeviceRule rule, std::uint32_t value) {
    if (rules_.size() < 64) rules_.emplace_back(rule, value);
    if (rule == DeviceRule::keep_alive) keep_alive_ = std::chrono::seconds(value);
  });
  if (&attempt != attempt_.get()) return;
  if (config.ticket != ticket_ && ticket_ != no_ticket) {
    // This is another session, and what was typed was meant for the old one.
    inputs_.clear();
    typed_.clear();
    numbered_ = 0;
  }
  ticket_ = config.ticket;
  while (!inputs_.empty() && inputs_.front().number <= config.input) inputs_.pop_front();
  numbered_ = inputs_.empty() ? config.input : inputs_.back().number;
  sent_ = inputs_.empty() ? config.input : inputs_.front().number - 1;
  current_ = std::move(attempt_);
  current_->step = Step::serving;
  if (phase_ != Phase::leaving) phase_ = Phase::serving;
  bye_at_ = now;
  indicator_ = Indicator::none;
  ending_.reset();
  later_ = later_first;
  may_have_replaced_itself_ = false;
  last_sent_ = now;
}

/// Takes a failure, with which the server ends or refuses a registration.
void DeviceLink::fail(Try& attempt, const DatagramHead& head, ByteView datagram, AwakeTime now) {
  const auto body = read_body_to_device(head, datagram);
  const auto* read = std::get_if<BodyToDevice>(&body);
  if (read == nullptr) return;
  lose(attempt, rejection_of(head.number, std::get<DeviceFailure>(*read).text), now);
}

void DeviceLink::lose(Try& attempt, const Rejection& rejection, AwakeTime now) {
  const bool is_current = &attempt == current_.get();
  switch (rejection.code) {
    case ErrorCode::registration_replaced:
      if (!is_current && current_ != nullptr)
        return pause_later(now);  // a newer attempt has the session, or had it
      if (!is_current || !may_have_replaced_itself_ || phase_ == Phase::leaving) return end(rejection);
      // An attempt of this device has taken the session over. The answer to that is on its way, or the attempt was
      // given up.
      current_.reset();
      may_have_replaced_itself_ = false;
      if (attempt_ == nullptr) begin(now);
      return;
    case ErrorCode::host_hung_up:
    case ErrorCode::session_idle:
    case ErrorCode::encryption_required:
    case ErrorCode::session_ended:
      return end(rejection);
    default:
      break;
  }
  const bool at_once_again =
      rejection.code == ErrorCode::token_refused || rejection.code == ErrorCode::registration_unknown;
  if (phase_ == Phase::leaving) {
    const bool may_live = at_once_again && ticket_ != no_ticket;
    return may_live ? find_session_to_leave(attempt.begun, now) : end(rejection);
  }
  ending_ = rejection;
  const AwakeTime begun = attempt.begun;
  if (is_current) {
    current_.reset();
    indicator_ = Indicator::none;
    if (attempt_ != nullptr) return;  // it is trying already
  } else {
    attempt_.reset();
  }
  if (rejection.code == ErrorCode::ports_exhausted)
    message_ = "Err:Host Timeout! " + rejection.message;
  else
    message_ = rejection.text();
  at_once_again ? pause(now, std::max(begun + at_once - now, AwakeTime(0))) : pause_later(now);
}

}  // namespace lekt
