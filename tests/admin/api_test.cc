// What the paths answer, over a real database and a server that says what the test wants.
#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

#include "admin/api.h"
#include "tests/admin/fake_server.h"

namespace lekt::admin {

namespace {

using nlohmann::json;

constexpr std::int64_t started = 1767323040;  // 2026-01-02 03:04:00 UTC

class ApiTest : public testing::Test {
 protected:
  Answer ask(const std::string& path, std::map<std::string, std::string> parameters = {}) {
    return api_.answer({path, std::move(parameters), {}});
  }
  json get(const std::string& path, std::map<std::string, std::string> parameters = {}) {
    const Answer answer = ask(path, std::move(parameters));
    EXPECT_EQ(answer.status, 200) << path << " " << answer.body;
    EXPECT_EQ(answer.type, "application/json");
    return json::parse(answer.body);
  }
  void expect_refused(const std::string& path, std::map<std::string, std::string> parameters) {
    const Answer answer = ask(path, parameters);
    EXPECT_EQ(answer.status, 400) << path << " " << answer.body;
    EXPECT_EQ(json::parse(answer.body).at("code"), "E808");
    EXPECT_NE(answer.body.find(parameters.begin()->first), std::string::npos) << answer.body;
  }
  std::vector<std::string> addresses(const json& answer) {
    std::vector<std::string> result;
    for (const json& client : answer.at("clients")) result.push_back(client.at("address"));
    return result;
  }
  /// 10.0.0.1 to 10.0.0.5 with TCP, 10.0.1.1 without methods.
  void fill() {
    for (std::uint32_t index = 1; index <= 5; ++index)
      server_.add(Address::v4(0x0a000000 + index), static_cast<std::uint16_t>(7000 + index));
    server_.add(Address::v4(0x0a000101), 0);
  }

  test::FakeServer server_{started};
  History history_;
  Api api_{server_.operations, history_, {server_.path(), "0.1.0"}};
};

using Names = std::vector<std::string>;

}  // namespace

TEST_F(ApiTest, clients_are_those_of_the_database) {
  fill();
  const json answer = get("/api/v1/clients");
  EXPECT_EQ(addresses(answer),
            (Names{"10.0.0.1", "10.0.0.2", "10.0.0.3", "10.0.0.4", "10.0.0.5", "10.0.1.1"}));
  EXPECT_EQ(answer["clients"][0]["methods"], "tcp:7001");
  EXPECT_EQ(answer["clients"][0]["status"], "connected");
  EXPECT_EQ(answer["sequence"], 6);
  EXPECT_EQ(answer["next"], nullptr);
}

TEST_F(ApiTest, clients_come_page_after_page) {
  fill();
  json answer = get("/api/v1/clients", {{"limit", "4"}});
  EXPECT_EQ(addresses(answer), (Names{"10.0.0.1", "10.0.0.2", "10.0.0.3", "10.0.0.4"}));
  EXPECT_EQ(answer["next"], "10.0.0.4");
  answer = get("/api/v1/clients", {{"limit", "4"}, {"after", "10.0.0.4"}});
  EXPECT_EQ(addresses(answer), (Names{"10.0.0.5", "10.0.1.1"}));
  EXPECT_EQ(answer["next"], nullptr);
  EXPECT_EQ(get("/api/v1/clients", {{"limit", "6"}})["next"], nullptr) << "the last page is full";
}

TEST_F(ApiTest, clients_are_filtered) {
  fill();
  server_.remove(Address::v4(0x0a000002));
  EXPECT_EQ(addresses(get("/api/v1/clients", {{"block", "10.0.1.0/24"}})), Names{"10.0.1.1"});
  EXPECT_EQ(addresses(get("/api/v1/clients", {{"method", "tcp"}, {"block", "10.0.0.0/30"}})),
            (Names{"10.0.0.1", "10.0.0.3"}));
  EXPECT_EQ(addresses(get("/api/v1/clients", {{"status", "removed"}})), Names{"10.0.0.2"});
  EXPECT_EQ(addresses(get("/api/v1/clients", {{"method", "chat"}})), Names{});
}

TEST_F(ApiTest, clients_are_found_by_a_part_of_their_name) {
  fill();
  server_.add(Address::v4(0x0a000307),
              {{tcp_index, tcp_information(1)},
               {name_index, MethodCatalogue::wrap({MethodForm::Kind::text, 0}, "<b>Küche 2")}});
  const json answer = get("/api/v1/clients", {{"name", "CHE 2"}});
  EXPECT_EQ(addresses(answer), Names{"10.0.3.7"});
  EXPECT_EQ(answer["clients"][0]["methods"], "tcp:1 name:\"<b>Küche 2\"");
  EXPECT_EQ(addresses(get("/api/v1/clients", {{"name", "chef"}})), Names{});
}

TEST_F(ApiTest, parameters_that_are_wrong_are_named) {
  for (const std::string limit : {"0", "5001", "-1", "1.5", "x", ""})
    expect_refused("/api/v1/clients", {{"limit", limit}});
  expect_refused("/api/v1/clients", {{"after", "10.1"}});
  expect_refused("/api/v1/clients", {{"block", "10.0.0.1/8"}});
  expect_refused("/api/v1/clients", {{"status", "here"}});
  expect_refused("/api/v1/clients", {{"stauts", "waiting"}});
  expect_refused("/api/v1/changes", {{"after", "-1"}});
  expect_refused("/api/v1/changes", {{"limit", "1001"}});
  expect_refused("/api/v1/history", {{"after", "yesterday"}});
  expect_refused("/api/v1/events", {{"after", "99999999999999999999"}});
  expect_refused("/api/v1/status", {{"<script>", "1"}});
}

TEST_F(ApiTest, a_client_has_its_sessions_its_history_and_its_rejects) {
  fill();
  server_.operations.reject(
      {started, Address::v4(0x0a000001), ErrorCode::not_lekt, "these bytes are not LEKT", {}});
  server_.operations.reject({started, Address::v4(0x0a000002), ErrorCode::not_lekt, "another's", {}});
  server_.remove(Address::v4(0x0a000001));
  const json answer = get("/api/v1/clients/10.0.0.1");
  EXPECT_EQ(answer["client"]["status"], "removed");
  EXPECT_EQ(answer["sessions"][0]["session"], 17);
  EXPECT_EQ(answer["changes"].size(), 2u);
  EXPECT_EQ(answer["changes"][1]["kind"], "removed");
  EXPECT_EQ(answer["rejects"].size(), 1u);
  EXPECT_EQ(answer["rejects"][0]["message"], "these bytes are not LEKT");
}

TEST_F(ApiTest, a_client_that_has_come_back_is_connected_before_the_database_says_so) {
  fill();
  server_.execute("UPDATE client_record SET run = run - 1");  // those of the run before
  EXPECT_EQ(get("/api/v1/clients", {{"status", "waiting"}})["clients"].size(), 6u);
  const json answer = get("/api/v1/clients/10.0.0.1");
  EXPECT_EQ(answer["client"]["status"], "connected");
  EXPECT_EQ(answer["client"]["sessions"], answer["sessions"].size());
}

TEST_F(ApiTest, a_client_that_is_not_known_or_no_address_is_said_so) {
  EXPECT_EQ(ask("/api/v1/clients/10.9.9.9").status, 404);
  EXPECT_EQ(ask("/api/v1/clients/").status, 400);
  EXPECT_EQ(ask("/api/v1/clients/10.0.0.1/more").status, 400);
}

TEST_F(ApiTest, changes_are_the_newest_after_a_sequence_number) {
  fill();
  EXPECT_EQ(get("/api/v1/changes")["changes"].size(), 6u);
  json changes = get("/api/v1/changes", {{"after", "4"}})["changes"];
  ASSERT_EQ(changes.size(), 2u);
  EXPECT_EQ(changes[0]["sequence"], 5);
  changes = get("/api/v1/changes", {{"limit", "2"}})["changes"];
  ASSERT_EQ(changes.size(), 2u);
  EXPECT_EQ(changes[1]["sequence"], 6);
}

TEST_F(ApiTest, devices_are_those_that_fit) {
  DeviceStatus other = test::example_device();
  other.uid = "other";
  other.address = Address::v4(0x0a000001);
  other.type = "Truck";
  other.state = "away";
  server_.operations.set_devices({other, test::example_device()});
  const auto uids = [&](std::map<std::string, std::string> parameters) {
    Names names;
    const json answer = get("/api/v1/devices", std::move(parameters));
    for (const json& device : answer.at("devices")) names.push_back(device.at("uid"));
    return names;
  };
  EXPECT_EQ(uids({}), (Names{"other", "0015708E863F"}));
  EXPECT_EQ(uids({{"block", "10.10.0.0/16"}}), Names{"0015708E863F"});
  EXPECT_EQ(uids({{"type", "pdt*"}}), Names{"0015708E863F"});
  EXPECT_EQ(uids({{"state", "away"}}), Names{"other"});
  EXPECT_EQ(uids({{"state", "away"}, {"type", "pdt*"}}), Names{});
  expect_refused("/api/v1/devices", {{"state", "here"}});
  expect_refused("/api/v1/device-alerts", {{"limit", "1001"}});
}

TEST_F(ApiTest, a_device_is_found_by_its_uid_and_by_its_address) {
  server_.operations.set_devices({test::example_device()});
  for (const std::string path : {"/api/v1/devices/0015708E863F", "/api/v1/devices/10.10.225.150"}) {
    const json devices = get(path).at("devices");
    ASSERT_EQ(devices.size(), 1u);
    EXPECT_EQ(devices[0]["status"]["port"], 5007);
    EXPECT_EQ(devices[0]["alerts"][0]["code"], "E918");
  }
  const Answer unknown = ask("/api/v1/devices/<b>");
  EXPECT_EQ(unknown.status, 404);
  EXPECT_EQ(json::parse(unknown.body)["code"], "E803");
  EXPECT_EQ(get("/api/v1/device-alerts", {{"limit", "1"}}).at("alerts").size(), 1u);
}

TEST_F(ApiTest, of_a_server_that_takes_no_devices_says_so) {
  server_.operations.change([](Status& status) { status.totals.devices.reset(); });
  for (const std::string path :
       {"/api/v1/devices", "/api/v1/devices/0015708E863F", "/api/v1/device-alerts"}) {
    const Answer answer = ask(path);
    EXPECT_EQ(answer.status, 404) << path;
    EXPECT_EQ(json::parse(answer.body)["code"], "E802");
    EXPECT_NE(answer.body.find("--device-listen is off"), std::string::npos) << answer.body;
  }
  EXPECT_EQ(get("/api/v1/status")["totals"]["devices"], nullptr);
}

TEST_F(ApiTest, history_has_the_samples_after_a_time) {
  Sample sample;
  for (const std::int64_t second : {started, started + 10}) {
    sample.second = second;
    sample.clients = static_cast<std::size_t>(second - started);
    history_.add(sample);
  }
  EXPECT_EQ(get("/api/v1/history")["samples"].size(), 2u);
  const json samples = get("/api/v1/history", {{"after", "2026-01-02T03:04:00Z"}})["samples"];
  ASSERT_EQ(samples.size(), 1u);
  EXPECT_EQ(samples[0]["clients"], 10);
}

TEST_F(ApiTest, warnings_are_those_of_the_running_server) {
  EXPECT_EQ(get("/api/v1/warnings")["warnings"][0]["code"], "E603");
}

TEST_F(ApiTest, codes_come_with_their_meaning) {
  server_.count_code(ErrorCode::not_lekt, 3);
  const json code = get("/api/v1/codes")["codes"].at(0);
  EXPECT_EQ(code["code"], "E102");
  EXPECT_EQ(code["count"], 3);
  EXPECT_NE(code["meaning"], "");
}

TEST_F(ApiTest, is_ready_only_while_joins_can_be_stored) {
  server_.operations.change([](Status& status) { status.totals.grace_seconds_left = 0; });
  EXPECT_EQ(get("/readyz"), json({{"ready", true}}));
  for (const auto& [state, code] : {std::pair(StorageState::busy, "E602"), {StorageState::failed, "E601"}}) {
    server_.operations.change([&](Status& status) { status.totals.storage = state; });
    const Answer answer = ask("/readyz");
    EXPECT_EQ(answer.status, 503);
    EXPECT_EQ(json::parse(answer.body)["code"], code);
  }
}

TEST_F(ApiTest, is_not_ready_when_those_who_come_back_fill_the_handshakes) {
  const auto handshakes = [&](std::size_t count, double grace) {
    server_.operations.change([&](Status& status) {
      status.totals.handshakes = count;
      status.totals.grace_seconds_left = grace;
    });
    return ask("/readyz");
  };
  EXPECT_EQ(handshakes(99, 10).status, 200);
  EXPECT_EQ(handshakes(100, 10).status, 503);
  EXPECT_NE(handshakes(100, 10).body.find("E406"), std::string::npos);
  EXPECT_EQ(handshakes(100, 0).status, 200);
}

TEST_F(ApiTest, is_alive_until_a_thread_hangs) {
  server_.operations.change([](Status& status) { status.totals.storage = StorageState::failed; });
  EXPECT_EQ(ask("/healthz").status, 200);
  EXPECT_EQ(ask("/healthz").body, "ok\n");
  server_.operations.fall_silent();
  EXPECT_EQ(ask("/healthz").status, 503);
  EXPECT_EQ(ask("/healthz").body, "E620 a thread hangs\n");
  EXPECT_EQ(ask("/metrics").status, 200);
  EXPECT_THROW(ask("/api/v1/status"), CodedError);
}

TEST_F(ApiTest, says_beside_ok_that_the_log_is_blocked) {
  server_.operations.change([](Status& status) { status.totals.log_blocked_seconds = 12.5; });
  EXPECT_EQ(ask("/healthz").body, "ok\nE615 the log's output takes no line for 12 s\n");
}

TEST_F(ApiTest, a_database_that_is_gone_is_a_coded_error) {
  std::filesystem::remove(server_.path());
  EXPECT_THROW(ask("/api/v1/clients"), CodedError);
  EXPECT_FALSE(std::filesystem::exists(server_.path()));
}

TEST_F(ApiTest, many_requests_keep_no_file_open) {
  fill();
  const auto files = [] {
    return std::distance(std::filesystem::directory_iterator("/proc/self/fd"),
                         std::filesystem::directory_iterator());
  };
  ask("/api/v1/clients");
  const auto before = files();
  for (int index = 0; index < 50; ++index) ask("/api/v1/clients");
  EXPECT_EQ(files(), before);
}

TEST_F(ApiTest, who_comes_back_to_the_events_goes_on_after_what_he_heard_last) {
  fill();
  const auto first_of = [&](const Request& request) { return api_.answer(request).events().value(); };
  EXPECT_EQ(first_of({"/api/v1/events", {}, ""}), "retry: 2000\n\n");
  EXPECT_NE(first_of({"/api/v1/events", {{"after", "4"}}, ""}).find("id: 5\n"), std::string::npos);
  const std::string resumed = first_of({"/api/v1/events", {{"after", "1"}}, "5"});
  EXPECT_EQ(resumed.find("id: 5\n"), std::string::npos);
  EXPECT_NE(resumed.find("id: 6\n"), std::string::npos);
}

TEST_F(ApiTest, there_is_nothing_elsewhere) {
  for (const std::string path :
       {"/api", "/api/v1", "/api/v1/", "/api/v1/status/", "/index.html", "/../etc/passwd"}) {
    const Answer answer = ask(path);
    EXPECT_EQ(answer.status, 404) << path;
    EXPECT_EQ(json::parse(answer.body)["code"], "E803");
  }
}

}  // namespace lekt::admin
