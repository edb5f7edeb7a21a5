#include "client/command/host_names.h"

#include <gtest/gtest.h>

#include "tests/client/fake_server.h"

namespace lekt::command {
namespace {

Offer offer_of(const std::vector<std::string>& names) {
  Methods methods = test::tcp(1);
  for (const std::string& name : names)
    methods.push_back({name_index, MethodCatalogue::wrap({MethodForm::Kind::text, 0}, name)});
  return {methods, {}};
}

const Address seven = parse_address("10.0.0.7").value();
const Address eight = parse_address("10.0.0.8").value();

TEST(HostNames, are_names_in_small_letters_below_a_domain_of_their_own) {
  EXPECT_EQ(host_name("Kitchen-2"), "kitchen-2.lekt");
  EXPECT_EQ(host_name("pi.Kitchen"), "pi.kitchen.lekt");
  EXPECT_EQ(host_name("localhost"), "localhost.lekt") << "which is not localhost";
  EXPECT_EQ(host_name("10.0.0.1"), "10.0.0.1.lekt");
  EXPECT_EQ(host_name(std::string(63, 'a')), std::string(63, 'a') + ".lekt");
}

TEST(HostNames, are_not_made_of_what_is_no_host_name) {
  for (const std::string name :
       {"", "kitchen pi", "-a", "a-", "a..b", ".a", "a.", "a_b", "küche", "a#b", "a\n10.0.0.1 b"})
    EXPECT_EQ(host_name(name), std::nullopt) << name;
  EXPECT_EQ(host_name(std::string(64, 'a')), std::nullopt);
  std::string labels = std::string(62, 'a');
  for (int more = 0; more < 3; ++more) labels += "." + std::string(61, 'b');
  EXPECT_EQ(labels.size(), 248u);
  EXPECT_TRUE(host_name(labels));
  EXPECT_EQ(host_name(labels + "b"), std::nullopt) << "254 bytes with the domain";
}

TEST(HostNames, belong_to_one_address_or_to_nobody) {
  EXPECT_EQ(HostNames({{seven, offer_of({"one"})}, {eight, offer_of({"two", "three"})}}).of(eight),
            " three.lekt two.lekt");
  const HostNames shared({{seven, offer_of({"one", "same"})}, {eight, offer_of({"Same"})}});
  EXPECT_EQ(shared.of(seven), " one.lekt");
  EXPECT_EQ(shared.of(eight), "");
  EXPECT_EQ(HostNames({{seven, offer_of({"same", "SAME"})}}).of(seven), " same.lekt");
}

}  // namespace
}  // namespace lekt::command
