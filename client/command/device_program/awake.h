// The clock of `lekt device`.
#pragma once

#include <chrono>

#include "common/time.h"

namespace lekt::command {

/// Time since the machine was started. A pause of the program counts, since the server has waited meanwhile.
inline AwakeTime awake_now() {
  return std::chrono::duration_cast<AwakeTime>(std::chrono::steady_clock::now().time_since_epoch());
}

}  // namespace lekt::command
