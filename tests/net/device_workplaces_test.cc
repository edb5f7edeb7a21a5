// Sessions and their hosts: workplaces with real connections, without devices.
#include "server/net/device_workplaces.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <deque>
#include <memory>
#include <string>
#include <vector>

#include "devices/group_syntax.h"
#include "tests/net/host_end.h"
#include "tests/support/screens.h"
#include "tests/support/support.h"

namespace lekt {
namespace {

using namespace std::chrono_literals;
using namespace test;
using State = Workplace::State;

Bytes typed(std::string_view text) { return items_of(TypedItem{text}); }

class DeviceWorkplacesTest : public testing::Test {
 protected:
  DeviceHost host_at(std::uint16_t port, const std::string& name = "wms") const {
    return std::get<DeviceHost>(
        parse_device_host(name + "=" + host.address() + ":" + std::to_string(port) + ";term=vt220"));
  }
  /// A session that is told to the workplaces, of 8 rows and 20 columns.
  const DeviceSession& begin(const std::vector<DeviceHost>& hosts) {
    auto offer = std::make_shared<DeviceGroups::Offer>();
    offer->hosts = hosts;
    DeviceString device;
    device.uid = "A1";
    device.rows = 8;
    device.columns = 20;
    sessions.emplace_back(sessions.size() + 1, Ticket{}, device, "", offer, 0ms);
    workplaces->begin(sessions.back());
    return sessions.back();
  }
  State state(DeviceSession::Number number = 1) const { return workplaces->find(number)->state(); }
  /// The host's side of a session that works on it.
  HostSocket working() {
    begin({host_at(host.port())});
    EXPECT_TRUE(until([&] { return state() == State::working; }));
    return host.accept();
  }
  /// Its rows, with line feeds.
  std::string screen(DeviceSession::Number number = 1) const {
    Screen drawn(1, 1);
    workplaces->find(number)->draw(drawn);
    std::string rows;
    for (std::size_t row = 0; row < drawn.rows(); ++row) rows += text_of(drawn, row) + "\n";
    return rows;
  }
  std::string first_row(DeviceSession::Number number = 1) const {
    return screen(number).substr(0, screen(number).find('\n'));
  }
  bool until(const std::function<bool()>& condition) { return run_until(io, condition); }
  /// Floods until the host has not been read for a while; how much of it is read.
  std::size_t read_of(Flood& flood) {
    std::size_t number = 0;
    for (int silent = 0; silent < 100;) {
      const bool has_written = flood.write_some() > 0;
      io.restart();
      io.run_for(2ms);
      const std::size_t before = std::exchange(number, Flood::highest_number(screen()));
      silent = has_written || number != before ? 0 : silent + 1;
    }
    return Flood::bytes_until(number);
  }

  asio::io_context io{ASIO_CONCURRENCY_HINT_UNSAFE_IO};
  HostEnd host;
  std::deque<DeviceSession> sessions;
  std::vector<std::string> told;  ///< alerts and lines of the handler log
  std::function<void()> on_wake = [] {};
  std::optional<DeviceWorkplaces> workplaces{
      std::in_place, io,
      DeviceWorkplaces::Outside{
          .alert = [this](const DeviceSession&,
                          const Rejection& rejection) { told.push_back("alert " + rejection.text()); },
          .log = [this](const DeviceSession&, const HandlerEvent& event) { told.push_back(event.words); },
          .wake = [this] { on_wake(); }}};
};

}  // namespace

TEST_F(DeviceWorkplacesTest, a_session_without_hosts_has_no_workplace) {
  const DeviceSession& session = begin({});
  EXPECT_EQ(workplaces->find(session.number()), nullptr);
  workplaces->input(session.number(), typed("x"));
  workplaces->resized(session.number());
  workplaces->follow(session.number());
  EXPECT_FALSE(workplaces->take_bell(session.number()));
  workplaces->end(session.number());
  EXPECT_TRUE(workplaces->take_news().changed.empty());
}

TEST_F(DeviceWorkplacesTest, a_session_types_and_its_host_draws) {
  HostSocket end = working();
  workplaces->input(1, typed("stock"));
  EXPECT_EQ(end.receive(5), "stock");
  workplaces->take_news();
  int wakes = 0;
  on_wake = [&] { ++wakes; };
  ASSERT_TRUE(end.send("\a42 pieces"));
  ASSERT_TRUE(until([&] { return first_row() == "42 pieces"; }));
  EXPECT_GE(wakes, 1);
  EXPECT_EQ(workplaces->take_news().changed, std::set<DeviceSession::Number>{1});
  EXPECT_TRUE(workplaces->take_bell(1));
  EXPECT_FALSE(workplaces->take_bell(1));
  const std::string at = " to wms (" + host.address() + ":" + std::to_string(host.port()) + ")";
  EXPECT_EQ(told, std::vector{"Session of 'A1' connected" + at});
}

TEST_F(DeviceWorkplacesTest, each_session_has_its_own_connection) {
  HostSocket first = working();
  begin({host_at(host.port())});
  ASSERT_TRUE(until([&] { return state(2) == State::working; }));
  HostSocket second = host.accept();
  ASSERT_TRUE(first.send("one") && second.send("two"));
  EXPECT_TRUE(until([&] { return first_row(1) == "one" && first_row(2) == "two"; }));
  workplaces->end(1);
  EXPECT_EQ(first.receive(1), "");
  workplaces->input(2, typed("y"));
  EXPECT_EQ(second.receive(1), "y");
}

TEST_F(DeviceWorkplacesTest, the_host_is_told_another_size) {
  HostSocket end = working();
  ASSERT_TRUE(end.send("\xff\xfd\x1f"));  // IAC DO NAWS
  std::string answer;
  ASSERT_TRUE(until([&] { return !(answer += end.receive_some()).empty() && answer.size() >= 12; }));
  EXPECT_EQ(answer, Bytes("\xff\xfb\x1f\xff\xfa\x1f\0\x14\0\x08\xff\xf0", 12));
  DeviceString turned = sessions[0].device();
  turned.rows = 20;
  turned.columns = 8;
  sessions[0].describe(turned, "");
  workplaces->resized(1);
  EXPECT_EQ(end.receive(9), Bytes("\xff\xfa\x1f\0\x08\0\x14\xff\xf0", 9));
  workplaces->resized(1);
  workplaces->input(1, typed("x"));
  EXPECT_EQ(end.receive(1), "x") << "the same size is not told again";
}

// ---- Hosts that cannot be worked on ----

TEST_F(DeviceWorkplacesTest, a_host_that_refuses_is_an_alert_and_a_line) {
  const std::uint16_t port = unused_port();
  begin({host_at(port)});
  ASSERT_TRUE(until([&] { return state() == State::trouble; }));
  const std::string words =
      "E909 wms (" + host.address() + ":" + std::to_string(port) + ") cannot be reached: connection refused";
  EXPECT_EQ(told, (std::vector<std::string>{"alert " + words, "Session of 'A1': " + words}));
  EXPECT_TRUE(workplaces->take_news().over.empty()) << "the user may try again";
}

TEST_F(DeviceWorkplacesTest, the_last_host_that_hangs_up_ends_the_session) {
  HostSocket end = working();
  told.clear();
  ASSERT_TRUE(end.send("bye"));
  end.close();
  ASSERT_TRUE(until([&] { return state() == State::over; }));
  const auto news = workplaces->take_news();
  ASSERT_EQ(news.over.size(), 1u);
  EXPECT_EQ(news.over[0].first, 1u);
  EXPECT_EQ(news.over[0].second.text(), "E910 wms has closed the connection");
  ASSERT_EQ(told.size(), 1u);
  EXPECT_TRUE(told[0].starts_with("Session of 'A1' lost wms (")) << told[0];
  EXPECT_TRUE(told[0].ends_with("): it has closed the connection")) << told[0];
  workplaces->input(1, typed("x"));
  workplaces->end(1);
}

TEST_F(DeviceWorkplacesTest, a_host_among_several_that_breaks_leads_back_to_the_selection) {
  begin({host_at(host.port()), host_at(unused_port(), "mail")});
  EXPECT_EQ(state(), State::selecting);
  for (int time = 1; time <= 2; ++time) {
    workplaces->input(1, typed("1"));
    ASSERT_TRUE(until([&] { return state() == State::working; }));
    host.accept().reset();
    ASSERT_TRUE(until([&] { return state() == State::selecting; })) << time;
  }
  EXPECT_TRUE(workplaces->take_news().over.empty());
  EXPECT_TRUE(told.back().ends_with("connection reset by peer")) << told.back();
}

TEST_F(DeviceWorkplacesTest, a_host_that_compresses_unasked_is_left_while_it_is_read) {
  HostSocket end = working();
  told.clear();
  ASSERT_TRUE(end.send(Bytes("\xff\xfa\x56\xff\xf0", 5)));
  ASSERT_TRUE(until([&] { return state() == State::trouble; }));
  EXPECT_EQ(end.receive(1), "");
  EXPECT_TRUE(told.at(0).starts_with("alert E917 wms (")) << told.at(0);
}

TEST_F(DeviceWorkplacesTest,
       a_machine_without_descriptors_connects_to_no_host_and_to_the_next_when_it_has_some) {
  if (sanitized)
    GTEST_SKIP() << "a sanitizer looks at memory through a pipe, and takes every object for broken without";
  {
    const NoDescriptors none;
    begin({host_at(host.port())});
    ASSERT_TRUE(until([&] { return state() == State::trouble; }));
  }
  EXPECT_TRUE(told.at(0).ends_with("cannot be reached: too many open files")) << told.at(0);
  workplaces->input(1, items_of(KeyItem{Key::enter, 0}));
  EXPECT_TRUE(until([&] { return state() == State::working; }));
}

// ---- What is done while a host is being listened to ----

TEST_F(DeviceWorkplacesTest, a_session_may_end_within_each_wake) {
  on_wake = [&] {
    for (const DeviceSession& session : sessions) workplaces->end(session.number());
  };
  const auto is_gone = [&](DeviceSession::Number number) {
    return until([&] { return workplaces->find(number) == nullptr; });
  };
  begin({host_at(host.port())});  // connected
  EXPECT_TRUE(is_gone(1));
  EXPECT_EQ(host.accept().receive(1), "");
  begin({host_at(unused_port())});  // failed
  EXPECT_TRUE(is_gone(2));
  for (const bool hangs_up : {false, true}) {
    auto end_in_wake = std::exchange(on_wake, [] {});
    const DeviceSession::Number number = begin({host_at(host.port())}).number();
    ASSERT_TRUE(until([&] { return state(number) == State::working; }));
    HostSocket end = host.accept();
    on_wake = std::move(end_in_wake);
    if (hangs_up)
      end.close();
    else
      EXPECT_TRUE(end.send("x"));
    EXPECT_TRUE(is_gone(number)) << hangs_up;
  }
  EXPECT_FALSE(workplaces->take_news().changed.empty())
      << "news of those that are gone are there, and do no harm";
}

TEST_F(DeviceWorkplacesTest, it_may_end_with_connections_in_every_state) {
  HostSocket end = working();
  begin({host_at(host.port())});               // being connected
  begin({host_at(unused_port())});             // about to be refused
  begin({host_at(23, "a"), host_at(1, "b")});  // selecting
  DeviceHost named = host_at(23);
  named.host = "localhost";
  begin({named});  // its name is being looked up
  ASSERT_TRUE(end.send(Bytes(10'000, 'x')));
  workplaces.reset();
  EXPECT_EQ(end.receive(1), "") << "it is closed";
  io.restart();
  io.run_for(100ms);
}

TEST_F(DeviceWorkplacesTest, all_connections_can_be_ended_at_once) {
  HostSocket end = working();
  workplaces->end_all();
  EXPECT_EQ(end.receive(1), "");
  EXPECT_EQ(workplaces->find(1), nullptr);
}

// ---- Floods ----

TEST_F(DeviceWorkplacesTest, a_flood_is_read_only_so_far_ahead_of_what_is_drawn) {
  HostSocket end = working();
  Flood flood(end);
  const std::size_t read = read_of(flood);
  EXPECT_GE(read, DeviceWorkplaces::unseen_max);
  EXPECT_LT(read, DeviceWorkplaces::unseen_max + 4096);
  workplaces->input(1, typed("stop"));
  EXPECT_EQ(end.receive(4), "stop") << "the keyboard works";
  EXPECT_EQ(read_of(flood), read) << "what operators look at is not drawn for the device";
  workplaces->follow(1);
  EXPECT_GE(read_of(flood), read + DeviceWorkplaces::unseen_max);
}

TEST_F(DeviceWorkplacesTest, a_host_that_has_closed_while_it_waits_is_lost_when_it_goes_on) {
  HostSocket end = working();
  Flood flood(end);
  read_of(flood);
  end.close();
  io.restart();
  io.run_for(50ms);
  EXPECT_EQ(state(), State::working) << "nobody has seen what it wrote";
  EXPECT_TRUE(until([&] {
    workplaces->follow(1);
    return state() == State::over;
  }));
}

TEST_F(DeviceWorkplacesTest, what_changes_no_screen_stops_no_host) {
  HostSocket end = working();
  Bytes nothing;
  while (nothing.size() < 4096) nothing += "\xff\xf1";  // IAC NOP
  std::size_t sent = 0;
  ASSERT_TRUE(until([&] {
    sent += end.send_some(ByteView(nothing).substr(sent % 2));
    return sent >= 16 * DeviceWorkplaces::unseen_max && sent % 2 == 0;
  })) << sent;
  ASSERT_TRUE(until([&] { return end.send_some("x") == 1; }));
  EXPECT_TRUE(until([&] { return first_row() == "x"; })) << "a screen that is as it was is not drawn";
}

}  // namespace lekt
