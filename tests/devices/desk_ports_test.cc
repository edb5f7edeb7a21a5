// Who gets a port when there are few, or none: by packet 3, and never by packet 1 alone.
#include <string>
#include <vector>

#include "tests/devices/desk.h"

namespace lekt::test {
namespace {

class DeskPortsTest : public DeskTest {
 protected:
  static DeviceEndpoint elsewhere(std::uint32_t number) { return {Address::v4(number), 3771}; }

  /// Devices with sessions on all three ports; yields their ports, in the order of 1, 2, 3.
  std::vector<std::uint16_t> serve_three() {
    std::vector<std::uint16_t> ports;
    for (std::uint32_t number = 1; number <= 3; ++number)
      ports.push_back(
          serve(elsewhere(number), number, no_ticket, string_of_uid("UID" + std::to_string(number))));
    return ports;
  }

  /// Packet 3 with what packet 2 has said.
  void ask_for(const ConnectionAccept& accepted, const DeviceEndpoint& from, std::uint64_t number) {
    dedicated(accepted.port, from, datagram(number, RegistrationRequest{accepted.token}));
  }

  /// The answer that went to this device.
  DatagramType answered(const DeviceEndpoint& to) {
    for (const Recorder::Sent& sent : outside_.sent)
      if (sent.to == to) return sent.head.type;
    return {};
  }
};

TEST_F(DeskPortsTest, an_address_has_no_more_registrations_without_a_session_than_it_may_have_devices) {
  limit_address_to(2);
  (void)register_device({example_device, 1}, 1);
  (void)register_device({example_device, 2}, 2);
  const ConnectionAccept third = accept({example_device, 3}, 3);
  ask_for(third, {example_device, 3}, 3);
  EXPECT_EQ(refused_with(), ErrorCode::sessions_too_many);
  EXPECT_LE(answer().bytes.size(), limits::device_request_bytes);
  EXPECT_EQ(outside_.alerts.back().code, ErrorCode::sessions_too_many);
  (void)register_device(elsewhere(4), 4);
  desk_.check();
}

TEST_F(DeskPortsTest, an_address_that_is_full_of_sessions_may_register_anew) {
  limit_address_to(1);
  (void)serve();
  const Ticket ticket = session().ticket();
  (void)serve({example_device, 4000}, 7, ticket);
  EXPECT_EQ(outside_.resumed, 1);
}

TEST_F(DeskPortsTest, a_registration_that_never_says_what_it_is_gives_way_when_no_port_is_free) {
  const std::uint16_t silent = register_device(elsewhere(1), 1);
  (void)serve(elsewhere(2), 2, no_ticket, string_of_uid("UID2"));
  (void)serve(elsewhere(3), 3, no_ticket, string_of_uid("UID3"));
  contact(elsewhere(4), datagram(4, ConnectionRequest{}));
  EXPECT_EQ(answered(elsewhere(4)), DatagramType::failure) << "it is not two seconds old";
  wait(2s);
  const ConnectionAccept accepted = accept(elsewhere(4), 5);
  EXPECT_EQ(accepted.port, silent);
  ASSERT_NE(desk_.registration(silent), nullptr) << "packet 1 takes nothing from anybody";
  ask_for(accepted, elsewhere(4), 5);
  EXPECT_EQ(answered(elsewhere(1)), DatagramType::failure);
  EXPECT_EQ(answered(elsewhere(4)), DatagramType::registration_accept);
  EXPECT_EQ(desk_.registration(silent)->number(), 5u);
  desk_.check();
}

TEST_F(DeskPortsTest, a_registration_without_a_session_gives_way_before_one_that_is_away) {
  const std::uint16_t away = serve(elsewhere(2), 2, no_ticket, string_of_uid("UID2"));
  (void)serve(elsewhere(3), 3, no_ticket, string_of_uid("UID3"));
  dedicated(away, elsewhere(2), datagram(2, DeviceConfig{no_ticket, string_of_uid("UID2")}, 2, 4));
  wait(31s);
  ASSERT_EQ(desk_.registration(away)->state(), Registration::State::away);
  const std::uint16_t silent = register_device(elsewhere(1), 1);
  wait(2s);
  EXPECT_EQ(accept(elsewhere(4), 4).port, silent);
}

TEST_F(DeskPortsTest, a_device_that_has_said_what_it_is_keeps_the_port_that_was_offered_meanwhile) {
  const std::uint16_t slow = register_device(elsewhere(1), 1);
  (void)serve(elsewhere(2), 2, no_ticket, string_of_uid("UID2"));
  (void)serve(elsewhere(3), 3, no_ticket, string_of_uid("UID3"));
  wait(2s);
  const ConnectionAccept accepted = accept(elsewhere(4), 4);
  ASSERT_EQ(accepted.port, slow);
  dedicated(slow, elsewhere(1), datagram(1, DeviceConfig{no_ticket, string_of_uid("UID1")}, 1, 1));
  ask_for(accepted, elsewhere(4), 4);
  EXPECT_EQ(refused_with(), ErrorCode::token_refused);
}

TEST_F(DeskPortsTest, requests_alone_end_no_registration_that_is_away) {
  const std::vector<std::uint16_t> ports = serve_three();
  for (std::uint32_t number = 1; number <= 3; ++number)
    dedicated(ports[number - 1], elsewhere(number),
              datagram(number, DeviceConfig{no_ticket, string_of_uid("UID")}, 2, 4));
  wait(31s);
  std::vector<std::uint16_t> offered;
  for (std::uint32_t number = 10; number < 13; ++number)
    offered.push_back(accept(elsewhere(number), number).port);
  EXPECT_EQ(offered, ports) << "they are offered in turn";
  EXPECT_EQ(desk_.ports().used, 3u);
  // One is heard again and keeps its port.
  dedicated(ports[0], elsewhere(1), datagram(1, Acknowledgment{}, 0, 5));
  EXPECT_EQ(desk_.registration(ports[0])->state(), Registration::State::serving);
}

TEST_F(DeskPortsTest, a_token_for_a_port_that_was_free_takes_it_from_nobody) {
  const ConnectionAccept late = accept(elsewhere(9), 9);
  (void)accept(elsewhere(8), 8);
  (void)accept(elsewhere(8), 7);
  ASSERT_EQ(register_device(elsewhere(1), 1), late.port);
  wait(3s);
  ask_for(late, elsewhere(9), 9);
  EXPECT_EQ(refused_with(), ErrorCode::token_refused);
}

TEST_F(DeskPortsTest, silent_devices_are_asked_once_in_five_seconds_however_many_want_a_port) {
  (void)serve_three();
  wait(1min);
  const auto asked = [&](std::uint64_t number) {
    contact(elsewhere(4), datagram(number, ConnectionRequest{}));
    return outside_.sent.size() - 1;
  };
  EXPECT_EQ(asked(4), 3u);
  for (std::uint32_t number = 1; number <= 3; ++number)
    dedicated(static_cast<std::uint16_t>(4999 + number), elsewhere(number),
              datagram(number, Acknowledgment{}, 0, 5));
  EXPECT_EQ(asked(5), 0u);
  wait(5s);
  EXPECT_EQ(asked(6), 3u);
}

}  // namespace
}  // namespace lekt::test
