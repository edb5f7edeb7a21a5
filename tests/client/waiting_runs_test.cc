#include "client/command/waiting_runs.h"

#include <gtest/gtest.h>

#include "client/command/output.h"
#include "tests/client/fake_server.h"
#include "tests/support/support.h"

namespace lekt::command {
namespace {

using Kind = PeerChange::Kind;
using test::tcp;

constexpr std::uint64_t any_version = 1000;
const WaitingRuns::Time at_start = {};

Address numbered_peer(std::uint32_t number) { return Address::v4(0x0a000000 + number); }
PeerChange came(std::uint32_t number, std::uint16_t port) {
  return {Kind::added, numbered_peer(number), {}, {tcp(port), {}}};
}
PeerChange went(std::uint32_t number, std::uint16_t port) {
  return {Kind::removed, numbered_peer(number), {tcp(port), {}}, {}};
}
PeerChange changed(std::uint32_t number, std::uint16_t before, std::uint16_t port) {
  return {Kind::changed, numbered_peer(number), {tcp(before), {}}, {tcp(port), {}}};
}

/// "+ 10.0.0.1 tcp:1\n", "lost\n"
std::string text_of_run(const WaitingRuns::Run& run) {
  if (const auto* change = std::get_if<PeerChange>(&run.reason)) return text_of(*change, {});
  return std::string(name_of(std::get<ConnectionEvent>(run.reason).kind)) + '\n';
}

std::string text_of_all(WaitingRuns& runs) {
  std::string text;
  for (const auto& run : runs.take_all(any_version, at_start)) text += text_of_run(run);
  return text;
}

TEST(WaitingRuns, what_happens_to_a_peer_that_waits_is_told_in_one) {
  WaitingRuns runs;
  runs.add({came(1, 1), 1});
  runs.add({came(2, 1), 1});
  runs.add({changed(1, 1, 2), 1});
  runs.add({went(2, 1), 1});
  runs.add({went(3, 1), 1});
  runs.add({came(3, 2), 1});
  runs.add({went(4, 1), 1});
  runs.add({came(4, 1), 1});
  EXPECT_EQ(text_of_all(runs), "+ 10.0.0.1 tcp:2\n~ 10.0.0.3 tcp:2\n");
  EXPECT_EQ(runs.size(), 0u);
}

TEST(WaitingRuns, of_the_connection_only_the_newest_is_told) {
  const auto event = [](ConnectionEvent::Kind kind) {
    ConnectionEvent made;
    made.kind = kind;
    return WaitingRuns::Run{made, 1};
  };
  WaitingRuns runs;
  runs.add(event(ConnectionEvent::Kind::joined));
  runs.add({came(1, 1), 1});
  runs.add(event(ConnectionEvent::Kind::complete));
  runs.add(event(ConnectionEvent::Kind::lost));
  EXPECT_EQ(text_of_all(runs), "+ 10.0.0.1 tcp:1\nlost\n");
  runs.add(event(ConnectionEvent::Kind::joined));
  runs.add({came(2, 1), 1});
  runs.add(event(ConnectionEvent::Kind::complete));
  EXPECT_EQ(text_of_all(runs), "joined\n+ 10.0.0.2 tcp:1\ncomplete\n");
}

TEST(WaitingRuns, a_change_waits_for_its_version) {
  WaitingRuns runs;
  runs.add({came(1, 1), 1});
  runs.add({came(2, 1), 2});
  EXPECT_FALSE(runs.take(0, at_start));
  EXPECT_FALSE(runs.next_due(0));
  EXPECT_EQ(text_of_run(*runs.take(1, at_start)), "+ 10.0.0.1 tcp:1\n");
  EXPECT_FALSE(runs.take(1, at_start));
  runs.add({changed(2, 1, 2), 3});
  EXPECT_FALSE(runs.take(2, at_start));
  EXPECT_EQ(text_of_run(*runs.take(3, at_start)), "+ 10.0.0.2 tcp:2\n");
}

TEST(WaitingRuns, what_is_put_back_waits_for_its_time_and_takes_in_what_came_since) {
  using namespace std::chrono_literals;
  WaitingRuns runs;
  runs.add({came(1, 1), 1});
  WaitingRuns::Run failed = *runs.take(any_version, at_start);
  runs.add({changed(1, 1, 2), 1});
  runs.add({came(2, 1), 1});
  failed.due = at_start + 5s;
  runs.put_back(failed);
  EXPECT_EQ(text_of_run(*runs.take(any_version, at_start)), "+ 10.0.0.2 tcp:1\n");
  EXPECT_FALSE(runs.take(any_version, at_start));
  EXPECT_EQ(runs.next_due(any_version), at_start + 5s);
  EXPECT_EQ(text_of_run(*runs.take(any_version, at_start + 5s)), "+ 10.0.0.1 tcp:2\n");
}

TEST(WaitingRuns, a_failed_run_whose_peer_has_gone_since_is_told_that) {
  WaitingRuns runs;
  runs.add({came(1, 1), 1});
  WaitingRuns::Run failed = *runs.take(any_version, at_start);
  runs.add({went(1, 1), 1});
  runs.put_back(failed);
  EXPECT_EQ(text_of_all(runs), "- 10.0.0.1\n");
}

TEST(WaitingRuns, whoever_applies_what_he_is_told_has_the_list_however_late_he_is) {
  test::Random random;
  WaitingRuns runs;
  std::map<Address, Offer> truth;
  std::map<Address, Offer> told;
  for (int step = 0; step < 20'000; ++step) {
    const Address who = numbered_peer(static_cast<std::uint32_t>(random.below(20)));
    const auto found = truth.find(who);
    const Offer before = found == truth.end() ? Offer{} : found->second;
    if (found != truth.end() && random.chance(40)) {
      runs.add({PeerChange{Kind::removed, who, before, {}}, 1});
      truth.erase(found);
    } else {
      const Offer offer{tcp(static_cast<std::uint16_t>(step)), {}};
      runs.add({PeerChange{found == truth.end() ? Kind::added : Kind::changed, who, before, offer}, 1});
      truth[who] = offer;
    }
    ASSERT_LE(runs.size(), 20u);
    for (std::uint64_t takes = random.chance(10) ? random.below(15) : 0; takes > 0; --takes) {
      const auto run = runs.take(any_version, at_start);
      if (!run) break;
      const auto& change = std::get<PeerChange>(run->reason);
      ASSERT_EQ(told.contains(change.address), change.kind != Kind::added);
      if (told.contains(change.address)) {
        ASSERT_EQ(told[change.address], change.before);
      }
      if (change.kind == Kind::removed)
        told.erase(change.address);
      else
        told[change.address] = change.now;
    }
  }
  while (const auto run = runs.take(any_version, at_start)) {
    const auto& change = std::get<PeerChange>(run->reason);
    if (change.kind == Kind::removed)
      told.erase(change.address);
    else
      told[change.address] = change.now;
  }
  EXPECT_EQ(told, truth);
}

}  // namespace
}  // namespace lekt::command
