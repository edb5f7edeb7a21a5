// `lekt` on a machine whose network changes under it: another address, name servers that do not answer.
#include <chrono>
#include <csignal>
#include <filesystem>
#include <iterator>
#include <optional>
#include <string>

#include "client/client.h"
#include "tests/fault/fault_support.h"
#include "tests/fault/network.h"
#include "tests/integration/process.h"
#include "tests/integration/sqlite.h"
#include "tests/support/paths.h"

namespace lekt::test {

namespace {

using namespace std::chrono_literals;
using Clock = std::chrono::steady_clock;

/// The server's machine, and one for `lekt` that has the addresses which a test gives it.
class ClientNetworkTest : public FaultTest {
 protected:
  void SetUp() override {
    const std::string reason = Network::cannot_have_one();
    if (!reason.empty()) GTEST_SKIP() << reason;
    server_.emplace();
    client_.emplace();
    server_->ip({"link", "add", "cable", "type", "veth", "peer", "name", "plug", "netns", client_->path()});
    server_->ip({"addr", "add", "10.77.0.1/16", "dev", "cable"});
    server_->ip({"link", "set", "cable", "up"});
    client_->ip({"link", "set", "plug", "up"});
  }

  void start_server(const std::string& address = "10.77.0.1") {
    const auto stay = server_->enter();
    start({"--listen", address + ":0"});
  }

  Process lekt(const std::vector<std::string>& arguments) { return lekt(*client_, arguments); }
  Process lekt(const NetworkNamespace& where, const std::vector<std::string>& arguments) {
    const auto stay = where.enter();
    return Process(program_file("lekt"), arguments, lekt_directory_.path());
  }

  std::optional<NetworkNamespace> server_;
  std::optional<NetworkNamespace> client_;
  TempDirectory lekt_directory_;
};

TEST_F(ClientNetworkTest, a_client_whose_address_changes_joins_from_the_new_one) {
  client_->ip({"addr", "add", "10.77.2.5/16", "dev", "plug"});
  start_server();
  const std::string name = "10.77.0.1:" + std::to_string(daemon().port());
  // It sends nothing in between, so it cannot find out by a timeout.
  const Process member = lekt({"join", "--server", name, "--interval", "1h"});
  ASSERT_TRUE(eventually([&] { return member.output() == "+ 10.77.2.5\n"; }, patience())) << member.errors();
  client_->ip({"addr", "del", "10.77.2.5/16", "dev", "plug"});
  ASSERT_TRUE(eventually([&] { return member.errors().find("; next attempt in ") != std::string::npos; }));
  client_->ip({"addr", "add", "10.77.2.6/16", "dev", "plug"});
  ASSERT_TRUE(eventually(
      [&] { return member.errors().find("joined " + name + " from 10.77.2.6:") != std::string::npos; },
      patience()))
      << member.errors();
  EXPECT_NE(
      member.errors().find("lekt: E708 this machine no longer has the address 10.77.2.5, from which it was "
                           "connected; next attempt in 0.0 s\n"),
      std::string::npos)
      << member.errors();
}

TEST_F(ClientNetworkTest, other_addresses_that_come_and_go_leave_the_connection_alone) {
  client_->ip({"addr", "add", "10.77.2.5/16", "dev", "plug"});
  start_server();
  struct Counting : ClientHandler {
    void on_disconnected(const Disconnection& end) override { trouble = end.reason; }
    void on_synchronised() override { ++answers; }
    int answers = 0;
    std::string trouble;
  } handler;
  const auto stay = client_->enter();
  Client client({.server = "10.77.0.1:" + std::to_string(daemon().port()), .interval = 10ms}, handler);
  const auto gets_answers = [&] {
    const int before = handler.answers;
    const auto end = Clock::now() + patience();
    while (handler.answers < before + 3 && Clock::now() < end) client.run_for(10ms);
    return handler.answers >= before + 3;
  };
  EXPECT_TRUE(gets_answers());
  client_->ip({"addr", "add", "10.77.2.6/16", "dev", "plug"});
  EXPECT_TRUE(gets_answers());
  client_->ip({"addr", "del", "10.77.2.6/16", "dev", "plug"});
  EXPECT_TRUE(gets_answers());
  EXPECT_EQ(handler.trouble, "");
}

TEST_F(ClientNetworkTest, a_new_address_ends_a_long_wait) {
  start_server();
  struct Waiting : ClientHandler {
    void on_disconnected(const Disconnection& end) override {
      next_attempt = Clock::now() + end.retry_in;
      waits_long = end.retry_in >= 1s;
    }
    void on_synchronised() override { joined = true; }
    Clock::time_point next_attempt;
    bool waits_long = false;
    bool joined = false;
  } handler;
  const auto stay = client_->enter();
  Client client(
      {.server = "10.77.0.1:" + std::to_string(daemon().port()), .retry_first = 1ms, .retry_last = 1h},
      handler);
  const auto end = Clock::now() + patience();
  while (!handler.waits_long && Clock::now() < end) client.run_for(10ms);
  ASSERT_TRUE(handler.waits_long);
  client_->ip({"addr", "add", "10.77.2.5/16", "dev", "plug"});
  while (!handler.joined && Clock::now() < end) client.run_for(1ms);
  EXPECT_TRUE(handler.joined);
  EXPECT_LT(Clock::now(), handler.next_attempt);
}

TEST_F(ClientNetworkTest, a_loopback_address_that_others_are_told_is_warned_of_on_both_sides) {
  client_->ip({"addr", "add", "10.77.2.5/16", "dev", "plug"});
  start_server("0.0.0.0");
  const std::string port = ":" + std::to_string(daemon().port());
  const auto warns = [&](const std::string& warnings) {
    return eventually(
        [&] {
          return Operator(database()).ask_one("SELECT count(*) FROM warnings WHERE code = 'E710'") ==
                 warnings;
        },
        patience());
  };
  const Process local =
      lekt(*server_, {"join", "--server", "127.0.0.1" + port, "--method", "tcp:1", "--interval", "50ms"});
  ASSERT_TRUE(eventually([&] { return !local.output().empty(); }, patience()));
  EXPECT_EQ(count(daemon().log(), "E710"), 0U) << "those of one machine may well use it";
  {
    TempDirectory directory;
    const auto stay = client_->enter();
    const Process other(program_file("lekt"), {"join", "--server", "10.77.0.1" + port}, directory.path());
    EXPECT_TRUE(daemon().logs("E710 1 of 2 clients are listed under a loopback address"));
    EXPECT_TRUE(
        eventually([&] { return count(local.errors(), "lekt: E710 others are told 127.0.0.1") == 1; }));
    EXPECT_EQ(count(other.errors(), "E710"), 0U);
    EXPECT_TRUE(warns("1"));
  }
  EXPECT_TRUE(warns("0")) << "those that are left can reach each other";
}

class SilentNetworkTest : public ClientNetworkTest {
 protected:
  void SetUp() override {
    ClientNetworkTest::SetUp();
    if (IsSkipped()) return;
    // Whatever name servers the machine has, what is sent to them is lost.
    client_->ip({"addr", "add", "10.77.2.5/16", "dev", "plug"});
    client_->ip({"neigh", "add", "10.77.0.77", "lladdr", "02:00:00:00:00:01", "dev", "plug"});
    client_->ip({"route", "add", "default", "via", "10.77.0.77"});
  }

  static std::size_t threads_of(const Process& process) {
    const auto tasks = std::filesystem::directory_iterator("/proc/" + std::to_string(process.id()) + "/task");
    return static_cast<std::size_t>(std::distance(begin(tasks), end(tasks)));
  }
};

TEST_F(SilentNetworkTest, ping_ends_in_time_when_name_servers_are_silent) {
  const auto begin = Clock::now();
  Process ping = lekt({"ping", "--server", "coordinator.example", "--timeout", "200ms"});
  EXPECT_EQ(ping.wait(), 1);
  EXPECT_LT(Clock::now() - begin, 4s);
  EXPECT_TRUE(ping.errors().starts_with("lekt: E701 cannot connect to coordinator.example:7890: "))
      << ping.errors();
}

TEST_F(SilentNetworkTest, a_signal_ends_join_at_once_when_name_servers_are_silent) {
  Process member = lekt({"join", "--server", "coordinator.example"});
  // Its own, those of its two outputs, and the one that asks.
  ASSERT_TRUE(eventually([&] { return threads_of(member) > 3 || !member.errors().empty(); }, patience()));
  const auto begin = Clock::now();
  member.send_signal(SIGTERM);
  EXPECT_EQ(member.wait(), 0);
  EXPECT_LT(Clock::now() - begin, 2s);
}

TEST_F(SilentNetworkTest, a_signal_ends_lekt_as_the_first_process_of_a_container_too) {
  const auto stay = client_->enter();
  // What is sent to this address is lost, so it connects for as long as it may.
  Process container("/usr/bin/unshare",
                    {"--pid", "--fork", "--kill-child", program_file("lekt"), "ping", "--server", "192.0.2.1",
                     "--timeout", "1h"},
                    lekt_directory_.path());
  const std::string id = std::to_string(container.id());
  const auto first_process = [&] { return read_text("/proc/" + id + "/task/" + id + "/children"); };
  ASSERT_TRUE(eventually([&] { return !first_process().empty(); }, patience()));
  const std::string child = first_process().substr(0, first_process().find(' '));
  // It is `lekt`, and has its handlers, when it has a socket.
  ASSERT_TRUE(eventually(
      [&] {
        std::error_code ignored;
        for (const auto& entry : std::filesystem::directory_iterator("/proc/" + child + "/fd", ignored))
          if (std::filesystem::read_symlink(entry, ignored).string().starts_with("socket:")) return true;
        return false;
      },
      patience()));
  ASSERT_EQ(::kill(std::stoi(child), SIGTERM), 0);
  EXPECT_EQ(container.wait(), 128 + SIGTERM);
}

}  // namespace

}  // namespace lekt::test
