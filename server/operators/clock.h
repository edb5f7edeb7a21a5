// The machine's clocks, for threads' loops and for code that notes when something happened. Rules take times as
// arguments (common/time.h).
#pragma once

#include <chrono>
#include <cstdint>

#include "common/rate.h"
#include "common/time.h"

namespace lekt {

/// The wall clock in Unix seconds, within what can be the time of an event.
inline std::int64_t wall_seconds() {
  return clamp_wall(
      std::chrono::duration_cast<std::chrono::seconds>(std::chrono::system_clock::now().time_since_epoch())
          .count());
}

/// The time that rates of several threads have in common.
inline Rate::Time steady_now() { return std::chrono::steady_clock::now().time_since_epoch(); }

}  // namespace lekt
