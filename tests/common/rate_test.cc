#include "common/rate.h"

#include <gtest/gtest.h>

#include "common/address_rates.h"

namespace lekt {
namespace {

using namespace std::chrono_literals;

constexpr int endless = 1'000'000;

/// Counts what a taker gets that takes as often as it can.
class Greedy {
 public:
  Greedy(std::uint32_t per_second, std::uint32_t at_once) : rate_(per_second, at_once) {}

  int take(Rate::Time now) {
    int count = 0;
    while (count < endless && rate_.take(paid_until_, now)) ++count;
    return count;
  }
  void charge(Rate::Time now, std::uint32_t count) { rate_.charge(paid_until_, now, count); }
  bool is_used_up(Rate::Time now) const { return rate_.is_used_up(paid_until_, now); }

 private:
  Rate rate_;
  Rate::Time paid_until_{0};
};

class AddressRatesTest : public testing::Test {
 protected:
  int take(std::uint32_t address, Rate::Time now) {
    int count = 0;
    while (count < endless && rates_.take(Address::v4(address), now)) ++count;
    return count;
  }

  AddressRates rates_{Rate(10, 20), 7};
};

}  // namespace

TEST(Rate, gives_what_is_allowed_at_once) {
  Greedy greedy(20, 200);
  EXPECT_EQ(greedy.take(0ms), 200);
  EXPECT_EQ(greedy.take(0ms), 0);
  EXPECT_TRUE(greedy.is_used_up(0ms));
}

TEST(Rate, gives_its_rate_also_in_small_steps) {
  Greedy greedy(20, 200);
  greedy.take(0ms);
  EXPECT_EQ(greedy.take(49ms), 0);
  EXPECT_EQ(greedy.take(50ms), 1);
  int count = 0;
  for (Rate::Time now = 51ms; now <= 10'050ms; now += 1ms) count += greedy.take(now);
  EXPECT_EQ(count, 200);
}

TEST(Rate, gives_no_more_after_a_long_time) {
  Greedy greedy(20, 200);
  greedy.take(0ms);
  EXPECT_EQ(greedy.take(24h * 365 * 100), 200);
}

TEST(Rate, bears_time_that_stands_still_or_goes_back) {
  Greedy greedy(1, 1);
  EXPECT_EQ(greedy.take(5s), 1);
  EXPECT_EQ(greedy.take(5s), 0);
  EXPECT_EQ(greedy.take(1s), 0);
  EXPECT_EQ(greedy.take(6s), 1);
}

TEST(Rate, gives_nothing_until_what_was_charged_beyond_it_has_been_given_back) {
  Greedy greedy(10, 20);
  greedy.charge(0ms, 25);
  EXPECT_TRUE(greedy.is_used_up(599ms));
  EXPECT_FALSE(greedy.is_used_up(600ms));
}

TEST(Rate, lets_nobody_owe_more_than_a_quiet_time_gives_back) {
  Greedy greedy(10, 20);
  greedy.charge(0ms, 1000);
  greedy.charge(0ms, 1000);
  EXPECT_TRUE(greedy.is_used_up(2s));
  EXPECT_FALSE(greedy.is_used_up(2100ms));
  EXPECT_EQ(greedy.take(4s), 20);
}

TEST_F(AddressRatesTest, counts_each_address_by_itself) {
  EXPECT_EQ(take(1, 0ms), 20);
  EXPECT_EQ(take(1, 0ms), 0);
  EXPECT_EQ(take(2, 0ms), 20);
  EXPECT_EQ(take(1, 1s), 10);
}

TEST_F(AddressRatesTest, an_address_may_owe_more_than_is_left_and_pays_it_back) {
  for (int count = 0; count < 19; ++count) rates_.charge(Address::v4(1), 0ms);
  EXPECT_FALSE(rates_.is_used_up(Address::v4(1), 0ms));
  for (int count = 0; count < 6; ++count) rates_.charge(Address::v4(1), 0ms);
  EXPECT_TRUE(rates_.is_used_up(Address::v4(1), 599ms));
  EXPECT_FALSE(rates_.is_used_up(Address::v4(1), 600ms));
  EXPECT_FALSE(rates_.is_used_up(Address::v4(2), 0ms)) << "one that has done nothing";
}

TEST_F(AddressRatesTest, does_not_forget_one_that_comes_too_fast_for_a_hundred_others) {
  take(1, 0ms);
  for (std::uint32_t other = 1000; other < 1100; ++other) rates_.take(Address::v4(other), 1ms);
  EXPECT_EQ(take(1, 1ms), 0);
}

TEST_F(AddressRatesTest, takes_the_same_memory_for_a_million_addresses) {
  EXPECT_EQ(rates_.bytes(), 64u * 1024);
  for (std::uint32_t address = 1; address < 1'000'000; ++address)
    ASSERT_TRUE(rates_.take(Address::v4(address), 0ms));
}

}  // namespace lekt
