// Clients that are too fast are refused or slowed down, those that read too slowly are disconnected, and nobody else
// notices.
#include <string>
#include <vector>

#include "tests/integration/daemon.h"
#include "tests/integration/raw_client.h"

namespace lekt::test {

namespace {

using namespace std::chrono_literals;
using testing::IsSubstring;
using Clock = std::chrono::steady_clock;

class RatesTest : public DaemonTest {
 protected:
  /// A hundred clients, whose list has 410 KB.
  void start_with_long_list(const Flags& flags) {
    Flags all = catalogue_flags();
    all.insert(all.end(), flags.begin(), flags.end());
    start(all);
    for (std::size_t number = 0; number < 100; ++number)
      others_.push_back(joined(daemon().port(), address_number(number), chat(Bytes(4096, 'x'))));
  }

  RawClient asking_for_lists(int lists) {
    RawClient client(daemon().port(), "127.0.0.2", {.receive_buffer = 4096});
    client.join({});
    for (int list = 0; list < lists; ++list) client.send(heartbeat_bytes(0));
    return client;
  }

  /// What a client from this address is told instead of being admitted; empty if it is.
  static std::string refusal(std::uint16_t port, const char* address) {
    RawClient client(port, address);
    client.send(encode(handshake_for({})));
    try {
      client.expect<AcceptPacket>();
      return {};
    } catch (const UnexpectedInput& refused) {
      return refused.what();
    }
  }

  /// Connects as fast as this machine can until one is refused: what it is told.
  static std::string refusal_of_one_of_many(std::uint16_t port, const char* address) {
    std::string told;
    for (int attempt = 0; attempt < 100 && told.empty(); ++attempt) told = refusal(port, address);
    return told;
  }

  std::vector<RawClient> others_;
};

}  // namespace

TEST_F(RatesTest, an_address_that_connects_too_fast_is_refused_and_others_are_not) {
  const std::uint16_t port = start({"--max-connection-rate-per-address", "1"}).port();
  RawClient first(port, "127.0.0.2");
  EXPECT_PRED_FORMAT2(IsSubstring, "E407 connections from 127.0.0.2 come faster than one address may connect",
                      refusal_of_one_of_many(port, "127.0.0.2"));
  joined(port, "127.0.0.3");
  first.join(tcp(1));
}

TEST_F(RatesTest, when_all_connect_too_fast_the_next_one_is_refused_and_later_not) {
  const std::uint16_t port = start({"--max-connection-rate", "1"}).port();
  EXPECT_PRED_FORMAT2(IsSubstring, "E407 connections come faster than this server takes them",
                      refusal_of_one_of_many(port, "127.0.0.4"));
  const auto is_admitted = [&] { return refusal(port, "127.0.0.4").empty(); };
  EXPECT_TRUE(eventually(is_admitted, patience()));
}

TEST_F(RatesTest, heartbeats_that_come_too_fast_are_answered_later_and_all_of_them) {
  constexpr int at_once = 100;  // two seconds' worth
  constexpr int more = 100;
  const std::uint16_t port = start({"--threads", "1", "--max-heartbeat-rate", "50"}).port();
  RawClient greedy = joined(port, "127.0.0.2");
  RawClient modest = joined(port, "127.0.0.3");
  const auto begin = Clock::now();
  for (int count = 0; count < at_once + more; ++count) greedy.ask(INT64_MAX);
  for (int count = 0; count < at_once; ++count) greedy.read_answer();
  modest.beat();
  EXPECT_LT(Clock::now() - begin, slowed(1s)) << "what is allowed at once, or a neighbour, had to wait";
  for (int count = 0; count < more; ++count) greedy.read_answer();
  EXPECT_GT(Clock::now() - begin, 1s) << "nothing was slowed down";
  EXPECT_EQ(count(daemon().log(), "event=slowed address=127.0.0.2"), 1u);
  EXPECT_EQ(count(daemon().log(), "event=slowed address=127.0.0.3"), 0u);
}

TEST_F(RatesTest, a_full_list_counts_by_its_size) {
  constexpr int lists =
      12;  // each is six times 64 KiB, and so counts seven: 84, which take 6 s more than is allowed
  start_with_long_list({"--max-heartbeat-rate", "10"});  // twenty at once
  RawClient client = joined(daemon().port(), "127.0.0.2");
  for (int list = 0; list < lists; ++list) client.ask(0);
  const auto is_slowed = [&] { return count(daemon().log(), "event=slowed address=127.0.0.2") > 0; };
  for (int list = 0; list < lists && !is_slowed(); ++list) client.read_answer();
  EXPECT_TRUE(is_slowed());
}

TEST_F(RatesTest, who_reads_drop_by_drop_is_let_go) {
  start_with_long_list({"--heartbeat-timeout", duration_flag(1s)});
  RawClient slow = asking_for_lists(20);
  const auto is_let_go = [&] {
    slow.read_a_drop();
    return count(daemon().log(), "event=leave address=127.0.0.2") > 0;
  };
  EXPECT_TRUE(eventually(is_let_go, 2 * patience()));
  EXPECT_EQ(count(daemon().log(), "E302"), 1u) << daemon().log();
}

TEST_F(RatesTest, a_list_longer_than_output_may_wait_keeps_nobody_out) {
  start_with_long_list({"--max-output-bytes", "8192"});
  RawClient slow = joined(daemon().port(), "127.0.0.2");
  for (int list = 0; list < 5; ++list) EXPECT_GT(slow.beat(0).added.size(), 90u);
  EXPECT_EQ(count(daemon().log(), "E302"), 0u);
}

}  // namespace lekt::test
