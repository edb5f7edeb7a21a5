// Silence, slowness and pauses: which clients are removed, when, and which are not.
#include <string>
#include <thread>

#include "tests/integration/daemon.h"
#include "tests/integration/raw_client.h"
#include "tests/integration/sqlite.h"

namespace lekt::test {

namespace {

using namespace std::chrono_literals;
using testing::IsSubstring;
using Lines = std::vector<std::string>;

class TimeoutsTest : public DaemonTest {};

}  // namespace

TEST_F(TimeoutsTest, a_client_without_heartbeats_is_rejected_and_removed) {
  start({"--heartbeat-timeout", duration_flag(300ms)});
  RawClient silent = joined(daemon().port(), "127.0.0.2");
  EXPECT_EQ(silent.expect_reject(),
            "E301 no heartbeat came within " + duration_flag(300ms) + "; send them more often");
  const auto gone = [&] {
    RawClient other = joined(daemon().port(), "127.0.0.3");
    other.beat();
    return other.peers() == Lines{"127.0.0.3 tcp:7890"};
  };
  EXPECT_TRUE(eventually(gone, patience()));
  EXPECT_TRUE(daemon().logs("event=reject address=127.0.0.2"));
}

TEST_F(TimeoutsTest, heartbeats_keep_a_client_for_longer_than_the_timeout) {
  start({"--heartbeat-timeout", duration_flag(1s)});
  RawClient client = joined(daemon().port(), "127.0.0.2");
  for (const Deadline end(slowed(3s)); !end.over(); std::this_thread::sleep_for(20ms)) client.beat();
  EXPECT_EQ(client.peers().size(), 1u);
}

TEST_F(TimeoutsTest, a_handshake_that_takes_too_long_is_rejected_in_whatever_phase_it_is) {
  start({"--handshake-timeout", duration_flag(300ms)});
  RawClient nothing(daemon().port(), "127.0.0.2");
  EXPECT_EQ(nothing.expect_reject(), "E107 handshake and setup took longer than " + duration_flag(300ms) +
                                         "; the session was in the handshake phase");
  RawClient half(daemon().port(), "127.0.0.2");
  half.send("LEKTH");
  EXPECT_PRED_FORMAT2(IsSubstring, "E107", half.expect_reject());
  RawClient setup(daemon().port(), "127.0.0.2");
  setup.begin_setup(tcp(7890));
  EXPECT_PRED_FORMAT2(IsSubstring, "in the setup phase", setup.expect_reject());
  EXPECT_TRUE(listed(database()).empty());
}

TEST_F(TimeoutsTest, a_pause_of_the_server_removes_nobody) {
  start({"--heartbeat-timeout", duration_flag(1500ms)});
  RawClient sends_on = joined(daemon().port(), "127.0.0.2");
  RawClient sends_after = joined(daemon().port(), "127.0.0.3");
  sends_on.beat();
  sends_after.beat();
  daemon().pause();
  const Deadline pause(slowed(4s));
  int sent = 0;
  for (; !pause.over(); ++sent) {
    sends_on.ask(sends_on.view().next_timestamp());
    std::this_thread::sleep_for(100ms);
  }
  daemon().resume();
  sends_after.ask(sends_after.view().next_timestamp());
  for (int answer = 0; answer < sent; ++answer) sends_on.read_answer();
  sends_after.read_answer();
  RawClient other = joined(daemon().port(), "127.0.0.4");
  other.beat();
  EXPECT_EQ(other.peers().size(), 3u);
  EXPECT_EQ(Operator(database()).ask_one("SELECT count(*) FROM changes WHERE kind = 'removed'"), "0");
}

TEST_F(TimeoutsTest, a_short_timeout_survives_a_long_pause_as_well) {
  start({"--heartbeat-timeout", duration_flag(600ms)});
  RawClient client = joined(daemon().port(), "127.0.0.2");
  client.beat();
  daemon().pause();
  std::this_thread::sleep_for(slowed(2s));
  daemon().resume();
  client.beat();
  EXPECT_EQ(client.peers().size(), 1u);
}

// The clock runs on a little when the server wakes up: here that is enough to end a session that was nearly
// over. But its heartbeat lies in the socket, and came in time.
TEST_F(TimeoutsTest, a_heartbeat_that_came_during_a_pause_counts) {
  start({"--heartbeat-timeout", duration_flag(6s)});
  for (int attempt = 0;; ++attempt) {
    ASSERT_LT(attempt, 5) << "this machine is too busy to be punctual";
    RawClient client = joined(daemon().port(), "127.0.0.2");
    const Deadline too_late(slowed(5700ms));
    std::this_thread::sleep_for(slowed(5100ms));
    daemon().pause();
    const bool punctual = !too_late.over();
    if (punctual) {
      client.ask(0);
      std::this_thread::sleep_for(slowed(1200ms));
    }
    daemon().resume();
    if (!punctual) continue;
    EXPECT_EQ(client.read_answer().added.size(), 1u);
    return;
  }
}

TEST_F(TimeoutsTest, a_pause_does_not_make_a_silent_client_immortal) {
  start({"--heartbeat-timeout", duration_flag(600ms)});
  RawClient silent = joined(daemon().port(), "127.0.0.2");
  daemon().pause();
  std::this_thread::sleep_for(slowed(1s));
  daemon().resume();
  EXPECT_PRED_FORMAT2(IsSubstring, "E301", silent.expect_reject());
}

}  // namespace lekt::test
