#include "client/command/device_program/device_log.h"

#include <gtest/gtest.h>

#include "tests/support/screens.h"

namespace lekt::command {
namespace {

using namespace std::chrono_literals;
using Lines = std::vector<std::string>;

constexpr std::uint64_t its_registration = 7;
constexpr std::chrono::milliseconds machine_time{1'800'000'000'005};

class DeviceLogTest : public testing::Test {
 protected:
  void send() {
    while (link_.next(now_)) continue;
  }
  template <class Body>
  void receive(std::uint16_t port, const Body& body, std::uint32_t message = 0) {
    link_.receive(port, encode_datagram({Body::type, version_spoken, its_registration, message, 0}, body),
                  now_);
    send();
  }
  Lines look() { return log_.look(link_, machine_time); }

  AwakeTime now_{0};
  DeviceLink link_{{"0~1~2~3~4~24~80~7~8~9~10~11~me~", no_ticket}, [] { return its_registration; }, now_};
  DeviceLog log_;
};

TEST_F(DeviceLogTest,
       a_device_that_connects_has_a_line_for_each_message_with_the_servers_time_when_it_is_known) {
  send();
  EXPECT_EQ(look(), Lines{"2027-01-15T08:00:00.005Z Connecting..."});
  EXPECT_EQ(look(), Lines{});
  receive(0, ConnectionAccept{5007, {}});
  EXPECT_EQ(look(), Lines{"2027-01-15T08:00:00.005Z Register Port 5007"});
  receive(5007, RegistrationAccept{});
  EXPECT_EQ(look(), Lines{"2027-01-15T08:00:00.005Z Connected"});
  receive(5007, GetDeviceConfig{}, 1);
  SetDeviceConfig config;
  config.ticket.fill('t');
  receive(5007, config, 2);
  receive(5007, SetTime{1'264'408'183, 248, 0}, 3);
  EXPECT_EQ(look(), Lines{"2010-01-25T08:29:43.248Z a session has begun"});

  link_.type(test::items_of(KeyItem{Key::enter}));
  send();
  now_ = 3s;
  send();
  EXPECT_EQ(look(), (Lines{"2010-01-25T08:29:43.248Z E901 eSP0001 the server does not answer",
                           "2010-01-25T08:29:43.248Z [Linking]"}));
  now_ = 30s;
  send();
  EXPECT_EQ(look(), Lines{"2010-01-25T08:29:43.248Z [Out of Range]"});
}

TEST_F(DeviceLogTest, a_refusal_is_one_line_that_controls_nothing) {
  send();
  look();
  link_.receive(0,
                encode_datagram({DatagramType::failure, version_spoken, its_registration, 408, 0},
                                DeviceFailure{"no\x1b[2J"}),
                now_);
  EXPECT_EQ(look(), Lines{"2027-01-15T08:00:00.005Z E408 no\\x1b[2J"});
}

TEST_F(DeviceLogTest, a_timeout_has_its_message_and_its_code) {
  send();
  look();
  now_ = 10s;
  send();
  EXPECT_EQ(look(), (Lines{"2027-01-15T08:00:00.005Z Err:Host Timeout!",
                           "2027-01-15T08:00:00.005Z E906 Err:Host Timeout! the server does not answer"}));
}

}  // namespace
}  // namespace lekt::command
