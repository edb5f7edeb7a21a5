// Time limits, ports and sessions: the cases that have a name.
#include <string>
#include <vector>

#include "tests/devices/desk.h"

namespace lekt::test {
namespace {

class DeskSessionsTest : public DeskTest {
 protected:
  void use_groups(const std::vector<DeviceGroup>& groups) {
    DeviceDesk::Settings settings;
    settings.groups =
        std::make_shared<const DeviceGroups>(std::get<DeviceGroups>(DeviceGroups::make(groups, {})));
    desk_.use(settings);
  }
  void limit_server_to(std::size_t sessions) {
    DeviceDesk::Settings settings;
    settings.limits.sessions_max = sessions;
    desk_.use(settings);
  }
  void serve_and_lose(const DeviceEndpoint& from, std::uint64_t number) {
    (void)serve(from, number, no_ticket, string_of_uid("UID" + std::to_string(number)));
    lose(number);
  }
};

// ---- Time ----

TEST_F(DeskSessionsTest, waits_ten_seconds_for_the_config) {
  const std::uint16_t port = register_device();
  wait(100ms + 9'900ms);
  EXPECT_NE(desk_.registration(port), nullptr);
  wait(200ms);
  EXPECT_EQ(desk_.registration(port), nullptr);
  ASSERT_EQ(outside_.alerts.size(), 1u);
  EXPECT_EQ(outside_.alerts[0].code, ErrorCode::device_config_missing);
  EXPECT_EQ(outside_.alerts[0].message, "eSP0008 could not get the device config");
}

TEST_F(DeskSessionsTest, tells_operators_of_a_device_that_could_not_complete_its_registration) {
  (void)accept(example_endpoint, first_number);
  wait(9'999ms);
  EXPECT_TRUE(outside_.alerts.empty());
  wait(1ms);
  ASSERT_EQ(outside_.alerts.size(), 1u);
  EXPECT_EQ(outside_.alerts[0].code, ErrorCode::registration_incomplete);
}

TEST_F(DeskSessionsTest, ends_a_session_without_inputs) {
  use_groups({group_of("default;idle=1h")});
  const std::uint16_t port = serve();
  wait(30min);
  dedicated(port, example_endpoint, datagram(first_number, InputMessage{1, one_key}, 2, 4));
  wait(59min);
  EXPECT_TRUE(outside_.ended.empty());
  wait(1min);
  EXPECT_EQ(outside_.ended, std::vector{ErrorCode::session_idle});
  ASSERT_EQ(outside_.alerts.size(), 1u);
  EXPECT_EQ(outside_.alerts[0].code, ErrorCode::session_idle);
}

TEST_F(DeskSessionsTest, keeps_nothing_of_sessions_that_are_over) {
  for (std::uint64_t number = 1; number <= 1000; ++number) {
    const std::uint16_t port = serve(example_endpoint, number);
    dedicated(port, example_endpoint, datagram(number, Bye{}));
    desk_.check();
  }
  EXPECT_FALSE(desk_.due() && *desk_.due() > now_ + 1min) << "nothing is left to be looked at";
}

TEST_F(DeskSessionsTest, lets_a_silent_device_be_away_and_forgets_its_registration_later) {
  const std::uint16_t port = serve();
  // An input is acknowledged with the screen that has not come.
  dedicated(port, example_endpoint, datagram(first_number, DeviceConfig{no_ticket, its_string}, 2, 4));
  wait(31s);
  EXPECT_EQ(desk_.registration(port)->state(), Registration::State::away);
  wait(60s);
  EXPECT_TRUE(outside_.sent.empty());
  dedicated(port, example_endpoint, datagram(first_number, Acknowledgment{}, 0, 4));
  EXPECT_EQ(desk_.registration(port)->state(), Registration::State::serving);
  EXPECT_EQ(answer().head.type, DatagramType::message) << "what it has missed is sent at once";
  wait(31s + 2min);
  EXPECT_EQ(desk_.registration(port), nullptr);
  EXPECT_EQ(desk_.book().size(), 1u) << "its session waits for it";
}

// ---- Ports ----

TEST_F(DeskSessionsTest, passes_over_a_port_that_a_foreign_program_has_and_takes_it_when_it_is_free) {
  outside_.foreign = 5000;
  EXPECT_EQ(accept(example_endpoint, 1).port, 5001);
  EXPECT_EQ(desk_.ports().taken, 1u);
  outside_.foreign.reset();
  wait(61s);
  EXPECT_EQ(accept(example_endpoint, 2).port, 5002);
  EXPECT_EQ(accept(example_endpoint, 3).port, 5001);
  EXPECT_EQ(accept(example_endpoint, 4).port, 5000);
  EXPECT_EQ(desk_.ports().taken, 0u);
}

TEST_F(DeskSessionsTest, asks_the_silent_ones_before_it_has_no_port) {
  std::vector<DeviceEndpoint> devices;
  for (std::uint32_t number = 1; number <= 3; ++number) {
    devices.push_back({Address::v4(number), 3771});
    (void)serve(devices.back(), number, no_ticket, string_of_uid("UID" + std::to_string(number)));
  }
  const DeviceEndpoint late{Address::v4(4), 3771};
  contact(late, datagram(4, ConnectionRequest{}));
  ASSERT_EQ(outside_.sent.size(), 4u) << "each is asked, and the new one told";
  EXPECT_EQ(static_cast<ErrorCode>(outside_.sent.back().head.number), ErrorCode::ports_exhausted);
  ASSERT_EQ(outside_.alerts.size(), 1u);
  EXPECT_EQ(outside_.alerts[0].code, ErrorCode::ports_exhausted);
  // Two of them live.
  for (std::uint32_t number = 1; number <= 2; ++number)
    dedicated(static_cast<std::uint16_t>(4999 + number), devices[number - 1],
              datagram(number, Acknowledgment{}, 0, 5));
  wait(5s);
  EXPECT_EQ(accept(late, 5).port, 5002);
}

TEST_F(DeskSessionsTest, is_not_used_up_by_requests_of_strangers) {
  for (std::uint32_t number = 1; number <= 100'000; ++number)
    contact({Address::v4(number), 3771}, datagram(number, ConnectionRequest{}));
  EXPECT_EQ(desk_.ports(), (DevicePorts::Counts{3, 0, 0}));
  std::size_t kept = 0;
  desk_.for_each_request([&](const DeviceRequest&) { ++kept; });
  EXPECT_EQ(kept, RequestList::requests_max);
  EXPECT_EQ(serve(), 5000 + 100'000 % 3);
}

// ---- Sessions ----

TEST_F(DeskSessionsTest, goes_on_with_the_session_of_a_ticket_at_another_address) {
  const std::uint16_t before = serve();
  const Ticket ticket = session().ticket();
  dedicated(before, example_endpoint, datagram(first_number, InputMessage{1, one_key}, 2, 4));
  const DeviceEndpoint elsewhere{Address::v4(0x0a0ae1ff), 3771};
  const std::uint16_t port = register_device(elsewhere, 7);
  wait(100ms);
  dedicated(port, elsewhere, datagram(7, DeviceConfig{ticket, its_string}, 1, 1));
  ASSERT_EQ(outside_.sent.size(), 3u);
  EXPECT_EQ(outside_.sent[0].to, example_endpoint);
  EXPECT_EQ(static_cast<ErrorCode>(outside_.sent[0].head.number), ErrorCode::registration_replaced);
  const auto config = std::get<SetDeviceConfig>(
      std::get<BodyToDevice>(read_body_to_device(outside_.sent[1].head, outside_.sent[1].bytes)));
  EXPECT_EQ(config.ticket, ticket);
  EXPECT_EQ(config.input, 1u) << "what the session has taken";
  EXPECT_EQ(outside_.resumed, 1);
  EXPECT_EQ(desk_.registration(before), nullptr);
}

TEST_F(DeskSessionsTest, gives_no_session_to_a_registration_that_is_older_than_the_one_that_has_it) {
  (void)serve();
  const Ticket ticket = session().ticket();
  const std::uint16_t slow = register_device({example_device, 4000}, 7);
  wait(1s);
  const std::uint16_t newest = serve({example_device, 4001}, 8, ticket);
  dedicated(slow, {example_device, 4000}, datagram(7, DeviceConfig{ticket, its_string}, 1, 1));
  EXPECT_EQ(refused_with(), ErrorCode::registration_replaced);
  EXPECT_EQ(session().port(), newest);
}

TEST_F(DeskSessionsTest, ends_no_session_of_the_same_uid_for_an_older_registration) {
  const std::uint16_t slow = register_device({example_device, 4000}, 7);
  wait(1s);
  (void)serve();
  dedicated(slow, {example_device, 4000}, datagram(7, DeviceConfig{no_ticket, its_string}, 1, 1));
  EXPECT_EQ(refused_with(), ErrorCode::registration_replaced);
  EXPECT_TRUE(outside_.ended.empty());
}

TEST_F(DeskSessionsTest, gives_nobody_a_session_for_its_uid_alone) {
  (void)serve();
  const DeviceEndpoint elsewhere{Address::v4(0x0a0ae1ff), 3771};
  const std::uint16_t port = register_device(elsewhere, 7);
  wait(100ms);
  dedicated(port, elsewhere, datagram(7, DeviceConfig{no_ticket, its_string}, 1, 1));
  ASSERT_EQ(outside_.sent.size(), 2u);
  EXPECT_EQ(outside_.sent[0].to, example_endpoint) << "the other one is asked whether it lives";
  EXPECT_EQ(static_cast<ErrorCode>(outside_.sent[1].head.number), ErrorCode::sessions_too_many);
  const auto failure = std::get<DeviceFailure>(
      std::get<BodyToDevice>(read_body_to_device(outside_.sent[1].head, outside_.sent[1].bytes)));
  EXPECT_EQ(failure.text.find("10.10."), std::string::npos)
      << "where the other one is, is not a stranger's business";
  ASSERT_EQ(outside_.alerts.size(), 1u);
  EXPECT_EQ(outside_.alerts[0].code, ErrorCode::uid_in_use);
  EXPECT_NE(outside_.alerts[0].message.find("10.10.225.150"), std::string::npos);
  EXPECT_NE(outside_.alerts[0].message.find("10.10.225.255"), std::string::npos);
}

TEST_F(DeskSessionsTest, gives_a_ticket_with_another_uid_to_nobody) {
  (void)serve();
  const Ticket ticket = session().ticket();
  (void)serve({Address::v4(9), 3771}, 9, ticket, string_of_uid("ANOTHER"));
  EXPECT_EQ(outside_.resumed, 0);
  EXPECT_EQ(desk_.book().size(), 2u);
}

TEST_F(DeskSessionsTest, replaces_the_session_of_a_device_that_has_lost_its_ticket_at_the_same_address) {
  (void)serve();
  (void)serve({example_device, 4000}, 7);
  EXPECT_EQ(outside_.ended, std::vector{ErrorCode::registration_replaced});
  EXPECT_EQ(desk_.book().size(), 1u);
}

TEST_F(DeskSessionsTest, resumes_by_uid_where_the_group_says_so) {
  use_groups({group_of("default;resume=uid")});
  (void)serve();
  (void)serve({Address::v4(9), 3771}, 9);
  EXPECT_EQ(outside_.resumed, 1);
  EXPECT_EQ(desk_.book().size(), 1u);
}

TEST_F(DeskSessionsTest, resumes_by_uid_no_session_of_a_group_that_does_not_say_so) {
  use_groups({group_of("trucks;type=PDT*"), group_of("lab;type=LAB*;resume=uid")});
  (void)serve();
  std::string liar = its_string;
  liar.replace(liar.find("PDT9090_E5"), 10, "LAB1");
  const std::uint16_t port = register_device({Address::v4(9), 3771}, 9);
  wait(100ms);
  dedicated(port, {Address::v4(9), 3771}, datagram(9, DeviceConfig{no_ticket, liar}, 1, 1));
  EXPECT_EQ(outside_.resumed, 0);
  EXPECT_EQ(static_cast<ErrorCode>(outside_.sent.back().head.number), ErrorCode::sessions_too_many);
}

TEST_F(DeskSessionsTest, ends_the_session_that_waits_before_one_that_is_in_use) {
  use_groups({group_of("default;sessions=2")});
  (void)serve({example_device, 1}, 1);
  const std::uint16_t second = serve({example_device, 2}, 2);
  dedicated(second, {example_device, 2},
            datagram(2, InputMessage{1, "\x09"}, 2, 4));  // ends its registration
  (void)serve({example_device, 3}, 3);
  EXPECT_NE(desk_.book().find(DeviceSession::Number{1}), nullptr);
  EXPECT_EQ(desk_.book().find(DeviceSession::Number{2}), nullptr);
}

TEST_F(DeskSessionsTest, has_as_many_sessions_of_an_address_as_it_may) {
  limit_address_to(2);
  for (std::uint16_t number = 1; number <= 3; ++number)
    (void)serve({example_device, number}, number, no_ticket, string_of_uid("UID" + std::to_string(number)));
  EXPECT_EQ(desk_.book().size(), 2u);
  ASSERT_EQ(outside_.alerts.size(), 1u);
  EXPECT_EQ(outside_.alerts[0].code, ErrorCode::sessions_too_many);
}

TEST_F(DeskSessionsTest,
       ends_the_session_of_an_address_that_waits_for_longest_when_the_address_has_too_many) {
  limit_address_to(2);
  serve_and_lose({Address::v4(9), 1}, 1);
  serve_and_lose({example_device, 2}, 2);
  (void)serve({example_device, 3}, 3, no_ticket, string_of_uid("UID3"));
  (void)serve({example_device, 4}, 4, no_ticket, string_of_uid("UID4"));
  EXPECT_EQ(outside_.ended, std::vector{ErrorCode::sessions_too_many});
  EXPECT_NE(desk_.book().find(DeviceSession::Number{1}), nullptr) << "it is of another address";
  EXPECT_EQ(desk_.book().find(DeviceSession::Number{2}), nullptr);
  EXPECT_EQ(desk_.book().size(), 3u);
}

TEST_F(DeskSessionsTest, ends_the_session_that_waits_for_longest_when_the_server_has_too_many) {
  limit_server_to(2);
  serve_and_lose({Address::v4(1), 1}, 1);
  const Ticket first = session().ticket();
  serve_and_lose({Address::v4(2), 2}, 2);
  // The first is back, and gone again: now the second waits for longer.
  (void)serve({Address::v4(1), 3}, 3, first, string_of_uid("UID1"));
  lose(3);
  (void)serve({Address::v4(4), 4}, 4, no_ticket, string_of_uid("UID4"));
  EXPECT_EQ(outside_.ended, std::vector{ErrorCode::sessions_too_many});
  EXPECT_EQ(desk_.book().find(DeviceSession::Number{2}), nullptr);
  (void)serve({Address::v4(5), 5}, 5, no_ticket, string_of_uid("UID5"));
  EXPECT_EQ(desk_.book().find(DeviceSession::Number{1}), nullptr);
  EXPECT_TRUE(outside_.alerts.empty()) << "nobody was refused";
}

TEST_F(DeskSessionsTest, ends_no_session_that_is_in_use_for_a_limit) {
  limit_server_to(1);
  (void)serve();
  (void)serve({Address::v4(5), 5}, 5, no_ticket, string_of_uid("UID5"));
  EXPECT_TRUE(outside_.ended.empty());
  ASSERT_EQ(outside_.alerts.size(), 1u);
  EXPECT_EQ(outside_.alerts[0].code, ErrorCode::sessions_too_many);
}

class LimitTest : public DeskSessionsTest, public testing::WithParamInterface<bool> {};

TEST_P(LimitTest, asks_those_who_are_in_its_way_whether_they_live) {
  GetParam() ? limit_address_to(1) : limit_server_to(1);
  const std::uint16_t port = serve();
  (void)serve({example_device, 5}, 5, no_ticket, string_of_uid("UID5"));
  wait(5s);
  EXPECT_EQ(desk_.registration(port)->state(), Registration::State::away);
  wait(2min);
  (void)serve({example_device, 6}, 6, no_ticket, string_of_uid("UID6"));
  EXPECT_EQ(outside_.began, 2) << "nobody has answered for the first";
}

INSTANTIATE_TEST_SUITE_P(OfAddressOrServer, LimitTest, testing::Bool());

TEST_F(DeskSessionsTest, ends_as_many_waiting_sessions_as_a_lower_limit_asks_for) {
  for (std::uint32_t number = 1; number <= 5; ++number) serve_and_lose({Address::v4(number), 1}, number);
  limit_server_to(2);
  (void)serve({Address::v4(9), 9}, 9);
  EXPECT_EQ(desk_.book().size(), 2u);
}

TEST_F(DeskSessionsTest, tells_a_device_that_an_operator_has_ended_its_session) {
  (void)serve();
  outside_.sent.clear();
  EXPECT_EQ(desk_.end_sessions([](const DeviceSession& its) { return its.device().uid == "0015708E863F"; },
                               {ErrorCode::ended_by_operator, "ended by the operator"}),
            1u);
  EXPECT_EQ(refused_with(), ErrorCode::ended_by_operator);
  EXPECT_EQ(desk_.book().size(), 0u);
}

TEST_F(DeskSessionsTest, tells_every_device_that_the_server_stops_and_serves_nobody_any_more) {
  (void)serve();
  outside_.sent.clear();
  desk_.stop();
  EXPECT_EQ(refused_with(), ErrorCode::server_stopping);
  EXPECT_TRUE(outside_.ended.empty()) << "peers hear nothing: it comes back";
  contact(example_endpoint, datagram(8, ConnectionRequest{}));
  EXPECT_EQ(refused_with(), ErrorCode::server_stopping);
}

}  // namespace
TEST_F(DeskSessionsTest, ends_registrations_of_an_address_that_have_no_session_and_no_others) {
  const std::uint16_t served = serve();
  const DeviceEndpoint other{Address::v4(0x0a000001), 3771};
  const std::uint16_t registered = register_device(other, 2);
  outside_.sent.clear();
  desk_.end_registrations([](Address) { return true; }, {ErrorCode::address_banned, "banned"});
  EXPECT_EQ(refused_with(), ErrorCode::address_banned);
  EXPECT_EQ(answer().from, registered);
  EXPECT_EQ(desk_.registration(registered), nullptr);
  EXPECT_NE(desk_.registration(served), nullptr);
  desk_.check();
}

}  // namespace lekt::test
