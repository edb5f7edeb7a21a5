// Who is too fast is refused or slowed down, who is too slow at reading is let go, and nobody else notices.
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

  std::vector<RawClient> others_;
};

}  // namespace

TEST_F(RatesTest, an_address_that_connects_too_fast_is_refused_and_others_are_not) {
  const std::uint16_t port = start({"--max-connection-rate-per-address", "1"}).port();
  RawClient first(port, "127.0.0.2");
  RawClient second(port, "127.0.0.2");
  EXPECT_PRED_FORMAT2(IsSubstring, "E407 connections from 127.0.0.2 come faster than one address may connect",
                      RawClient(port, "127.0.0.2").expect_reject());
  joined(port, "127.0.0.3");
  first.join(tcp(1));
}

TEST_F(RatesTest, when_all_connect_too_fast_the_next_one_is_refused_and_later_not) {
  const std::uint16_t port = start({"--max-connection-rate", "1"}).port();
  RawClient first(port, "127.0.0.2");
  RawClient second(port, "127.0.0.3");
  EXPECT_PRED_FORMAT2(IsSubstring, "E407 connections come faster than this server takes them",
                      RawClient(port, "127.0.0.4").expect_reject());
  const auto is_admitted = [&] {
    RawClient later(port, "127.0.0.4");
    later.send(encode(handshake_for({})));
    try {
      later.expect<AcceptPacket>();
      return true;
    } catch (const UnexpectedInput&) {
      return false;
    }
  };
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
  start_with_long_list({"--max-heartbeat-rate", "10"});  // twenty at once
  RawClient client = joined(daemon().port(), "127.0.0.2");
  for (int list = 0; list < 3; ++list) client.beat(0);  // each is six times 64 KiB, and so counts seven
  EXPECT_TRUE(daemon().logs("event=slowed address=127.0.0.2"));
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

TEST_F(RatesTest, more_output_than_may_wait_is_not_kept) {
  start_with_long_list({"--max-output-bytes", "8192"});
  const RawClient slow = asking_for_lists(20);
  EXPECT_TRUE(daemon().logs("E302"));
}

}  // namespace lekt::test
