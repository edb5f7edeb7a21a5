// Latencies, kept as counts in buckets whose width is at most 1/128 of their value (HdrHistogram's method: an
// octave is divided evenly). So a percentile is exact to 0.8 %, however many values there are and however far
// the longest lies from the shortest; memory is fixed and recording is a few instructions.
//
// One thread.
#pragma once

#include <array>
#include <chrono>
#include <cstdint>

namespace lekt::bench {

class Histogram {
 public:
  using Duration = std::chrono::nanoseconds;

  /// Negative values count as 0, values beyond an hour as an hour.
  void record(Duration value);

  std::uint64_t count() const { return count_; }
  Duration longest() const { return longest_; }
  /// The smallest value that `share` (0 to 1) of all values do not exceed; 0 when there are none.
  Duration percentile(double share) const;

 private:
  static constexpr unsigned sub_bits = 7;  // 128 buckets an octave
  static constexpr std::uint64_t value_max = 3'600'000'000'000;
  static constexpr unsigned octaves = 42 - sub_bits + 1;  // 2^42 ns is more than an hour

  static std::size_t bucket_of(std::uint64_t value);
  static std::uint64_t highest_in(std::size_t bucket);

  std::array<std::uint64_t, (octaves + 1) << sub_bits> counts_{};
  std::uint64_t count_ = 0;
  Duration longest_{0};
};

}  // namespace lekt::bench
