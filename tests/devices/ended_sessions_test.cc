// Sessions that end while their devices are away, and what these hear of it.
#include "devices/ended_sessions.h"

#include <string>

#include "tests/devices/desk.h"

namespace lekt::test {
namespace {

using EndedSessionsTest = DeskTest;

TEST_F(EndedSessionsTest, tells_a_device_that_was_away_once_why_its_session_is_over) {
  (void)serve();
  const Ticket ticket = session().ticket();
  lose(first_number);
  desk_.end_session(1, {ErrorCode::host_hung_up, "wms has closed the connection"});
  const std::uint16_t port = register_device(example_endpoint, 7);
  wait(100ms);
  const Bytes config = datagram(7, DeviceConfig{ticket, its_string}, 1, 1);
  for (int times = 0; times < 2; ++times) {
    dedicated(port, example_endpoint, config);
    EXPECT_EQ(refused_with(), ErrorCode::host_hung_up) << "also when the first answer was lost";
    EXPECT_EQ(failure_text(), "wms has closed the connection; start again for a new session");
  }
  EXPECT_EQ(desk_.registration(port), nullptr);
  EXPECT_EQ(outside_.began, 1);
  (void)serve(example_endpoint, 8, ticket);
  EXPECT_EQ(outside_.began, 2) << "it has been told";
  desk_.check();
}

TEST_F(EndedSessionsTest, tells_a_device_that_has_not_heard_it_in_its_next_registration) {
  const std::uint16_t port = serve();
  const Ticket ticket = session().ticket();
  desk_.end_session(1, {ErrorCode::session_idle, "no input"});
  dedicated(port, example_endpoint, datagram(first_number, InputMessage{1, one_key}, 2, 4));
  EXPECT_EQ(refused_with(), ErrorCode::registration_unknown);
  const std::uint16_t next = register_device(example_endpoint, 7);
  wait(100ms);
  dedicated(next, example_endpoint, datagram(7, DeviceConfig{ticket, its_string}, 1, 1));
  EXPECT_EQ(refused_with(), ErrorCode::session_idle);
  dedicated(next, example_endpoint, datagram(8, DeviceConfig{ticket, its_string}, 1, 1));
  EXPECT_EQ(refused_with(), ErrorCode::registration_unknown) << "another registration hears nothing of it";
}

TEST_F(EndedSessionsTest, tells_nobody_late_of_a_session_that_an_operator_has_ended_or_that_had_another_uid) {
  (void)serve();
  const Ticket kicked = session().ticket();
  desk_.end_session(1, {ErrorCode::ended_by_operator, "kicked"});
  (void)serve(example_endpoint, 2, kicked);
  ASSERT_EQ(outside_.began, 2);
  const Ticket over = desk_.book().find(DeviceSession::Number{2})->ticket();
  desk_.end_session(2, {ErrorCode::host_hung_up, "bye"});
  (void)serve(example_endpoint, 3, over, string_of_uid("another"));
  EXPECT_EQ(outside_.began, 3);
}

TEST_F(EndedSessionsTest, keeps_the_newest_1024_ends_of_which_devices_may_not_know) {
  EndedSessions ended;
  const auto ticket = [](std::size_t number) {
    Ticket made{};
    made[0] = static_cast<char>(number / 256);
    made[1] = static_cast<char>(number);
    return made;
  };
  for (std::size_t number = 1; number <= 1025; ++number)
    ended.add(ticket(number), "joe", {ErrorCode::host_hung_up, std::to_string(number)});
  EXPECT_EQ(ended.size(), 1024u);
  EXPECT_EQ(ended.find(ticket(1), "joe"), nullptr);
  ASSERT_NE(ended.find(ticket(2), "joe"), nullptr);
  EXPECT_EQ(ended.find(ticket(2), "joe")->message, "2");
  ended.forget(ticket(2));
  EXPECT_EQ(ended.find(ticket(2), "joe"), nullptr);
  EXPECT_EQ(ended.size(), 1023u);
}

}  // namespace
}  // namespace lekt::test
