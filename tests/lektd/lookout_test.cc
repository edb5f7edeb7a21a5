// What the server warns of before clients feel it. Here: many older lists that clients do not read (E609). A view
// whose log counts what the test says stands for the newest one.
#include "lektd/lookout.h"

#include <gtest/gtest.h>

#include <chrono>
#include <cstddef>
#include <memory>
#include <thread>

#include "server/core/change_view.h"

namespace lekt {
namespace {

using testing::IsSubstring;

class LookoutTest : public testing::Test {
 protected:
  static constexpr std::size_t mebibyte = 1 << 20;
  static constexpr std::size_t most = 64 * mebibyte;

  void look(std::size_t mebibytes_held, int times = 1) {
    *memory_ = mebibytes_held * mebibyte;
    for (int time = 0; time < times; ++time) lookout_.look(most);
  }
  bool warns_of_unread_answers() const {
    for (const storage::Warning& warning : warnings_.list())
      if (warning.code == ErrorCode::answers_unread) return true;
    return false;
  }

  CodeCounts codes_;
  Warnings warnings_;
  std::shared_ptr<MemoryCount> memory_ = std::make_shared<MemoryCount>(0);
  Doors doors_{std::make_shared<const ChangeView>(ChangeView::Parts{
                   .full = std::make_shared<const FullList>(), .pieces = {}, .memory = memory_}),
               {},
               {.connections_max = 9, .connections = Rate(9, 9), .connections_per_address = Rate(9, 9)},
               {},
               codes_};
  Watchdog watchdog_{std::chrono::steady_clock::now()};
  Lookout lookout_{doors_, warnings_, watchdog_};
};

TEST_F(LookoutTest, warns_when_half_of_what_may_wait_is_kept_for_three_looks) {
  look(31, 10);
  EXPECT_FALSE(warns_of_unread_answers());
  look(33, 2);
  EXPECT_FALSE(warns_of_unread_answers());
  look(33);
  ASSERT_TRUE(warns_of_unread_answers());
  EXPECT_PRED_FORMAT2(IsSubstring, "older lists keep 33 MiB in memory; from 64 on",
                      warnings_.list().front().message);
  warnings_.take();
  look(60, 10);
  EXPECT_FALSE(warnings_.take()) << "the database is told once";
}

TEST_F(LookoutTest, warns_until_less_than_a_quarter_is_kept) {
  look(40, 3);
  look(17, 5);
  EXPECT_TRUE(warns_of_unread_answers());
  look(15);
  EXPECT_FALSE(warns_of_unread_answers());
  look(40, 2);
  EXPECT_FALSE(warns_of_unread_answers()) << "it begins anew";
  look(40);
  EXPECT_TRUE(warns_of_unread_answers());
}

TEST_F(LookoutTest, does_not_warn_of_two_short_bursts) {
  look(50, 2);
  look(3);
  look(50, 2);
  EXPECT_FALSE(warns_of_unread_answers());
}

TEST_F(LookoutTest, warns_while_a_thread_hangs) {
  TurnCount turns;
  watchdog_.watch("writer", turns);
  watchdog_.hurry(AwakeTime(1));
  std::this_thread::sleep_for(std::chrono::milliseconds(2));
  look(0);
  ASSERT_EQ(warnings_.list().size(), 1u);
  EXPECT_EQ(warnings_.list().front().code, ErrorCode::thread_hangs);
  EXPECT_EQ(warnings_.list().front().message, "threads that make no progress: writer");
  warnings_.take();
  look(0, 5);
  EXPECT_FALSE(warnings_.take()) << "the database is told once";
  turns.add();
  look(0);
  EXPECT_TRUE(warnings_.list().empty());
}

}  // namespace
}  // namespace lekt
