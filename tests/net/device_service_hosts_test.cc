// Devices whose users work on hosts: a service, devices and hosts with real sockets.
#include <gtest/gtest.h>

#include <memory>
#include <string>
#include <variant>
#include <vector>

#include "common/device_packets.h"
#include "devices/group_syntax.h"
#include "tests/net/device_ends.h"
#include "tests/net/host_end.h"
#include "tests/support/screens.h"
#include "tests/support/support.h"

namespace lekt {
namespace {

using namespace std::chrono_literals;
using namespace test;

class DeviceHostsTest : public testing::Test {
 protected:
  static DeviceService::Settings settings_with(const std::vector<DeviceHost>& hosts) {
    DeviceService::Settings settings;
    settings.desk.groups =
        std::make_shared<const DeviceGroups>(std::get<DeviceGroups>(DeviceGroups::make({}, hosts)));
    settings.handler_log.level = HandlerLevel::session;
    return settings;
  }
  DeviceHost host_at(std::uint16_t port, const std::string& name = "wms") const {
    return std::get<DeviceHost>(parse_device_host(name + "=" + host.address() + ":" + std::to_string(port)));
  }
  std::string place_of(std::uint16_t port) const { return host.address() + ":" + std::to_string(port); }

  void serve(const std::vector<DeviceHost>& hosts) { devices.emplace(8, settings_with(hosts)); }
  std::unique_ptr<DeviceEnd> device(const std::string& uid = "A1", const Ticket& ticket = {}) {
    auto made = std::make_unique<DeviceEnd>(devices->contact(), uid, ticket);
    EXPECT_TRUE(made->until([&] { return made->link().phase() == DeviceLink::Phase::serving; }));
    return made;
  }
  static bool sees(DeviceEnd& device, const std::string& text) {
    return device.until([&] { return device.screen().find(text) != std::string::npos; });
  }
  static bool types(DeviceEnd& device, HostSocket& end, const std::string& text, const std::string& on_wire) {
    device.link().type(items_of(TypedItem{text}));
    Bytes got;
    return device.until([&] { return (got += end.receive_some()).size() >= on_wire.size(); }) &&
           got == on_wire;
  }
  DeviceDetails details(const std::string& uid = "A1") {
    return devices
        ->ask<std::vector<DeviceDetails>>([&](DeviceService& service) { return service.device(uid); })
        .at(0);
  }
  std::size_t number_that_operators_see() {
    const auto screens =
        devices->ask<std::vector<DeviceScreen>>([](DeviceService& service) { return service.screens("A1"); });
    std::string text;
    for (const std::string& row : screens.at(0).rows) text += row + "\n";
    return Flood::highest_number(text);
  }
  bool logs(const std::string& line) {
    return eventually([&] { return devices->handler_log(own_address()).find(line) != std::string::npos; });
  }

  HostEnd host;
  std::optional<RunningDevices> devices;
};

const Rejection kicked{ErrorCode::ended_by_operator, "the operator has ended this session"};

}  // namespace

TEST_F(DeviceHostsTest, a_user_types_on_a_host_and_sees_it) {
  serve({host_at(host.port())});
  const auto user = device();
  HostSocket end = host.accept();
  ASSERT_TRUE(end.send("login: "));
  EXPECT_TRUE(sees(*user, "login:")) << user->screen();
  EXPECT_TRUE(types(*user, end, "root", "root"));
  ASSERT_TRUE(end.send("root"));
  EXPECT_TRUE(sees(*user, "login: root")) << user->screen();
  EXPECT_EQ(details().host, "wms (" + place_of(host.port()) + "), working");
  EXPECT_EQ(details().status.host, "wms");
  EXPECT_EQ(details().status.state, "active");
  EXPECT_TRUE(logs("Session of 'A1' connected to wms (" + place_of(host.port()) + ")\n"));
}

TEST_F(DeviceHostsTest, inputs_arrive_once_and_in_order) {
  serve({host_at(host.port())});
  const auto user = device();
  HostSocket end = host.accept();
  Bytes typed;
  Bytes got;
  for (int number = 0; number < 200; ++number) {
    const std::string word = std::to_string(number) + " ";
    user->link().type(items_of(TypedItem{word}));
    typed += word;
    if (number % 10 == 0) {
      ASSERT_TRUE(end.send("."));
    }
    user->until([&] { return true; });
    got += end.receive_some();
  }
  EXPECT_TRUE(user->until([&] { return (got += end.receive_some()).size() >= typed.size(); }));
  EXPECT_EQ(got, typed);
}

TEST_F(DeviceHostsTest, a_session_goes_on_with_the_same_screen_and_host_at_another_registration) {
  serve({host_at(host.port())});
  const auto before = device();
  HostSocket end = host.accept();
  ASSERT_TRUE(end.send("42 pieces"));
  ASSERT_TRUE(sees(*before, "42 pieces"));
  const std::string screen = before->screen();
  const auto after = device("A1", before->link().ticket());
  EXPECT_TRUE(after->until([&] { return after->screen() == screen; })) << after->screen();
  EXPECT_TRUE(types(*after, end, "ok", "ok"));
}

TEST_F(DeviceHostsTest, the_host_is_told_another_size_of_the_device) {
  serve({host_at(host.port())});
  const auto user = device();
  HostSocket end = host.accept();
  ASSERT_TRUE(end.send("\xff\xfd\x1f"));  // IAC DO NAWS
  Bytes answer;
  const auto until_answer = [&](std::size_t bytes) {
    answer.clear();
    return user->until([&] { return (answer += end.receive_some()).size() >= bytes; });
  };
  ASSERT_TRUE(until_answer(12));
  EXPECT_EQ(answer, Bytes("\xff\xfb\x1f\xff\xfa\x1f\0\x1a\0\x10\xff\xf0", 12)) << "26 columns, 16 rows";
  std::string string = string_of("A1");
  user->link().describe(string.replace(string.find("~16~26~"), 7, "~20~40~"));
  ASSERT_TRUE(until_answer(9));
  EXPECT_EQ(answer, Bytes("\xff\xfa\x1f\0\x28\0\x14\xff\xf0", 9));
  EXPECT_TRUE(user->until([&] { return user->link().screen().rows() == 20; }));
}

TEST_F(DeviceHostsTest, the_bell_of_a_host_rings_at_the_device) {
  serve({host_at(host.port())});
  const auto user = device();
  HostSocket end = host.accept();
  ASSERT_TRUE(user->until([&] { return user->link().delivery()->is_quiet(); }));
  EXPECT_EQ(user->link().bells(), 0u);
  ASSERT_TRUE(end.send("\a"));
  EXPECT_TRUE(user->until([&] { return user->link().bells() == 1; }));
}

// ---- Floods ----

TEST_F(DeviceHostsTest, a_flood_waits_for_a_device_that_does_not_acknowledge_and_goes_on_with_it) {
  serve({host_at(host.port())});
  const auto user = device();
  HostSocket end = host.accept();
  Flood flood(end);
  const auto until_stopped = [&] {
    std::size_t number = 0;
    auto changed = std::chrono::steady_clock::now();
    EXPECT_TRUE(eventually([&] {
      while (flood.write_some() > 0) continue;
      if (const std::size_t now = number_that_operators_see(); now != std::exchange(number, now))
        changed = std::chrono::steady_clock::now();
      return number > 0 && std::chrono::steady_clock::now() - changed > 500ms;
    })) << "it is still being read";
    return number;
  };
  const std::size_t first = until_stopped();
  // Each message that it may send ahead is a look at the screen.
  EXPECT_LT(Flood::bytes_until(first), (Delivery::window + 1) * (DeviceWorkplaces::unseen_max + 4096));
  EXPECT_EQ(until_stopped(), first) << "an operator's look does not make it go on";
  EXPECT_TRUE(user->until([&] {
    flood.write_some();
    return Flood::bytes_until(Flood::highest_number(user->screen())) >
           Flood::bytes_until(first) + 2 * DeviceWorkplaces::unseen_max;
  })) << user->screen();
}

TEST_F(DeviceHostsTest, a_user_can_stop_a_flood) {
  serve({host_at(host.port())});
  const auto user = device();
  HostSocket end = host.accept();
  Flood flood(end);
  ASSERT_TRUE(user->until([&] {
    flood.write_some();
    return Flood::highest_number(user->screen()) > 1000;
  }));
  user->link().type(items_of(ChordItem{modifiers::control, U'c'}));
  EXPECT_TRUE(user->until([&] {
    flood.write_some();
    return end.receive_some() == "\x03";
  }));
}

TEST_F(DeviceHostsTest, a_flood_for_one_user_leaves_others_their_time) {
  serve({host_at(host.port())});
  const auto flooded = device("A1");
  HostSocket end = host.accept();
  const auto other = device("A2");
  HostSocket quiet = host.accept();
  Flood flood(end);
  for (int number = 0; number < 20; ++number) {
    const std::string word = "<" + std::to_string(number) + ">";
    ASSERT_TRUE(quiet.send("\r\n" + word));
    EXPECT_TRUE(other->until([&] {
      flood.write_some();
      flooded->until([] { return true; });
      return other->screen().find(word) != std::string::npos;
    })) << number;
  }
}

// ---- Hosts that cannot be worked on ----

TEST_F(DeviceHostsTest, a_host_that_refuses_is_told_to_the_user_and_to_operators) {
  const std::uint16_t port = unused_port();
  serve({host_at(port)});
  const auto user = device();
  EXPECT_TRUE(sees(*user, "E909 wms")) << user->screen();
  const std::string words = "wms (" + place_of(port) + ") cannot be reached: connection refused";
  const auto alerts =
      devices->ask<std::vector<DeviceAlertStatus>>([](DeviceService& service) { return service.alerts(10); });
  ASSERT_EQ(alerts.size(), 1u);
  EXPECT_EQ(alerts[0].code, ErrorCode::host_unreachable);
  EXPECT_EQ(alerts[0].uid, "A1");
  EXPECT_EQ(alerts[0].address, own_address());
  EXPECT_EQ(alerts[0].message, words);
  EXPECT_EQ(details().host, "wms (" + place_of(port) + "), in trouble");
  EXPECT_EQ(details().status.host, "");
  EXPECT_TRUE(logs("Session of 'A1': E909 " + words + "\n"));
  std::vector<storage::DeviceAlertRow> rows;
  EXPECT_TRUE(eventually([&] {
    for (const Command& command : devices->take_commands())
      if (const auto* told = std::get_if<DevicesCommand>(&command))
        rows.insert(rows.end(), told->alerts.begin(), told->alerts.end());
    return !rows.empty();
  }));
  EXPECT_EQ(rows.at(0).message, words);
}

TEST_F(DeviceHostsTest, the_only_host_that_hangs_up_ends_the_session) {
  serve({host_at(host.port())});
  const auto user = device();
  host.accept().close();
  ASSERT_TRUE(user->until([&] { return user->link().ending().has_value(); }));
  EXPECT_EQ(user->link().ending()->code, ErrorCode::host_hung_up);
  EXPECT_TRUE(
      logs("Session of 'A1' lost wms (" + place_of(host.port()) + "): it has closed the connection\n"));
  EXPECT_TRUE(logs("Session of 'A1' ended: E910 wms has closed the connection\n"));
  const auto again = device();
  EXPECT_TRUE(types(*again, *std::make_unique<HostSocket>(host.accept()), "x", "x")) << "a new session";
}

TEST_F(DeviceHostsTest, one_of_several_hosts_that_hangs_up_leads_back_to_the_selection) {
  serve({host_at(host.port()), host_at(unused_port(), "mail")});
  const auto user = device();
  ASSERT_TRUE(sees(*user, "2 mail")) << user->screen();
  EXPECT_EQ(details().status.state, "selecting");
  EXPECT_EQ(details().host, "");
  user->link().type(items_of(TypedItem{"1"}));
  ASSERT_TRUE(user->until([&] { return details().status.host == "wms"; }));
  HostSocket end = host.accept();
  ASSERT_TRUE(end.send("42 pieces"));
  ASSERT_TRUE(sees(*user, "42 pieces"));
  end.close();
  EXPECT_TRUE(sees(*user, "wms has closed")) << user->screen();
  EXPECT_EQ(details().status.state, "selecting");
}

// ---- Ends ----

TEST_F(DeviceHostsTest, whoever_is_kicked_or_banned_leaves_no_connection) {
  serve({host_at(host.port())});
  for (const bool is_banned : {false, true}) {
    const auto user = device();
    HostSocket end = host.accept();
    EXPECT_EQ(devices->ask<std::size_t>([&](DeviceService& service) {
      return is_banned ? service.end_sessions(Block::v4(own_address(), 32).value(), kicked)
                       : service.end_sessions_of("A1", kicked);
    }),
              1u);
    EXPECT_EQ(end.receive(1), "");
    EXPECT_TRUE(end.is_closed());
  }
}

TEST_F(DeviceHostsTest, a_stop_closes_all_connections) {
  serve({host_at(host.port())});
  const auto user = device();
  HostSocket end = host.accept();
  devices->stop();
  EXPECT_TRUE(end.is_closed());
}

TEST_F(DeviceHostsTest, the_service_may_end_while_hosts_write_and_others_are_being_connected) {
  HostEnd silent;
  silent.fall_silent();
  serve({host_at(host.port()), host_at(silent.port(), "silent")});
  const auto working = device("A1");
  working->link().type(items_of(TypedItem{"1"}));
  ASSERT_TRUE(working->until([&] { return details().status.host == "wms"; }));
  HostSocket end = host.accept();
  const auto connecting = device("A2");
  connecting->link().type(items_of(TypedItem{"2"}));
  ASSERT_TRUE(connecting->until([&] { return details("A2").status.host == "silent"; }));
  Flood flood(end);
  while (flood.write_some() > 0) continue;
  devices.reset();
  while (!end.is_closed()) end.receive_some();
}

// ---- A reload ----

TEST_F(DeviceHostsTest, a_session_keeps_its_hosts_and_the_next_gets_the_new_ones) {
  HostEnd other;
  serve({host_at(host.port())});
  const auto before = device("A1");
  HostSocket end = host.accept();
  devices->ask<bool>([&](DeviceService& service) {
    service.use(settings_with({host_at(other.port(), "other")}), service.rules());
    return true;
  });
  EXPECT_TRUE(types(*before, end, "still", "still"));
  EXPECT_EQ(details().status.host, "wms");
  const auto after = device("A2");
  HostSocket other_end = other.accept();
  EXPECT_TRUE(types(*after, other_end, "new", "new"));
  EXPECT_EQ(details("A2").status.host, "other");
  end.close();
  ASSERT_TRUE(before->until([&] { return before->link().ending().has_value(); }));
  EXPECT_EQ(before->link().ending()->message, "wms has closed the connection");
}

}  // namespace lekt
