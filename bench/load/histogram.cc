#include "bench/load/histogram.h"

#include <algorithm>
#include <bit>
#include <cmath>

namespace lekt::bench {

// Values below 2^sub_bits have a bucket each. Above, the sub_bits bits behind the leading one choose the
// bucket within the octave.
std::size_t Histogram::bucket_of(std::uint64_t value) {
  const auto width = static_cast<unsigned>(std::bit_width(value));
  if (width <= sub_bits) return value;
  const unsigned shift = width - sub_bits - 1;
  const std::uint64_t within = (value >> shift) - (std::uint64_t{1} << sub_bits);
  return ((std::size_t{shift} + 1) << sub_bits) + within;
}

std::uint64_t Histogram::highest_in(std::size_t bucket) {
  const std::size_t octave = bucket >> sub_bits;
  if (octave == 0) return bucket;
  const std::uint64_t within = (bucket & ((std::size_t{1} << sub_bits) - 1)) + (std::uint64_t{1} << sub_bits);
  return ((within + 1) << (octave - 1)) - 1;
}

void Histogram::record(Duration value) {
  const auto clamped = static_cast<std::uint64_t>(std::clamp<std::int64_t>(value.count(), 0, value_max));
  ++counts_[bucket_of(clamped)];
  ++count_;
  longest_ = std::max(longest_, Duration(clamped));
}

Histogram::Duration Histogram::percentile(double share) const {
  if (count_ == 0) return Duration(0);
  const double exact = std::ceil(share * static_cast<double>(count_));
  const auto rank = std::clamp<std::uint64_t>(static_cast<std::uint64_t>(exact), 1, count_);
  std::uint64_t seen = 0;
  std::size_t bucket = 0;
  while ((seen += counts_[bucket]) < rank) ++bucket;
  return std::min(longest_, Duration(highest_in(bucket)));
}

}  // namespace lekt::bench
