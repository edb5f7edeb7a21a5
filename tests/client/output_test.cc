#include "client/command/output.h"

#include <gtest/gtest.h>

#include <algorithm>

#include "tests/client/fake_server.h"
#include "tests/support/support.h"

namespace lekt::command {
namespace {

using test::hex;
using test::tcp;

MethodCatalogue chat_catalogue() {
  MethodCatalogue made;
  EXPECT_FALSE(made.add("2:chat:sized"));
  return made;
}

const Address address = parse_address("10.0.0.7").value();
const Offer rich = {{{1, tcp_information(7890)}, {2, hex("00000002 0a0b0000")}}, hex("00000009 0000000a")};
const Offer plain = {tcp(7890), {}};

TEST(Output, text_has_a_sign_an_address_and_methods) {
  EXPECT_EQ(text_of({PeerChange::Kind::added, address, {}, rich}, chat_catalogue()),
            "+ 10.0.0.7 tcp:7890 chat:0a0b ?9:0000000a\n");
  EXPECT_EQ(text_of({PeerChange::Kind::changed, address, rich, plain}, chat_catalogue()),
            "~ 10.0.0.7 tcp:7890\n");
  EXPECT_EQ(text_of({PeerChange::Kind::removed, address, rich, {}}, chat_catalogue()), "- 10.0.0.7\n");
  EXPECT_EQ(text_of({PeerChange::Kind::added, address, {}, {}}, chat_catalogue()), "+ 10.0.0.7\n");
}

TEST(Output, json_names_what_it_knows) {
  EXPECT_EQ(json_of(address, rich, chat_catalogue()),
            R"({"address":"10.0.0.7","methods":[{"index":1,"name":"tcp","port":7890},)"
            R"({"index":2,"name":"chat","hex":"0a0b"},{"index":9,"hex":"0000000a"}]})"
            "\n");
  EXPECT_EQ(json_of({PeerChange::Kind::changed, address, {}, plain}, chat_catalogue()),
            R"({"event":"changed","address":"10.0.0.7","methods":[{"index":1,"name":"tcp","port":7890}],)"
            R"("methods_before":[]})"
            "\n");
  EXPECT_EQ(json_of({PeerChange::Kind::removed, address, plain, {}}, chat_catalogue()),
            "{\"event\":\"removed\",\"address\":\"10.0.0.7\"}\n");
}

TEST(Output, a_device_is_text_everywhere) {
  const Offer device = {{{3006, hex("0000000d 7569643d 612c2274 7970653d 62000000")}}, {}};
  EXPECT_EQ(text_of({PeerChange::Kind::added, address, {}, device}, chat_catalogue()),
            "+ 10.0.0.7 device:uid=a,_type=b\n");
  EXPECT_EQ(json_of(address, device, chat_catalogue()),
            R"({"address":"10.0.0.7","methods":[{"index":3006,"name":"device","text":"uid=a,_type=b"}]})"
            "\n");
  Offer reached = device;
  reached.methods.insert(reached.methods.begin(), {1, tcp_information(7890)});
  const std::string file = prometheus_of({{address, reached}}, chat_catalogue(), "10.0.0.1");
  EXPECT_NE(file.find(R"("__meta_lekt_method_device": "uid=a,_type=b")"), std::string::npos) << file;
}

Offer named(ByteView name) {
  return {
      {{1, tcp_information(7890)}, {name_index, MethodCatalogue::wrap({MethodForm::Kind::text, 0}, name)}},
      {}};
}

TEST(Output, a_name_is_text_everywhere) {
  const Peers peers = {{address, named("Kitchen pi")}};
  EXPECT_EQ(text_of({PeerChange::Kind::added, address, {}, named("Kitchen pi")}, chat_catalogue()),
            "+ 10.0.0.7 tcp:7890 name:\"Kitchen pi\"\n");
  EXPECT_EQ(json_of(address, named("a \"b\""), chat_catalogue()),
            R"({"address":"10.0.0.7","methods":[{"index":1,"name":"tcp","port":7890},)"
            R"({"index":3007,"name":"name","text":"a \"b\""}]})"
            "\n");
  const std::string file = prometheus_of(peers, chat_catalogue(), "10.0.0.1");
  EXPECT_NE(file.find(R"("__meta_lekt_method_name": "Kitchen pi")"), std::string::npos) << file;
}

TEST(Output, a_name_of_any_bytes_breaks_no_line_and_no_json) {
  const Offer hostile = named("\x1b]0;x\x07\n+ 10.0.0.9\xff tcp:22");
  const std::string line = text_of({PeerChange::Kind::added, address, {}, hostile}, chat_catalogue());
  EXPECT_EQ(line, "+ 10.0.0.7 tcp:7890 name:\"\\x1b]0;x\\x07\\n+ 10.0.0.9\\xff tcp:22\"\n");
  const std::string json = json_of(address, hostile, chat_catalogue());
  EXPECT_NE(json.find(R"("text":"\\x1b]0;x\\x07\\n+ 10.0.0.9\\xff tcp:22")"), std::string::npos) << json;
  const std::string hosts = hosts_of({{address, hostile}}, chat_catalogue(), "10.0.0.1");
  EXPECT_EQ(std::ranges::count(hosts, '\n'), 2) << hosts;
}

TEST(Output, hosts_have_the_names_that_can_be_host_names) {
  EXPECT_EQ(hosts_of({{address, named("Kitchen")}, {parse_address("10.0.0.8").value(), named("the hall")}},
                     chat_catalogue(), "10.0.0.1"),
            "# Peers that the coordinator 10.0.0.1 lists. Rewritten by `lekt join`; edits are lost.\n"
            "10.0.0.7 lekt-10-0-0-7 kitchen.lekt  # tcp:7890 name:Kitchen\n"
            "10.0.0.8 lekt-10-0-0-8  # tcp:7890 name:\"the hall\"\n");
}

TEST(Output, peers_are_sorted_by_their_first_name_and_those_without_one_come_last) {
  PeerList peers;
  std::uint32_t last = 0;
  for (const Offer& offer : {plain, named("b"), named("C"), named("a"), named("B")})
    peers.emplace_back(Address::v4(0x0a000000 + ++last), offer);
  sort_by_name(peers);
  std::string order;
  for (const auto& [peer, offer] : peers) order += to_string(peer).back();
  EXPECT_EQ(order, "42531");
}

TEST(Output, a_table_is_as_wide_as_its_longest_address) {
  EXPECT_EQ(table_of({}, chat_catalogue()), "ADDRESS  METHODS\n");
  EXPECT_EQ(table_of({{address, plain}, {parse_address("192.168.100.100").value(), {}}}, chat_catalogue()),
            "ADDRESS          METHODS\n"
            "10.0.0.7         tcp:7890\n"
            "192.168.100.100  -\n");
}

TEST(Output, hosts_lines_have_a_name_made_of_the_address) {
  EXPECT_EQ(
      hosts_of({{address, plain}, {parse_address("10.0.0.8").value(), {}}}, chat_catalogue(), "10.0.0.1"),
      "# Peers that the coordinator 10.0.0.1 lists. Rewritten by `lekt join`; edits are lost.\n"
      "10.0.0.7 lekt-10-0-0-7  # tcp:7890\n"
      "10.0.0.8 lekt-10-0-0-8\n");
}

TEST(Output, prometheus_gets_a_target_for_each_tcp_port_with_the_methods_as_labels) {
  Offer two_programs = rich;
  two_programs.methods.insert(two_programs.methods.begin() + 1, tcp(7891).front());
  const Peers peers = {{address, two_programs},
                       {parse_address("10.0.0.8").value(), {}},
                       {parse_address("10.0.0.9").value(), plain}};
  EXPECT_EQ(prometheus_of(peers, chat_catalogue(), "10.0.0.1"), R"([
  {
    "targets": [
      "10.0.0.7:7890",
      "10.0.0.7:7891"
    ],
    "labels": {
      "__meta_lekt_server": "10.0.0.1",
      "__meta_lekt_address": "10.0.0.7",
      "__meta_lekt_method_tcp": "7890,7891",
      "__meta_lekt_method_chat": "0a0b",
      "__meta_lekt_method_9": "0000000a"
    }
  },
  {
    "targets": [
      "10.0.0.9:7890"
    ],
    "labels": {
      "__meta_lekt_server": "10.0.0.1",
      "__meta_lekt_address": "10.0.0.9",
      "__meta_lekt_method_tcp": "7890"
    }
  }
]
)");
  EXPECT_EQ(prometheus_of({}, chat_catalogue(), "10.0.0.1"), "[]\n");
}

TEST(Output, names_of_methods_become_names_of_labels) {
  MethodCatalogue made;
  ASSERT_FALSE(made.add("2:web-page:fixed:2"));
  Offer offer = plain;
  offer.methods.push_back({2, hex("01020000")});
  EXPECT_NE(prometheus_of({{address, offer}}, made, "s").find(R"("__meta_lekt_method_web_page": "0102")"),
            std::string::npos);
}

}  // namespace
}  // namespace lekt::command
