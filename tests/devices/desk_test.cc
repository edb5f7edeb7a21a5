// What each datagram is answered with, in order and out of it (docs/device-protocol.md, "Wrong datagrams").
#include <string>

#include "tests/devices/desk.h"

namespace lekt::test {
namespace {

// ---- In order ----

TEST_F(DeskTest, offers_the_next_port_and_keeps_nothing_for_it) {
  EXPECT_EQ(accept({example_device, 1000}, 1).port, 5000);
  EXPECT_EQ(accept({example_device, 1000}, 2).port, 5001);
  EXPECT_EQ(accept({example_device, 1000}, 3).port, 5002);
  EXPECT_EQ(accept({example_device, 1000}, 4).port, 5000);
  EXPECT_EQ(desk_.ports(), (DevicePorts::Counts{3, 0, 0}));
}

TEST_F(DeskTest, offers_a_device_that_asks_again_the_same_port) {
  EXPECT_EQ(accept(example_endpoint, first_number).port, 5000);
  EXPECT_EQ(accept(example_endpoint, first_number).port, 5000);
}

TEST_F(DeskTest, asks_for_the_config_a_tenth_of_a_second_after_it_has_registered_the_device) {
  (void)register_device();
  wait(99ms);
  EXPECT_TRUE(outside_.sent.empty());
  wait(1ms);
  EXPECT_EQ(answer().head.type, DatagramType::get_device_config);
}

TEST_F(DeskTest, configures_the_device_and_shows_a_screen) {
  const std::uint16_t port = register_device();
  wait(100ms);
  dedicated(port, example_endpoint, datagram(first_number, DeviceConfig{no_ticket, its_string}, 1, 1));
  ASSERT_EQ(outside_.sent.size(), 2u);
  EXPECT_EQ(outside_.sent[0].head.type, DatagramType::set_device_config);
  EXPECT_EQ(outside_.sent[1].head.type, DatagramType::set_time);
  dedicated(port, example_endpoint, datagram(first_number, Acknowledgment{}, 0, 3));
  EXPECT_EQ(answer().head.type, DatagramType::message);
  EXPECT_EQ(outside_.began, 1);
  EXPECT_EQ(session().device().uid, "0015708E863F");
}

TEST_F(DeskTest, is_silent_with_a_device_that_has_nothing_to_say) {
  (void)serve();
  wait(10min);
  EXPECT_TRUE(outside_.sent.empty());
}

TEST_F(DeskTest, takes_answers_from_another_port_than_the_contact_saw) {
  const ConnectionAccept accepted = accept({example_device, 40'000}, first_number);
  dedicated(accepted.port, {example_device, 50'000},
            datagram(first_number, RegistrationRequest{accepted.token}));
  EXPECT_EQ(answer().head.type, DatagramType::registration_accept);
  EXPECT_EQ(answer().to.port, 50'000);
}

TEST_F(DeskTest, answers_packet_3_again_when_packet_4_was_lost) {
  const ConnectionAccept accepted = accept(example_endpoint, first_number);
  for (int times = 0; times < 2; ++times) {
    dedicated(accepted.port, example_endpoint, datagram(first_number, RegistrationRequest{accepted.token}));
    EXPECT_EQ(answer().head.type, DatagramType::registration_accept);
  }
  EXPECT_EQ(desk_.counts().registrations, 1u);
}

// ---- Wrong datagrams ----

TEST_F(DeskTest, says_nothing_to_what_belongs_nowhere) {
  const Bytes request = datagram(first_number, ConnectionRequest{});
  for (const Bytes& wrong : {Bytes(), Bytes("LEKT"), request.substr(0, 63), request + "x",
                             datagram(first_number, Bye{}), Bytes("HTTP") + request.substr(4)})
    contact(example_endpoint, wrong);
  EXPECT_TRUE(outside_.sent.empty());
  dedicated(5000, example_endpoint, request);
  EXPECT_TRUE(outside_.sent.empty());
  EXPECT_EQ(desk_.counts().malformed, 7u);
}

TEST_F(DeskTest, says_nothing_to_port_0_and_registers_nobody_there) {
  const DeviceEndpoint nowhere{example_device, 0};
  contact(nowhere, datagram(first_number, ConnectionRequest{}));
  EXPECT_TRUE(outside_.sent.empty());
  wait(11s);
  EXPECT_TRUE(outside_.alerts.empty()) << "nobody is on the way";
  const ConnectionAccept accepted = accept(example_endpoint, first_number);
  dedicated(accepted.port, nowhere, datagram(first_number, RegistrationRequest{accepted.token}));
  dedicated(accepted.port, nowhere, datagram(first_number, Bye{}));
  EXPECT_TRUE(outside_.sent.empty());
  EXPECT_EQ(desk_.registration(accepted.port), nullptr);
  EXPECT_EQ(desk_.counts().malformed, 3u);
}

TEST_F(DeskTest, tells_a_device_of_another_version_so) {
  contact(example_endpoint, encode_datagram({DatagramType::connection_request, {1, 0, 0}, first_number, 0, 0},
                                            ConnectionRequest{}));
  EXPECT_EQ(refused_with(), ErrorCode::version_unsupported);
  EXPECT_LE(answer().bytes.size(), limits::device_request_bytes);
}

TEST_F(DeskTest, passes_on_why_an_address_is_refused_and_is_silent_to_one_that_comes_too_fast) {
  outside_.judgement = {DeviceDesk::Admitted::refused, {ErrorCode::address_banned, "banned"}};
  contact(example_endpoint, datagram(first_number, ConnectionRequest{}));
  EXPECT_EQ(refused_with(), ErrorCode::address_banned);
  outside_.judgement.admitted = DeviceDesk::Admitted::too_fast;
  contact(example_endpoint, datagram(first_number, ConnectionRequest{}));
  EXPECT_TRUE(outside_.sent.empty());
  EXPECT_EQ(desk_.counts().too_fast, 1u);
}

TEST_F(DeskTest, tells_a_refused_address_of_another_version_only_that_it_is_refused) {
  outside_.judgement = {DeviceDesk::Admitted::refused, {ErrorCode::address_banned, "banned"}};
  contact(example_endpoint, encode_datagram({DatagramType::connection_request, {1, 0, 0}, first_number, 0, 0},
                                            ConnectionRequest{}));
  EXPECT_EQ(refused_with(), ErrorCode::address_banned);
}

TEST_F(DeskTest, refuses_a_packet_3_that_offers_something_else_than_packet_2) {
  const ConnectionAccept accepted = accept(example_endpoint, first_number);
  dedicated(accepted.port, example_endpoint,
            encode_datagram({DatagramType::registration_request, {0, 0, extra_dtls}, first_number, 0, 0},
                            RegistrationRequest{accepted.token}));
  EXPECT_EQ(refused_with(), ErrorCode::token_refused);
}

TEST_F(DeskTest, registers_nobody_whose_token_does_not_fit) {
  const ConnectionAccept accepted = accept(example_endpoint, first_number);
  const auto expect_refused = [&](std::uint16_t port, const DeviceEndpoint& from, std::uint64_t number,
                                  Token token) {
    dedicated(port, from, datagram(number, RegistrationRequest{token}));
    EXPECT_EQ(refused_with(), ErrorCode::token_refused);
  };
  expect_refused(accepted.port, {Address::v4(0x0a0ae197), 3771}, first_number, accepted.token);
  expect_refused(5001, example_endpoint, first_number, accepted.token);
  expect_refused(accepted.port, example_endpoint, first_number + 1, accepted.token);
  Token later = accepted.token;
  later[3] = static_cast<char>(later[3] + 1);
  expect_refused(accepted.port, example_endpoint, first_number, later);
  expect_refused(accepted.port, example_endpoint, first_number, Token{});
  now_ += 16s;
  expect_refused(accepted.port, example_endpoint, first_number, accepted.token);
  EXPECT_EQ(desk_.counts().registrations, 0u);
}

TEST_F(DeskTest, takes_a_token_once) {
  const ConnectionAccept accepted = accept(example_endpoint, first_number);
  dedicated(accepted.port, example_endpoint, datagram(first_number, RegistrationRequest{accepted.token}));
  dedicated(accepted.port, example_endpoint, datagram(first_number, Bye{}));
  EXPECT_EQ(refused_with(), ErrorCode::session_ended);
  dedicated(accepted.port, example_endpoint, datagram(first_number, RegistrationRequest{accepted.token}));
  EXPECT_EQ(refused_with(), ErrorCode::token_refused);
}

TEST_F(DeskTest, tells_the_second_of_two_with_one_port_to_begin_anew) {
  const ConnectionAccept first = accept(example_endpoint, 1);
  (void)accept(example_endpoint, 2);
  (void)accept(example_endpoint, 3);
  const ConnectionAccept fourth = accept({example_device, 4000}, 4);
  ASSERT_EQ(first.port, fourth.port);
  dedicated(first.port, example_endpoint, datagram(1, RegistrationRequest{first.token}));
  dedicated(first.port, {example_device, 4000}, datagram(4, RegistrationRequest{fourth.token}));
  EXPECT_EQ(refused_with(), ErrorCode::token_refused);
}

TEST_F(DeskTest, tells_whoever_is_not_registered_to_register_and_disturbs_nobody) {
  const std::uint16_t port = serve();
  const Bytes input = datagram(first_number, InputMessage{1, one_key}, 2, 4);
  for (const auto& [from, bytes] :
       {std::pair{DeviceEndpoint{example_device, 4000}, input},
        {DeviceEndpoint{Address::v4(1), 3771}, input},
        {example_endpoint, datagram(first_number + 1, InputMessage{1, one_key}, 2, 4)}}) {
    dedicated(port, from, bytes);
    EXPECT_EQ(refused_with(), ErrorCode::registration_unknown);
    EXPECT_LE(answer().bytes.size(), bytes.size());
  }
  dedicated(5002, example_endpoint, input);
  EXPECT_EQ(refused_with(), ErrorCode::registration_unknown) << "a free port tells as well";
  EXPECT_EQ(desk_.registration(port)->state(), Registration::State::serving);
  EXPECT_TRUE(outside_.inputs.empty());
}

TEST_F(DeskTest, says_goodbye_once_more_to_who_has_not_heard_it) {
  const std::uint16_t port = serve();
  for (int times = 0; times < 2; ++times) {
    dedicated(port, example_endpoint, datagram(first_number, Bye{}));
    EXPECT_EQ(refused_with(), ErrorCode::session_ended);
  }
  EXPECT_EQ(outside_.ended, std::vector{ErrorCode::session_ended});
  dedicated(port, example_endpoint, datagram(first_number + 1, Bye{}));
  EXPECT_EQ(refused_with(), ErrorCode::registration_unknown) << "it has not said it here";
}

TEST_F(DeskTest, tells_a_bye_of_an_old_registration_that_it_is_unknown_and_not_that_the_session_has_ended) {
  const std::uint16_t before = serve();
  const Ticket ticket = session().ticket();
  (void)serve({example_device, 4000}, 7, ticket);
  dedicated(before, example_endpoint, datagram(first_number, Bye{}));
  EXPECT_EQ(refused_with(), ErrorCode::registration_unknown);
  dedicated(5002, example_endpoint, datagram(9, Bye{}));
  EXPECT_EQ(refused_with(), ErrorCode::registration_unknown);
  EXPECT_EQ(desk_.book().size(), 1u);
}

TEST_F(DeskTest, passes_over_an_acknowledgment_of_what_was_not_sent) {
  const std::uint16_t port = serve();
  dedicated(port, example_endpoint, datagram(first_number, InputMessage{1, one_key}, 2, 99));
  EXPECT_TRUE(outside_.sent.empty());
  EXPECT_EQ(session().taken(), 0u);
  EXPECT_EQ(desk_.counts().malformed, 1u);
}

TEST_F(DeskTest, drops_an_input_that_overtakes_another_and_says_where_it_is) {
  const std::uint16_t port = serve();
  dedicated(port, example_endpoint, datagram(first_number, InputMessage{2, one_key}, 3, 4));
  EXPECT_EQ(answer().head.type, DatagramType::acknowledgment);
  EXPECT_EQ(answer().head.acknowledged, 1u);
  EXPECT_NE(desk_.registration(port), nullptr);
  EXPECT_EQ(session().taken(), 0u);
}

TEST_F(DeskTest, ends_the_registration_and_not_the_session_when_contents_break_a_rule) {
  const std::uint16_t port = serve();
  dedicated(port, example_endpoint, datagram(first_number, InputMessage{1, "\x09"}, 2, 4));
  EXPECT_EQ(refused_with(), ErrorCode::datagram_malformed);
  EXPECT_EQ(desk_.registration(port), nullptr);
  EXPECT_EQ(desk_.book().size(), 1u);
  EXPECT_TRUE(outside_.ended.empty());
}

TEST_F(DeskTest, drops_an_acknowledgment_or_a_bye_that_is_more_than_a_head) {
  const std::uint16_t port = serve();
  dedicated(port, example_endpoint, datagram(first_number, Acknowledgment{}, 0, 4) + "x");
  dedicated(port, example_endpoint, datagram(first_number, Bye{}) + "x");
  EXPECT_TRUE(outside_.sent.empty());
  EXPECT_NE(desk_.registration(port), nullptr);
  EXPECT_EQ(desk_.book().size(), 1u);
  EXPECT_EQ(desk_.counts().malformed, 2u);
}

TEST_F(DeskTest, takes_a_sign_of_life_for_no_input_whatever_its_number) {
  const std::uint16_t port = serve();
  dedicated(port, example_endpoint, datagram(first_number, InputMessage{0, {}}, 2, 4));
  dedicated(port, example_endpoint, datagram(first_number, InputMessage{1, {}}, 3, 4));
  EXPECT_TRUE(outside_.inputs.empty());
  EXPECT_EQ(desk_.counts().inputs, 0u);
  EXPECT_EQ(session().taken(), 0u);
  dedicated(port, example_endpoint, datagram(first_number, InputMessage{1, one_key}, 4, 4));
  EXPECT_EQ(outside_.inputs, std::vector{one_key});
  dedicated(port, example_endpoint, datagram(first_number, InputMessage{3, {}}, 5, 4));
  EXPECT_EQ(refused_with(), ErrorCode::datagram_malformed) << "it says that an input has come which has not";
}

TEST_F(DeskTest, logs_packets_1_and_2_with_their_own_times_when_packet_3_has_come) {
  const ConnectionAccept accepted = accept(example_endpoint, first_number);
  EXPECT_EQ(outside_.log_lines, "") << "a flood of packet 1 makes no file";
  outside_.now.unix_time += 480ms;
  dedicated(accepted.port, example_endpoint, datagram(first_number, RegistrationRequest{accepted.token}));
  dedicated(accepted.port, example_endpoint, datagram(first_number, RegistrationRequest{accepted.token}));
  EXPECT_EQ(
      outside_.log_lines,
      "01/25/2010 08:29:42:549 - Device Handler Starting Session for 10.10.225.150\n"
      "01/25/2010 08:29:42:549 - Device Handler: Attempting to open a socket on IP 192.168.100.12 on a UDP "
      "port between 5000 and 5002\n"
      "01/25/2010 08:29:42:549 - Device Handler is using socket on IP: 192.168.100.12  Port: 5000\n"
      "01/25/2010 08:29:42:549 - Sending Connect Accept to: 10.10.225.150:3771\n"
      "01/25/2010 08:29:43:029 - Device Handler Processing Registration for 10.10.225.150 at "
      "10.10.225.150:3771\n"
      "01/25/2010 08:29:43:029 - Sending Registration Accept to: 10.10.225.150:3771\n");
}

TEST_F(DeskTest, logs_which_screen_is_used_for_a_device_that_does_not_say_its_own) {
  std::string string = its_string;
  string.replace(string.find("~16~26~"), 7, "~16~0~");
  (void)serve(example_endpoint, first_number, no_ticket, string);
  EXPECT_NE(outside_.log_lines.find("24x80 is used"), std::string::npos) << outside_.log_lines;
  outside_.log_lines.clear();
  (void)serve({example_device, 4000}, 7);
  EXPECT_EQ(outside_.log_lines.find("is used"), std::string::npos);
}

TEST_F(DeskTest, ends_the_registration_when_an_input_was_skipped) {
  const std::uint16_t port = serve();
  dedicated(port, example_endpoint, datagram(first_number, InputMessage{2, one_key}, 2, 4));
  EXPECT_EQ(refused_with(), ErrorCode::datagram_malformed);
}

TEST_F(DeskTest, refuses_a_config_that_it_has_not_asked_for) {
  const std::uint16_t port = register_device();
  dedicated(port, example_endpoint, datagram(first_number, DeviceConfig{no_ticket, its_string}, 1, 0));
  EXPECT_EQ(refused_with(), ErrorCode::datagram_malformed);
}

TEST_F(DeskTest, refuses_a_string_without_a_uid_field) {
  const std::uint16_t port = register_device();
  wait(100ms);
  dedicated(port, example_endpoint, datagram(first_number, DeviceConfig{no_ticket, "a~b~c~"}, 1, 1));
  EXPECT_EQ(refused_with(), ErrorCode::device_string_unusable);
}

TEST_F(DeskTest, drops_what_comes_faster_than_a_device_may_send) {
  const std::uint16_t port = serve();
  wait(5s);
  for (int count = 0; count < 300; ++count)
    dedicated(port, example_endpoint, datagram(first_number, Acknowledgment{}, 0, 4));
  EXPECT_EQ(desk_.counts().too_fast, 100u);
  wait(5s);
  dedicated(port, example_endpoint, datagram(first_number, InputMessage{1, one_key}, 2, 4));
  EXPECT_EQ(session().taken(), 1u) << "and is served again afterwards";
}

TEST_F(DeskTest, does_not_count_the_acknowledgments_of_fast_screens) {
  const std::uint16_t port = serve();
  wait(5s);
  // Its screen is turned fifty times a second, and it types as often: each second it sends 100 messages, and acknowledges
  // 50 screens.
  std::uint32_t number = 1;
  std::uint32_t acknowledged = 4;
  const auto send = [&](const auto& body, std::uint32_t its_number) {
    desk_.receive(port, example_endpoint, datagram(first_number, body, its_number, acknowledged), now_);
  };
  for (std::uint32_t round = 1; round <= 600; ++round) {
    wait(20ms);
    send(DeviceConfig{no_ticket, its_string}, ++number);
    send(InputMessage{round, one_key}, ++number);
    acknowledged = desk_.registration(port)->delivery().sent();
    send(Acknowledgment{}, 0);
  }
  EXPECT_EQ(desk_.counts().too_fast, 0u);
  EXPECT_GT(acknowledged, 600u);
}

}  // namespace
}  // namespace lekt::test
