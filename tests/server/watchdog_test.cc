#include "server/watchdog.h"

#include <gtest/gtest.h>

namespace lekt {
namespace {

using Names = std::vector<std::string>;

class WatchdogTest : public testing::Test {
 protected:
  WatchdogTest() {
    watchdog_.watch("writer", writer_);
    watchdog_.watch("worker 0", worker_);
  }

  Names look_after(TurnCount& turns) {
    turns.add();
    return watchdog_.look();
  }

  TurnCount writer_;
  TurnCount worker_;
  Watchdog watchdog_;
};

TEST_F(WatchdogTest, says_nothing_while_all_threads_turn) {
  for (int look = 0; look < 10; ++look) {
    worker_.add();
    EXPECT_EQ(look_after(writer_), Names());
  }
}

TEST_F(WatchdogTest, names_the_thread_that_has_not_turned_between_two_looks) {
  EXPECT_EQ(look_after(writer_), Names()) << "one look may come too early, after a pause of the process";
  EXPECT_EQ(look_after(writer_), Names{"worker 0"});
  EXPECT_EQ(look_after(writer_), Names{"worker 0"});
}

TEST_F(WatchdogTest, names_all_that_hang) {
  watchdog_.look();
  EXPECT_EQ(watchdog_.look(), (Names{"writer", "worker 0"}));
}

TEST_F(WatchdogTest, is_satisfied_by_one_turn) {
  look_after(writer_);
  look_after(writer_);
  worker_.add();
  EXPECT_EQ(look_after(writer_), Names());
  EXPECT_EQ(look_after(writer_), Names());
  EXPECT_EQ(look_after(writer_), Names{"worker 0"});
}

}  // namespace
}  // namespace lekt
