// Members come and go while a round is on its way: it visits each exactly once that was there all the time.
#include "server/net/push_round.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <deque>
#include <vector>

#include "tests/support/support.h"

namespace lekt::test {
namespace {

struct Visited {
  std::uint32_t place = 0;
  int visits = 0;
};

TEST(PushRound, visits_everybody_once_whoever_comes_and_goes) {
  Random random;
  for (int repeat = 0; repeat < 300; ++repeat) {
    PushRound<Visited, &Visited::place> round;
    std::deque<Visited> made;
    std::vector<Visited*> here;
    const auto come = [&] { round.add(*here.emplace_back(&made.emplace_back())); };
    for (std::uint64_t count = random.below(20); count > 0; --count) come();
    round.begin();
    const std::vector<Visited*> were_here = here;
    while (!round.is_over()) {
      const auto dice = random.below(10);
      if (dice < 3) come();
      if (dice > 6 && !here.empty()) {
        const auto leaves = here.begin() + static_cast<std::ptrdiff_t>(random.below(here.size()));
        round.remove(**leaves);
        here.erase(leaves);
        continue;
      }
      ++round.next().visits;
    }
    for (Visited* member : here)
      EXPECT_EQ(member->visits, std::ranges::find(were_here, member) != were_here.end() ? 1 : 0)
          << random.seed();
    for (const Visited& member : made) EXPECT_LE(member.visits, 1);
    while (!here.empty()) {
      round.remove(*here.back());
      here.pop_back();
    }
    EXPECT_TRUE(round.is_empty());
  }
}

}  // namespace
}  // namespace lekt::test
