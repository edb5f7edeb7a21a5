// A device's side, with the desk and a network that does what the test says.
#include <gtest/gtest.h>

#include <string>

#include "tests/simulation/device_world.h"

namespace lekt::test {
namespace {

using namespace std::chrono_literals;

class DeviceLinkTest : public testing::Test {
 protected:
  Random random_;
  DeviceWorld world_{random_, 5000, 6000};
  const Address home = Address::v4(0x0a0ae196);
};

TEST_F(DeviceLinkTest, does_not_take_one_port_after_the_other_when_packet_6_cannot_come_through) {
  std::size_t requests = 0;
  world_.passes = [&](const DeviceWorld::Flight& flight) {
    if (flight.bytes[4] == 'C') ++requests;
    return flight.bytes.size() < 100;  // as a tunnel that swallows what is large
  };
  (void)world_.add_device("0015708E863F", home);
  world_.run(10min);
  EXPECT_GT(requests, 10u);
  EXPECT_LT(requests, 30u);
}

TEST_F(DeviceLinkTest, tells_its_new_size_although_it_changed_before_the_session_began) {
  bool turned = false;
  std::size_t device = 0;
  std::string string = "AB~001~19~000~PDT9090_E5~16~26~09~01~0107~0000~000~0015708E863F~";
  world_.passes = [&](const DeviceWorld::Flight& flight) {
    if (flight.bytes[4] != 'S' || std::exchange(turned, true)) return true;
    string.replace(string.find("16~26"), 5, "26~16");
    world_.link(device).describe(string);
    return true;
  };
  device = world_.add_device("0015708E863F", home, string);
  world_.run(5s);
  EXPECT_TRUE(turned);
  EXPECT_EQ(world_.link(device).screen().rows(), 26u);
  EXPECT_EQ(world_.link(device).screen().columns(), 16u);
}

TEST_F(DeviceLinkTest, gets_its_session_also_when_a_round_trip_takes_four_seconds) {
  world_.network.delay_min = world_.network.delay_max = 2s;
  const std::size_t device = world_.add_device("0015708E863F", home);
  EXPECT_TRUE(world_.run_until([&] { return world_.is_settled(device); }, 30s));
  EXPECT_EQ(world_.statistics().sessions, 1u);
}

TEST_F(DeviceLinkTest, is_not_ended_by_an_attempt_of_its_own_that_it_has_given_up) {
  const std::size_t device = world_.add_device("0015708E863F", home);
  ASSERT_TRUE(world_.run_until([&] { return world_.is_settled(device); }, 5s));
  // Nothing of the old registration comes through, and packets 7 of the next one are lost.
  const std::uint16_t first = *world_.desk().book().find(DeviceSession::Number{1})->port();
  bool loses = true;
  world_.passes = [&](const DeviceWorld::Flight& flight) {
    if (flight.bytes[4] == 'F') return true;
    return !loses || (flight.port != first && flight.bytes[4] != 'S');
  };
  // Its goodbye to the old registration comes when the attempt that replaced it has been given up.
  std::optional<DeviceWorld::Flight> late;
  const auto passes = world_.passes;
  world_.passes = [&](const DeviceWorld::Flight& flight) {
    if (flight.bytes[4] == 'F' && flight.port == first && loses) {
      late = flight;
      return false;
    }
    return passes(flight);
  };
  world_.type(device);
  world_.run(14s);
  ASSERT_TRUE(late) << "the server has moved the session";
  world_.link(device).receive(late->port, late->bytes, world_.now());
  loses = false;
  EXPECT_NE(world_.link(device).phase(), DeviceLink::Phase::ended);
  EXPECT_TRUE(world_.run_until([&] { return world_.is_settled(device); }, 2min));
  EXPECT_EQ(world_.statistics().sessions, 1u);
}

TEST_F(DeviceLinkTest, stops_when_another_device_has_its_session) {
  const std::size_t device = world_.add_device("0015708E863F", home);
  ASSERT_TRUE(world_.run_until([&] { return world_.is_settled(device); }, 5s));
  const Ticket ticket = world_.link(device).ticket();
  const std::size_t thief = world_.add_device("0015708E863F", Address::v4(9), {}, ticket);
  world_.run(5s);
  EXPECT_EQ(world_.link(device).phase(), DeviceLink::Phase::ended);
  EXPECT_TRUE(world_.is_settled(thief));
}

TEST_F(DeviceLinkTest, hears_when_it_comes_back_that_its_host_has_hung_up_and_forgets_the_session) {
  std::uint32_t address = 100;
  for (const AwakeTime away : {AwakeTime(5s), AwakeTime(5min)}) {
    const std::size_t device = world_.add_device("0015708E863F", Address::v4(++address));
    ASSERT_TRUE(world_.run_until([&] { return world_.is_settled(device); }, 5s));
    const std::size_t sessions = world_.statistics().sessions;
    world_.cut_off(device, true);
    world_.type(device);
    world_.run(away / 2);
    world_.desk().end_sessions([](const DeviceSession&) { return true; },
                               {ErrorCode::host_hung_up, "wms has closed the connection"});
    world_.run(away / 2);
    world_.cut_off(device, false);
    const DeviceLink& link = world_.link(device);
    ASSERT_TRUE(world_.run_until([&] { return link.phase() == DeviceLink::Phase::ended; }, 2min));
    EXPECT_EQ(link.ending()->code, ErrorCode::host_hung_up);
    EXPECT_EQ(link.message(), "E910 wms has closed the connection; start again for a new session");
    EXPECT_EQ(link.ticket(), no_ticket);
    EXPECT_EQ(world_.statistics().sessions, sessions) << "it has not been given another one";
  }
}

TEST_F(DeviceLinkTest, registers_once_more_to_end_a_session_that_has_another_registration) {
  const std::size_t device = world_.add_device("0015708E863F", home);
  ASSERT_TRUE(world_.run_until([&] { return world_.is_settled(device); }, 5s));
  world_.move(device, {home, 4000});
  world_.link(device).leave(world_.now());
  world_.run(5s);
  EXPECT_EQ(world_.link(device).phase(), DeviceLink::Phase::ended);
  EXPECT_EQ(world_.link(device).ending()->code, ErrorCode::session_ended);
  EXPECT_EQ(world_.desk().book().size(), 0u);
  EXPECT_EQ(world_.link(device).ticket(), no_ticket);
}

TEST_F(DeviceLinkTest, registers_to_end_the_session_of_an_earlier_run) {
  const std::size_t device = world_.add_device("0015708E863F", home);
  ASSERT_TRUE(world_.run_until([&] { return world_.is_settled(device); }, 5s));
  world_.reboot(device, true);
  world_.link(device).leave(world_.now());
  world_.run(5s);
  EXPECT_EQ(world_.link(device).phase(), DeviceLink::Phase::ended);
  EXPECT_EQ(world_.desk().book().size(), 0u);
}

TEST_F(DeviceLinkTest, ends_also_when_nobody_hears_that_it_leaves) {
  const std::size_t device = world_.add_device("0015708E863F", home);
  ASSERT_TRUE(world_.run_until([&] { return world_.is_settled(device); }, 5s));
  world_.reboot(device, true);
  world_.cut_off(device, true);
  world_.link(device).leave(world_.now());
  world_.run(DeviceLink::leaving_max);
  EXPECT_EQ(world_.link(device).phase(), DeviceLink::Phase::ended);
  EXPECT_EQ(world_.link(device).ticket(), no_ticket);
}

}  // namespace
}  // namespace lekt::test
