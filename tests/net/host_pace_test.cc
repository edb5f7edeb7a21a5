#include "server/net/host_pace.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <asio/post.hpp>
#include <functional>
#include <memory>
#include <span>
#include <thread>
#include <utility>
#include <vector>

#include "server/operators/clock.h"
#include "tests/net/host_end.h"

namespace lekt {
namespace {

using namespace std::chrono_literals;
using Clock = HostPace::Clock;

/// Always has something to read, until it has had some turns.
class PaceReader final : public HostPace::Reader, public std::enable_shared_from_this<PaceReader> {
 public:
  PaceReader(HostPace& pace, int turns, std::function<void()> on_turn)
      : pace_(pace), turns_(turns), on_turn_(std::move(on_turn)) {}

  void begin() { pace_.ask_for_turn(shared_from_this()); }
  void take_turn(std::span<char> buffer) override {
    EXPECT_EQ(buffer.size(), 4096u);
    on_turn_();
    if (--turns_ > 0) begin();
  }
  int turns_left() const { return turns_; }

 private:
  HostPace& pace_;
  int turns_;
  std::function<void()> on_turn_;
};

void keep_busy(std::chrono::nanoseconds time) {
  const auto end = thread_time() + time;
  while (thread_time() < end) continue;
}

class HostPaceTest : public testing::Test {
 protected:
  std::shared_ptr<PaceReader> reader(int turns, std::function<void()> on_turn) {
    auto made = std::make_shared<PaceReader>(pace, turns, std::move(on_turn));
    made->begin();
    return made;
  }

  asio::io_context io{ASIO_CONCURRENCY_HINT_UNSAFE_IO};
  HostPace pace{io};
};

}  // namespace

TEST_F(HostPaceTest, readers_have_turns_one_after_the_other) {
  std::vector<int> turns;
  std::vector<std::shared_ptr<PaceReader>> readers;
  for (int number = 0; number < 3; ++number)
    readers.push_back(reader(3, [&turns, number] { turns.push_back(number); }));
  EXPECT_TRUE(turns.empty()) << "not within the call";
  EXPECT_TRUE(test::run_until(io, [&] { return turns.size() == 9; }));
  EXPECT_EQ(turns, (std::vector<int>{0, 1, 2, 0, 1, 2, 0, 1, 2}));
}

TEST_F(HostPaceTest, readers_have_half_of_the_time_at_most) {
  const auto began = Clock::now();
  int turns = 0;
  const auto greedy = [&] {
    EXPECT_LE(pace.spent(), (Clock::now() - began) / 2 + HostPace::share);
    keep_busy(turns++ % 20 == 19 ? 12ms : 1ms);
  };
  const auto one = reader(60, greedy);
  const auto other = reader(60, greedy);
  EXPECT_TRUE(test::run_until(io, [&] { return turns == 120; }));
  EXPECT_GE(pace.spent(), 114ms + 6 * 12ms);
}

TEST_F(HostPaceTest, time_in_which_another_program_has_the_core_makes_nobody_pause) {
  auto turn_began = Clock::now();
  auto pause = Clock::duration::max();  // the shortest between two turns: the machine may add to any
  int turns = 0;
  const auto slow = reader(5, [&] {
    if (turns++ > 0) pause = std::min(pause, Clock::now() - turn_began);
    std::this_thread::sleep_for(3 * HostPace::slice);  // as if it had lost the core
    turn_began = Clock::now();
  });
  EXPECT_TRUE(test::run_until(io, [&] { return turns == 5; }));
  EXPECT_LT(pause, HostPace::slice);
  EXPECT_LT(pace.spent(), HostPace::slice);
}

TEST_F(HostPaceTest, the_thread_does_other_things_between_two_turns) {
  int turns = 0;
  const auto greedy = reader(100'000, [&] { ++turns; });
  int others = 0;
  std::function<void()> go_on = [&] {
    ++others;
    asio::post(io, go_on);
  };
  asio::post(io, go_on);
  while (turns < 1000) io.run_one();
  EXPECT_GE(others, 998);
}

TEST_F(HostPaceTest, a_reader_lives_until_its_turn) {
  bool had_turn = false;
  std::weak_ptr<PaceReader> gone = reader(1, [&] { had_turn = true; });
  EXPECT_FALSE(gone.expired());
  EXPECT_TRUE(test::run_until(io, [&] { return had_turn; }));
  EXPECT_TRUE(gone.expired());
}

}  // namespace lekt
