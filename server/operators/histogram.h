// A histogram of durations: one thread counts, any thread copies. Counting takes no lock.
#pragma once

#include <algorithm>
#include <array>
#include <atomic>
#include <chrono>
#include <cstddef>
#include <cstdint>

namespace lekt {

/// A number that one thread counts up and others read.
class Meter {
 public:
  void add(std::uint64_t count = 1) {
    value_.store(value_.load(std::memory_order_relaxed) + count, std::memory_order_relaxed);
  }
  std::uint64_t value() const { return value_.load(std::memory_order_relaxed); }

 private:
  std::atomic<std::uint64_t> value_{0};
};

class Histogram {
 public:
  /// Upper bounds of the buckets in seconds; one more bucket counts what is above the last one.
  static constexpr std::array<double, 18> bounds = {2.5e-6, 5e-6, 1e-5, 2.5e-5, 5e-5, 1e-4,
                                                    2.5e-4, 5e-4, 1e-3, 2.5e-3, 5e-3, 0.01,
                                                    0.025,  0.05, 0.1,  0.5,    1.0,  5.0};

  struct Copy {
    std::array<std::uint64_t, bounds.size() + 1> counts{};  ///< one for each bucket, not summed up
    double sum_seconds = 0;

    std::uint64_t count() const {
      std::uint64_t sum = 0;
      for (const std::uint64_t count : counts) sum += count;
      return sum;
    }
    /// 0 when there is none.
    double mean_seconds() const {
      const std::uint64_t samples = count();
      return samples == 0 ? 0 : sum_seconds / static_cast<double>(samples);
    }
    Copy& operator+=(const Copy& other) {
      for (std::size_t bucket = 0; bucket < counts.size(); ++bucket) counts[bucket] += other.counts[bucket];
      sum_seconds += other.sum_seconds;
      return *this;
    }
  };

  void add(std::chrono::nanoseconds duration) {
    std::size_t bucket = 0;
    while (bucket < bounds.size() && duration.count() > nanoseconds_bounds[bucket]) ++bucket;
    counts_[bucket].add();
    nanoseconds_.add(static_cast<std::uint64_t>(std::max<std::int64_t>(duration.count(), 0)));
  }

  Copy copy() const {
    Copy copy;
    for (std::size_t bucket = 0; bucket < counts_.size(); ++bucket)
      copy.counts[bucket] = counts_[bucket].value();
    copy.sum_seconds = static_cast<double>(nanoseconds_.value()) / 1e9;
    return copy;
  }

 private:
  static constexpr auto nanoseconds_bounds = [] {
    std::array<std::int64_t, bounds.size()> nanoseconds{};
    std::ranges::transform(bounds, nanoseconds.begin(),
                           [](double seconds) { return static_cast<std::int64_t>(seconds * 1e9 + 0.5); });
    return nanoseconds;
  }();

  std::array<Meter, bounds.size() + 1> counts_;
  Meter nanoseconds_;
};

}  // namespace lekt
