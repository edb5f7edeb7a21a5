#include "common/block.h"

#include <gtest/gtest.h>

namespace lekt {
namespace {

Address ip(const char* text) { return parse_address(text).value(); }
Block cidr(const char* text) { return parse_block(text).value(); }

TEST(Block, has_a_first_and_a_last_address_and_a_size) {
  EXPECT_EQ(cidr("192.0.2.128/25").first(), ip("192.0.2.128"));
  EXPECT_EQ(cidr("192.0.2.128/25").last(), ip("192.0.2.255"));
  EXPECT_EQ(cidr("192.0.2.128/25").size(), 128u);
  EXPECT_EQ(Block(ip("192.0.2.7")).last(), ip("192.0.2.7"));
  EXPECT_EQ(Block(ip("192.0.2.7")).size(), 1u);
  EXPECT_EQ(Block::everyone().last(), ip("255.255.255.255"));
  EXPECT_EQ(Block::everyone().size(), std::uint64_t{1} << 32);
  EXPECT_EQ(to_string(Block::everyone()), "0.0.0.0/0");
}

TEST(Block, of_nobody_has_nobody) {
  EXPECT_FALSE(Block().contains(ip("10.0.0.7")));
  EXPECT_TRUE(Block().contains(Address()));
}

TEST(Block, is_written_in_short_as_operators_do) {
  EXPECT_EQ(to_short_string(Block(ip("192.0.2.7"))), "192.0.2.7");
  EXPECT_EQ(to_short_string(cidr("192.0.2.0/24")), "192.0.2.0/24");
}

TEST(Block, of_bits_behind_its_prefix_is_none) {
  EXPECT_FALSE(Block::v4(ip("10.0.0.1"), 8));
  EXPECT_FALSE(Block::v4(ip("10.0.0.0"), 33));
  EXPECT_TRUE(Block::v4(Address(), 0));
}

}  // namespace

TEST(Block, is_read_as_it_is_written) {
  for (const char* text : {"0.0.0.0/0", "10.0.0.0/8", "192.0.2.128/25", "192.0.2.7/32"})
    EXPECT_EQ(to_string(cidr(text)), text);
  EXPECT_EQ(to_string(cidr("192.0.2.7")), "192.0.2.7/32");
}

TEST(Block, is_refused_when_it_is_not_clear_what_was_meant) {
  for (const char* text :
       {"", "/8", "10.0.0.0/", "10.0.0.0/33", "10.0.0.0/-1", "10.0.0.0/8 ", "10.0.0.0/0x8", "10.0.0.0/256",
        "10.0.0.0/264", "10.0.0.1/8", "10/8", "10.0.0.0/8/8", "::1/128", "host"})
    EXPECT_FALSE(parse_block(text)) << text;
}

TEST(Block, contains_its_first_and_its_last_address_and_none_beyond) {
  const Block block = cidr("192.0.2.128/25");
  EXPECT_FALSE(block.contains(ip("192.0.2.127")));
  EXPECT_TRUE(block.contains(ip("192.0.2.128")));
  EXPECT_TRUE(block.contains(ip("192.0.2.255")));
  EXPECT_FALSE(block.contains(ip("192.0.3.0")));
  EXPECT_TRUE(cidr("0.0.0.0/0").contains(ip("255.255.255.255")));
  EXPECT_TRUE(cidr("192.0.2.7").contains(ip("192.0.2.7")));
  EXPECT_FALSE(cidr("192.0.2.7").contains(ip("192.0.2.6")));
}

TEST(Block, says_what_was_probably_meant) {
  const auto meant = [](const char* text) {
    const std::string expected = expected_block(text);
    const auto guess = expected.find("did you mean ");
    return guess == expected.npos ? std::string() : expected.substr(guess + 13);
  };
  EXPECT_EQ(meant("127.0.0.1/8"), "127.0.0.0/8?");
  EXPECT_EQ(meant("10.9.8.7/0"), "0.0.0.0/0?");
  EXPECT_EQ(meant("10.9.8.7/255.255.255.0"), "10.9.8.0/24?");
  EXPECT_EQ(meant("10/8"), "10.0.0.0/8?");
  EXPECT_EQ(meant("10.9.8/24"), "10.9.8.0/24?");
  EXPECT_EQ(meant(" 10.9.8.7\n"), "10.9.8.7?");
  for (const char* text :
       {"", " ", "host", "10.0.0.0/33", "10.0.0.0/255.0.255.0", "10.0.0.0/8/8", "::1/128", "10", "/8"})
    EXPECT_EQ(meant(text), "") << text;
}

TEST(AddressRules, admit_everybody_when_there_are_none) {
  EXPECT_TRUE(AddressRules{}.admits(ip("192.0.2.7")));
}

TEST(AddressRules, admit_only_the_allowed_when_some_are) {
  const AddressRules rules{{cidr("10.0.0.0/8"), cidr("192.0.2.7")}, {}};
  EXPECT_TRUE(rules.admits(ip("10.1.2.3")));
  EXPECT_TRUE(rules.admits(ip("192.0.2.7")));
  EXPECT_FALSE(rules.admits(ip("192.0.2.8")));
}

TEST(AddressRules, deny_also_what_is_allowed) {
  const AddressRules rules{{cidr("10.0.0.0/8")}, {cidr("10.1.0.0/16")}};
  EXPECT_TRUE(rules.admits(ip("10.2.0.1")));
  EXPECT_FALSE(rules.admits(ip("10.1.0.1")));
  EXPECT_FALSE(AddressRules({}, {cidr("10.1.0.0/16")}).admits(ip("10.1.0.1")));
}

}  // namespace lekt
