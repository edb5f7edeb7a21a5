// Time is an argument here: rules take a Moment, and only the threads' loops know a real clock
// (server/operators/clock.h).
#pragma once

#include <algorithm>
#include <chrono>
#include <cstdint>
#include <optional>

namespace lekt {

/// Time that passed while the server was awake and working. Every timeout counts it, so that a pause of the
/// process or of the machine expires nobody (docs/architecture.md, "Clocks").
using AwakeTime = std::chrono::milliseconds;

struct Moment {
  AwakeTime awake{0};     ///< never goes back
  std::int64_t wall = 0;  ///< the machine's Unix seconds, which may go anywhere
};

/// Makes `due` the earlier of two times; no value means never.
inline void earliest(std::optional<AwakeTime>& due, std::optional<AwakeTime> other) {
  if (other && (!due || *other < *due)) due = other;
}

/// Turns a steady clock into awake time. Each thread has its own.
class AwakeClock {
 public:
  using Steady = std::chrono::steady_clock::time_point;

  /// `step_max`: the longest time between two looks at the clock that can still be work, not a pause.
  AwakeClock(Steady now, AwakeTime step_max) : last_(now), step_max_(step_max) {}

  AwakeTime advance(Steady now) {
    const auto step = std::chrono::duration_cast<AwakeTime>(now - last_);
    if (step <= AwakeTime(0)) return awake_;
    last_ += step;  // what is less than the resolution counts with the next step
    awake_ += std::min(step, step_max_);
    return awake_;
  }

 private:
  Steady last_;
  AwakeTime step_max_;
  AwakeTime awake_{0};
};

/// Seconds that can be the time of an event: from 1970 to the end of the year 9999, which is as far as SQLite's
/// dates go. A clock that says anything else is wrong, and must not be used in calculations.
inline constexpr std::int64_t wall_second_min = 1;
inline constexpr std::int64_t wall_second_max = 253'402'300'799;
constexpr std::int64_t clamp_wall(std::int64_t second) {
  return std::clamp(second, wall_second_min, wall_second_max);
}

}  // namespace lekt
