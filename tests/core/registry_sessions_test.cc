// One address with thousands of sessions, as behind a translation of addresses: none of them makes the next one dearer.
#include <gtest/gtest.h>
#include <time.h>

#include <chrono>

#include "common/packets.h"
#include "server/core/registry.h"
#include "tests/core/support.h"

namespace lekt {
namespace {

using namespace test;
using namespace std::chrono_literals;

constexpr std::uint16_t many = 4000;
const Address site = address("10.0.0.7");

/// What the test's thread has computed so far, however busy the machine is.
std::chrono::nanoseconds computed() {
  timespec time{};
  ::clock_gettime(CLOCK_THREAD_CPUTIME_ID, &time);
  return std::chrono::seconds(time.tv_sec) + std::chrono::nanoseconds(time.tv_nsec);
}

class RegistrySessionsTest : public testing::Test {
 protected:
  /// All come, each with a port of its own, and go again.
  void come_and_go() {
    for (std::uint16_t port = 1; port <= many; ++port)
      ASSERT_EQ(registry_.join(port, site, tcp(port)), std::nullopt);
    registry_.check();
    ASSERT_EQ(registry_.sessions_of(site), many);
    for (std::uint16_t port = 1; port <= many; ++port) registry_.leave(port, site, LeaveReason::closed);
    registry_.check();
  }

  static Methods all_ports() {
    Methods methods;
    for (std::uint16_t port = 1; port <= many; ++port) methods.push_back(tcp(port).front());
    return methods;
  }

  Registry registry_{{.clients_max = 1, .packet_bytes_max = limits::packet_bytes_default}};
};

// If each looked at all others it would take more than ten seconds; it takes some milliseconds.
TEST_F(RegistrySessionsTest, come_and_go_without_a_look_at_the_others) {
  const auto before = computed();
  come_and_go();
  EXPECT_LT(computed() - before, 2s);
}

TEST_F(RegistrySessionsTest, come_back_after_a_restart_without_a_look_at_the_others) {
  registry_.restore(site, all_ports(), true);
  const auto before = computed();
  come_and_go();
  EXPECT_LT(computed() - before, 2s);
  EXPECT_TRUE(registry_.differences().empty()) << "until the grace is over all of them are waited for";
  registry_.end_grace();
  registry_.check();
  EXPECT_EQ(registry_.differences().size(), 1u);
}

TEST_F(RegistrySessionsTest, that_come_back_one_by_one_keep_what_the_others_offered) {
  registry_.restore(site, {tcp(1).front(), tcp(2).front(), tcp(3).front()}, true);
  const auto stored = [&] {
    const auto differences = registry_.differences();
    registry_.committed(differences);
    registry_.check();
    return differences.empty() ? Methods() : differences.back().methods;
  };
  ASSERT_EQ(registry_.join(1, site, tcp(4)), std::nullopt);
  EXPECT_EQ(stored().size(), 4u);
  ASSERT_EQ(registry_.join(2, site, tcp(1)), std::nullopt);
  registry_.leave(1, site, LeaveReason::closed);
  EXPECT_TRUE(stored().empty()) << "what has become known is waited for as well";
  registry_.end_grace();
  EXPECT_EQ(stored(), tcp(1));
}

}  // namespace
}  // namespace lekt
