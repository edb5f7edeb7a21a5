#include "devices/registration.h"

#include <algorithm>
#include <utility>

namespace lekt {

namespace {

const Rate datagram_rate(Registration::datagrams_a_second, 2 * Registration::datagrams_a_second);

}  // namespace

Registration::Registration(std::uint64_t number, const DeviceEndpoint& device, bool encrypted, AwakeTime now)
    : number_(number),
      device_(device),
      is_encrypted_(encrypted),
      is_ready_(!encrypted),
      since_(now),
      heard_(now),
      config_at_(now + (encrypted ? handshake_patience : config_delay)) {}

void Registration::handshake_done(AwakeTime now) {
  if (std::exchange(is_ready_, true)) return;
  heard_ = now;
  config_at_ = now + config_delay;
}

// ---- Receiving ----

Registration::Received Registration::receive(const DatagramHead& head, ByteView datagram, AwakeTime now) {
  // There are no more acknowledgments of something new than messages of this side, however fast it sends screens.
  const bool acknowledges_more =
      head.acknowledged > delivery_.acknowledged() && head.acknowledged <= delivery_.sent();
  if (!acknowledges_more && !datagram_rate.take(paid_until_, now)) return TooFast{};
  const Delivery::Receipt receipt = delivery_.receive(head, now);
  if (receipt == Delivery::Receipt::impossible) return Impossible{};
  heard_ = now;
  if (state_ == State::away) {
    state_ = State::serving;
    returned_ = now;
    delivery_.resume(now);
  }
  asked_until_.reset();
  const bool is_used = receipt == Delivery::Receipt::next || receipt == Delivery::Receipt::not_numbered;
  if (!is_used) return Nothing{};
  BodyOrFault<BodyToServer> body = read_body_to_server(head, datagram);
  if (std::string* const fault = std::get_if<std::string>(&body)) return Broken{std::move(*fault)};
  const BodyToServer& read = std::get<BodyToServer>(body);
  if (std::holds_alternative<Bye>(read)) return Bye{};
  if (const auto* config = std::get_if<DeviceConfig>(&read)) {
    if (state_ == State::registered) return Broken{"a device config came before it was asked for"};
    return *config;
  }
  if (const auto* input = std::get_if<InputMessage>(&read)) {
    if (state_ != State::serving) return Broken{"an input came before the device config"};
    return *input;
  }
  return Nothing{};
}

// ---- Sending ----

template <class Body>
void Registration::send_message(const Body& body, AwakeTime now, const Send& send) {
  Bytes datagram = encode_datagram(delivery_.head(Body::type, number_), body);
  send(datagram);
  delivery_.sent(std::move(datagram), now);
}

void Registration::serve(const Service& service, AwakeTime now, const Send& send) {
  state_ = State::serving;
  send_message(SetDeviceConfig{service.ticket, service.input, service.rules}, now, send);
  send_message(
      SetTime{std::chrono::floor<std::chrono::seconds>(service.time.unix_time).count(),
              static_cast<std::uint32_t>(
                  (service.time.unix_time - std::chrono::floor<std::chrono::seconds>(service.time.unix_time))
                      .count()),
              static_cast<std::int32_t>(service.time.east.count())},
      now, send);
  screen_changed();
}

ScreenPass& Registration::pass() {
  if (display_ == nullptr) display_ = std::make_unique<Display>();
  return display_->pass;
}

void Registration::screen_changed() { pass().contents_changed(); }

void Registration::ring() { pass().ring(); }

void Registration::ask(AwakeTime now, const Send& send) {
  if (state_ != State::serving || asked_until_) return;
  if (delivery_.is_quiet()) send_message(ScreenMessage{}, now, send);
  asked_until_ = now + asked_patience;
}

void Registration::send_screen(AwakeTime now, const Send& send, const Draw& draw) {
  if (display_ == nullptr || state_ != State::serving) return;
  ScreenPass& pass = display_->pass;
  if (delivery_.has_room() && pass.wants_contents(now, delivery_.is_quiet())) {
    const Picture picture = draw();
    display_->liveliness = picture.liveliness;
    Bytes items;
    while (delivery_.has_room() && pass.next_message(picture.contents, now, delivery_.is_quiet(), items))
      send_message(ScreenMessage{items}, now, send);
  }
  const bool is_shown = delivery_.is_quiet() && !pass.is_under_way() && !pass.due(true);
  if (is_shown && display_->liveliness == Liveliness::still) display_.reset();
}

void Registration::go_away(AwakeTime now) {
  state_ = State::away;
  away_since_ = now;
  asked_until_.reset();
  delivery_.pause();
}

std::optional<AwakeTime> Registration::silent_at() const {
  if (state_ == State::away) return std::nullopt;
  std::optional<AwakeTime> at = asked_until_;
  if (const auto since = delivery_.unacknowledged_since())
    earliest(at, std::max(*since, returned_) + silence_max);
  return at;
}

Registration::Fate Registration::advance(AwakeTime now, const Send& send, const Draw& draw) {
  if (state_ == State::away) return now >= away_since_ + away_max ? Fate::lost : Fate::lives;
  if (delivery_.is_used_up()) return Fate::used_up;
  if (!is_ready_) return now >= config_at_ ? Fate::handshake_missing : Fate::lives;
  if (state_ == State::registered && now >= config_at_) {
    state_ = State::configuring;
    config_at_ = now + config_patience;
    send_message(GetDeviceConfig{}, now, send);
  }
  if (state_ == State::configuring && now >= config_at_) return Fate::config_missing;
  if (const auto at = silent_at(); at && now >= *at && state_ == State::serving) {
    go_away(now);
    return Fate::lives;
  }
  while (const auto next = delivery_.next(now)) {
    if (next->repeated != nullptr) {
      send(*next->repeated);
    } else {
      send(encode_datagram({DatagramType::acknowledgment, version_spoken, number_, 0, delivery_.received()},
                           Acknowledgment{}));
    }
  }
  send_screen(now, send, draw);
  return Fate::lives;
}

std::optional<AwakeTime> Registration::due() const {
  if (state_ == State::away) return away_since_ + away_max;
  std::optional<AwakeTime> due = delivery_.due();
  if (state_ != State::serving) earliest(due, config_at_);
  if (state_ == State::serving) earliest(due, silent_at());
  if (display_ != nullptr && state_ == State::serving)
    earliest(due, display_->pass.due(delivery_.is_quiet()));
  return due;
}

std::string_view to_string(Registration::State state) {
  switch (state) {
    case Registration::State::registered:
      return "registered";
    case Registration::State::configuring:
      return "configuring";
    case Registration::State::serving:
      return "active";
    case Registration::State::away:
      break;
  }
  return "away";
}

}  // namespace lekt
