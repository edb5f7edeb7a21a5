#include "common/features.h"

#include <gtest/gtest.h>

namespace lekt {
namespace {

TEST(Features, are_the_bits_of_extra) {
  Features features{Feature::wide, Feature::identity};
  EXPECT_EQ(features.extra(), 0x09);
  features.remove(Feature::wide);
  features.add(Feature::observe);
  EXPECT_EQ(features, Features::from_extra(0x18));
  EXPECT_EQ(features & (Features{Feature::push, Feature::observe}), Features{Feature::observe});
  EXPECT_TRUE((features & Features{Feature::push}).empty());
}

TEST(Features, are_written_and_read_by_name) {
  for (std::uint32_t extra = 0; extra <= 0xff; ++extra) {
    const Features features = Features::from_extra(static_cast<std::uint8_t>(extra)) & Features::all();
    EXPECT_EQ(parse_features(to_string(features)), features);
  }
  EXPECT_EQ(parse_features("all"), Features::all());
  EXPECT_EQ(parse_features("none"), Features());
  for (const char* wrong :
       {"", ",", "identity,", ",identity", "Identity", "identity identity", "all,identity", "0x20"})
    EXPECT_EQ(parse_features(wrong), std::nullopt) << wrong;
}

TEST(Features, show_bits_without_a_name_as_a_number) {
  EXPECT_EQ(to_string(Features::from_extra(0xc0)), "0xc0");
  EXPECT_EQ(to_string(Features::from_extra(0x88)), "identity,0x80");
}

TEST(LogIdentity, has_32_digits) {
  const LogIdentity identity{0xab, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 0xff};
  EXPECT_EQ(to_string(identity), "ab0102030405060708090a0b0c0d0eff");
  EXPECT_EQ(parse_log_identity("AB0102030405060708090a0b0c0d0eff"), identity);
  for (const char* wrong : {"", "ab", "ab0102030405060708090a0b0c0d0e", "ab0102030405060708090a0b0c0d0eff00",
                            "xb0102030405060708090a0b0c0d0eff"})
    EXPECT_EQ(parse_log_identity(wrong), std::nullopt) << wrong;
}

}  // namespace
}  // namespace lekt
