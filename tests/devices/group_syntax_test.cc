#include "devices/group_syntax.h"

#include <gtest/gtest.h>

#include <algorithm>

#include "tests/devices/support.h"

namespace lekt {
namespace {

using namespace std::chrono_literals;

using test::group_of;
using test::host_of;

std::string group_fault(const std::string& text) {
  const auto parsed = parse_device_group(text);
  const auto* fault = std::get_if<std::string>(&parsed);
  return fault == nullptr ? "taken: " + text : *fault;
}

std::string host_fault(const std::string& text) {
  const auto parsed = parse_device_host(text);
  const auto* fault = std::get_if<std::string>(&parsed);
  return fault == nullptr ? "taken: " + text : *fault;
}

/// What is wrong with one key of the group g.
std::string fault_with(const std::string& setting) {
  const std::string fault = group_fault("g;" + setting);
  EXPECT_TRUE(fault.starts_with("device group 'g': ")) << fault;
  return fault.substr(fault.find(": ") + 2);
}

TEST(DeviceGroupSyntax, has_a_key_for_everything_that_a_group_says) {
  const DeviceGroup group = group_of(
      "trucks;from=10.10.225.0/"
      "24;type=PDT90*;hosts=wms,mail;idle=6h;keyboard-timeout=5m;backlight-timeout=30s;"
      "encryption=required;sessions=3;headless=on;voice=off;keep-alive=1m;resume=uid");
  EXPECT_EQ(group.name, "trucks");
  EXPECT_EQ(to_string(group.from), "10.10.225.0/24");
  EXPECT_EQ(group.type, "PDT90*");
  EXPECT_EQ(group.hosts, (std::vector<std::string>{"wms", "mail"}));
  EXPECT_EQ(group.idle, 6h);
  EXPECT_EQ(group.keyboard_timeout, 5min);
  EXPECT_EQ(group.backlight_timeout, 30s);
  EXPECT_TRUE(group.encryption_required);
  EXPECT_EQ(group.sessions, 3u);
  EXPECT_EQ(group.headless, true);
  EXPECT_EQ(group.voice, false);
  EXPECT_EQ(group.keep_alive, 1min);
  EXPECT_EQ(group.resume, DeviceGroup::Resume::uid);
}

TEST(DeviceGroupSyntax, needs_a_name_alone) {
  const DeviceGroup group = group_of("default");
  EXPECT_EQ(group.from, Block::everyone());
  EXPECT_EQ(group.type, "*");
  EXPECT_TRUE(group.hosts.empty());
  EXPECT_EQ(group.idle, 12h);
  EXPECT_FALSE(group.keyboard_timeout || group.backlight_timeout || group.keep_alive);
  EXPECT_FALSE(group.encryption_required);
  EXPECT_EQ(group.sessions, 1u);
  EXPECT_FALSE(group.headless.has_value() || group.voice.has_value());
  EXPECT_EQ(group.resume, DeviceGroup::Resume::ticket);
}

TEST(DeviceGroupSyntax, is_written_as_it_is_read) {
  for (const char* text :
       {"default", "default;hosts=wms",
        "trucks;from=10.10.225.0/24;type=PDT90*;hosts=wms,mail;keyboard-timeout=5m", "one;from=10.0.0.7",
        "t;type=a b=c", "q;keyboard-timeout=0;backlight-timeout=0;keep-alive=0",
        "all.keys_-9;from=0.0.0.0/1;type=?;hosts=a;idle=1s;keyboard-timeout=1s;backlight-timeout=365d;"
        "encryption=required;sessions=10;headless=off;voice=on;keep-alive=15s;resume=uid"})
    EXPECT_EQ(to_string(group_of(text)), text);
}

TEST(DeviceGroupSyntax, leaves_out_what_holds_anyway) {
  EXPECT_EQ(to_string(group_of("g;from=0.0.0.0/0;type=*;idle=12h;sessions=1;resume=ticket")), "g");
  EXPECT_EQ(to_string(group_of("g;resume=uid;voice=on;from=10.0.0.7/32")),
            "g;from=10.0.0.7;voice=on;resume=uid");
}

TEST(DeviceGroupSyntax, refuses_names_that_are_no_words) {
  for (const char* text : {"", ";type=X", "a b", "a,b", "a=b", "gr\xc3\xbc", "\n"})
    EXPECT_TRUE(group_fault(text).ends_with(
        ": its name, before the first ';', has to be 1 to 32 letters, digits, '.', '_' and '-'"))
        << group_fault(text);
  EXPECT_EQ(group_of(std::string(32, 'n')).name.size(), 32u);
  EXPECT_TRUE(group_fault(std::string(33, 'n')).starts_with("device group 'nnn"));
  EXPECT_EQ(group_fault("type=X;hosts=a").substr(0, 23), "device group 'type=X': ");
}

TEST(DeviceGroupSyntax, refuses_keys_that_it_does_not_know) {
  EXPECT_EQ(fault_with("tpye=X"), "there is no key 'tpye'; did you mean type?");
  EXPECT_EQ(fault_with(" type=X"), "there is no key ' type'; did you mean type?");
  EXPECT_EQ(fault_with("Type=X"), "there is no key 'Type'; did you mean type?");
  EXPECT_EQ(fault_with("colour=red"),
            "there is no key 'colour'; a group may have from, type, hosts, idle, keyboard-timeout, "
            "backlight-timeout, encryption, sessions, headless, voice, keep-alive, resume");
  EXPECT_TRUE(fault_with("").starts_with("there is no key ''; a group may have from,"));
}

TEST(DeviceGroupSyntax, refuses_keys_without_a_value_or_given_twice) {
  EXPECT_EQ(fault_with("idle"), "the key idle has no value; KEY=VALUE is needed");
  EXPECT_EQ(fault_with("idle=1h;voice=on;idle=2h"), "the key idle is there twice, with '2h' at last");
  EXPECT_EQ(fault_with("type=*;type=*"), "the key type is there twice, with '*' at last");
  EXPECT_TRUE(fault_with("idle=1h;").starts_with("there is no key ''"));
}

TEST(DeviceGroupSyntax, refuses_what_is_no_block) {
  EXPECT_EQ(
      fault_with("from=10.10.225.1/24"),
      "from cannot be '10.10.225.1/24': an IPv4 address or a block of them without bits behind its prefix, "
      "such as 10.0.0.7 or 10.0.0.0/8; did you mean 10.10.225.0/24?");
  for (const char* value : {"", "10.0.0.0/33", "host", "::1"})
    EXPECT_TRUE(fault_with(std::string("from=") + value).starts_with("from cannot be '")) << value;
}

TEST(DeviceGroupSyntax, refuses_what_is_no_pattern) {
  EXPECT_EQ(
      fault_with("type="),
      "type cannot be '': a pattern of 1 to 64 printable characters of ASCII without '~', in which * is any "
      "characters and ? is one, such as PDT90*");
  for (const std::string value : {"a~b", "a\tb", "\x7f", "\xc3\xbc"})
    EXPECT_TRUE(fault_with("type=" + value).starts_with("type cannot be '")) << value;
  EXPECT_EQ(group_of("g;type=" + std::string(64, '?')).type.size(), 64u);
  EXPECT_TRUE(fault_with("type=" + std::string(65, '?')).starts_with("type cannot be '???"));
}

TEST(DeviceGroupSyntax, refuses_what_is_no_list_of_hosts) {
  EXPECT_EQ(
      fault_with("hosts=wms,"),
      "hosts cannot be 'wms,': names of different device hosts with ',' between them, such as wms,mail");
  for (const char* value : {"", ",", "a,,b", ",a", "a, b", "a,b,a", "a:23", "@telnet"})
    EXPECT_TRUE(fault_with(std::string("hosts=") + value).starts_with("hosts cannot be '")) << value;
}

TEST(DeviceGroupSyntax, has_at_most_256_hosts_in_a_group) {
  std::string hosts = "h0";
  for (int count = 1; count < 256; ++count) hosts += ",h" + std::to_string(count);
  EXPECT_EQ(group_of("g;hosts=" + hosts).hosts.size(), 256u);
  EXPECT_TRUE(fault_with("hosts=" + hosts + ",x").starts_with("hosts cannot be 'h0,h1"));
}

TEST(DeviceGroupSyntax, refuses_times_outside_their_range) {
  EXPECT_EQ(fault_with("idle=0s"), "idle cannot be '0s': whole seconds from 1s to 365d, such as 12h");
  EXPECT_EQ(fault_with("keyboard-timeout=90"),
            "keyboard-timeout cannot be '90': 0 for none, or whole seconds from 1s to 365d, such as 5m");
  EXPECT_EQ(fault_with("backlight-timeout=1500ms"),
            "backlight-timeout cannot be '1500ms': 0 for none, or whole seconds from 1s to 365d, such as 5m");
  EXPECT_EQ(fault_with("keep-alive=14s"),
            "keep-alive cannot be '14s': 0 for none, or whole seconds from 15s to 365d, such as 1m");
  for (const char* value : {"", "0", "-1s", "366d", "999ms", "1ms", "12", "h", "1 h", "36500d"})
    EXPECT_TRUE(fault_with(std::string("idle=") + value).starts_with("idle cannot be '")) << value;
  EXPECT_EQ(group_of("g;idle=365d").idle, 365 * 24h);
  EXPECT_EQ(group_of("g;idle=2000ms").idle, 2s);
  EXPECT_EQ(group_of("g;keep-alive=0s").keep_alive, 0s);
}

TEST(DeviceGroupSyntax, refuses_words_that_are_not_offered) {
  EXPECT_EQ(fault_with("encryption=off"),
            "encryption cannot be 'off': required; without the key a group asks for no more than "
            "--device-encryption does");
  EXPECT_EQ(fault_with("voice=yes"), "voice cannot be 'yes': on or off");
  EXPECT_EQ(fault_with("headless=1"), "headless cannot be '1': on or off");
  EXPECT_EQ(fault_with("resume=UID"), "resume cannot be 'UID': ticket or uid");
  for (const char* value : {"0", "11", "", "-1", "1.5", "99999999999"})
    EXPECT_EQ(fault_with(std::string("sessions=") + value),
              "sessions cannot be '" + std::string(value) + "': a whole number from 1 to 10");
}

TEST(DeviceGroupSyntax, has_a_default_that_takes_everybody) {
  const std::string reason =
      "device group 'default': it takes everybody whom no other group takes, so it has neither from nor "
      "type; "
      "name the group of these devices differently";
  EXPECT_EQ(group_fault("default;from=10.0.0.0/8"), reason);
  EXPECT_EQ(group_fault("default;idle=1h;type=PDT*"), reason);
  EXPECT_EQ(group_of("default;from=0.0.0.0/0;type=*"), group_of("default"));
}

TEST(DeviceHostSyntax, has_a_name_a_place_and_a_terminal) {
  const DeviceHost wms = host_of("wms=10.1.0.5:23");
  EXPECT_EQ(wms.name, "wms");
  EXPECT_EQ(wms.host, "10.1.0.5");
  EXPECT_EQ(wms.port, 23);
  EXPECT_EQ(wms.term, "vt220");
  const DeviceHost mail = host_of("mail=mail.example:65535;term=screen-256color");
  EXPECT_EQ(mail.host, "mail.example");
  EXPECT_EQ(mail.port, 65535);
  EXPECT_EQ(mail.term, "screen-256color");
}

TEST(DeviceHostSyntax, is_written_as_it_is_read) {
  for (const char* text : {"wms=10.1.0.5:23", "mail=mail.example:2323;term=screen-256color", "a=b_c-d.e:1"})
    EXPECT_EQ(to_string(host_of(text)), text);
  EXPECT_EQ(to_string(host_of("a=b:023;term=vt220")), "a=b:23");
}

TEST(DeviceHostSyntax, refuses_names_that_are_no_words) {
  EXPECT_EQ(host_fault("10.1.0.5:23"),
            "device host '10.1.0.5:23': NAME=HOST:PORT is needed, such as wms=10.1.0.5:23");
  EXPECT_EQ(host_fault("a b=h:23"),
            "device host 'a b': its name has to be 1 to 32 letters, digits, '.', '_' and '-'");
  for (const std::string& text :
       {std::string("=h:23"), std::string("a,b=h:23"), std::string(33, 'n') + "=h:23"})
    EXPECT_NE(host_fault(text).find("its name has to be"), std::string::npos) << text;
}

TEST(DeviceHostSyntax, refuses_places_that_nobody_can_connect_to) {
  EXPECT_EQ(
      host_fault("wms=10.1.0.5"),
      "device host 'wms': it cannot be at '10.1.0.5': HOST:PORT with a name or an IPv4 address and a port "
      "from 1 to 65535, such as 10.1.0.5:23");
  for (const std::string place :
       {"", ":", ":23", "h:", "h:0", "h:65536", "h:-1", "h:2x", "h: 23", "10.1.0:23", "10.1.0.256:23",
        "010.1.0.5:23", "[::1]:23", "::1:23", "a b:23", "h/x:23", "...:23"})
    EXPECT_TRUE(host_fault("wms=" + place).starts_with("device host 'wms': it cannot be at '" + place + "'"))
        << host_fault("wms=" + place);
  EXPECT_EQ(host_of("w=" + std::string(253, 'h') + ":1").host.size(), 253u);
  EXPECT_NE(host_fault("w=" + std::string(254, 'h') + ":1").find("it cannot be at 'hhh"), std::string::npos);
}

TEST(DeviceHostSyntax, refuses_xterm_and_says_why) {
  for (const char* term : {"xterm", "xterm-256color", "XTerm"})
    EXPECT_EQ(
        host_fault(std::string("wms=h:23;term=") + term),
        "device host 'wms': term cannot be '" + std::string(term) +
            "': programs that take the terminal for an xterm ask it what it cannot answer, and the screen "
            "stays empty; vt220, or screen-256color for colours");
  EXPECT_EQ(host_of("wms=h:23;term=xter").term, "xter");
}

TEST(DeviceHostSyntax, refuses_other_options) {
  EXPECT_EQ(host_fault("wms=h:23;tls=on"),
            "device host 'wms': there is no option 'tls=on'; term=TYPE may follow");
  EXPECT_EQ(host_fault("wms=h:23;"), "device host 'wms': there is no option ''; term=TYPE may follow");
  EXPECT_EQ(host_fault("wms=h:23;term="),
            "device host 'wms': term cannot be '': 1 to 40 letters, digits, '.', '_', '+' and '-', such as "
            "vt220 or "
            "screen-256color");
  for (const std::string& term : {std::string("a b"), std::string("a;term=b"), std::string(41, 't')})
    EXPECT_NE(host_fault("wms=h:23;term=" + term).find("term cannot be '"), std::string::npos) << term;
  EXPECT_EQ(host_of("wms=h:23;term=" + std::string(40, 't')).term.size(), 40u);
}

TEST(DeviceGroupSyntax, says_what_is_wrong_in_one_printable_line) {
  const std::string hostile = "a\n\x1b[2J\xff" + std::string(10'000, 'x');
  for (const std::string& fault :
       {group_fault(hostile), fault_with(hostile), fault_with("type=" + hostile),
        fault_with("idle=" + hostile), host_fault(hostile), host_fault(hostile + "=h:23"),
        host_fault("w=" + hostile), host_fault("w=h:1;" + hostile)}) {
    EXPECT_TRUE(std::ranges::all_of(fault, [](char c) { return c >= ' ' && c <= '~'; })) << fault;
    EXPECT_LE(fault.size(), 400u) << fault;
  }
}

}  // namespace
}  // namespace lekt
