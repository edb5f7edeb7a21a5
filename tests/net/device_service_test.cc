// The front of devices with real sockets. What it decides, tests/devices shows with virtual time.
#include "server/net/device_service.h"

#include <gtest/gtest.h>

#include <algorithm>

#include "common/device_packets.h"
#include "tests/net/device_ends.h"
#include "tests/support/screens.h"
#include "tests/support/support.h"

namespace lekt {
namespace {

using namespace std::chrono_literals;
using namespace test;

/// Joins and leaves among the commands, as "+address" and "-address".
std::vector<std::string> membership_of(const std::vector<Command>& commands) {
  std::vector<std::string> words;
  for (const Command& command : commands) {
    if (const auto* join = std::get_if<JoinCommand>(&command))
      words.push_back("+" + to_string(join->address));
    if (const auto* leave = std::get_if<LeaveCommand>(&command))
      words.push_back("-" + to_string(leave->address));
  }
  return words;
}

using Words = std::vector<std::string>;

/// What the writer was told last for the database.
storage::DeviceRows rows_of(RunningDevices& devices) {
  storage::DeviceRows rows;
  for (const Command& command : devices.take_commands())
    if (const auto* told = std::get_if<DevicesCommand>(&command)) rows = *told;
  return rows;
}

}  // namespace

TEST(DeviceService, registers_a_device_and_shows_it_its_screen) {
  RunningDevices devices;
  DeviceEnd device(devices.contact(), "0015708E863F");
  ASSERT_TRUE(device.until_served());
  EXPECT_NE(device.screen().find("default"), std::string::npos) << device.screen();
  EXPECT_NE(device.screen().find("0015708E863F"), std::string::npos) << device.screen();
}

TEST(DeviceService, lists_a_device_as_a_client_until_its_user_leaves) {
  RunningDevices devices;
  DeviceEnd device(devices.contact(), "A1");
  ASSERT_TRUE(device.until_served());
  const std::vector<Command> commands = devices.take_commands();
  EXPECT_EQ(membership_of(commands), Words{"+" + to_string(own_address())});
  const auto& join = std::get<JoinCommand>(commands.at(0));
  ASSERT_EQ(join.methods.size(), 1u);
  EXPECT_EQ(join.methods[0].index, device_index);
  EXPECT_NE(
      join.methods[0].information.find("uid=A1,type=PDT9090_E5,screen=16x26,version=9.1.107,group=default"),
      Bytes::npos);
  device.link().leave(AwakeTime(0));
  ASSERT_TRUE(device.until([&] { return device.link().phase() == DeviceLink::Phase::ended; }));
  Words left;  // the device is told first
  EXPECT_TRUE(eventually([&] { return !(left = membership_of(devices.take_commands())).empty(); }));
  EXPECT_EQ(left, Words{"-" + to_string(own_address())});
}

TEST(DeviceService, goes_on_with_a_session_for_its_ticket_and_nobody_hears_of_it) {
  RunningDevices devices;
  DeviceEnd before(devices.contact(), "A1");
  ASSERT_TRUE(before.until_served());
  devices.take_commands();
  DeviceEnd after(devices.contact(), "A1", before.link().ticket());
  ASSERT_TRUE(after.until_served());
  EXPECT_EQ(after.link().ticket(), before.link().ticket());
  EXPECT_EQ(membership_of(devices.take_commands()), Words{});
  ASSERT_TRUE(before.until([&] { return before.link().phase() == DeviceLink::Phase::ended; }));
  EXPECT_EQ(before.link().ending()->code, ErrorCode::registration_replaced);
}

TEST(DeviceService, answers_from_the_address_that_was_asked) {
  // Ports at all addresses would meet those of other tests.
  RunningDevices devices(8, {}, Address(), RunningDevices::first_port + 2000);
  DeviceEnd device(devices.contact(own_address(7)), "A1");
  EXPECT_TRUE(device.until_served()) << "the device takes datagrams of that address alone";
}

TEST(DeviceService, passes_over_a_port_that_another_program_has) {
  UdpSocket foreign(own_address(), RunningDevices::first_port);
  RunningDevices devices;
  DeviceEnd device(devices.contact(), "A1");
  ASSERT_TRUE(device.until_served());
  const auto list =
      devices.ask<std::vector<DeviceStatus>>([](DeviceService& service) { return service.devices(); });
  ASSERT_EQ(list.size(), 1u);
  EXPECT_EQ(list[0].port, RunningDevices::first_port + 1);
}

TEST(DeviceService, refuses_whom_the_operator_has_banned) {
  RunningDevices devices;
  devices.admission().ban({Block::v4(Address::v4(0x7f000000), 8).value()});
  DeviceEnd device(devices.contact(), "A1");
  ASSERT_TRUE(device.until([&] { return device.link().ending().has_value(); }));
  EXPECT_EQ(device.link().ending()->code, ErrorCode::address_banned);
  EXPECT_EQ(devices.seen().rejects.list({}, 10).at(0).code, ErrorCode::address_banned);
}

TEST(DeviceService, ends_the_sessions_of_an_address_and_tells_their_devices_why) {
  RunningDevices devices;
  DeviceEnd device(devices.contact(), "A1");
  ASSERT_TRUE(device.until_served());
  devices.take_commands();
  const Rejection kicked{ErrorCode::ended_by_operator, "the operator has ended this session"};
  EXPECT_EQ(
      devices.ask<std::size_t>([&](DeviceService& service) { return service.end_sessions_of("A2", kicked); }),
      0u);
  EXPECT_EQ(devices.ask<std::size_t>([&](DeviceService& service) -> std::size_t {
    return service.end_sessions(Block::v4(own_address(), 32).value(), kicked);
  }),
            1u);
  ASSERT_TRUE(device.until([&] { return device.link().ending().has_value(); }));
  EXPECT_EQ(device.link().ending()->code, ErrorCode::ended_by_operator);
  EXPECT_EQ(membership_of(devices.take_commands()), Words{"-" + to_string(own_address())});
}

TEST(DeviceService, a_clean_stop_tells_devices_and_leaves_them_listed) {
  RunningDevices devices;
  DeviceEnd device(devices.contact(), "A1");
  ASSERT_TRUE(device.until_served());
  devices.take_commands();
  devices.stop();
  ASSERT_TRUE(device.until([&] { return device.link().ending().has_value(); }));
  EXPECT_EQ(device.link().ending()->code, ErrorCode::server_stopping);
  EXPECT_EQ(membership_of(devices.take_commands()), Words{});
}

TEST(DeviceService, tells_the_database_of_a_device_its_session_and_their_end) {
  RunningDevices devices;
  DeviceEnd device(devices.contact(), "A1");
  ASSERT_TRUE(device.until_served());
  const storage::DeviceRows began = rows_of(devices);
  ASSERT_EQ(began.devices.size(), 1u);
  EXPECT_EQ(began.devices[0].uid, "A1");
  EXPECT_EQ(began.devices[0].type, "PDT9090_E5");
  EXPECT_EQ(began.devices[0].text, string_of("A1"));
  EXPECT_EQ(began.devices[0].address, own_address());
  EXPECT_EQ(began.devices[0].sessions, 1u);
  ASSERT_EQ(began.sessions.size(), 1u);
  EXPECT_EQ(began.sessions[0].state, "active");
  EXPECT_EQ(began.sessions[0].port, RunningDevices::first_port);
  device.link().leave(AwakeTime(0));
  ASSERT_TRUE(device.until([&] { return device.link().phase() == DeviceLink::Phase::ended; }));
  storage::DeviceRows ended;
  EXPECT_TRUE(eventually([&] {
    ended = rows_of(devices);
    return !ended.ended_sessions.empty();
  })) << "within the 5 s of what is written for operators";
  EXPECT_EQ(ended.ended_sessions, std::vector<std::uint64_t>{began.sessions[0].number});
}

TEST(DeviceService, tells_the_database_of_a_session_that_has_lost_its_registration) {
  RunningDevices devices;
  DeviceEnd device(devices.contact(), "A1");
  ASSERT_TRUE(device.until_served());
  rows_of(devices);
  device.link().type("no item");
  ASSERT_TRUE(device.until([&] { return device.link().ending().has_value(); }));
  EXPECT_EQ(device.link().ending()->code, ErrorCode::datagram_malformed);
  std::string state;
  EXPECT_TRUE(eventually([&] {
    for (const storage::DeviceSessionRow& session : rows_of(devices).sessions) state = session.state;
    return state == "waiting";
  })) << state;
}

TEST(DeviceService, a_clean_stop_tells_the_database_what_is_new) {
  RunningDevices devices;
  DeviceEnd device(devices.contact(), "A1");
  ASSERT_TRUE(device.until_served());
  rows_of(devices);
  device.until([&] { return device.link().delivery()->is_quiet(); });
  devices.stop();
  EXPECT_EQ(rows_of(devices).devices.size(), 1u) << "it was heard since it began";
}

TEST(DeviceService, writes_a_log_for_a_device_that_registers_and_none_for_who_only_asks) {
  DeviceService::Settings settings;
  settings.handler_log.level = HandlerLevel::protocol;
  RunningDevices devices(8, settings);
  UdpSocket stranger(own_address(1), 0);
  stranger.send(
      own_address(1), devices.contact(),
      encode_datagram({DatagramType::connection_request, version_spoken, 7, 0, 0}, ConnectionRequest{}));
  DeviceEnd device(devices.contact(), "A1");
  ASSERT_TRUE(device.until_served());
  EXPECT_TRUE(eventually([&] {
    return devices.handler_log(own_address()).find("Session of 'A1' started") != std::string::npos;
  })) << devices.handler_log(own_address());
  EXPECT_EQ(devices.handler_log(own_address(1)), "");
}

TEST(DeviceService, counts_datagrams_registrations_and_round_trips) {
  RunningDevices devices;
  DeviceEnd device(devices.contact(), "A1");
  ASSERT_TRUE(device.until_served());
  const DeviceMeters& meters = devices.service().device_meters();
  EXPECT_TRUE(eventually([&] { return meters.registrations.value() == 1 && meters.sessions_active == 1; }))
      << "with the next tick";
  EXPECT_EQ(meters.ports_used, 1u);
  EXPECT_EQ(meters.ports_free, 7u);
  EXPECT_GE(meters.datagrams_received.value(), 4u) << "packets 1, 3, 6 and acknowledgments";
  EXPECT_GE(meters.datagrams_sent.value(), 6u);
  EXPECT_GE(meters.rtt.copy().count(), 3u);
  EXPECT_EQ(meters.screens.value(), 1u);
  EXPECT_EQ(meters.repeated.value(), 0u);
  EXPECT_EQ(meters.malformed.value(), 0u);
}

TEST(DeviceService, shows_operators_what_the_user_sees) {
  RunningDevices devices;
  DeviceEnd device(devices.contact(), "A1");
  ASSERT_TRUE(device.until_served());
  const auto screens_of = [&](const std::string& asked) {
    return devices.ask<std::vector<DeviceScreen>>(
        [&](DeviceService& service) { return service.screens(asked); });
  };
  for (const std::string& asked : {std::string("A1"), to_string(own_address())}) {
    const std::vector<DeviceScreen> screens = screens_of(asked);
    ASSERT_EQ(screens.size(), 1u) << asked;
    EXPECT_EQ(screens[0].uid, "A1");
    EXPECT_EQ(screens[0].address, own_address());
    EXPECT_EQ(screens[0].size.rows, device.link().screen().rows());
    EXPECT_EQ(screens[0].size.columns, device.link().screen().columns());
    EXPECT_EQ(screens[0].cursor.row, device.link().screen().cursor().row);
    EXPECT_EQ(screens[0].cursor.shown, device.link().screen().cursor().is_shown);
    ASSERT_EQ(screens[0].rows.size(), screens[0].size.rows);
    EXPECT_EQ(screens[0].rows[0] + "\n" + screens[0].rows[1] + "\n",
              device.screen().substr(0, screens[0].rows[0].size() + screens[0].rows[1].size() + 2));
  }
  EXPECT_EQ(screens_of("A2").size(), 0u);
}

TEST(DeviceService, measures_how_long_a_screen_follows_an_input) {
  RunningDevices devices;
  DeviceEnd device(devices.contact(), "A1");
  ASSERT_TRUE(device.until_served());
  const DeviceMeters& meters = devices.service().device_meters();
  const auto sees_another_size = [&](const std::string& rows) {
    std::string string = string_of("A1");
    device.link().describe(string.replace(string.find("~16~"), 4, "~" + rows + "~"));
    return device.until([&] { return std::to_string(device.link().screen().rows()) == rows; });
  };
  ASSERT_TRUE(sees_another_size("12"));
  EXPECT_EQ(meters.echo.copy().count(), 0u) << "nothing was typed";
  for (const std::uint64_t input : {1, 2}) {
    device.link().type(items_of(KeyItem{Key::enter}));
    ASSERT_TRUE(device.until([&] {
      return devices.ask<std::uint64_t>(
                 [](DeviceService& service) { return service.device("A1").at(0).inputs; }) == input;
    }));
  }
  ASSERT_TRUE(sees_another_size("14"));
  EXPECT_EQ(meters.echo.copy().count(), 1u) << "from the first of them";
  ASSERT_TRUE(sees_another_size("16"));
  EXPECT_EQ(meters.echo.copy().count(), 1u);
  EXPECT_EQ(meters.screens.value(), 4u);
}

TEST(DeviceService, forged_requests_take_no_port_and_amplify_nothing) {
  constexpr std::uint32_t requests = 100'000;
  RunningDevices devices;
  UdpSocket forger(Address(), 0);
  const DeviceEndpoint contact = devices.contact();
  for (std::uint32_t number = 1; number <= requests; ++number) {
    const Address source = Address::v4(0x7f400000 + number);
    forger.send(source, contact,
                encode_datagram({DatagramType::connection_request, version_spoken, number, 0, 0},
                                ConnectionRequest{}));
  }
  const DeviceMeters& meters = devices.service().device_meters();
  DeviceEnd device(contact, "A1");
  EXPECT_TRUE(device.until_served()) << "a real device still gets in";
  EXPECT_GT(meters.bytes_received.value(), 0u);
  EXPECT_LE(meters.bytes_sent.value(), meters.bytes_received.value() + 4096) << "4096 for the device";
  const auto list =
      devices.ask<std::vector<DeviceStatus>>([](DeviceService& service) { return service.devices(); });
  EXPECT_EQ(
      std::ranges::count_if(list, [](const DeviceStatus& status) { return status.state != "connecting"; }),
      1);
}

TEST(DeviceService, cannot_listen_where_somebody_does_and_says_so) {
  RunningDevices devices;
  try {
    UdpSocket taken(own_address(), 0);
    MethodCatalogue catalogue;
    SessionRules rules{catalogue};
    Seen seen{".", 0};
    Doors doors(nullptr, {}, {.connections = Rate(1, 1), .connections_per_address = Rate(1, 1)}, {},
                seen.codes);
    const DeviceService service(0, 1, {{{to_string(own_address()), taken.port()}}, 5000, 5001, "."}, {},
                                {rules, doors, seen});
    FAIL() << "it listens";
  } catch (const CodedError& error) {
    EXPECT_EQ(error.code(), ErrorCode::listen_failed);
    EXPECT_NE(std::string(error.what()).find("--device-listen"), std::string::npos) << error.what();
  }
}

}  // namespace lekt
