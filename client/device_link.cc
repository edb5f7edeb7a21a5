// A device's side of the protocol: registering and time. device_link_receive.cc takes what the server sends.
#include "client/device_link.h"

#include <algorithm>
#include <array>
#include <utility>

#include "common/device_string.h"

namespace lekt {

namespace {

using namespace std::chrono_literals;

/// When packets 1 and 3 are sent, counted from the first time. After the last time, only the time limit is left.
constexpr std::array<AwakeTime, 5> request_times = {0ms, 500ms, 1500ms, 3500ms, 7500ms};
/// When the user's goodbye is sent, counted from the first time. If the last one gets no answer either, the device
/// stops.
constexpr std::array<AwakeTime, 5> bye_times = {0ms, 500ms, 1500ms, 3500ms, 7500ms};

const Rejection user_has_ended{ErrorCode::session_ended, "the user has ended the session"};

/// As many items from the front of `items` as one message can take.
ByteView fitting_items(ByteView items) {
  ItemReader reader(items.substr(0, limits::input_items_bytes_max));
  InputItem item;
  while (reader.next(item)) continue;
  return items.substr(0, reader.consumed());
}

}  // namespace

DeviceLink::DeviceLink(Settings settings, Random random, AwakeTime now)
    : string_(std::move(settings.string)),
      encrypted_(settings.encrypted),
      random_(std::move(random)),
      ticket_(settings.ticket),
      screen_(limits::screen_rows_default, limits::screen_columns_default) {
  begin(now);
}

// ---- Attempts ----

void DeviceLink::begin(AwakeTime now) {
  attempt_ = std::make_unique<Try>();
  do attempt_->registration = random_();
  while (attempt_->registration == 0);
  attempt_->begun = attempt_->since = attempt_->send_at = now;
  if (current_ != nullptr || phase_ == Phase::leaving) return;
  phase_ = Phase::connecting;
  message_ = "Connecting...";
}

/// Ends the attempt, and begins the next one after the delay.
void DeviceLink::pause(AwakeTime now, AwakeTime delay) {
  attempt_.reset();
  begin_at_ = now + delay;
  if (current_ == nullptr && phase_ != Phase::leaving) phase_ = Phase::pausing;
}

/// Pauses for a delay that becomes longer each time, and differs by up to a quarter so that devices do not come
/// together.
void DeviceLink::pause_later(AwakeTime now) {
  const auto quarter = later_.count() / 4;
  const auto spread = static_cast<std::int64_t>(random_() % static_cast<std::uint64_t>(2 * quarter + 1));
  pause(now, later_ - AwakeTime(quarter) + AwakeTime(spread));
  later_ = std::min(2 * later_, later_max);
}

void DeviceLink::end(const Rejection& why) {
  if (phase_ == Phase::leaving || ends_session_while_away(why.code)) ticket_ = no_ticket;
  phase_ = Phase::ended;
  ending_ = why;
  message_ = why.text();
  current_.reset();
  attempt_.reset();
}

// ---- The end ----

void DeviceLink::leave(AwakeTime now) {
  if (phase_ == Phase::ended || phase_ == Phase::leaving) return;
  phase_ = Phase::leaving;
  leaving_since_ = bye_at_ = now;
  if (current_ != nullptr) {
    attempt_.reset();
  } else if (ticket_ == no_ticket) {
    end(user_has_ended);
  } else if (attempt_ == nullptr) {
    begin(now);
  }
}

/// Tries again to find the session in order to end it. The registration that was to say so, begun at `begun`, no longer
/// exists; the session may have another one, or wait for one.
void DeviceLink::find_session_to_leave(AwakeTime begun, AwakeTime now) {
  attempt_.reset();
  current_.reset();
  byes_ = 0;
  begin_at_ = std::max(now, begun + at_once);
}

std::optional<DeviceLink::Datagram> DeviceLink::next_bye(AwakeTime now) {
  const bool is_unheard = now >= leaving_since_ + leaving_max ||
                          (byes_ == bye_times.size() && now >= bye_at_) ||
                          (attempt_ != nullptr && now >= attempt_->since + host_timeout);
  if (is_unheard) {
    end({ErrorCode::session_ended, "the user has ended the session; the server has not answered"});
    return std::nullopt;
  }
  if (current_ == nullptr) {
    if (attempt_ == nullptr && now >= begin_at_) begin(now);
    return attempt_ == nullptr ? std::nullopt : next_of(*attempt_, now);
  }
  if (now < bye_at_ || byes_ == bye_times.size()) return std::nullopt;
  const AwakeTime sent_at = bye_times[byes_++];
  bye_at_ = now + (byes_ == bye_times.size() ? 2500ms : bye_times[byes_] - sent_at);
  return Datagram{current_->port,
                  encode_datagram({DatagramType::bye, version_spoken, current_->registration, 0,
                                   current_->delivery.received()},
                                  Bye{}),
                  sealed_for(*current_)};
}

std::optional<AwakeTime> DeviceLink::due_while_leaving() const {
  std::optional<AwakeTime> due = leaving_since_ + leaving_max;
  if (current_ != nullptr)
    earliest(due, bye_at_);
  else
    earliest(due, attempt_ != nullptr ? due_of(*attempt_) : begin_at_);
  return due;
}

// ---- Time ----

/// Notices what has taken too long.
void DeviceLink::expire(AwakeTime now) {
  if (attempt_ != nullptr && now >= attempt_->since + host_timeout) {
    if (current_ != nullptr) {
      pause_later(now);  // it is linking, and goes on trying
    } else {
      message_ = "Err:Host Timeout!";
      ending_ = {ErrorCode::host_timeout, "Err:Host Timeout! the server does not answer"};
      pause_later(now);
    }
  }
  look_at_silence(now);
  const bool begins =
      attempt_ == nullptr && now >= begin_at_ &&
      (phase_ == Phase::pausing || (phase_ == Phase::serving && indicator_ != Indicator::none));
  if (begins) begin(now);
}

/// Notices that the current registration is not acknowledged any more, or is acknowledged again.
void DeviceLink::look_at_silence(AwakeTime now) {
  if (current_ == nullptr || phase_ != Phase::serving) return;
  const auto since = current_->delivery.unacknowledged_since();
  const AwakeTime silent = since ? now - *since : 0ms;
  if (silent < linking_after) {
    // The current registration continues, so an attempt that the server has not answered yet is not needed.
    if (std::exchange(indicator_, Indicator::none) != Indicator::none && attempt_ != nullptr &&
        attempt_->step == Step::requesting)
      attempt_.reset();
    return;
  }
  if (indicator_ == Indicator::none) {
    begin_at_ = now;
    ending_ = {ErrorCode::device_lost, "eSP0001 the server does not answer"};
  }
  indicator_ = silent >= out_of_range_after ? Indicator::out_of_range : Indicator::linking;
}

std::optional<AwakeTime> DeviceLink::due_of(const Try& attempt) const {
  std::optional<AwakeTime> due = attempt.delivery.due();
  if (attempt.step == Step::requesting || attempt.step == Step::registering) {
    if (attempt.sends < request_times.size()) earliest(due, attempt.send_at);
  }
  if (attempt.step != Step::serving) earliest(due, attempt.since + host_timeout);
  return due;
}

std::optional<AwakeTime> DeviceLink::due() const {
  if (phase_ == Phase::ended) return std::nullopt;
  if (phase_ == Phase::leaving) return due_while_leaving();
  std::optional<AwakeTime> due;
  if (attempt_ != nullptr) due = due_of(*attempt_);
  if (current_ == nullptr) {
    if (attempt_ == nullptr) earliest(due, begin_at_);
    return due;
  }
  earliest(due, due_of(*current_));
  if (keep_alive_ > 0ms && current_->delivery.has_room()) earliest(due, last_sent_ + keep_alive_);
  if (const auto since = current_->delivery.unacknowledged_since();
      since && indicator_ != Indicator::out_of_range)
    earliest(due, *since + (indicator_ == Indicator::none ? linking_after : out_of_range_after));
  if (indicator_ != Indicator::none && attempt_ == nullptr) earliest(due, begin_at_);
  return due;
}

// ---- Sending ----

std::optional<DeviceLink::Datagram> DeviceLink::next(AwakeTime now) {
  if (phase_ == Phase::ended) return std::nullopt;
  if (phase_ == Phase::leaving) return next_bye(now);
  expire(now);
  if (attempt_ != nullptr)
    if (auto datagram = next_of(*attempt_, now)) return datagram;
  if (current_ == nullptr) return std::nullopt;
  auto datagram = next_of(*current_, now);
  if (datagram) last_sent_ = now;
  return datagram;
}

std::optional<DeviceLink::Datagram> DeviceLink::next_of(Try& attempt, AwakeTime now) {
  if (attempt.step == Step::requesting || attempt.step == Step::registering)
    return next_request(attempt, now);
  return next_message(attempt, now);
}

/// The datagram of packet 1 or 3, for the first time or again: the same bytes.
std::optional<DeviceLink::Datagram> DeviceLink::next_request(Try& attempt, AwakeTime now) {
  if (attempt.sends == request_times.size() || now < attempt.send_at) return std::nullopt;
  const AwakeTime sent_at = request_times[attempt.sends++];
  if (attempt.sends < request_times.size()) attempt.send_at = now + request_times[attempt.sends] - sent_at;
  Version version = version_spoken;
  if (encrypted_) version.extra = extra_dtls;
  const DatagramHead head{DatagramType::connection_request, version, attempt.registration, 0, 0};
  if (attempt.step == Step::requesting) return Datagram{0, encode_datagram(head, ConnectionRequest{}), 0};
  return Datagram{attempt.port, encode_datagram(head, RegistrationRequest{attempt.token}), 0};
}

std::optional<DeviceLink::Datagram> DeviceLink::next_message(Try& attempt, AwakeTime now) {
  Delivery& delivery = attempt.delivery;
  const auto send = [&](const auto& body) {
    Bytes bytes = encode_datagram(delivery.head(body.type, attempt.registration), body);
    delivery.sent(bytes, now);
    return Datagram{attempt.port, std::move(bytes), sealed_for(attempt)};
  };
  if (const auto due = delivery.next(now)) {
    if (due->repeated != nullptr) return Datagram{attempt.port, *due->repeated, sealed_for(attempt)};
    return Datagram{attempt.port,
                    encode_datagram({DatagramType::acknowledgment, version_spoken, attempt.registration, 0,
                                     delivery.received()},
                                    Acknowledgment{}),
                    sealed_for(attempt)};
  }
  if (!delivery.has_room()) return std::nullopt;
  if (std::exchange(attempt.describes, false)) {
    if (&attempt == attempt_.get()) may_have_replaced_itself_ = true;
    return send(DeviceConfig{ticket_, string_});
  }
  if (attempt.step != Step::serving) return std::nullopt;
  if (sent_ == numbered_ && !typed_.empty()) {
    const std::size_t size = fitting_items(typed_).size();
    inputs_.push_back({++numbered_, typed_.substr(0, size)});
    typed_.erase(0, size);
  }
  if (sent_ < numbered_) {
    const Input& input = *std::ranges::find(inputs_, ++sent_, &Input::number);
    attempt.under_way.emplace_back(delivery.sent() + 1, input.number);
    return send(InputMessage{input.number, input.items});
  }
  if (keep_alive_ > 0ms && now >= last_sent_ + keep_alive_) return send(InputMessage{sent_, {}});
  return std::nullopt;
}

// ---- The user ----

bool DeviceLink::type(ByteView items) {
  if (phase_ == Phase::ended || phase_ == Phase::leaving) return false;
  if (typed_.size() + items.size() > typed_bytes_max) return false;
  typed_.append(items);
  return true;
}

void DeviceLink::describe(std::string string) {
  string_ = std::move(string);
  if (current_ != nullptr) current_->describes = true;
  // Before packet 5 of the attempt there is nothing to correct.
  if (attempt_ != nullptr && attempt_->step == Step::waiting && attempt_->delivery.sent() > 0)
    attempt_->describes = true;
}

}  // namespace lekt
