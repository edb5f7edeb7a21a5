#include "client/back_off.h"

#include <gtest/gtest.h>

#include <set>

#include "tests/support/support.h"

namespace lekt {
namespace {

using namespace std::chrono_literals;

TEST(BackOff, doubles_its_range_up_to_the_longest_wait) {
  test::Random random;
  BackOff back_off(500ms, 30s, random.next());
  for (std::chrono::milliseconds ceiling = 1s; ceiling < 200s; ceiling *= 2) {
    const auto delay = back_off.next();
    EXPECT_GE(delay, std::min<std::chrono::milliseconds>(ceiling, 30s) / 2);
    EXPECT_LE(delay, std::min<std::chrono::milliseconds>(ceiling, 30s));
  }
}

TEST(BackOff, starts_again_after_a_success) {
  BackOff back_off(500ms, 30s, 1);
  for (int i = 0; i < 10; ++i) back_off.next();
  back_off.reset();
  EXPECT_LE(back_off.next(), 1s);
}

TEST(BackOff, differs_from_client_to_client) {
  std::set<std::chrono::milliseconds> delays;
  for (std::uint64_t seed = 0; seed < 100; ++seed) delays.insert(BackOff(500ms, 30s, seed).next());
  EXPECT_GT(delays.size(), 50u);
}

TEST(BackOff, repeats_itself_for_the_same_seed) {
  BackOff one(500ms, 30s, 7);
  BackOff two(500ms, 30s, 7);
  for (int i = 0; i < 10; ++i) EXPECT_EQ(one.next(), two.next());
}

TEST(BackOff, keeps_to_the_longest_wait_from_the_start) {
  BackOff back_off(20ms, 20ms, 1);
  for (int i = 0; i < 10; ++i) EXPECT_LE(back_off.next(), 20ms);
}

}  // namespace
}  // namespace lekt
