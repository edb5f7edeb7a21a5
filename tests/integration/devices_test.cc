// Devices of a real lektd: who hears of them, and what operators see and do.
#include "tests/integration/devices.h"

#include <csignal>
#include <regex>

#include "common/device_packets.h"
#include "server/net/udp_socket.h"
#include "tests/admin/http_client.h"
#include "tests/integration/sqlite.h"

namespace lekt::test {

namespace {

using testing::IsSubstring;

/// What an answer changes, as `lekt join` prints it: "+ 127.0.0.3" and "- 127.0.0.3".
Lines words_of(const Answer& answer) {
  Lines words;
  for (const PeerChange& change : answer.changes) {
    const char* sign = change.kind == PeerChange::Kind::added     ? "+ "
                       : change.kind == PeerChange::Kind::removed ? "- "
                                                                  : "~ ";
    words.push_back(sign + to_string(change.address));
  }
  return words;
}

/// Beats until something has changed.
Lines next_changes(RawClient& observer) {
  Lines words;
  eventually([&] { return !(words = words_of(observer.beat())).empty(); }, patience());
  return words;
}

std::uint16_t admin_port(const Daemon& daemon) {
  const std::string log = daemon.log();
  std::smatch found;
  if (!std::regex_search(log, found, std::regex("event=admin url=http://127.0.0.1:([0-9]+)/")))
    throw std::runtime_error("no admin page:\n" + log);
  return static_cast<std::uint16_t>(std::stoul(found[1]));
}

/// Without the date and time that each line begins with.
Lines lines_without_time(const std::string& text) {
  Lines lines;
  for (const std::string& line : lines_of(text)) lines.push_back(line.substr(line.find(" - ") + 3));
  return lines;
}

}  // namespace

TEST_F(DevicesTest, peers_hear_of_a_session_when_it_begins_and_when_its_user_or_an_operator_ends_it) {
  serve();
  RawClient observer = joined(daemon().port(), "127.0.0.2");
  observer.beat();
  const auto leaves = on_terminal({"A1", "127.0.0.3"});
  EXPECT_EQ(next_changes(observer), Lines{"+ 127.0.0.3"});
  EXPECT_PRED_FORMAT2(IsSubstring, "127.0.0.3 device:uid=A1,type=lekt,screen=24x80",
                      testing::PrintToString(observer.peers()));
  const auto kicked = stay({"A2", "127.0.0.4"});
  EXPECT_EQ(next_changes(observer), Lines{"+ 127.0.0.4"});
  leaves->press(menu_ends_session);
  EXPECT_EQ(next_changes(observer), Lines{"- 127.0.0.3"});
  EXPECT_EQ(leaves->wait(), 0);
  EXPECT_EQ(lektctl({"kick", "A2"}).output, "kicked A2; 1 session ended\n");
  EXPECT_EQ(next_changes(observer), Lines{"- 127.0.0.4"});
  EXPECT_TRUE(eventually([&] { return count(kicked->errors(), "E409") == 1; }, patience()))
      << "it may come back";
}

TEST_F(DevicesTest, peers_hear_nothing_of_a_device_that_is_away_and_comes_back) {
  start(device_flags({}, "5000-5001"));
  RawClient observer = joined(daemon().port(), "127.0.0.2");
  const auto absent = on_terminal({"A1", "127.0.0.3"});
  const auto stays = stay({"A2", "127.0.0.4"});
  ASSERT_TRUE(are_there(2));
  const Json session = device("A1").at("session");
  eventually([&] { return observer.beat(), observer.peers().size() == 3; }, patience());
  absent->send_signal(SIGSTOP);
  // A third device needs a port, so the server asks both whether they are there.
  const auto third = on_terminal({"A3", "127.0.0.5"});
  EXPECT_EQ(next_changes(observer), Lines{"+ 127.0.0.5"});
  EXPECT_EQ(device("A1").at("state"), "waiting");
  third->press(menu_ends_session);
  EXPECT_EQ(next_changes(observer), Lines{"- 127.0.0.5"});
  absent->send_signal(SIGCONT);
  absent->press("x");
  ASSERT_TRUE(are_there(2));
  EXPECT_EQ(device("A1").at("session"), session) << "the same as before";
  EXPECT_EQ(words_of(observer.beat()), Lines{});
  EXPECT_EQ(observer.peers().size(), 3u);
}

TEST_F(DevicesTest, all_who_show_them_agree) {
  const std::uint16_t admin = admin_port(serve({"--admin", "127.0.0.1:0"}));
  std::vector<std::unique_ptr<Process>> running;
  for (const char* number : {"3", "4", "5", "6", "7"})
    running.push_back(stay({std::string("A") + number, std::string("127.0.0.") + number}));
  ASSERT_TRUE(are_there(5));

  const Json api = Json::parse(get(admin, "/api/v1/devices").body).at("devices");
  const std::vector<Json> listed_devices = devices();
  ASSERT_EQ(api.size(), 5u);
  ASSERT_EQ(listed_devices.size(), 5u);
  Lines in_lektctl, registered, once_seen;
  for (std::size_t i = 0; i < 5; ++i) {
    const Json& device = listed_devices[i];
    for (const char* key : {"uid", "address", "client_port", "port", "state", "type", "group", "session"})
      EXPECT_EQ(device.at(key), api[i].at(key)) << key;
    const std::string uid = device.at("uid");
    const std::string address = device.at("address");
    registered.push_back(uid + "|" + address + "|" + device.at("port").dump() + "|default|active|no|" +
                         device.at("session").dump());
    once_seen.push_back(uid + "|lekt|default|" + address + "|1");
    const Json known = objects({"device", uid}).at(0);
    EXPECT_EQ(known.at("status").at("port"), device.at("port"));
    EXPECT_EQ(known.at("rules"), (Json{"encryption 0", "sessions 1"}));
  }
  Operator reader(database());
  // The rows of a session follow it within some seconds.
  EXPECT_TRUE(eventually(
      [&] {
        return reader.ask(
                   "SELECT uid, address, port, device_group, state, dtls, number FROM device_sessions "
                   "ORDER BY uid") == registered;
      },
      patience()))
      << testing::PrintToString(registered);
  EXPECT_EQ(reader.ask("SELECT uid, type, device_group, address, sessions FROM devices ORDER BY uid"),
            once_seen);
  EXPECT_EQ(reader.ask("SELECT * FROM device_alerts"), Lines{});
  EXPECT_EQ(alerts(), Lines{});
  // Counters follow within half a second.
  const auto metrics = [&] { return get(admin, "/metrics").body; };
  for (const char* line :
       {"lekt_device_sessions{state=\"active\"} 5", "lekt_device_sessions{state=\"waiting\"} 0",
        "lekt_device_ports{state=\"free\"} 95", "lekt_device_ports{state=\"used\"} 5",
        "lekt_device_registrations_total 5", "lekt_device_inputs_total 0", "lekt_clients 5"})
    EXPECT_TRUE(
        eventually([&] { return count(metrics(), std::string("\n") + line + "\n") == 1; }, patience()))
        << line << " is not in\n"
        << metrics();
  EXPECT_EQ(lektctl({"health"}).status, 0);
}

TEST_F(DevicesTest, an_operator_sees_what_a_user_sees_and_the_log_says_so) {
  serve();
  const auto one = stay({"A1", "127.0.0.3"});
  ASSERT_TRUE(are_there(1));
  const Json screen = objects({"device", "A1", "--screen"}).at(0);
  EXPECT_EQ(screen.at("size"), (Json{{"rows", 24}, {"columns", 80}}));
  EXPECT_EQ(screen.at("rows").size(), 24u);
  EXPECT_EQ(screen.at("session"), device("A1").at("session"));
  EXPECT_EQ(screen.at("state"), device("A1").at("state"));
  const Lines shown = lines_of(lektctl({"device", "127.0.0.3", "--screen"}).output);
  ASSERT_EQ(shown.size(), 3u + 24u);
  EXPECT_EQ(shown[0], "Device        A1 at 127.0.0.3 is active");
  EXPECT_PRED_FORMAT2(IsSubstring, "Screen        24 rows of 80, the cursor ", shown[1]);
  EXPECT_EQ(Json(Lines(shown.begin() + 3, shown.end())), screen.at("rows"));
  const auto logged = [&](const std::string& line) {
    return eventually([&] { return count(daemon().log(), line) == 2; }, patience());
  };
  EXPECT_TRUE(logged("event=device_screen_shown uid=A1 address=127.0.0.3 session=")) << daemon().log();
  EXPECT_TRUE(logged("event=control command=device_screen subject=")) << daemon().log();
  expect_failed({"device", "A2", "--screen"}, 1, "E803 no device has the uid or the address A2");
}

TEST_F(DevicesTest, a_ban_ends_the_sessions_of_its_block_and_lets_nobody_in) {
  serve();
  RawClient observer = joined(daemon().port(), "127.0.0.2");
  const auto banned = stay({"A1", "127.0.1.3"});
  const auto spared = stay({"A2", "127.0.2.3"});
  ASSERT_TRUE(are_there(2));
  EXPECT_EQ(lektctl({"ban", "127.0.1.0/24", "--yes"}).status, 0);
  EXPECT_TRUE(eventually([&] { return count(banned->errors(), "E408") > 0; }, patience()));
  const Outcome refused =
      run_device({"A3", "127.0.1.4"}, {"--timeout", duration_flag(std::chrono::seconds(1))});
  EXPECT_EQ(refused.status, 1);
  EXPECT_PRED_FORMAT2(IsSubstring, "E408 this address is banned", refused.errors);
  EXPECT_EQ(device("A2").at("state"), "active");
  EXPECT_EQ(devices().size(), 1u);
  EXPECT_TRUE(eventually([&] { return observer.beat(), observer.peers().size() == 2; }, patience()));
}

TEST_F(DevicesTest, a_trace_has_their_datagrams_byte_by_byte) {
  serve();
  const std::string said = lektctl({"trace", "127.0.0.3"}).output;
  std::smatch file;
  ASSERT_TRUE(std::regex_search(said, file, std::regex("into ([^ ]+) for"))) << said;
  ASSERT_EQ(run_device({"A1", "127.0.0.3"}, {"--send", "x"}).status, 0);
  ASSERT_EQ(lektctl({"untrace", "127.0.0.3"}).status, 0);
  const std::string trace = read_text(file[1].str());
  std::size_t at = 0;
  for (const char* part :
       {"received a datagram of 64 bytes", "connection request (1), version 0.0.0",
        "sent a datagram of 44 bytes", "connection accept (2)", "registration request (3)",
        "registration accept (4)", "getDeviceConfig (5)", "device config (6)", "string: \"LEKT~",
        "setDeviceConfig (7)", "espSetTime (8)", "screen, version", "input, version", "text: \"x\""}) {
    at = trace.find(part, at);
    ASSERT_NE(at, trace.npos) << part << " is not there, or not in this order, in\n" << trace;
  }
}

TEST_F(DevicesTest, are_served_while_nobody_can_write_the_database) {
  serve();
  RawClient observer = joined(daemon().port(), "127.0.0.2");
  const auto stays = on_terminal({"A1", "127.0.0.3"});
  ASSERT_TRUE(are_there(1));
  ASSERT_TRUE(eventually([&] { return observer.beat(), observer.peers().size() == 2; }, patience()));
  std::unique_ptr<Process> newcomer;
  {
    const WriteLock lock(database());
    stays->press("x");
    EXPECT_TRUE(eventually([&] { return objects({"device", "A1"}).at(0).at("inputs") == 1; }, patience()));
    const Outcome typed = run_device({"A2", "127.0.0.4"}, {"--expect", "default", "--send", "x"});
    EXPECT_EQ(typed.status, 0) << typed.errors;
    newcomer = stay({"A3", "127.0.0.5"});
    EXPECT_TRUE(are_there(3));
  }
  EXPECT_TRUE(eventually([&] { return observer.beat(), observer.view().peers().contains(ip("127.0.0.5")); },
                         3 * patience()));
}

TEST_F(DevicesTest, the_handler_log_has_a_registration_in_its_order_and_nothing_of_a_flood) {
  const auto folder = directory_.path() / "logs";
  const std::uint16_t admin = admin_port(serve(
      {"--device-log", "protocol", "--device-log-directory", folder.string(), "--admin", "127.0.0.1:0"}));
  UdpSocket flood(ip("127.0.0.9"), 0);
  for (std::uint64_t registration = 1; registration <= 100; ++registration)
    flood.send(ip("127.0.0.9"), {ip(contact()), 3006},
               encode_datagram({.registration = registration}, ConnectionRequest()));
  EXPECT_TRUE(eventually(
      [&] {
        return count(get(admin, "/metrics").body,
                     "lekt_device_datagrams_total{direction=\"received\"} 100\n") == 1;
      },
      patience()));
  EXPECT_FALSE(std::filesystem::exists(folder));
  const auto one = stay({"A1", "127.0.0.3"});
  ASSERT_TRUE(are_there(1));
  const auto file = folder / "device-127.0.0.3.log";
  const auto whole = [&] {
    return std::filesystem::exists(file) ? lines_without_time(read_text(file)) : Lines{};
  };
  ASSERT_TRUE(eventually([&] { return whole().size() == 9; }, patience()));
  const Json status = device("A1");
  const std::string endpoint = "127.0.0.3:" + status.at("client_port").dump();
  const std::string string = objects({"device", "A1"}).at(0).at("string");
  EXPECT_EQ(whole(), (Lines{"Device Handler Starting Session for 127.0.0.3",
                            "Device Handler: Attempting to open a socket on IP " + contact() +
                                " on a UDP port between 5000 and 5099",
                            "Device Handler is using socket on IP: " + contact() +
                                "  Port: " + status.at("port").dump(),
                            "Sending Connect Accept to: " + endpoint,
                            "Device Handler Processing Registration for 127.0.0.3 at " + endpoint,
                            "Sending Registration Accept to: " + endpoint, "esp_GetDeviceConfig()",
                            "esp_GetDeviceConfig() returns'" + string + "'",
                            "Session of 'A1' started: type 'lekt', screen 24x80, version '" +
                                status.at("version").get<std::string>() + "', group 'default'"}));
  EXPECT_FALSE(std::filesystem::exists(folder / "device-127.0.0.9.log"));
}

}  // namespace lekt::test
