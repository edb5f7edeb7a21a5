// The machine's clocks, for threads' loops and for code that notes when something happened. Rules take times as
// arguments (common/time.h).
#pragma once

#include <chrono>
#include <cstdint>
#include <ctime>

#include "common/rate.h"
#include "common/time.h"

namespace lekt {

/// The wall clock in Unix seconds, within what can be the time of an event.
inline std::int64_t wall_seconds() {
  return clamp_wall(
      std::chrono::duration_cast<std::chrono::seconds>(std::chrono::system_clock::now().time_since_epoch())
          .count());
}

/// The processor time of the calling thread: it stands still while another program has the core.
inline std::chrono::nanoseconds thread_time() {
  timespec time{};
  clock_gettime(CLOCK_THREAD_CPUTIME_ID, &time);
  return std::chrono::seconds(time.tv_sec) + std::chrono::nanoseconds(time.tv_nsec);
}

/// The time that rates of several threads have in common.
inline Rate::Time steady_now() { return std::chrono::steady_clock::now().time_since_epoch(); }

}  // namespace lekt
