// A token bucket: so many in a second, and so many at once after a quiet time. Exact, in whole numbers.
//
// Knows no clock: time is an argument, and may stand still. One thread.
#pragma once

#include <algorithm>
#include <cstdint>

#include "server/time.h"

namespace lekt {

class TokenBucket {
 public:
  /// Full at first. Both at least 1.
  TokenBucket(std::uint32_t per_second, std::uint32_t at_once)
      : per_second_(per_second), capacity_(at_once * thousandths), level_(capacity_) {}

  /// Takes a token if there is one.
  bool take(AwakeTime now) {
    // What flows in within a millisecond is as many thousandths as flow in whole tokens in a second.
    if (now > filled_) {
      const auto passed = static_cast<std::uint64_t>((now - filled_).count());
      level_ = std::min(capacity_, level_ + std::min(passed, capacity_) * per_second_);
      filled_ = now;
    }
    if (level_ < thousandths) return false;
    level_ -= thousandths;
    return true;
  }

 private:
  static constexpr std::uint64_t thousandths = 1000;

  std::uint64_t per_second_;
  std::uint64_t capacity_;
  std::uint64_t level_;
  AwakeTime filled_{0};
};

}  // namespace lekt
