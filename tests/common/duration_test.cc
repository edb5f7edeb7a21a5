#include "common/duration.h"

#include <gtest/gtest.h>

namespace lekt {
namespace {

using namespace std::chrono_literals;

TEST(Duration, has_five_units) {
  EXPECT_EQ(parse_duration("250ms"), 250ms);
  EXPECT_EQ(parse_duration("90s"), 90s);
  EXPECT_EQ(parse_duration("5m"), 5min);
  EXPECT_EQ(parse_duration("2h"), 2h);
  EXPECT_EQ(parse_duration("7d"), 7 * 24h);
  EXPECT_EQ(parse_duration("0s"), 0s);
}

TEST(Duration, is_a_whole_number_and_a_unit_and_nothing_else) {
  for (const char* text : {"", "90", "s", "-1s", "+1s", "1.5s", "90 s", " 90s", "90s ", "90S", "1h30m",
                           "0x10s", "1w", "1us", "s90", "90ss"})
    EXPECT_EQ(parse_duration(text), std::nullopt) << text;
}

TEST(Duration, ends_at_a_hundred_years) {
  EXPECT_EQ(parse_duration("36500d"), 36500 * 24h);
  EXPECT_EQ(parse_duration("36501d"), std::nullopt);
  EXPECT_EQ(parse_duration("9223372036854775807ms"), std::nullopt);
  EXPECT_EQ(parse_duration("9223372036854775807d"), std::nullopt)
      << "must not overflow in the multiplication";
  EXPECT_EQ(parse_duration("99999999999999999999s"), std::nullopt);
}

TEST(Duration, is_printed_in_the_largest_unit_that_holds_it) {
  EXPECT_EQ(format_duration(250ms), "250ms");
  EXPECT_EQ(format_duration(1500ms), "1500ms");
  EXPECT_EQ(format_duration(90s), "90s");
  EXPECT_EQ(format_duration(120s), "2m");
  EXPECT_EQ(format_duration(24h), "1d");
  EXPECT_EQ(format_duration(0ms), "0s");
}

TEST(Duration, survives_its_text) {
  for (const auto duration : {0ms, 1ms, 999ms, 1000ms, 60000ms, 3599999ms, 3600000ms, 86400000ms, 86400001ms})
    EXPECT_EQ(parse_duration(format_duration(duration)), duration);
}

}  // namespace
}  // namespace lekt
