// The law: whatever the order of joins, leaves, polls, reconnects, crashes, power losses, storage errors,
// pauses and clock steps, no guarantee is broken (oracle.h), and a client that follows the rule holds the
// server's list after every complete answer.
//
// Each world has a seed of its own; a failure prints the command that makes it the first one.
// LEKT_TEST_WORLDS sets the number of worlds (a long run: 1,000,000).
#include <gtest/gtest.h>

#include <cstdlib>
#include <iostream>

#include "tests/simulation/world.h"

namespace lekt::test {
namespace {

constexpr std::size_t worlds_default = 2000;
constexpr std::size_t steps_in_short_world = 300;
constexpr std::size_t steps_in_long_world = 3000;

std::size_t worlds_wanted() {
  const char* given = std::getenv("LEKT_TEST_WORLDS");
  return given == nullptr ? worlds_default : std::strtoull(given, nullptr, 10);
}

World::Statistics live(std::uint64_t seed) {
  Random random(seed);
  const TempDirectory directory(directory_in_memory());
  World world(random, directory.path());
  const std::size_t steps = random.chance(2) ? steps_in_long_world : steps_in_short_world;
  for (std::size_t step = 0; step < steps; ++step) world.step();
  world.settle();
  return world.statistics();
}

void print(const World::Statistics& total) {
  std::cout << total.steps << " steps, " << total.answers << " answers, " << total.changes << " changes, "
            << total.starts << " starts, " << total.power_losses << " power losses, " << total.disk_failures
            << " operations of the disk failed, " << total.troubles << " turns in trouble, " << total.refusals
            << " joins refused; answers by basis:";
  for (std::size_t basis = 0; basis < total.by_basis.size(); ++basis)
    std::cout << ' ' << to_string(static_cast<Basis>(basis)) << '=' << total.by_basis[basis];
  std::cout << '\n';
}

TEST(Model, no_guarantee_is_broken_in_any_world) {
  const Random first;
  World::Statistics total;
  for (std::size_t world = 0; world < worlds_wanted(); ++world) total += live(first.seed() + world);
  print(total);
}

}  // namespace
}  // namespace lekt::test
