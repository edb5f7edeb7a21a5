// The law: whatever the order of joins, leaves, polls, reconnects, restarts, forgetting and clock steps, a
// client that follows the rule holds the server's list after every complete answer.
//
// LEKT_TEST_OPERATIONS sets the number of operations (100,000 and more for a long run).
#include <gtest/gtest.h>

#include <cstdlib>
#include <iostream>

#include "tests/simulation/world.h"

namespace lekt::test {
namespace {

constexpr std::size_t operations_default = 60'000;
constexpr std::size_t operations_per_world = 3000;

std::size_t operations_wanted() {
  const char* given = std::getenv("LEKT_TEST_OPERATIONS");
  return given == nullptr ? operations_default : std::strtoull(given, nullptr, 10);
}

TEST(Model, every_client_that_follows_the_rule_holds_the_servers_list) {
  const Random first;
  World::Statistics total;
  for (std::size_t done = 0; done < operations_wanted(); done += operations_per_world) {
    // Each world has a seed of its own: the one that a failure names makes the failing world the first one.
    Random random(first.seed() + done / operations_per_world);
    const TempDirectory directory;
    World world(random, directory.path());
    for (std::size_t operation = 0; operation < operations_per_world; ++operation) world.step();
    world.settle();
    total.answers += world.statistics().answers;
    total.changes += world.statistics().changes;
    total.restarts += world.statistics().restarts;
    for (std::size_t basis = 0; basis < total.by_basis.size(); ++basis)
      total.by_basis[basis] += world.statistics().by_basis[basis];
  }
  std::cout << total.answers << " answers, " << total.changes << " changes, " << total.restarts
            << " restarts; answers by basis:";
  for (std::size_t basis = 0; basis < total.by_basis.size(); ++basis) {
    std::cout << ' ' << to_string(static_cast<Basis>(basis)) << '=' << total.by_basis[basis];
    // A world in which one kind of answer never occurs proves nothing about it.
    if (static_cast<Basis>(basis) != Basis::never_given_out) {
      EXPECT_GT(total.by_basis[basis], 0u) << to_string(static_cast<Basis>(basis));
    }
  }
  std::cout << '\n';
}

}  // namespace
}  // namespace lekt::test
