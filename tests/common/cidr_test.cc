#include "common/cidr.h"

#include <gtest/gtest.h>

namespace lekt {
namespace {

Ipv4Address ip(const char* text) { return parse_ipv4(text).value(); }
Cidr cidr(const char* text) { return parse_cidr(text).value(); }

}  // namespace

TEST(Cidr, is_read_as_it_is_written) {
  for (const char* text : {"0.0.0.0/0", "10.0.0.0/8", "192.0.2.128/25", "192.0.2.7/32"})
    EXPECT_EQ(to_string(cidr(text)), text);
  EXPECT_EQ(to_string(cidr("192.0.2.7")), "192.0.2.7/32");
}

TEST(Cidr, is_refused_when_it_is_not_clear_what_was_meant) {
  for (const char* text :
       {"", "/8", "10.0.0.0/", "10.0.0.0/33", "10.0.0.0/-1", "10.0.0.0/8 ", "10.0.0.0/0x8", "10.0.0.0/256",
        "10.0.0.0/264", "10.0.0.1/8", "10/8", "10.0.0.0/8/8", "::1/128", "host"})
    EXPECT_FALSE(parse_cidr(text)) << text;
}

TEST(Cidr, contains_its_first_and_its_last_address_and_none_beyond) {
  const Cidr block = cidr("192.0.2.128/25");
  EXPECT_FALSE(block.contains(ip("192.0.2.127")));
  EXPECT_TRUE(block.contains(ip("192.0.2.128")));
  EXPECT_TRUE(block.contains(ip("192.0.2.255")));
  EXPECT_FALSE(block.contains(ip("192.0.3.0")));
  EXPECT_TRUE(cidr("0.0.0.0/0").contains(ip("255.255.255.255")));
  EXPECT_TRUE(cidr("192.0.2.7").contains(ip("192.0.2.7")));
  EXPECT_FALSE(cidr("192.0.2.7").contains(ip("192.0.2.6")));
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
