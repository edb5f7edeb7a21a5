#include "bench/load/histogram.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <vector>

#include "tests/support/support.h"

namespace lekt::bench {

using namespace std::chrono_literals;

TEST(Histogram, is_zero_without_values) {
  const Histogram histogram;
  EXPECT_EQ(histogram.count(), 0u);
  EXPECT_EQ(histogram.percentile(0.99), 0ns);
  EXPECT_EQ(histogram.longest(), 0ns);
}

TEST(Histogram, is_exact_for_small_values) {
  Histogram histogram;
  for (int value = 1; value <= 100; ++value) histogram.record(std::chrono::nanoseconds(value));
  EXPECT_EQ(histogram.percentile(0), 1ns);
  EXPECT_EQ(histogram.percentile(0.5), 50ns);
  EXPECT_EQ(histogram.percentile(0.99), 99ns);
  EXPECT_EQ(histogram.percentile(1), 100ns);
}

TEST(Histogram, counts_what_is_out_of_range_at_its_ends) {
  Histogram histogram;
  histogram.record(-5ns);
  histogram.record(100h);
  EXPECT_EQ(histogram.percentile(0.5), 0ns);
  EXPECT_EQ(histogram.percentile(1), 1h);
  EXPECT_EQ(histogram.longest(), 1h);
}

// Against the sorted values themselves: never less than the true percentile, and at most 1/128 more.
TEST(Histogram, is_within_a_percent_of_the_sorted_values) {
  test::Random random;
  Histogram histogram;
  std::vector<std::int64_t> values;
  for (int count = 0; count < 20'000; ++count) {
    const auto magnitude = static_cast<unsigned>(random.below(40));
    values.push_back(static_cast<std::int64_t>(random.below(std::uint64_t{2} << magnitude)));
    histogram.record(std::chrono::nanoseconds(values.back()));
  }
  std::ranges::sort(values);
  for (const double share : {0.001, 0.1, 0.5, 0.9, 0.99, 0.999, 1.0}) {
    const auto rank = static_cast<std::size_t>(std::ceil(share * static_cast<double>(values.size())));
    const auto exact = static_cast<double>(values[rank - 1]);
    const auto found = static_cast<double>(histogram.percentile(share).count());
    EXPECT_GE(found, exact) << share;
    EXPECT_LE(found, exact + exact / 128 + 1) << share;
  }
}

// At both ends of buckets, where they change their width: a value is never told as more than 1/128 above
// itself.
TEST(Histogram, is_as_exact_at_the_ends_of_its_buckets) {
  for (std::int64_t power = 1; power < 1'500'000'000'000; power *= 2)
    for (const std::int64_t value : {power - 1, power, power + 1, power + power / 128, 2 * power - 1}) {
      Histogram histogram;
      histogram.record(std::chrono::nanoseconds(value));
      histogram.record(1h);
      const auto found = histogram.percentile(0.5).count();
      EXPECT_GE(found, value);
      EXPECT_LE(found, value + value / 128) << value;
    }
}

}  // namespace lekt::bench
