// A cable that is pulled: clients of whom nothing is heard any more are found, and a cable that is put back
// in time is noticed by nobody.
#include <chrono>
#include <deque>
#include <iostream>
#include <optional>
#include <string>

#include "tests/fault/fault_support.h"
#include "tests/fault/network.h"

namespace lekt::test {

namespace {

using namespace std::chrono_literals;

class CableTest : public FaultTest {
 protected:
  void SetUp() override {
    const std::string reason = Network::cannot_have_one();
    if (!reason.empty()) GTEST_SKIP() << reason;
    network_.emplace();
  }

  void start_at_server(Flags flags) {
    const auto stay = network_->server().enter();
    flags.insert(flags.end(), {"--listen", std::string(Network::server_address) + ":0"});
    start(flags);
  }

  /// A client on the machine of the server, so that no cable matters to it.
  RawClient join_at_server() { return join(network_->server(), Network::server_address); }
  RawClient join_by_cable(std::size_t number) {
    return join(network_->clients(), Network::client_address(number));
  }

  /// How long it takes until the observer is told that the client has gone.
  std::chrono::milliseconds time_until_gone(RawClient& observer, std::size_t number) {
    const auto begin = std::chrono::steady_clock::now();
    EXPECT_TRUE(eventually(
        [&] {
          observer.beat();
          return !observer.view().peers().contains(ip(Network::client_address(number)));
        },
        patience()));
    return std::chrono::duration_cast<std::chrono::milliseconds>(std::chrono::steady_clock::now() - begin);
  }

  std::optional<Network> network_;

 private:
  RawClient join(const NetworkNamespace& where, const std::string& from) {
    const auto stay = where.enter();
    RawClient::Settings settings;
    settings.to = Network::server_address;
    RawClient client(daemon().port(), from, settings);
    client.join(tcp(7890));
    return client;
  }
};

}  // namespace

TEST_F(CableTest, clients_that_are_half_open_are_found_by_the_heartbeat_timeout) {
  const auto timeout = slowed(2s);
  start_at_server({"--heartbeat-timeout", duration_flag(2s)});
  RawClient observer = join_at_server();
  RawClient lost = join_by_cable(0);
  lost.beat();
  network_->cut();
  const auto found_after = time_until_gone(observer, 0);
  std::cout << "found after " << found_after.count() << " ms of " << timeout.count() << "\n";
  EXPECT_GE(found_after, timeout - timeout / 4);
  EXPECT_LE(found_after, timeout + timeout / 2 + slowed(500ms));
  EXPECT_TRUE(daemon().logs("E301"));
  expect_holds_the_list(observer);

  // It comes back as if nothing had been, while the server still has its old connection, or not any more.
  network_->mend();
  RawClient back = join_by_cable(0);
  back.continue_from(lost);
  expect_holds_the_list(back);
  EXPECT_EQ(back.peers().size(), 2u);
}

TEST_F(CableTest, a_client_that_takes_no_answer_is_found_by_the_tcp_user_timeout) {
  start_at_server({"--heartbeat-timeout", "1h", "--tcp-user-timeout", duration_flag(2s)});
  RawClient observer = join_at_server();
  RawClient silent = join_by_cable(0);
  RawClient asking = join_by_cable(1);
  asking.beat();
  ASSERT_TRUE(eventually([&] { return observer.beat(), observer.peers().size() == 3; }, patience()));
  // The question arrives, and the cable is pulled before the answer is on its way.
  daemon().pause();
  asking.ask(0);
  network_->cut();
  daemon().resume();
  const auto found_after = time_until_gone(observer, 1);
  std::cout << "found after " << found_after.count() << " ms of " << slowed(2s).count() << "\n";
  EXPECT_LE(found_after, 3 * slowed(2s)) << "it is looked at when the next repetition is due";
  EXPECT_EQ(observer.peers().size(), 2u) << "who is just silent is left to the heartbeat timeout";
  expect_holds_the_list(observer);
}

TEST_F(CableTest, put_back_within_the_heartbeat_timeout_nobody_has_noticed) {
  constexpr std::size_t clients = 20;
  start_at_server({"--heartbeat-timeout", duration_flag(20s)});
  RawClient observer = join_at_server();
  std::deque<RawClient> by_cable;
  for (std::size_t number = 0; number < clients; ++number) by_cable.push_back(join_by_cable(number));
  for (int turn = 0; turn < 2; ++turn) {
    for (RawClient& client : by_cable) client.beat();
    network_->cut();
    for (RawClient& client : by_cable) client.ask(client.view().next_timestamp());
    EXPECT_FALSE(by_cable.front().receives_within(700ms));
    network_->mend();
    for (RawClient& client : by_cable) client.read_answer();
  }
  expect_holds_the_list(observer);
  expect_holds_the_list(by_cable.front());
  EXPECT_EQ(count(daemon().log(), "event=join"), clients + 1) << "over the same connections";
  EXPECT_EQ(count(daemon().log(), "event=leave"), 0u);
}

}  // namespace lekt::test
