// Devices behind networks that lose, double, translate, move and cut: `lekt device` on a machine of its own, a router,
// and lektd behind it.
#include <unistd.h>

#include <chrono>
#include <csignal>
#include <exception>
#include <fstream>
#include <iostream>
#include <optional>
#include <regex>
#include <set>
#include <string>

#include "tests/fault/network.h"
#include "tests/integration/operators_command.h"
#include "tests/integration/tcp_host.h"

namespace lekt::test {

namespace {

using namespace std::chrono_literals;
using testing::IsSubstring;

const std::string server_address = "10.77.0.1";
const std::string other_server_address = "10.77.0.2";
const std::string router_address = "10.77.0.254";  // as the server sees it
const std::string device_address = "10.78.0.5";

/// A number and enter for each step: one input, since a script waits until the session has taken it.
std::vector<std::string> numbers(std::size_t first, std::size_t last) {
  std::vector<std::string> script;
  for (std::size_t number = first; number <= last; ++number)
    script.insert(script.end(), {"--send", std::to_string(number) + "\\r"});
  return script;
}

/// What a telnet host is sent when all of them are typed.
Bytes typed_numbers(std::size_t last) {
  Bytes typed;
  for (std::size_t number = 1; number <= last; ++number)
    (typed += std::to_string(number)) += Bytes("\r\0", 2);
  return typed;
}

/// More than three datagrams can hold.
constexpr std::size_t long_text_inputs = 4;
std::vector<std::string> long_text() { return {"--send", std::string(4'000, 'a')}; }

/// server 10.77.0.1, .2 ── cable ── 10.77.0.254 router 10.78.0.254 ── plug ── 10.78.0.5 device
class DeviceNetworkTest : public OperatorsCommandTest {
 protected:
  void SetUp() override {
    const std::string reason = Network::cannot_have_one();
    if (!reason.empty()) GTEST_SKIP() << reason;
    server_.emplace();
    router_.emplace();
    device_.emplace();
    router_->ip(
        {"link", "add", "to-server", "type", "veth", "peer", "name", "cable", "netns", server_->path()});
    router_->ip(
        {"link", "add", "to-device", "type", "veth", "peer", "name", "plug", "netns", device_->path()});
    router_->ip({"addr", "add", router_address + "/24", "dev", "to-server"});
    router_->ip({"addr", "add", "10.78.0.254/24", "dev", "to-device"});
    router_->ip({"link", "set", "to-server", "up"});
    router_->ip({"link", "set", "to-device", "up"});
    server_->ip({"addr", "add", server_address + "/24", "dev", "cable"});
    server_->ip({"addr", "add", other_server_address + "/24", "dev", "cable"});
    server_->ip({"link", "set", "cable", "up"});
    server_->ip({"route", "add", "default", "via", router_address});
    device_->ip({"link", "set", "plug", "up"});
    give_device(device_address);
    const auto stay = router_->enter();
    std::ofstream("/proc/sys/net/ipv4/ip_forward") << "1";
  }

  void give_device(const std::string& address) const {
    device_->ip({"addr", "add", address + "/24", "dev", "plug"});
    device_->ip({"route", "replace", "default", "via", "10.78.0.254"});
  }
  void take_from_device(const std::string& address) const {
    device_->ip({"addr", "del", address + "/24", "dev", "plug"});
  }

  void start_server(Flags flags = {}) {
    const auto stay = server_->enter();
    flags.insert(flags.end(), {"--listen", server_address + ":0", "--device-listen", "0.0.0.0:3006"});
    start(flags);
  }

  /// With a host on its machine that shows what is typed, and keeps it.
  void start_server_with_host(Flags flags = {}) {
    {
      const auto stay = server_->enter();
      host_.emplace(server_address, [this](const TcpStream& user) {
        for (Bytes bytes; !(bytes = user.receive()).empty();) {
          typed_.add(bytes);
          std::erase(bytes, '\0');
          user.send(bytes);
        }
      });
    }
    flags.insert(flags.end(), {"--device-host", "wms=" + host_->place()});
    start_server(flags);
  }

  /// The host was sent exactly this, in one connection.
  void expect_typed(const Bytes& text) {
    eventually([&] { return typed_.text().size() >= text.size(); }, patience());
    EXPECT_EQ(typed_.text(), text);
    EXPECT_EQ(host_->connections(), 1u);
  }

  /// `lekt device` with a script, and the same ticket each time.
  Process device(const std::vector<std::string>& script, const std::string& server = server_address) {
    Flags arguments = {"device", "--server", server, "--client-port", "3771", "--timeout", "2m"};
    arguments.insert(arguments.end(), {"--ticket", directory_.path() / "ticket", "--string", string_});
    arguments.insert(arguments.end(), script.begin(), script.end());
    const auto stay = device_->enter();
    return Process(program_file("lekt"), arguments, device_directory_.path());
  }

  /// A member on the server's machine, that has heard of itself.
  Process peer() {
    const auto stay = server_->enter();
    return Process(
        program_file("lekt"),
        {"join", "--server", server_address + ":" + std::to_string(daemon().port()), "--interval", "50ms"},
        peer_directory_.path());
  }
  /// What it has heard: "+ 10.77.0.1", without what it was told of their methods.
  static Lines heard_by(const Process& peer) {
    Lines heard = lines_of(peer.output());
    for (std::string& line : heard) line = line.substr(0, line.find(' ', 2));
    return heard;
  }
  static bool hears(const Process& peer, std::size_t lines) {
    return eventually([&] { return heard_by(peer).size() >= lines; }, patience());
  }

  Json details() const { return objects({"device", "joe"}).at(0); }
  std::size_t session() const { return details().at("status").at("session"); }
  std::size_t inputs() const {
    const Outcome told = lektctl({"device", "joe", "--json"});
    return told.status == 0 ? Json::parse(told.output).at("inputs").get<std::size_t>() : 0;
  }
  bool takes(std::size_t count) const {
    return eventually([&] { return inputs() >= count; }, patience());
  }

  /// How many it had to send in pieces (FragOKs).
  static std::size_t datagrams_in_pieces(const NetworkNamespace& machine) {
    return std::stoul(machine.run_here("/bin/sh", {"-c", "awk '/^Ip: [0-9]/ {print $18}' /proc/net/snmp"}));
  }

  /// It has done its script, all of which the one session has taken once.
  void expect_all_taken(Process& device, std::size_t count) {
    EXPECT_EQ(device.wait(slowed(2min)), 0) << device.errors();
    EXPECT_EQ(inputs(), count);
    EXPECT_EQ(session(), 1u);
    EXPECT_EQ(objects({"devices"}).size(), 1u);
    EXPECT_EQ(test::count(daemon().log(), "event=device_join"), 1u) << daemon().log();
  }

  SharedText typed_;  ///< that the host was sent
  std::optional<TcpHost> host_;
  std::optional<NetworkNamespace> server_;
  std::optional<NetworkNamespace> router_;
  std::optional<NetworkNamespace> device_;
  std::string string_ = "~~~~PDT~24~80~9~1~107~~~joe~~~~~~Linux~";  ///< that the device says of itself
  TempDirectory device_directory_;
  TempDirectory peer_directory_;
};

TEST_F(DeviceNetworkTest, a_hole_of_half_a_minute_is_shown_to_the_user_and_to_nobody_else) {
  start_server_with_host();
  const Process member = peer();
  ASSERT_TRUE(hears(member, 1)) << member.errors();
  Process typing = device(numbers(1, 60));
  ASSERT_TRUE(takes(10)) << typing.errors();
  router_->ip({"link", "set", "to-device", "down"});
  // Fixed by the protocol: after 3 s and 30 s without an answer.
  const auto has_shown = [&](const std::string& state) {
    return eventually([&] { return typing.errors().find(state) != std::string::npos; }, slowed(40s));
  };
  EXPECT_TRUE(has_shown(" [Linking]\n")) << typing.errors();
  EXPECT_TRUE(has_shown(" [Out of Range]\n")) << typing.errors();
  router_->ip({"link", "set", "to-device", "up"});
  expect_all_taken(typing, 60);
  expect_typed(typed_numbers(60));
  EXPECT_EQ(heard_by(member), (Lines{"+ 10.77.0.1", "+ 10.78.0.5"}));
}

TEST_F(DeviceNetworkTest, a_device_that_moves_while_its_user_types_goes_on_under_its_new_address) {
  start_server_with_host();
  const Process member = peer();
  ASSERT_TRUE(hears(member, 1)) << member.errors();
  Process typing = device(numbers(1, 80));
  ASSERT_TRUE(takes(10)) << typing.errors();
  take_from_device(device_address);
  give_device("10.78.0.6");
  expect_all_taken(typing, 80);
  expect_typed(typed_numbers(80));
  EXPECT_PRED_FORMAT2(IsSubstring, " the session goes on\n", typing.errors());
  EXPECT_EQ(details().at("status").at("address"), "10.78.0.6");
  ASSERT_TRUE(hears(member, 4));
  const Lines heard = heard_by(member);
  EXPECT_EQ(Lines(heard.begin(), heard.begin() + 2), (Lines{"+ 10.77.0.1", "+ 10.78.0.5"}));
  EXPECT_EQ(std::multiset<std::string>(heard.begin() + 2, heard.end()),
            (std::multiset<std::string>{"+ 10.78.0.6", "- 10.78.0.5"}));
}

TEST_F(DeviceNetworkTest, a_device_that_was_killed_comes_back_to_its_session_with_its_ticket) {
  start_server_with_host();
  const Process member = peer();
  ASSERT_TRUE(hears(member, 1)) << member.errors();
  auto script = numbers(1, 3);
  script.insert(script.end(), {"--expect", "what never comes"});
  {
    Process killed = device(script);
    ASSERT_TRUE(takes(3)) << killed.errors();
    killed.send_signal(SIGKILL);
    EXPECT_EQ(killed.wait(), -SIGKILL);
  }
  Process again = device(numbers(4, 5));
  expect_all_taken(again, 5);
  expect_typed(typed_numbers(5));
  EXPECT_PRED_FORMAT2(IsSubstring, " the session goes on\n", again.errors());
  EXPECT_EQ(heard_by(member), (Lines{"+ 10.77.0.1", "+ 10.78.0.5"}));
}

TEST_F(DeviceNetworkTest, answers_leave_from_the_address_that_was_asked) {
  start_server();
  // A device takes nothing that comes from elsewhere.
  Process first = device(numbers(1, 2), other_server_address);
  expect_all_taken(first, 2);
  Process second = device(numbers(3, 4), server_address);
  expect_all_taken(second, 4);
}

/// The router has a filter and translates addresses.
class FilteredDeviceNetworkTest : public DeviceNetworkTest {
 protected:
  void SetUp() override {
    DeviceNetworkTest::SetUp();
    if (IsSkipped()) return;
    for (const char* program : {nft, conntrack})
      if (access(program, X_OK) != 0) GTEST_SKIP() << program << " is not installed";
    try {
      const NetworkNamespace trial;
      filter(trial, "forward", "filter", {"numgen random mod 10 < 3 drop", "dup to 10.0.0.1 device lo"});
      filter(trial, "postrouting", "nat", {"masquerade random"});
      forget_mappings(trial);
    } catch (const std::exception& error) {
      GTEST_SKIP() << "this test needs more of the kernel: " << error.what();
    }
  }

  static constexpr const char* nft = "/usr/sbin/nft";
  static constexpr const char* conntrack = "/usr/sbin/conntrack";

  static void filter(const NetworkNamespace& where, const std::string& hook, const std::string& type,
                     const std::vector<std::string>& rules) {
    std::string table = "table ip " + type + " { chain rules { type " + type + " hook " + hook +
                        " priority " + (type == "nat" ? "srcnat" : "filter") + ";\n";
    for (const std::string& rule : rules) table += rule + "\n";
    where.run_here(nft, {table + "}\n}\n"});
  }
  static void forget_mappings(const NetworkNamespace& where) { where.run_here(conntrack, {"--flush"}); }

  /// Of all rules with a counter.
  std::vector<std::size_t> counted_packets() const {
    static const std::regex counter("counter packets ([0-9]+)");
    const std::string rules = router_->run_here(nft, {"list", "ruleset"});
    std::vector<std::size_t> counts;
    for (std::sregex_iterator found(rules.begin(), rules.end(), counter), end; found != end; ++found)
      counts.push_back(std::stoul((*found)[1].str()));
    return counts;
  }

  /// To which ports of the router the handler log has these answers.
  std::set<std::string> ports_told(const std::string& answer) const {
    const std::regex line(answer + " to: " + router_address + ":([0-9]+)");
    const std::string log = read_text(database().string() + ".devices/device-" + router_address + ".log");
    std::set<std::string> ports;
    for (std::sregex_iterator found(log.begin(), log.end(), line), end; found != end; ++found)
      ports.insert((*found)[1].str());
    return ports;
  }
};

TEST_F(FilteredDeviceNetworkTest, with_three_of_ten_datagrams_lost_each_way_all_that_is_typed_arrives_once) {
  filter(*router_, "forward", "filter",
         {"iifname to-device numgen random mod 10 < 3 counter drop",
          "iifname to-server numgen random mod 10 < 3 counter drop"});
  start_server_with_host();
  auto script = numbers(1, 10);
  const auto text = long_text();
  script.insert(script.end(), text.begin(), text.end());
  script.insert(script.end(), {"--send", "the end", "--expect", "the end", "--print"});
  Process typing = device(script);
  expect_all_taken(typing, 10 + long_text_inputs + 1);
  expect_typed(typed_numbers(10) + std::string(4'000, 'a') + "the end");
  EXPECT_PRED_FORMAT2(IsSubstring, "the end\n", typing.output());
  const auto lost = counted_packets();
  ASSERT_EQ(lost.size(), 2u);
  std::cout << "lost: " << lost[0] << " of the device's, " << lost[1] << " of the server's\n";
  EXPECT_GT(lost[0] + lost[1], 0u);
}

TEST_F(FilteredDeviceNetworkTest, datagrams_that_are_longer_than_the_path_takes_arrive) {
  router_->ip({"route", "replace", "10.77.0.0/24", "dev", "to-server", "mtu", "1000"});
  filter(*router_, "output", "filter", {"icmp type destination-unreachable drop"});
  // The server's own screens have some 300 bytes.
  router_->ip({"route", "replace", "10.78.0.0/24", "dev", "to-device", "mtu", "200"});
  start_server();
  const std::string part(64, 'w');
  string_ = "~~~~" + part + "~24~80~0~0~0~~~joe~~~~~~" + part + "~";
  auto script = long_text();
  script.insert(script.end(), {"--expect", part, "--print"});
  Process typing = device(script);
  expect_all_taken(typing, long_text_inputs);
  EXPECT_EQ(test::count(typing.output(), part + "\n"), 2u) << typing.output();
  EXPECT_GE(datagrams_in_pieces(*router_), long_text_inputs) << "nothing was too long";
}

TEST_F(FilteredDeviceNetworkTest, datagrams_that_come_twice_change_nothing) {
  filter(*router_, "forward", "filter",
         {"ip daddr " + server_address + " counter dup to " + server_address + " device to-server",
          "ip daddr " + device_address + " counter dup to " + device_address + " device to-device"});
  start_server_with_host();
  const Process member = peer();
  ASSERT_TRUE(hears(member, 1)) << member.errors();
  auto script = numbers(1, 20);
  const auto text = long_text();
  script.insert(script.end(), text.begin(), text.end());
  Process typing = device(script);
  expect_all_taken(typing, 20 + long_text_inputs);
  expect_typed(typed_numbers(20) + std::string(4'000, 'a'));
  EXPECT_GE(details().at("duplicates"), 20 + long_text_inputs) << "each of them came twice";
  for (const std::size_t doubled : counted_packets()) EXPECT_GT(doubled, 20u);
  EXPECT_EQ(heard_by(member), (Lines{"+ 10.77.0.1", "+ 10.78.0.5"}));
}

TEST_F(FilteredDeviceNetworkTest, behind_a_nat_that_maps_each_port_differently_and_forgets_it_goes_on) {
  filter(*router_, "postrouting", "nat", {"oifname to-server masquerade fully-random"});
  start_server_with_host({"--device-log", "protocol"});
  const Process member = peer();
  ASSERT_TRUE(hears(member, 1)) << member.errors();
  Process typing = device(numbers(1, 80));
  ASSERT_TRUE(takes(10)) << typing.errors();
  const auto contact_ports = ports_told("Sending Connect Accept");
  const auto registered_ports = ports_told("Sending Registration Accept");
  ASSERT_EQ(registered_ports.size(), 1u);
  EXPECT_FALSE(contact_ports.contains(*registered_ports.begin())) << "the NAT is none that maps differently";
  forget_mappings(*router_);
  expect_all_taken(typing, 80);
  expect_typed(typed_numbers(80));
  EXPECT_PRED_FORMAT2(IsSubstring, " the session goes on\n", typing.errors());
  EXPECT_EQ(ports_told("Sending Registration Accept").size(), 2u) << "the mapping was kept";
  EXPECT_EQ(heard_by(member), (Lines{"+ 10.77.0.1", "+ 10.77.0.254"}));
}

}  // namespace

}  // namespace lekt::test
