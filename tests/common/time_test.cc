#include "common/time.h"

#include <gtest/gtest.h>

namespace lekt {
namespace {

using namespace std::chrono_literals;

constexpr AwakeClock::Steady start{};

TEST(AwakeClock, begins_at_zero) {
  AwakeClock clock(start, 1s);
  EXPECT_EQ(clock.advance(start), 0ms);
}

TEST(AwakeClock, counts_the_time_between_two_looks) {
  AwakeClock clock(start, 1s);
  EXPECT_EQ(clock.advance(start + 300ms), 300ms);
  EXPECT_EQ(clock.advance(start + 1300ms), 1300ms);
}

TEST(AwakeClock, does_not_count_a_pause) {
  AwakeClock clock(start, 1s);
  clock.advance(start + 500ms);
  EXPECT_EQ(clock.advance(start + 8h), 1500ms) << "a step is at most as long as work can be";
  EXPECT_EQ(clock.advance(start + 8h + 200ms), 1700ms);
}

TEST(AwakeClock, never_goes_back) {
  AwakeClock clock(start, 1s);
  clock.advance(start + 900ms);
  EXPECT_EQ(clock.advance(start + 100ms), 900ms);
  EXPECT_EQ(clock.advance(start + 900ms), 900ms);
  EXPECT_EQ(clock.advance(start + 950ms), 950ms);
}

TEST(AwakeClock, loses_nothing_to_its_resolution) {
  AwakeClock clock(start, 1s);
  for (int look = 1; look <= 10'000; ++look) clock.advance(start + look * 100us);
  EXPECT_EQ(clock.advance(start + 1s), 1s);
}

TEST(AwakeClock, loses_nothing_to_looks_that_are_not_whole_milliseconds_apart) {
  AwakeClock clock(start, 1s);
  AwakeTime awake{0};
  for (int look = 1; look <= 10'000; ++look) awake = clock.advance(start + look * 1900us);
  EXPECT_EQ(awake, 19s);
}

}  // namespace
}  // namespace lekt
