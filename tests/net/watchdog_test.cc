#include "server/net/watchdog.h"

#include <gtest/gtest.h>

namespace lekt {
namespace {

using namespace std::chrono_literals;
using Lines = std::vector<std::string>;

class WatchdogTest : public testing::Test {
 protected:
  WatchdogTest() {
    watchdog_.watch("writer", writer_);
    watchdog_.watch("worker 0", worker_);
  }

  /// Looks once a second, and tells who hangs then. Nobody turns meanwhile but those whose counts are given.
  Lines look_for(std::chrono::seconds time, const std::vector<TurnCount*>& turning = {}) {
    for (auto passed = 0s; passed < time; ++passed) {
      for (TurnCount* turns : turning) turns->add();
      watchdog_.look(now_ += 1s);
    }
    Lines names;
    for (const HangingThread& thread : watchdog_.hanging())
      names.push_back(thread.name + " " + std::to_string(static_cast<int>(thread.silent_seconds)));
    return names;
  }

  Watchdog::Steady now_{};
  TurnCount writer_;
  TurnCount worker_;
  Watchdog watchdog_{now_};
};

TEST_F(WatchdogTest, says_nothing_while_all_threads_turn) {
  EXPECT_EQ(look_for(10min, {&writer_, &worker_}), Lines());
}

TEST_F(WatchdogTest, names_a_thread_that_has_not_turned_for_30_seconds) {
  EXPECT_EQ(look_for(29s, {&writer_}), Lines()) << "a slow disk is none that hangs";
  EXPECT_EQ(look_for(1s, {&writer_}), Lines{"worker 0 30"});
  EXPECT_EQ(look_for(5s, {&writer_}), Lines{"worker 0 35"});
  EXPECT_EQ(watchdog_.silence_of("worker 0"), 35s);
  EXPECT_EQ(look_for(5s), Lines{"worker 0 40"}) << "the writer only for 5 s";
}

TEST_F(WatchdogTest, names_all_that_hang) { EXPECT_EQ(look_for(31s), (Lines{"writer 31", "worker 0 31"})); }

TEST_F(WatchdogTest, is_satisfied_by_one_turn) {
  look_for(40s);
  worker_.add();
  EXPECT_EQ(look_for(1s), Lines{"writer 41"});
  EXPECT_EQ(look_for(29s), Lines{"writer 70"});
  EXPECT_EQ(look_for(1s), (Lines{"writer 71", "worker 0 30"}));
}

TEST_F(WatchdogTest, does_not_take_a_pause_of_the_process_for_a_thread_that_hangs) {
  look_for(5s, {&writer_, &worker_});
  now_ += 1h;
  EXPECT_EQ(look_for(1s), Lines());
  EXPECT_LE(watchdog_.silence_of("writer"), 2s);
}

TEST_F(WatchdogTest, gives_a_long_step_the_time_that_it_needs_and_finds_one_that_hangs) {
  {
    const LongStep compaction(writer_);
    EXPECT_EQ(look_for(299s, {&worker_}), Lines());
    EXPECT_EQ(look_for(2s, {&worker_}), Lines{"writer 300"});
  }
  EXPECT_EQ(look_for(1s, {&worker_}), Lines()) << "its end is a turn";
  EXPECT_EQ(look_for(30s, {&worker_}), Lines{"writer 30"});
}

TEST_F(WatchdogTest, is_as_quick_as_the_service_manager_needs_it) {
  watchdog_.hurry(2h);
  EXPECT_EQ(look_for(29s), Lines());
  watchdog_.hurry(10s);
  EXPECT_EQ(look_for(1s, {&writer_}), Lines{"worker 0 30"});
  EXPECT_EQ(look_for(10s, {&worker_}), Lines{"writer 10"});
}

TEST_F(WatchdogTest, lets_others_find_that_nobody_looks_any_more) {
  look_for(3s);
  EXPECT_FALSE(watchdog_.hanging_main(now_ + 29s));
  const auto main = watchdog_.hanging_main(now_ + 31s);
  ASSERT_TRUE(main);
  EXPECT_EQ(describe_hanging({*main, {"writer", 40.7}}).text(),
            "E620 the thread \"main\" has made no progress for 31 s; the thread \"writer\" has made no "
            "progress for "
            "40 s");
}

}  // namespace
}  // namespace lekt
