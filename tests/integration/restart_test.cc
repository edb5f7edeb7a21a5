// Stops and restarts: clients stay listed, those that come back change nothing, those that do not are
// removed.
#include <csignal>
#include <string>
#include <vector>

#include "tests/integration/daemon.h"
#include "tests/integration/raw_client.h"
#include "tests/integration/sqlite.h"

namespace lekt::test {

namespace {

using namespace std::chrono_literals;
using testing::IsSubstring;
using Lines = std::vector<std::string>;

class RestartTest : public DaemonTest {
 protected:
  void expect_stops_cleanly_on(int signal) {
    RawClient client = joined(start().port(), "127.0.0.2");
    RawClient in_setup(daemon().port(), "127.0.0.3");
    in_setup.begin_setup(tcp(7890));
    const Deadline deadline(slowed(3s));
    EXPECT_EQ(daemon().stop(signal), 0);
    EXPECT_FALSE(deadline.over());
    EXPECT_PRED_FORMAT2(IsSubstring, "E402 the server is shutting down", client.expect_reject());
    EXPECT_PRED_FORMAT2(IsSubstring, "E402", in_setup.expect_reject());
    EXPECT_EQ(listed(database()), Lines{"127.0.0.2"});
    EXPECT_EQ(Operator(database()).ask_one("SELECT status FROM clients"), "waiting");
    EXPECT_EQ(count(daemon().log(), "event=stopped"), 1u);
  }
};

}  // namespace

TEST_F(RestartTest, sigterm_stops_cleanly_and_keeps_the_clients) { expect_stops_cleanly_on(SIGTERM); }

TEST_F(RestartTest, sigint_stops_cleanly_and_keeps_the_clients) { expect_stops_cleanly_on(SIGINT); }

TEST_F(RestartTest, a_client_that_neither_reads_nor_closes_does_not_delay_the_stop) {
  RawClient client = joined(start().port(), "127.0.0.2", tcp(1));
  for (int heartbeat = 0; heartbeat < 100'000; heartbeat += 1000) {
    Bytes heartbeats;
    for (int i = 0; i < 1000; ++i) heartbeats += heartbeat_bytes(0);
    client.send(heartbeats.substr(0, 4096));
  }
  const Deadline deadline(slowed(3s));
  EXPECT_EQ(daemon().stop(SIGTERM), 0);
  EXPECT_FALSE(deadline.over());
}

TEST_F(RestartTest, who_comes_back_changes_nothing_and_who_does_not_is_removed_after_the_grace) {
  RawClient observer = joined(start().port(), "127.0.0.2");
  RawClient faithful = joined(daemon().port(), "127.0.0.3");
  RawClient lost = joined(daemon().port(), "127.0.0.4");
  observer.beat();
  const std::string newest_change = Operator(database()).ask_one("SELECT newest_change FROM server");
  ASSERT_EQ(daemon().stop(SIGTERM), 0);

  start({"--restart-grace", duration_flag(3s)});
  RawClient observer_back = joined(daemon().port(), "127.0.0.2");
  observer_back.continue_from(observer);
  RawClient faithful_back = joined(daemon().port(), "127.0.0.3");
  const Answer answer = observer_back.beat();
  EXPECT_FALSE(answer.is_reset());
  EXPECT_TRUE(answer.changes.empty());
  EXPECT_EQ(observer_back.peers().size(), 3u);
  Operator reader(database());
  EXPECT_EQ(reader.ask_one("SELECT newest_change FROM server"), newest_change);
  EXPECT_EQ(reader.ask_one("SELECT status FROM clients WHERE address = '127.0.0.4'"), "waiting");

  Answer last;
  ASSERT_TRUE(eventually([&] { return !(last = observer_back.beat()).changes.empty(); }, patience()));
  EXPECT_EQ(last.removed, std::vector{ip("127.0.0.4")});
  EXPECT_TRUE(last.added.empty());
  EXPECT_EQ(listed(database()), (Lines{"127.0.0.2", "127.0.0.3"}));
}

TEST_F(RestartTest, several_restarts_within_the_grace_keep_everybody) {
  RawClient first = joined(start().port(), "127.0.0.2");
  for (int turn = 0; turn < 4; ++turn) {
    if (turn % 2 == 0) {
      ASSERT_EQ(daemon().stop(SIGTERM), 0);
    }
    start({"--restart-grace", "1h"});  // kills what still runs
  }
  EXPECT_EQ(listed(database()), Lines{"127.0.0.2"});
  EXPECT_EQ(joined(daemon().port(), "127.0.0.3").beat().added.size(), 2u);
}

TEST_F(RestartTest, without_grace_nobody_is_waited_for) {
  RawClient first = joined(start().port(), "127.0.0.2");
  ASSERT_EQ(daemon().stop(SIGTERM), 0);
  start({"--restart-grace", "0s"});
  EXPECT_TRUE(eventually([&] { return listed(database()).empty(); }, patience()));
}

TEST_F(RestartTest, keeps_the_timestamps_ascending) {
  RawClient client = joined(start().port(), "127.0.0.2");
  std::int64_t closing = client.beat().closing();
  for (int turn = 0; turn < 3; ++turn) {
    daemon().kill();
    RawClient back = joined(start().port(), "127.0.0.2");
    const std::int64_t next = back.beat().closing();
    EXPECT_GE(next, closing);
    closing = next;
  }
}

}  // namespace lekt::test
