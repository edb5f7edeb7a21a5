#include "client/back_off.h"

#include <algorithm>

namespace lekt {

BackOff::BackOff(milliseconds first, milliseconds last, std::uint64_t seed)
    : first_ceiling_(std::min(2 * first, last)), last_(last), ceiling_(first_ceiling_), random_(seed) {}

std::chrono::milliseconds BackOff::next() {
  std::uniform_int_distribution<std::int64_t> range(ceiling_.count() / 2, ceiling_.count());
  const milliseconds delay(range(random_));
  ceiling_ = std::min(2 * ceiling_, last_);
  return delay;
}

}  // namespace lekt
