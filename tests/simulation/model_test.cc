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

constexpr std::size_t worlds_in_which_everything_happens = 2000;
constexpr std::size_t worlds_default = sanitized ? 60 : worlds_in_which_everything_happens;
constexpr std::size_t worlds_between_reports = 10'000;
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

void print(std::size_t worlds, const World::Statistics& total) {
  std::cout << worlds << " worlds: " << total.steps << " steps, " << total.answers << " answers, "
            << total.changes << " changes, " << total.starts << " starts, " << total.power_losses
            << " power losses, " << total.disk_failures << " operations of the disk failed, "
            << total.troubles << " turns in trouble, " << total.refusals << " joins refused, " << total.cuts
            << " cut, " << total.timeouts << " timeouts, " << total.slowed << " heartbeats too fast, "
            << total.pushes << " pushes; answers by basis:";
  for (std::size_t basis = 0; basis < total.by_basis.size(); ++basis)
    std::cout << ' ' << to_string(static_cast<Basis>(basis)) << '=' << total.by_basis[basis];
  std::cout << std::endl;
}

/// Worlds in which something never happens prove nothing about it.
void expect_everything_has_happened(const World::Statistics& total) {
  EXPECT_GT(total.changes, 0u);
  EXPECT_GT(total.power_losses, 0u);
  EXPECT_GT(total.disk_failures, 0u);
  EXPECT_GT(total.troubles, 0u);
  EXPECT_GT(total.refusals, 0u);
  EXPECT_GT(total.cuts, 0u);
  EXPECT_GT(total.timeouts, 0u);
  EXPECT_GT(total.slowed, 0u);
  EXPECT_GT(total.pushes, 0u);
  for (const Basis basis : {Basis::asked_for_all, Basis::before_history, Basis::exact, Basis::second_again})
    EXPECT_GT(total.by_basis[static_cast<std::size_t>(basis)], 0u) << to_string(basis);
}

TEST(Model, no_guarantee_is_broken_in_any_world) {
  const Random first;
  const std::size_t worlds = worlds_wanted();
  World::Statistics total;
  for (std::size_t done = 0; done < worlds; ++done) {
    total += live(first.seed() + done);
    if ((done + 1) % worlds_between_reports == 0) print(done + 1, total);
  }
  print(worlds, total);
  if (worlds >= worlds_in_which_everything_happens) expect_everything_has_happened(total);
}

}  // namespace
}  // namespace lekt::test
