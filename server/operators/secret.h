// A number that no stranger knows, for tables that must not be filled on purpose (common/address_rates.h).
#pragma once

#include <cstdint>
#include <random>

namespace lekt {

inline std::uint64_t random_secret() {
  std::random_device device;
  return std::uint64_t{device()} << 32 | device();
}

}  // namespace lekt
