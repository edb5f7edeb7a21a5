// A number is the whole text, or none.
#include "common/parse_number.h"

#include <gtest/gtest.h>

#include <cstdint>

namespace lekt {

namespace {

TEST(ParseNumber, takes_a_whole_text_that_fits) {
  EXPECT_EQ(parse_number<std::uint16_t>("0"), 0);
  EXPECT_EQ(parse_number<std::uint16_t>("65535"), 65535);
  EXPECT_EQ(parse_number<int>("-7"), -7);
  for (const char* text : {"", " 1", "1 ", "+1", "-1", "1x", "0x1", "1.0", "65536", "99999999999999999999"})
    EXPECT_EQ(parse_number<std::uint16_t>(text), std::nullopt) << text;
}

}  // namespace

}  // namespace lekt
