#include "common/calendar.h"

#include <gtest/gtest.h>

#include "tests/support/support.h"

namespace lekt {

namespace {

TEST(TimeTest, writes_seconds_as_ISO_8601) {
  EXPECT_EQ(to_iso(0), "1970-01-01T00:00:00Z");
  EXPECT_EQ(to_iso(1767323040), "2026-01-02T03:04:00Z");
  EXPECT_EQ(to_iso(-1), "1969-12-31T23:59:59Z");
  EXPECT_EQ(to_iso(951'782'400), "2000-02-29T00:00:00Z");
}

TEST(TimeTest, reads_what_it_writes_and_the_shorter_forms) {
  test::Random random;
  for (int round = 0; round < 1000; ++round) {
    const std::int64_t second = random.between(-62'000'000'000, 250'000'000'000);
    EXPECT_EQ(parse_iso(to_iso(second)), second) << to_iso(second);
  }
  EXPECT_EQ(parse_iso("2026-01-02"), 1767312000);
  EXPECT_EQ(parse_iso("2026-01-02T03:04"), 1767323040);
  EXPECT_EQ(parse_iso("2026-01-02 03:04:00"), 1767323040);
}

TEST(TimeTest, reads_nothing_else) {
  for (const char* text :
       {"", "2026", "2026-01", "2026-13-01", "2026-02-29", "2026-01-02T", "2026-01-02T3:04",
        "2026-01-02T24:00", "2026-01-02T03:60", "2026-01-02T03:04:60", "2026-01-02T03:04:00+01", "-026-01-02",
        "2026-01-02Z", "2026-01-02T03:04:00ZZ", "+026-01-02", "yesterday"})
    EXPECT_EQ(parse_iso(text), std::nullopt) << text;
}

TEST(TimeTest, describes_durations_by_their_two_largest_units) {
  EXPECT_EQ(describe_seconds(0), "0.0s");
  EXPECT_EQ(describe_seconds(0.84), "0.8s");
  EXPECT_EQ(describe_seconds(59.9), "59s");
  EXPECT_EQ(describe_seconds(61), "1m 1s");
  EXPECT_EQ(describe_seconds(3600), "1h");
  EXPECT_EQ(describe_seconds(3661), "1h 1m");
  EXPECT_EQ(describe_seconds(90'061), "1d 1h");
  EXPECT_EQ(describe_seconds(-5), "0.0s");
}

}  // namespace

}  // namespace lekt
