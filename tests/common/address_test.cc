#include "common/address.h"

#include <gtest/gtest.h>

#include <unordered_set>

#include "tests/support/support.h"

namespace lekt {
namespace {

TEST(Ipv4Address, is_written_with_dots) {
  EXPECT_EQ(to_string(Ipv4Address{0x0a000007}), "10.0.0.7");
  EXPECT_EQ(to_string(Ipv4Address{0}), "0.0.0.0");
  EXPECT_EQ(to_string(Ipv4Address{0xffffffff}), "255.255.255.255");
}

TEST(Ipv4Address, is_read_with_dots) {
  EXPECT_EQ(parse_ipv4("10.0.0.7"), Ipv4Address{0x0a000007});
  EXPECT_EQ(parse_ipv4("0.0.0.0"), Ipv4Address{0});
  EXPECT_EQ(parse_ipv4("255.255.255.255"), Ipv4Address{0xffffffff});
}

TEST(Ipv4Address, has_no_other_spelling) {
  using namespace std::string_view_literals;
  for (const std::string_view text :
       {""sv, "10.1"sv, "10.0.0"sv, "10.0.0.256"sv, "010.0.0.1"sv, "10.0.0.1 "sv, " 10.0.0.1"sv,
        "10.0.0.1\0"sv, "10.0.0.1\0junk"sv, "10.0.0.-1"sv, "10.0.0.0x1"sv, "10..0.1"sv, "10.0.0.1.2"sv,
        "::1"sv, "localhost"sv})
    EXPECT_EQ(parse_ipv4(text), std::nullopt) << text;
}

TEST(Ipv4Address, survives_its_text) {
  test::Random random;
  for (int round = 0; round < 1000; ++round) {
    const Ipv4Address address{static_cast<std::uint32_t>(random.next())};
    EXPECT_EQ(parse_ipv4(to_string(address)), address);
  }
}

TEST(Ipv4Address, hashes_of_one_network_differ) {
  std::unordered_set<std::size_t> hashes;
  for (std::uint32_t host = 0; host < 65536; ++host)
    hashes.insert(std::hash<Ipv4Address>()({0x0a000000 + host}));
  EXPECT_EQ(hashes.size(), 65536u);
}

}  // namespace
}  // namespace lekt
