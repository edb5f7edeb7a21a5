// Crowds and bad networks: connections that are reset at every step, a proxy that delays and cuts, and five
// hundred clients that come back at the same moment.
#include <atomic>
#include <chrono>
#include <deque>
#include <iostream>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <system_error>
#include <thread>

#include "tests/fault/fault_support.h"
#include "tests/fault/machine.h"
#include "tests/fault/proxy.h"
#include "tests/integration/sqlite.h"

namespace lekt::test {

namespace {

using namespace std::chrono_literals;
using Clock = std::chrono::steady_clock;
namespace fs = std::filesystem;

class StormsTest : public FaultTest {
 protected:
  std::size_t descriptors() {
    const fs::directory_iterator files("/proc/" + std::to_string(daemon().id()) + "/fd");
    return static_cast<std::size_t>(std::distance(fs::begin(files), fs::end(files)));
  }

  std::string newest_change() { return Operator(database()).ask_one("SELECT newest_change FROM server"); }

  /// Handshake, setup and a heartbeat at once, as whoever comes back knows them beforehand.
  static void come(std::deque<RawClient>& clients, std::uint16_t port, std::size_t number) {
    for (std::size_t client = 0; client < number; ++client) {
      clients.emplace_back(port, address_number(client));
      clients.back().send(setup_bytes(tcp(7890)));
    }
    for (RawClient& client : clients) {
      client.expect<AcceptPacket>();
      client.expect<RequestPacket>();
      if (client.expect<RequestPacket>().index != 0) throw UnexpectedInput("not the last request");
    }
  }
};

/// A client that follows the rule through a bad network: it beats, goes and comes back, connects again when
/// it is cut off, and keeps its list all the while.
class Walker {
 public:
  Walker(std::uint16_t port, std::string address, std::uint64_t seed)
      : port_(port), address_(std::move(address)), random_(seed) {}

  /// One step, whatever comes of it.
  void step() {
    try {
      if (!client_) return connect();
      if (random_.chance(15)) return forget_connection();
      client_->beat();
    } catch (const UnexpectedInput& trouble) {
      const std::string what = trouble.what();
      // The end of the stream is the network's doing; anything else that comes is not.
      if (what != "the server has closed the connection") wrong_ = what;
      forget_connection();
    } catch (const std::system_error&) {
      forget_connection();
    }
  }

  /// Connects if it is not, and beats. False when a connection that was cut before is noticed only now.
  bool stays() {
    try {
      if (!client_) connect();
      return client_->beat(), true;
    } catch (const std::exception&) {
      forget_connection();
      return false;
    }
  }

  RawClient& client() { return *client_; }
  /// What no network may do; empty if it was not done.
  const std::string& wrong() const { return wrong_; }

 private:
  void connect() {
    client_ = std::make_unique<RawClient>(port_, address_);
    if (before_) client_->continue_from(*before_);
    client_->join(tcp(static_cast<std::uint16_t>(1 + random_.below(3))));
  }

  void forget_connection() {
    if (!client_) return;
    if (random_.chance(50)) client_->reset();
    client_->close();
    before_ = std::move(client_);
  }

  std::uint16_t port_;
  std::string address_;
  Random random_;
  std::unique_ptr<RawClient> client_;
  std::unique_ptr<RawClient> before_;  ///< whose list the next connection takes over
  std::string wrong_;
};

/// Threads with a share of the walkers each, for some time. Yields the steps that they took.
std::size_t walk(std::deque<Walker>& walkers, std::size_t threads, std::chrono::milliseconds time) {
  std::atomic<std::size_t> steps = 0;
  std::vector<std::jthread> walking;
  for (std::size_t thread = 0; thread < threads; ++thread)
    walking.emplace_back([&, thread] {
      const Deadline end(time);
      for (std::size_t next = thread; !end.over(); ++steps) {
        walkers[next].step();
        next += threads;
        if (next >= walkers.size()) next = thread;
      }
    });
  walking.clear();  // waits for them
  return steps;
}

}  // namespace

TEST_F(StormsTest, of_resets_at_every_step_leave_nothing_behind) {
  constexpr std::size_t rounds = 60;
  start(Flags{"--max-connection-rate-per-address", "100000"});
  RawClient observer = joined(daemon().port(), "127.0.0.2");
  observer.beat();
  const std::size_t descriptors_before = descriptors();
  const Bytes setup = setup_bytes(tcp(7890));
  for (std::size_t round = 0; round < rounds; ++round) {
    const auto client = [&] { return RawClient(daemon().port(), address_number(round)); };
    client().reset();  // at once
    RawClient cut_handshake = client();
    cut_handshake.send(setup.substr(0, 7));
    cut_handshake.reset();
    RawClient after_handshake = client();
    after_handshake.begin_setup(tcp(7890));
    after_handshake.reset();
    RawClient unread = client();  // nothing of what the server said was read
    unread.send(setup);
    unread.reset();
    RawClient in_heartbeats = client();
    in_heartbeats.join(tcp(7890));
    in_heartbeats.reset();
    RawClient asking = client();
    asking.join(tcp(7890));
    for (int heartbeat = 0; heartbeat < 10; ++heartbeat) asking.ask(0);
    asking.reset();
    observer.beat();
  }
  EXPECT_TRUE(eventually([&] { return observer.beat(), observer.peers().size() == 1; }, patience()));
  EXPECT_TRUE(eventually([&] { return descriptors() == descriptors_before; }, patience()));
  expect_holds_the_list(observer);
}

TEST_F(StormsTest, a_network_that_delays_and_cuts_hides_nothing_from_who_follows_the_rule) {
  constexpr std::size_t walkers_each = 3;
  constexpr std::size_t threads = 6;
  const int rounds = long_form() ? 300 : 5;
  Random random;
  start(Flags{"--heartbeat-timeout", duration_flag(60s)});
  Proxy proxy(daemon().port(), random.next());
  std::deque<Walker> walkers;
  for (std::size_t number = 0; number < threads * walkers_each; ++number)
    walkers.emplace_back(proxy.port(), address_number(number), random.next());
  std::size_t steps = 0;
  for (int round = 0; round < rounds && !HasFailure(); ++round) {
    proxy.set_calm(false);
    steps += walk(walkers, threads, 1s);
    proxy.set_calm(true);
    for (Walker& walker : walkers) EXPECT_TRUE(eventually([&] { return walker.stays(); }, patience()));
    for (Walker& walker : walkers) {
      EXPECT_EQ(walker.wrong(), "");
      expect_holds_the_list(walker.client());
    }
    EXPECT_EQ(walkers.front().client().peers().size(), walkers.size());
  }
  std::cout << steps << " steps, " << proxy.cuts() << " cuts\n";
  EXPECT_GT(proxy.cuts(), 50u);
  EXPECT_EQ(count(daemon().log(), "event=reject "), 0u);
}

TEST_F(StormsTest, of_500_clients_that_come_back_at_once_lose_nobody) {
  constexpr std::size_t number = 500;
  std::deque<RawClient> clients;
  come(clients, start(Flags{"--restart-grace", "1h"}).port(), number);
  for (RawClient& client : clients) client.beat();
  const std::string change_before = newest_change();
  daemon().kill();

  start(Flags{"--restart-grace", "1h"});
  std::deque<RawClient> back;
  const auto begin = Clock::now();
  come(back, daemon().port(), number);
  const auto all_back = std::chrono::duration_cast<std::chrono::milliseconds>(Clock::now() - begin);
  std::cout << number << " clients were back after " << all_back.count() << " ms\n";
  EXPECT_LE(all_back, slowed(5s));
  for (std::size_t client = 0; client < number; ++client) {
    back[client].continue_from(clients[client]);
    const Answer answer = back[client].beat();
    EXPECT_FALSE(answer.is_reset());
    EXPECT_TRUE(answer.removed.empty());
    EXPECT_EQ(back[client].peers().size(), number);
  }
  EXPECT_EQ(newest_change(), change_before) << "nothing has changed";

  // All lose their connections at once, and come back at once.
  for (RawClient& client : back) client.reset();
  std::deque<RawClient> again;
  come(again, daemon().port(), number);
  for (RawClient& client : again) expect_holds_the_list(client);
  EXPECT_EQ(again.front().peers().size(), number);
}

}  // namespace lekt::test
