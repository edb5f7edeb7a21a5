// Decides how long to wait before the next attempt to connect: longer after each failure, and differently for
// each client, so that ten thousand clients of a restarted server do not come back in one instant.
#pragma once

#include <chrono>
#include <cstdint>
#include <random>

namespace lekt {

class BackOff {
 public:
  using milliseconds = std::chrono::milliseconds;

  /// The first delay is `first` to 2 * `first`; each later one doubles that range, until it is `last` / 2 to
  /// `last`.
  BackOff(milliseconds first, milliseconds last, std::uint64_t seed);

  /// The next delay.
  milliseconds next();
  /// Begins again with the first delay.
  void reset() { ceiling_ = first_ceiling_; }

 private:
  milliseconds first_ceiling_;
  milliseconds last_;
  milliseconds ceiling_;
  std::mt19937_64 random_;
};

}  // namespace lekt
