#include "common/address.h"

#include <gtest/gtest.h>

#include <unordered_set>

#include "tests/support/support.h"

namespace lekt {
namespace {

TEST(Address, is_written_with_dots) {
  EXPECT_EQ(to_string(Address::v4(0x0a000007)), "10.0.0.7");
  EXPECT_EQ(to_string(Address::v4(0)), "0.0.0.0");
  EXPECT_EQ(to_string(Address::v4(0xffffffff)), "255.255.255.255");
}

TEST(Address, is_read_with_dots) {
  EXPECT_EQ(parse_address("10.0.0.7"), Address::v4(0x0a000007));
  EXPECT_EQ(parse_address("0.0.0.0"), Address::v4(0));
  EXPECT_EQ(parse_address("255.255.255.255"), Address::v4(0xffffffff));
}

TEST(Address, has_no_other_spelling) {
  using namespace std::string_view_literals;
  for (const std::string_view text :
       {""sv, "10.1"sv, "10.0.0"sv, "10.0.0.256"sv, "010.0.0.1"sv, "10.0.0.1 "sv, " 10.0.0.1"sv,
        "10.0.0.1\0"sv, "10.0.0.1\0junk"sv, "10.0.0.-1"sv, "10.0.0.0x1"sv, "10..0.1"sv, "10.0.0.1.2"sv,
        "::1"sv, "localhost"sv})
    EXPECT_EQ(parse_address(text), std::nullopt) << text;
}

TEST(Address, survives_its_text) {
  test::Random random;
  for (int round = 0; round < 1000; ++round) {
    const Address address = Address::v4(static_cast<std::uint32_t>(random.next()));
    EXPECT_EQ(parse_address(to_string(address)), address);
  }
}

TEST(Address, hashes_of_one_network_differ) {
  std::unordered_set<std::size_t> hashes;
  for (std::uint32_t host = 0; host < 65536; ++host)
    hashes.insert(std::hash<Address>()(Address::v4(0x0a000000 + host)));
  EXPECT_EQ(hashes.size(), 65536u);
}

TEST(Address, of_ipv4_is_one_and_stands_in_numerical_order) {
  EXPECT_TRUE(Address().is_v4());
  EXPECT_EQ(Address::v4(0xc0000207).as_v4(), 0xc0000207u);
  EXPECT_LT(Address::v4(0x7fffffff), Address::v4(0x80000000));
}

}  // namespace
}  // namespace lekt
