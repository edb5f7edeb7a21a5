// A rate: how many a second on average, and how many at once after a quiet time. It is the generic cell rate
// algorithm (ITU-T I.371): all that has been taken is one number, the time until which it is paid for.
//
// A rate knows no clock and keeps no state: the number belongs to its user, and begins with Time(0).
#pragma once

#include <algorithm>
#include <chrono>
#include <cstdint>

namespace lekt {

class Rate {
 public:
  using Time = std::chrono::nanoseconds;

  /// Both numbers are at least 1. A price is a whole number of nanoseconds, so rates above some millions are rounded
  /// up.
  Rate(std::uint32_t per_second, std::uint32_t at_once)
      : price_(Time(std::chrono::seconds(1)) / per_second), credit_(price_ * at_once) {}

  /// Takes one more and returns true, if that is within the rate; otherwise takes nothing.
  bool take(Time& paid_until, Time now) const {
    const Time after = std::max(paid_until, now) + price_;
    if (after > now + credit_) return false;
    paid_until = after;
    return true;
  }

  /// Takes `count` whether or not they are within the rate. What goes beyond it is owed: nothing is left until that
  /// has been paid back. A debt is never larger than what a quiet time pays back.
  void charge(Time& paid_until, Time now, std::uint32_t count) const {
    paid_until = std::min(std::max(paid_until, now) + price_ * count, now + 2 * credit_);
  }

  /// Whether there is nothing left to take.
  bool is_used_up(Time paid_until, Time now) const { return paid_until + price_ > now + credit_; }

 private:
  Time price_;
  Time credit_;
};

}  // namespace lekt
