#include "devices/ports.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <deque>
#include <map>
#include <vector>

#include "tests/support/support.h"

namespace lekt {
namespace {

using namespace std::chrono_literals;
using Counts = DevicePorts::Counts;
using Time = DevicePorts::Time;

std::vector<int> offers(DevicePorts& ports, int count, Time now = 0s) {
  std::vector<int> offered;
  for (int index = 0; index < count; ++index) offered.push_back(ports.offer(now).value_or(0));
  return offered;
}

/// The rules in the simplest form: lists that are searched.
class PortsModel {
 public:
  PortsModel(int first, int last) {
    for (int port = first; port <= last; ++port) free_.push_back(port);
  }

  int offer(Time now) {
    while (!taken_.empty() && taken_.front().second <= now) {
      free_.push_back(taken_.front().first);
      taken_.pop_front();
    }
    if (free_.empty()) return 0;
    const int port = free_.front();
    free_.pop_front();
    free_.push_back(port);
    return port;
  }
  bool is_free(int port) const { return std::ranges::find(free_, port) != free_.end(); }
  void set_aside(int port, Time now) {
    std::erase(free_, port);
    taken_.emplace_back(port, now + 60s);
  }
  bool use(int port) {
    if (!is_free(port)) return false;
    std::erase(free_, port);
    used_.push_back(port);
    return true;
  }
  void release(int port) {
    std::erase(used_, port);
    free_.push_back(port);
  }
  std::vector<int>& used() { return used_; }
  Counts counts() const { return {free_.size(), used_.size(), taken_.size()}; }

 private:
  std::deque<int> free_;
  std::vector<int> used_;
  std::deque<std::pair<int, Time>> taken_;
};

TEST(DevicePorts, are_offered_one_after_the_other_and_the_range_wraps) {
  DevicePorts ports(5000, 5003);
  EXPECT_EQ(offers(ports, 9), (std::vector{5000, 5001, 5002, 5003, 5000, 5001, 5002, 5003, 5000}));
}

TEST(DevicePorts, have_both_ends_of_the_range) {
  DevicePorts ports(5000, 6000);
  EXPECT_EQ(ports.counts(), (Counts{1001, 0, 0}));
  EXPECT_TRUE(ports.is_free(5000) && ports.is_free(6000));
  EXPECT_FALSE(ports.is_free(4999) || ports.is_free(6001));
  EXPECT_FALSE(ports.use(4999) || ports.use(6001));
}

TEST(DevicePorts, may_be_one_or_all_that_there_are) {
  DevicePorts one(3007, 3007);
  EXPECT_EQ(offers(one, 2), (std::vector{3007, 3007}));
  DevicePorts all(1, 65535);
  EXPECT_EQ(all.counts().free, 65535u);
  EXPECT_EQ(offers(all, 65536).back(), 1);
}

TEST(DevicePorts, are_not_reserved_by_an_offer) {
  DevicePorts ports(5000, 5001);
  for (int round = 0; round < 1000; ++round) ASSERT_TRUE(ports.offer(0s));
  EXPECT_EQ(ports.counts(), (Counts{2, 0, 0}));
  EXPECT_TRUE(ports.use(5001));
}

TEST(DevicePorts, in_use_are_not_offered_and_not_used_twice) {
  DevicePorts ports(5000, 5002);
  EXPECT_TRUE(ports.use(5001));
  EXPECT_FALSE(ports.use(5001));
  EXPECT_FALSE(ports.is_free(5001));
  EXPECT_EQ(offers(ports, 3), (std::vector{5000, 5002, 5000}));
  EXPECT_EQ(ports.counts(), (Counts{2, 1, 0}));
}

TEST(DevicePorts, that_become_free_rest_longest) {
  DevicePorts ports(5000, 5003);
  ASSERT_TRUE(ports.use(5000));
  ports.release(5000);
  EXPECT_EQ(offers(ports, 5), (std::vector{5001, 5002, 5003, 5000, 5001}));
}

TEST(DevicePorts, are_offered_to_nobody_when_all_are_in_use) {
  DevicePorts ports(5000, 5001);
  ASSERT_TRUE(ports.use(5000) && ports.use(5001));
  EXPECT_EQ(ports.offer(0s), std::nullopt);
  ports.release(5001);
  EXPECT_EQ(ports.offer(0s), 5001);
}

TEST(DevicePorts, of_foreign_programs_are_set_aside_for_60_seconds_and_then_come_last) {
  DevicePorts ports(5000, 5002);
  EXPECT_EQ(ports.offer(1s), 5000);
  ports.set_aside(5000, 1s);
  EXPECT_EQ(ports.counts(), (Counts{2, 0, 1}));
  EXPECT_FALSE(ports.is_free(5000));
  EXPECT_FALSE(ports.use(5000));
  EXPECT_EQ(offers(ports, 3, 60'999ms), (std::vector{5001, 5002, 5001}));
  EXPECT_EQ(offers(ports, 3, 61s), (std::vector{5002, 5001, 5000}));
  EXPECT_EQ(ports.counts(), (Counts{3, 0, 0}));
}

TEST(DevicePorts, come_back_in_the_order_in_which_they_were_set_aside) {
  DevicePorts ports(5000, 5002);
  ports.set_aside(5002, 0s);
  ports.set_aside(5000, 1s);
  ports.set_aside(5001, 2s);
  EXPECT_EQ(ports.offer(59'999ms), std::nullopt);
  EXPECT_EQ(offers(ports, 2, 60s), (std::vector{5002, 5002}));
  EXPECT_EQ(offers(ports, 3, 100s), (std::vector{5002, 5000, 5001}));
}

TEST(DevicePorts, are_never_lost_whatever_happens) {
  test::Random random;
  const int rounds = test::sanitized ? 50 : 200;
  for (int round = 0; round < rounds; ++round) {
    const int first = static_cast<int>(random.between(1, 5000));
    const int last = first + static_cast<int>(random.below(20));
    DevicePorts ports(static_cast<std::uint16_t>(first), static_cast<std::uint16_t>(last));
    PortsModel model(first, last);
    Time now = 0s;
    for (int step = 0; step < 300; ++step) {
      now += Time(random.below(20'000));
      const auto port = static_cast<std::uint16_t>(random.between(first, last));
      switch (random.below(5)) {
        case 0:
          if (!model.is_free(port)) break;
          model.set_aside(port, now);
          ports.set_aside(port, now);
          break;
        case 1:
          ASSERT_EQ(ports.use(port), model.use(port));
          break;
        case 2: {
          if (model.used().empty()) break;
          const int freed = random.pick(model.used());
          model.release(freed);
          ports.release(static_cast<std::uint16_t>(freed));
          break;
        }
        default:
          ASSERT_EQ(ports.offer(now).value_or(0), model.offer(now));
      }
      ASSERT_EQ(ports.counts(), model.counts());
      ASSERT_EQ(ports.is_free(port), model.is_free(port));
    }
  }
}

}  // namespace
}  // namespace lekt
