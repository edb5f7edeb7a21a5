#include "server/net/silence_guard.h"

#include <gtest/gtest.h>

#include <vector>

namespace lekt {
namespace {

using namespace std::chrono_literals;

constexpr AwakeTime timeout = 60s;
constexpr AwakeTime patience = 40s;

/// Clients that fall silent, and a server that looks at each of them once a second.
class SilenceGuardTest : public testing::Test {
 protected:
  struct Client {
    Address address;
    SessionId session;
    AwakeTime silent_at;  ///< when its timeout was over
    bool held = false;
    bool removed = false;
  };

  void fall_silent(std::size_t count) {
    for (std::size_t number = 0; number < count; ++number) {
      const SessionId session = ++sessions_made_;
      silent_.push_back({Address::v4(static_cast<std::uint32_t>(session)), session, now_});
    }
  }
  /// This number of sessions of one client.
  void one_falls_silent(std::size_t count) {
    for (std::size_t number = 0; number < count; ++number)
      silent_.push_back({Address::v4(UINT32_MAX), ++sessions_made_, now_});
  }
  void come_back(std::size_t count) {
    for (Client& client : silent_)
      if (!client.removed && count > 0) client.removed = true, --count;  // nobody asks about it any more
  }

  /// How many are removed within the time.
  std::size_t removed_within(AwakeTime time) {
    std::size_t removed = 0;
    for (const AwakeTime end = now_ + time; now_ < end; now_ += 1s) {
      for (Client& client : silent_) {
        if (client.removed) continue;
        client.removed = guard_.may_end({client.address, client.session, now_ - client.silent_at}, clients_,
                                        client.held, now_);
        if (client.removed) ++removed;
      }
      state_ = guard_.look(now_);
      if (state_.changed) changes_.push_back(state_.doubting);
    }
    return removed;
  }

  SilenceGuard guard_{
      {.share_percent = 15, .clients_min = 10, .timeout = timeout, .patience = patience, .calm = 5s}};
  std::size_t clients_ = 1000;
  SessionId sessions_made_ = 0;
  AwakeTime now_{0};
  std::vector<Client> silent_;
  SilenceGuard::State state_;
  std::vector<bool> changes_;  ///< begins and ends of doubt
};

}  // namespace

TEST_F(SilenceGuardTest, removes_a_usual_number_at_once) {
  fall_silent(150);
  EXPECT_EQ(removed_within(1s), 150u);
  EXPECT_TRUE(changes_.empty());
}

TEST_F(SilenceGuardTest, removes_a_usual_number_in_every_timeout_for_ever) {
  for (int round = 0; round < 100; ++round) {
    fall_silent(150);
    ASSERT_EQ(removed_within(timeout), 150u) << round;
  }
  EXPECT_TRUE(changes_.empty());
}

TEST_F(SilenceGuardTest, removes_ten_at_once_of_however_few) {
  clients_ = 12;
  fall_silent(10);
  EXPECT_EQ(removed_within(1s), 10u);
  fall_silent(1);
  EXPECT_EQ(removed_within(1s), 0u);
}

TEST_F(SilenceGuardTest, waits_with_what_is_beyond_the_share_and_removes_it_in_even_steps) {
  fall_silent(1000);
  EXPECT_EQ(removed_within(patience / 2), 150u);
  EXPECT_EQ(changes_, std::vector{true});
  for (int quarter = 0; quarter < 4; ++quarter) {
    const std::size_t removed = removed_within(patience / 8);
    EXPECT_GE(removed, 170u);
    EXPECT_LE(removed, 255u);
  }
  EXPECT_LE(removed_within(1s), 45u);
  EXPECT_TRUE(std::ranges::all_of(silent_, &Client::removed)) << "the patience is exceeded";
}

TEST_F(SilenceGuardTest, never_removes_who_comes_back_in_time) {
  fall_silent(1000);
  EXPECT_EQ(removed_within(patience / 4), 150u);
  come_back(850);
  EXPECT_EQ(removed_within(patience), 0u);
  EXPECT_EQ(changes_, (std::vector{true, false}));
  EXPECT_EQ(state_.held, 850u);
  EXPECT_EQ(state_.removed, 0u);
}

TEST_F(SilenceGuardTest, waits_for_each_from_when_it_fell_silent_itself) {
  fall_silent(300);
  removed_within(patience / 4);
  fall_silent(1);
  const AwakeTime later = now_;
  removed_within(patience / 2 - 1s);
  EXPECT_FALSE(silent_.back().removed);
  removed_within(patience + 1s - (now_ - later));
  EXPECT_TRUE(silent_.back().removed);
}

TEST_F(SilenceGuardTest, has_calmed_down_after_a_doubt) {
  fall_silent(1000);
  removed_within(patience + 20s);
  EXPECT_EQ(changes_, (std::vector{true, false}));
  removed_within(timeout);
  fall_silent(150);
  EXPECT_EQ(removed_within(1s), 150u);
}

TEST_F(SilenceGuardTest, counts_clients_and_not_their_sessions) {
  clients_ = 20;
  one_falls_silent(64);
  EXPECT_EQ(removed_within(1s), 64u);
  fall_silent(9);
  EXPECT_EQ(removed_within(1s), 9u);
  EXPECT_TRUE(changes_.empty());
}

TEST_F(SilenceGuardTest, is_not_kept_doubting_by_one_client) {
  clients_ = 12;
  fall_silent(12);
  removed_within(1s);
  ASSERT_EQ(changes_, std::vector{true});
  come_back(2);
  for (int second = 0; second < 120; ++second) {
    one_falls_silent(1);
    removed_within(1s);
  }
  ASSERT_GE(changes_.size(), 2u);
  EXPECT_FALSE(changes_[1]);
  fall_silent(3);
  EXPECT_EQ(removed_within(1s), 3u);
}

TEST(SilenceGuard, without_patience_never_waits) {
  SilenceGuard guard({.patience = 0ms});
  bool held = false;
  for (SessionId session = 1; session <= 1000; ++session)
    EXPECT_TRUE(
        guard.may_end({Address::v4(static_cast<std::uint32_t>(session)), session, 0ms}, 1000, held, 0ms));
  EXPECT_FALSE(guard.look(0ms).doubting);
}

}  // namespace lekt
