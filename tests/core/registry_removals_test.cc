// Why a client is removed, and who is not removed although a session has ended.
#include <gtest/gtest.h>

#include <algorithm>
#include <ctime>

#include "server/core/registry.h"
#include "tests/core/support.h"

namespace lekt {
namespace {

using namespace test;

using Lines = std::vector<std::string>;

const Address removed_seven = address("10.0.0.7");
const Address removed_eight = address("10.0.0.8");

class RegistryRemovalsTest : public testing::Test {
 protected:
  void join(SessionId session, Address address, const Methods& methods) {
    EXPECT_EQ(registry_.join(session, address, methods), std::nullopt);
  }
  void commit() { registry_.committed(registry_.differences()); }

  /// "10.0.0.7 closed" for each removal that is to be written, sorted.
  Lines removals() {
    Lines lines;
    for (const auto& difference : registry_.differences())
      if (difference.kind == UpdateKind::removed)
        lines.push_back(to_string(difference.address) + " " + to_string(difference.reason));
    std::ranges::sort(lines);
    return lines;
  }

  Registry registry_{{3, limits::packet_bytes_floor}};
};

TEST_F(RegistryRemovalsTest, the_reason_of_a_removal_is_that_of_the_last_session_to_end) {
  join(1, removed_seven, tcp(7890));
  join(2, removed_seven, tcp(7890));
  commit();
  registry_.leave(1, removed_seven, LeaveReason::closed);
  registry_.leave(2, removed_seven, leave_reason(ErrorCode::heartbeat_timeout));
  EXPECT_EQ(removals(), Lines{"10.0.0.7 E301"});
  commit();
  join(3, removed_seven, tcp(7890));
  EXPECT_EQ(removals(), Lines{});
}

TEST_F(RegistryRemovalsTest,
       who_does_not_come_back_is_removed_for_that_reason_unless_it_was_dismissed_for_another) {
  registry_.restore(removed_seven, tcp(7890), true);
  registry_.restore(removed_eight, tcp(7890), true);
  registry_.dismiss(Block(removed_eight), leave_reason(ErrorCode::ended_by_operator));
  registry_.end_grace();
  EXPECT_EQ(removals(), (Lines{"10.0.0.7 not back", "10.0.0.8 E409"}));
}

TEST_F(RegistryRemovalsTest, a_block_is_dismissed_at_once_and_nobody_besides) {
  registry_.restore(removed_seven, tcp(7890), true);
  registry_.restore(removed_eight, tcp(7890), true);
  registry_.restore(address("10.0.1.7"), tcp(7890), true);
  EXPECT_EQ(registry_.dismiss(parse_block("10.0.0.0/24").value(), leave_reason(ErrorCode::address_banned)),
            2u);
  EXPECT_EQ(registry_.waiting(), 1u);
  EXPECT_EQ(removals(), (Lines{"10.0.0.7 E408", "10.0.0.8 E408"}));
}

/// Of this thread, so that other programs of the machine do not count.
double processor_seconds() {
  timespec time{};
  clock_gettime(CLOCK_THREAD_CPUTIME_ID, &time);
  return static_cast<double>(time.tv_sec) + static_cast<double>(time.tv_nsec) / 1e9;
}

// Many machines behind one address: a join and a leave each cost the same, however many are there already.
TEST(RegistryOfOneAddress, costs_as_much_for_each_session_with_many_as_with_few) {
  const auto cost_of = [](SessionId sessions) {
    Registry registry({3, limits::packet_bytes_default});
    const double begun = processor_seconds();
    for (SessionId session = 1; session <= sessions; ++session)
      registry.join(session, removed_seven, tcp(static_cast<std::uint16_t>(1 + session % 50)));
    registry.committed(registry.differences());
    for (SessionId session = 1; session < sessions; ++session)
      registry.leave(session, removed_seven, LeaveReason::closed);
    registry.committed(registry.differences());
    EXPECT_EQ(registry.sessions(), 1u);
    return processor_seconds() - begun;
  };
  const double few = cost_of(2000);
  EXPECT_LT(cost_of(20'000), 40 * few) << "ten times as much, and by no means a hundred times";
}

}  // namespace
}  // namespace lekt
