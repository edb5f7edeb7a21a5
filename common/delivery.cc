#include "common/delivery.h"

#include <algorithm>
#include <cmath>
#include <utility>

#include "common/invariant.h"

namespace lekt {

using namespace std::chrono_literals;

void Delivery::sent(Bytes datagram, AwakeTime now) {
  if (under_way_.empty()) fires_at_ = now + timer_;
  under_way_.push_back({std::move(datagram), now});
  ++sent_;
  ++counts_.sent;
  acknowledgment_was_sent();
}

// ---- Repeating ----

std::optional<Delivery::Due> Delivery::next(AwakeTime now) {
  if (paused_) return std::nullopt;
  Message* repeated = nullptr;
  if (repeats_all_) {
    repeated = &under_way_[sends_again_++];
    repeats_all_ = sends_again_ < under_way_.size();
  } else if (!under_way_.empty() && now >= fires_at_) {
    repeated = &under_way_.front();
    timer_ = std::min(2 * timer_, timer_max);
    fires_at_ = now + timer_;
    timer_fired_ = true;
  }
  if (repeated != nullptr) {
    repeated->repeated = true;
    ++counts_.repeated;
    set_acknowledged(repeated->datagram, received_);
    acknowledgment_was_sent();
    return Due{&repeated->datagram, false};
  }
  if (!acknowledgment_at_ || now < *acknowledgment_at_) return std::nullopt;
  acknowledgment_was_sent();
  return Due{nullptr, true};
}

std::optional<AwakeTime> Delivery::due() const {
  if (paused_) return std::nullopt;
  std::optional<AwakeTime> due = acknowledgment_at_;
  if (!under_way_.empty()) earliest(due, fires_at_);
  return due;
}

void Delivery::resume(AwakeTime now) {
  if (!std::exchange(paused_, false)) return;
  fires_at_ = now;
}

// ---- Receiving ----

Delivery::Receipt Delivery::receive(const DatagramHead& head, AwakeTime now) {
  if (head.acknowledged > sent_) return Receipt::impossible;
  take_acknowledgment(head.acknowledged, now);
  if (head.number == 0) return Receipt::not_numbered;
  if (head.number == received_ + 1) {
    ++received_;
    ++counts_.received;
    const AwakeTime at = now + acknowledgment_delay_;
    acknowledgment_at_ = acknowledgment_at_ ? std::min(*acknowledgment_at_, at) : at;
    return Receipt::next;
  }
  acknowledgment_at_ = now;
  const bool duplicate = head.number <= received_;
  ++(duplicate ? counts_.duplicates : counts_.out_of_sequence);
  return duplicate ? Receipt::duplicate : Receipt::out_of_sequence;
}

void Delivery::take_acknowledgment(std::uint32_t acknowledged, AwakeTime now) {
  if (acknowledged <= this->acknowledged()) return;
  const std::size_t count = acknowledged - this->acknowledged();
  // A message that was sent twice gives no sample, since either copy may have been acknowledged; nor does a message
  // behind it, whose acknowledgment had to wait for it.
  const auto acknowledged_end = under_way_.begin() + static_cast<std::ptrdiff_t>(count);
  if (std::none_of(under_way_.begin(), acknowledged_end,
                   [](const Message& message) { return message.repeated; }))
    take_sample(now - under_way_[count - 1].first_sent);
  under_way_.erase(under_way_.begin(), acknowledged_end);
  if (under_way_.empty()) under_way_.shrink_to_fit();
  fires_at_ = now + timer_;
  if (std::exchange(timer_fired_, false)) {
    // The other side dropped what followed the oldest message while that one was missing.
    sends_again_ = 0;
    repeats_all_ = !under_way_.empty();
  } else {
    sends_again_ -= std::min(sends_again_, count);
    repeats_all_ = repeats_all_ && sends_again_ < under_way_.size();
  }
}

/// RFC 6298, section 2. A clock that counts milliseconds needs no term for its granularity besides timer_min.
void Delivery::take_sample(AwakeTime sample) {
  newest_sample_ = sample;
  ++counts_.round_trips.at(sample < 200ms ? 0 : sample < 500ms ? 1 : 2);
  const auto measured = static_cast<double>(sample.count());
  if (!smoothed_) {
    smoothed_ = measured;
    variation_ = measured / 2;
  } else {
    variation_ += (std::abs(*smoothed_ - measured) - variation_) / 4;
    *smoothed_ += (measured - *smoothed_) / 8;
  }
  const auto wanted = AwakeTime(std::llround(std::ceil(*smoothed_ + 4 * variation_)));
  timer_ = std::clamp(wanted, timer_min, timer_max);
}

// ---- The other side ----

std::optional<AwakeTime> Delivery::unacknowledged_since() const {
  if (under_way_.empty()) return std::nullopt;
  return under_way_.front().first_sent;
}

std::optional<AwakeTime> Delivery::round_trip() const {
  if (!smoothed_) return std::nullopt;
  return AwakeTime(std::llround(*smoothed_));
}

void Delivery::check() const {
  expect_invariant(under_way_.size() <= window, "no more than four messages are under way");
  expect_invariant(sent_ >= under_way_.size(), "what is under way was sent");
  expect_invariant(!repeats_all_ || sends_again_ < under_way_.size(), "what is sent again is under way");
  expect_invariant(timer_ >= timer_min && timer_ <= timer_max, "the timer is within its limits");
}

}  // namespace lekt
