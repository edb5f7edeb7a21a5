// Clocks that step and processes that stop: nobody is expired for time in which nobody listened, timestamps
// never go back, and every observer holds the list.
//
// libfaketime shows the server another wall clock than the machine's, and the real steady one.
#include <unistd.h>

#include <chrono>
#include <deque>
#include <fstream>
#include <string>

#include "tests/fault/fault_support.h"
#include "tests/integration/sqlite.h"

namespace lekt::test {

namespace {

using namespace std::chrono_literals;
namespace fs = std::filesystem;

const std::vector<std::string> steps = {"+1s", "-1s", "+3600s", "-3600s", "+31536000s", "-31536000s", "+0s"};

class ClocksTest : public FaultTest {
 protected:
  void SetUp() override {
    if (access(FAKETIME_LIBRARY, R_OK) != 0) GTEST_SKIP() << "libfaketime is not installed";
    step_to("+0s");
  }

  /// From now on the server's wall clock has this distance from the machine's.
  void step_to(const std::string& offset) const {
    const fs::path next = offset_file().string() + ".next";
    std::ofstream(next) << offset << "\n";
    fs::rename(next, offset_file());
  }

  Daemon& start_with_this_clock(const Flags& flags) {
    return start(flags, {{"LD_PRELOAD", FAKETIME_LIBRARY},
                         {"FAKETIME_TIMESTAMP_FILE", offset_file().string()},
                         {"FAKETIME_NO_CACHE", "1"},
                         {"FAKETIME_DONT_FAKE_MONOTONIC", "1"},
                         {"DONT_FAKE_MONOTONIC", "1"}});
  }

  /// The year of the newest line of the log.
  std::string last_year_in_log() const {
    const std::string log = daemon_->log();
    return log.substr(log.rfind('\n', log.size() - 2) + 1, 4);
  }

  /// A beat whose timestamp has not gone back.
  void beat(RawClient& observer) {
    const std::int64_t closing = observer.beat().closing();
    EXPECT_GE(closing, newest_closing_);
    newest_closing_ = std::max(newest_closing_, closing);
  }

  void expect_learns(RawClient& observer, const std::string& address, bool present) {
    EXPECT_TRUE(eventually(
        [&] {
          beat(observer);
          return observer.view().peers().contains(ip(address)) == present;
        },
        patience()))
        << address;
  }

 private:
  fs::path offset_file() const { return directory_.path() / "clock"; }

  std::int64_t newest_closing_ = 0;
};

}  // namespace

TEST_F(ClocksTest, that_step_while_the_server_runs_expire_nobody_and_hide_nothing) {
  start_with_this_clock({"--heartbeat-timeout", duration_flag(10s), "--threads", "1"});
  RawClient observer = joined(daemon().port(), "127.0.0.2");
  RawClient silent = joined(daemon().port(), "127.0.0.3");
  for (const std::string& step : steps) {
    SCOPED_TRACE(step);
    step_to(step);
    {
      const RawClient passing = joined(daemon().port(), "127.0.0.4");
      expect_learns(observer, "127.0.0.4", true);
    }
    expect_learns(observer, "127.0.0.4", false);
    silent.beat();
    // One that comes back holds what it held, and learns the rest.
    RawClient back = joined(daemon().port(), "127.0.0.2");
    back.continue_from(observer);
    beat(back);
    EXPECT_EQ(back.peers(), observer.peers());
  }
  expect_holds_the_list(observer);
  EXPECT_EQ(observer.peers().size(), 2u);
  EXPECT_EQ(count(daemon().log(), "no heartbeat"), 0u);
}

TEST_F(ClocksTest, that_step_between_restarts_expire_nobody_and_hide_nothing) {
  const Flags flags = {"--restart-grace", "1h", "--threads", "1"};
  start_with_this_clock(flags);
  RawClient observer = joined(daemon().port(), "127.0.0.2");
  beat(observer);
  std::deque<RawClient> others;
  for (std::size_t turn = 0; turn < steps.size(); ++turn) {
    SCOPED_TRACE(steps[turn]);
    step_to(steps[turn]);
    daemon().kill();
    start_with_this_clock(flags);
    const std::string newcomer = address_number(turn);
    others.push_back(joined(daemon().port(), newcomer));
    RawClient back = joined(daemon().port(), "127.0.0.2");
    back.continue_from(observer);
    beat(back);
    expect_learns(back, newcomer, true);
    EXPECT_EQ(back.peers().size(), turn + 2) << "nobody has gone";
    expect_holds_the_list(back);
    observer.continue_from(back);
  }
}

TEST_F(ClocksTest, that_step_are_seen_by_the_server) {
  start_with_this_clock({});
  const std::string year = last_year_in_log();
  step_to("-31536000s");
  joined(daemon().port(), "127.0.0.2").close();
  ASSERT_TRUE(daemon().logs("event=leave"));
  EXPECT_EQ(std::stoi(last_year_in_log()), std::stoi(year) - 1);
}

TEST_F(ClocksTest, that_fall_behind_are_warned_of_until_they_have_caught_up) {
  start_with_this_clock({});
  const RawClient client = joined(daemon().port(), "127.0.0.2");
  const auto warns = [&](const std::string& warnings) {
    return eventually(
        [&] {
          return Operator(database()).ask_one("SELECT count(*) FROM warnings WHERE code = 'E613'") ==
                 warnings;
        },
        patience());
  };
  step_to("-3600s");
  EXPECT_TRUE(warns("1")) << daemon().log();
  step_to("+0s");
  EXPECT_TRUE(warns("0")) << daemon().log();
}

class PauseTest : public FaultTest {};

TEST_F(PauseTest, longer_than_the_heartbeat_timeout_expires_nobody) {
  const auto timeout = slowed(2s);
  start({"--heartbeat-timeout", duration_flag(2s), "--threads", "2"});
  std::deque<RawClient> faithful;
  for (std::size_t number = 0; number < 20; ++number) {
    faithful.push_back(joined(daemon().port(), address_number(number)));
    faithful.back().beat();
  }
  RawClient silent = joined(daemon().port(), "127.0.0.3");
  daemon().pause();
  // They go on during the pause: their heartbeats wait in the server's sockets.
  const Deadline pause(2 * timeout);
  while (!pause.over()) {
    for (RawClient& client : faithful) client.ask(client.view().next_timestamp());
    EXPECT_FALSE(silent.receives_within(std::min(timeout / 4, pause.left())));
  }
  daemon().resume();
  // Those who beat stay, and hear everything; the silent one had the whole timeout from the end of the pause.
  const Deadline heard_again(timeout / 2);
  for (RawClient& client : faithful) client.read_answer();
  EXPECT_EQ(count(daemon().log(), "event=leave") + count(daemon().log(), "event=reject"), 0u)
      << daemon().log();
  EXPECT_FALSE(heard_again.over()) << "the machine is too slow for this test";
  EXPECT_NO_THROW(silent.beat());
  EXPECT_EQ(silent.peers().size(), faithful.size() + 1);
}

}  // namespace lekt::test
