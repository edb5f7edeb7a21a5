#include "devices/groups.h"

#include <gtest/gtest.h>

#include <algorithm>

#include "common/device_packets.h"
#include "common/text.h"
#include "tests/devices/support.h"
#include "tests/support/support.h"

namespace lekt {
namespace {

using namespace std::chrono_literals;

using Texts = std::vector<std::string>;

Address ip(const char* text) { return parse_address(text).value(); }

using test::group_of;
using test::host_of;

std::variant<DeviceGroups, std::string> make(const Texts& groups, const Texts& hosts) {
  std::vector<DeviceGroup> all_groups;
  std::vector<DeviceHost> all_hosts;
  for (const std::string& group : groups) all_groups.push_back(group_of(group));
  for (const std::string& host : hosts) all_hosts.push_back(host_of(host));
  return DeviceGroups::make(all_groups, all_hosts);
}

DeviceGroups groups_of(const Texts& groups, const Texts& hosts = {}) {
  return std::get<DeviceGroups>(make(groups, hosts));
}
std::string fault_of(const Texts& groups, const Texts& hosts) {
  return std::get<std::string>(make(groups, hosts));
}

std::string match(const DeviceGroups& groups, const char* address, std::string_view type) {
  return groups.match(ip(address), type)->group.name;
}

Texts hosts_at(const DeviceGroups& groups, const char* address) {
  Texts names;
  for (const DeviceHost& host : groups.match(ip(address), "")->hosts) names.push_back(host.name);
  return names;
}

std::string rules(const std::string& group, bool encrypted = false) {
  std::string text;
  for_each_rule(encode_rules(group_of(group), encrypted), [&](DeviceRule rule, std::uint32_t value) {
    text += std::to_string(static_cast<std::uint32_t>(rule)) + "=" + std::to_string(value) + " ";
  });
  return text;
}

TEST(DeviceGroups, always_have_a_default) {
  const DeviceGroups none;
  EXPECT_EQ(match(none, "10.0.0.7", "PDT"), "default");
  EXPECT_EQ(none.all().size(), 1u);
  EXPECT_TRUE(none.match(ip("10.0.0.7"), "")->hosts.empty());
  const DeviceGroups groups = groups_of({"trucks;from=10.0.0.0/8"});
  EXPECT_EQ(match(groups, "192.0.2.1", "PDT"), "default");
  EXPECT_EQ(groups.all().back()->group, DeviceGroup{group_of("default")});
}

TEST(DeviceGroups, have_the_default_that_is_named) {
  const DeviceGroups groups = groups_of({"default;idle=1h", "trucks;from=10.0.0.0/8"});
  EXPECT_EQ(groups.all().size(), 2u);
  EXPECT_EQ(groups.match(ip("192.0.2.1"), "")->group.idle, 1h);
  EXPECT_EQ(match(groups, "10.0.0.1", ""), "trucks");
}

TEST(DeviceGroups, fall_back_on_the_default_whomever_it_is_for) {
  DeviceGroup narrow = group_of("default");
  narrow.from = parse_block("10.0.0.0/8").value();
  const auto made = DeviceGroups::make({group_of("trucks;type=PDT*"), narrow}, {});
  EXPECT_EQ(match(std::get<DeviceGroups>(made), "192.0.2.1", "XYZ"), "default");
}

TEST(DeviceGroups, match_by_the_longest_prefix_first) {
  const DeviceGroups groups = groups_of({"wide;from=10.0.0.0/8;type=PDT9090*", "narrow;from=10.1.0.0/16",
                                         "one;from=10.1.2.3", "typed;type=PDT9090_E5"});
  EXPECT_EQ(match(groups, "10.1.2.3", "PDT9090_E5"), "one");
  EXPECT_EQ(match(groups, "10.1.2.4", "PDT9090_E5"), "narrow");
  EXPECT_EQ(match(groups, "10.2.0.0", "PDT9090_E5"), "wide");
  EXPECT_EQ(match(groups, "10.2.0.0", "other"), "default");
  EXPECT_EQ(match(groups, "192.0.2.1", "PDT9090_E5"), "typed");
}

TEST(DeviceGroups, match_then_by_the_characters_of_the_pattern_that_are_no_wildcards) {
  const DeviceGroups groups =
      groups_of({"any;type=???????*", "short;type=PDT*", "long;type=*9090*5", "exact;type=pdt9090_e5"});
  EXPECT_EQ(match(groups, "10.0.0.1", "PDT9090_E5"), "exact");
  EXPECT_EQ(match(groups, "10.0.0.1", "PDT9090_X5"), "long");
  EXPECT_EQ(match(groups, "10.0.0.1", "PDT8"), "short");
  EXPECT_EQ(match(groups, "10.0.0.1", "XYZ9999"), "any");
  EXPECT_EQ(match(groups, "10.0.0.1", "XYZ"), "default");
}

TEST(DeviceGroups, match_then_the_first_named) {
  EXPECT_EQ(match(groups_of({"b;type=PDT*", "a;type=*DT9"}), "10.0.0.1", "PDT9"), "b");
  EXPECT_EQ(match(groups_of({"a;type=*DT9", "b;type=PDT*"}), "10.0.0.1", "PDT9"), "a");
  EXPECT_EQ(match(groups_of({"all"}), "10.0.0.1", "PDT9"), "all");
}

TEST(DeviceGroups, are_compared_in_any_order_with_the_same_result) {
  Texts texts = {"a;from=10.0.0.0/8", "b;from=10.1.0.0/16",        "c;from=10.1.0.0/16;type=P*",
                 "d;type=PDT*",       "e;from=10.1.2.0/24;type=X", "default"};
  test::Random random;
  for (int round = 0; round < 50; ++round) {
    std::shuffle(texts.begin(), texts.end(), random.engine());
    const DeviceGroups groups = groups_of(texts);
    EXPECT_EQ(match(groups, "10.1.2.3", "X"), "e");
    EXPECT_EQ(match(groups, "10.1.2.3", "PDT"), "c");
    EXPECT_EQ(match(groups, "10.1.2.3", "Y"), "b");
    EXPECT_EQ(match(groups, "10.2.0.0", "PDT"), "a");
    EXPECT_EQ(match(groups, "192.0.2.1", "PDT"), "d");
    EXPECT_EQ(match(groups, "192.0.2.1", "X"), "default");
  }
}

TEST(DeviceGroups, offer_their_hosts_in_their_order_and_otherwise_all_in_that_of_the_settings) {
  const DeviceGroups groups =
      groups_of({"trucks;from=10.0.0.0/8;hosts=mail,wms"}, {"wms=10.1.0.5:23", "shell=h:23", "mail=m:23"});
  EXPECT_EQ(hosts_at(groups, "10.0.0.1"), (Texts{"mail", "wms"}));
  EXPECT_EQ(hosts_at(groups, "192.0.2.1"), (Texts{"wms", "shell", "mail"}));
  EXPECT_EQ(groups.match(ip("10.0.0.1"), "")->hosts[1], host_of("wms=10.1.0.5:23"));
}

TEST(DeviceGroups, do_not_take_from_a_session_what_it_was_given) {
  DeviceGroups groups = groups_of({"default;hosts=wms"}, {"wms=10.1.0.5:23"});
  const auto kept = groups.match(ip("10.0.0.1"), "");
  groups = DeviceGroups();
  EXPECT_EQ(kept->hosts.at(0).name, "wms");
}

TEST(DeviceGroups, need_hosts_that_exist) {
  EXPECT_EQ(fault_of({"trucks;hosts=wms,mial"}, {"wms=a:1", "mail=a:1"}),
            "device group 'trucks': hosts has 'mial', but there is no such device host; did you mean mail?");
  EXPECT_EQ(fault_of({"default;hosts=wms"}, {}),
            "device group 'default': hosts has 'wms', but there is no such device host; --device-host says "
            "which there are");
}

TEST(DeviceGroups, need_names_of_their_own) {
  EXPECT_EQ(fault_of({"a;type=X", "b", "a;type=Y"}, {}),
            "two device groups are named 'a'; each needs a name of its own");
  EXPECT_EQ(fault_of({"default", "default"}, {}),
            "two device groups are named 'default'; each needs a name of its own");
  EXPECT_EQ(fault_of({}, {"wms=a:1", "wms=b:2"}),
            "two device hosts are named 'wms'; each needs a name of its own");
}

TEST(DeviceGroups, are_at_most_256_with_as_many_hosts) {
  Texts groups;
  Texts hosts;
  for (int count = 0; count < 256; ++count) {
    groups.push_back("g" + std::to_string(count));
    hosts.push_back("h" + std::to_string(count) + "=a:1");
  }
  EXPECT_EQ(groups_of(groups, hosts).all().size(), 257u);
  groups.emplace_back("one-more");
  EXPECT_EQ(fault_of(groups, hosts), "there are 257 device groups; at most 256 are allowed");
  groups.pop_back();
  hosts.emplace_back("one-more=a:1");
  EXPECT_EQ(fault_of(groups, hosts), "there are 257 device hosts; at most 256 are allowed");
}

TEST(DeviceRules, are_those_of_the_worked_example) {
  EXPECT_EQ(to_hex(encode_rules(group_of("default;keyboard-timeout=5m;backlight-timeout=60s"), false)),
            "000000010000012c"
            "000000020000003c"
            "0000000300000000"
            "0000000400000001");
}

TEST(DeviceRules, are_encryption_and_sessions_always) {
  EXPECT_EQ(rules("default"), "3=0 4=1 ");
  EXPECT_EQ(rules("default;sessions=10", true), "3=1 4=10 ");
  EXPECT_EQ(rules("default;encryption=required"), "3=0 4=1 ") << "what is in force, not what is asked for";
}

TEST(DeviceRules, are_the_others_when_the_group_says_them) {
  EXPECT_EQ(rules("default;keyboard-timeout=0;backlight-timeout=0;headless=off;voice=off;keep-alive=0"),
            "1=0 2=0 3=0 4=1 5=0 6=0 7=0 ");
  EXPECT_EQ(rules("default;keyboard-timeout=365d;headless=on;voice=on;keep-alive=15s"),
            "1=31536000 3=0 4=1 5=1 6=1 7=15 ");
  EXPECT_EQ(rules("default;idle=1h;resume=uid;type=*;from=0.0.0.0/0"), "3=0 4=1 ");
}

}  // namespace
}  // namespace lekt
