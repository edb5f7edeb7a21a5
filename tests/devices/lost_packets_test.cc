// Each packet of the handshake lost once, twice, three times and for ever, with a round trip of 10 ms: when the device has
// its first screen, or what it is told instead.
#include <gtest/gtest.h>

#include <string>

#include "tests/simulation/device_world.h"

namespace lekt::test {
namespace {

using namespace std::chrono_literals;

const Address home = Address::v4(0x0a0ae196);

/// The packets of the handshake by their numbers there: 1 is 'C', and so on.
constexpr std::string_view packet_types = "CPGYQDSE";

char type_of(int packet) { return packet_types[static_cast<std::size_t>(packet - 1)]; }

class LostPacketTest : public testing::Test {
 protected:
  /// Loses the first `count` datagrams of this packet.
  void lose(int packet, int count) {
    const char type = type_of(packet);
    world_.passes = [type, left = count](const DeviceWorld::Flight& flight) mutable {
      return flight.bytes[4] != type || left-- <= 0;
    };
  }

  /// When the device shows its first screen, in hundredths of a second.
  long long first_screen() {
    const std::size_t device = world_.add_device("0015708E863F", home);
    EXPECT_TRUE(
        world_.run_until([&] { return world_.link(device).screen().row(0)[0].character == U'G'; }, 30s));
    return (world_.now().count() + 5) / 10;
  }

  Random random_;
  DeviceWorld world_{random_, 5000, 6000};
};

TEST_F(LostPacketTest, nothing_is_lost) { EXPECT_EQ(first_screen(), 14); }

struct Lost {
  int packet;
  int count;
  long long hundredths;
};

void PrintTo(const Lost& lost, std::ostream* out) {
  *out << "packet " << lost.packet << " lost " << lost.count << " times";
}

class RepeatedPacketTest : public LostPacketTest, public testing::WithParamInterface<Lost> {};

TEST_P(RepeatedPacketTest, comes_again_after_the_timer) {
  lose(GetParam().packet, GetParam().count);
  EXPECT_NEAR(static_cast<double>(first_screen()), static_cast<double>(GetParam().hundredths), 1.0);
}

INSTANTIATE_TEST_SUITE_P(Each, RepeatedPacketTest,
                         testing::Values(Lost{1, 1, 64}, Lost{1, 2, 164}, Lost{1, 3, 364}, Lost{2, 1, 64},
                                         Lost{2, 2, 164}, Lost{2, 3, 364}, Lost{3, 1, 64}, Lost{3, 2, 164},
                                         Lost{3, 3, 364}, Lost{4, 1, 64}, Lost{4, 2, 164}, Lost{4, 3, 364},
                                         Lost{5, 1, 64}, Lost{5, 2, 164}, Lost{5, 3, 364}, Lost{6, 1, 64},
                                         Lost{6, 2, 164}, Lost{6, 3, 364}, Lost{7, 1, 35}, Lost{7, 2, 75},
                                         Lost{7, 3, 155}, Lost{8, 1, 35}, Lost{8, 2, 75}, Lost{8, 3, 155}));

/// Each packet has a world of its own.
class PacketThatNeverComesTest : public testing::Test {
 protected:
  Random random_;
};

TEST_F(PacketThatNeverComesTest, leaves_the_device_with_a_timeout_before_it_is_registered) {
  for (const int packet : {1, 2, 3, 4}) {
    DeviceWorld world(random_, 5000, 6000);
    const char type = type_of(packet);
    world.passes = [type](const DeviceWorld::Flight& flight) { return flight.bytes[4] != type; };
    const std::size_t device = world.add_device("0015708E863F", home);
    world.run(9999ms);
    EXPECT_NE(world.link(device).message(), "Err:Host Timeout!") << packet;
    world.run(2ms);
    EXPECT_EQ(world.link(device).message(), "Err:Host Timeout!") << packet;
    world.run(10ms);
    const bool offers = packet == 2 || packet == 3;
    EXPECT_EQ(world.statistics().alerts[ErrorCode::registration_incomplete], offers ? 1u : 0u) << packet;
  }
}

TEST_F(PacketThatNeverComesTest, ends_the_registration_when_there_is_no_device_config) {
  for (const int packet : {4, 5, 6}) {
    DeviceWorld world(random_, 5000, 6000);
    const char type = type_of(packet);
    world.passes = [type](const DeviceWorld::Flight& flight) { return flight.bytes[4] != type; };
    (void)world.add_device("0015708E863F", home);
    world.run(10'200ms);
    EXPECT_EQ(world.statistics().alerts[ErrorCode::device_config_missing], 1u) << packet;
    EXPECT_EQ(world.desk().book().size(), 0u) << packet;
  }
}

TEST_F(PacketThatNeverComesTest, lets_the_registration_be_away_once_it_serves) {
  for (const int packet : {7, 8}) {
    DeviceWorld world(random_, 5000, 6000);
    const char type = type_of(packet);
    // Without packet 7 the device registers anew, which this network prevents.
    world.passes = [type, registers = true](const DeviceWorld::Flight& flight) mutable {
      return flight.bytes[4] != type && (flight.bytes[4] != 'C' || std::exchange(registers, false));
    };
    (void)world.add_device("0015708E863F", home);
    world.run(31s);
    const Registration* const registration = world.desk().registration(5000);
    ASSERT_NE(registration, nullptr) << packet;
    EXPECT_EQ(registration->state(), Registration::State::away) << packet;
  }
}

}  // namespace
}  // namespace lekt::test
