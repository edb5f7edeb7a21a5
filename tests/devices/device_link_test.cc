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
};

TEST_F(DeviceLinkTest, does_not_take_one_port_after_the_other_when_packet_6_cannot_come_through) {
  std::size_t requests = 0;
  world_.passes = [&](const DeviceWorld::Flight& flight) {
    if (flight.bytes[4] == 'C') ++requests;
    return flight.bytes.size() < 100;  // as a tunnel that swallows what is large
  };
  (void)world_.add_device("0015708E863F", Address::v4(0x0a0ae196));
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
  device = world_.add_device("0015708E863F", Address::v4(0x0a0ae196), string);
  world_.run(5s);
  EXPECT_TRUE(turned);
  EXPECT_EQ(world_.link(device).screen().rows(), 26u);
  EXPECT_EQ(world_.link(device).screen().columns(), 16u);
}

}  // namespace
}  // namespace lekt::test
