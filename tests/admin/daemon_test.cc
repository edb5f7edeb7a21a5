// The admin page of a real lektd.
#include <gtest/gtest.h>

#include <csignal>
#include <nlohmann/json.hpp>
#include <regex>

#include "tests/admin/http_client.h"
#include "tests/integration/daemon.h"
#include "tests/integration/raw_client.h"

namespace lekt::test {

namespace {

using nlohmann::json;

class AdminDaemonTest : public DaemonTest {
 protected:
  std::uint16_t start_admin(Flags flags = {}) {
    flags.insert(flags.end(), {"--admin", "127.0.0.1:0"});
    const std::string log = start(flags).log();
    std::smatch found;
    if (!std::regex_search(log, found, std::regex("event=admin url=http://127.0.0.1:([0-9]+)/")))
      throw std::runtime_error("no admin page:\n" + log);
    return static_cast<std::uint16_t>(std::stoul(found[1]));
  }
};

}  // namespace

TEST_F(AdminDaemonTest, who_joins_and_leaves_is_seen_everywhere) {
  const std::uint16_t port = start_admin();
  HttpConnection events(port);
  events.send(get_request("/api/v1/events"));
  events.read_until("retry: ");
  {
    RawClient client(daemon().port(), "127.0.0.7");
    client.join({{tcp_index, tcp_information(4321)}});
    EXPECT_NE(events.read_until("\"methods\":\"tcp:4321\"").find("\"address\":\"127.0.0.7\""),
              std::string::npos);
    const json clients = json::parse(get(port, "/api/v1/clients").body);
    EXPECT_EQ(clients["clients"].at(0)["address"], "127.0.0.7");
    EXPECT_EQ(json::parse(get(port, "/api/v1/status").body)["totals"]["sessions"], 1);
    EXPECT_EQ(json::parse(get(port, "/api/v1/clients/127.0.0.7").body)["sessions"].size(), 1u);
    EXPECT_NE(get(port, "/metrics").body.find("\nlekt_clients 1\n"), std::string::npos);
  }
  EXPECT_NE(events.read_until("\"removed\"").find("127.0.0.7"), std::string::npos);
  EXPECT_EQ(get(port, "/readyz").status, 200);
}

TEST_F(AdminDaemonTest, does_not_delay_the_end_of_the_server) {
  const std::uint16_t port = start_admin();
  HttpConnection listening(port), silent(port);
  listening.send(get_request("/api/v1/events"));
  listening.read_until("retry: ");
  const auto begin = std::chrono::steady_clock::now();
  EXPECT_EQ(daemon().stop(SIGTERM), 0);
  EXPECT_LT(std::chrono::steady_clock::now() - begin, slowed(std::chrono::seconds(3)));
}

TEST_F(AdminDaemonTest, an_address_that_others_reach_is_warned_of) {
  start({"--admin", "0.0.0.0:0"});
  EXPECT_TRUE(daemon().logs("event=admin_exposed"));
}

TEST_F(AdminDaemonTest, there_is_none_unless_it_is_asked_for) {
  EXPECT_EQ(start().log().find("event=admin"), std::string::npos);
}

TEST_F(AdminDaemonTest, a_name_that_was_given_is_answered) {
  const std::uint16_t port = start_admin({"--admin-host", "Coordinator.example"});
  HttpConnection connection(port);
  connection.send("GET /healthz HTTP/1.1\r\nHost: coordinator.example\r\n\r\n");
  EXPECT_EQ(parse_answer(connection.read_all()).status, 200);
}

}  // namespace lekt::test
