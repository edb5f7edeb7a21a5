// The log: one line an event, nothing per heartbeat, and nothing in it that a client could forge.
#include <csignal>
#include <nlohmann/json.hpp>
#include <regex>
#include <sstream>
#include <string>
#include <vector>

#include "tests/integration/daemon.h"
#include "tests/integration/raw_client.h"
#include "tests/support/paths.h"

namespace lekt::test {

namespace {

using testing::IsSubstring;

/// What a hostile client would like to see in somebody's terminal.
const Bytes hostile = "\n\x1b[2J\"\\\xff";

/// Of what such lines count.
std::size_t sum_of_counts(const std::string& log, const std::string& event) {
  const std::regex form(event + " count=([0-9]+)");
  std::size_t sum = 0;
  for (std::sregex_iterator line(log.begin(), log.end(), form), end; line != end; ++line)
    sum += std::stoul((*line)[1]);
  return sum;
}

class LogTest : public DaemonTest {
 protected:
  /// A join, a leave, a reject, and a clean stop.
  void make_events() {
    RawClient client = joined(daemon().port(), "127.0.0.2");
    client.beat();
    client.close();
    RawClient refused(daemon().port(), "127.0.0.3");
    refused.send(hostile);
    refused.expect_reject();
    ASSERT_TRUE(daemon().logs("leave"));
    ASSERT_EQ(daemon().stop(SIGTERM), 0);
  }

  std::vector<std::string> lines() {
    std::istringstream text(daemon().log());
    std::vector<std::string> result;
    for (std::string line; std::getline(text, line);) result.push_back(line);
    return result;
  }
};

}  // namespace

TEST_F(LogTest, has_one_line_an_event_in_a_fixed_form) {
  start();
  make_events();
  const std::regex form(
      R"(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z (info|warning|error) event=[a-z_]+( [a-z_]+=("([ -~])*"|[!-~]*))*)");
  for (const std::string& line : lines()) EXPECT_TRUE(std::regex_match(line, form)) << line;
  const std::string log = daemon().log();
  for (const char* event :
       {"event=listening address=127.0.0.1:", "event=started version=", "event=join address=127.0.0.2",
        "methods=tcp:7890", "event=leave address=127.0.0.2", "reason=\"closed by the client\"",
        "event=reject address=127.0.0.3", "code=E102", "event=stopping signal=SIGTERM",
        "event=stopped clients=0 full_list_encodings="})
    EXPECT_EQ(count(log, event), 1u) << event;
}

TEST_F(LogTest, hides_rejects_beyond_a_thousand_at_once_and_says_how_many) {
  const std::uint16_t port = start({"--threads", "1", "--deny", "127.0.0.3"}).port();
  for (int count = 0; count < 2000; ++count) RawClient(port, "127.0.0.3").expect_reject();
  ASSERT_TRUE(daemon().logs("event=rejects_hidden count="));
  const std::size_t shown = count(daemon().log(), "event=reject ");
  EXPECT_GE(shown, 1000u);
  EXPECT_LT(shown, 2000u);
}

TEST_F(LogTest, hides_joins_and_leaves_of_one_address_beyond_hundreds_at_once_and_says_how_many) {
  constexpr std::size_t visits = 600;
  const std::uint16_t port = start({"--threads", "1", "--max-connection-rate-per-address", "10000"}).port();
  // While it is here, the visits of others change nothing that would have to be stored.
  const RawClient lasting = joined(port, "127.0.0.2");
  for (std::size_t visit = 0; visit < visits; ++visit) joined(port, "127.0.0.2");
  const RawClient neighbour = joined(port, "127.0.0.3");
  std::size_t shown = 0;
  const auto is_told_of_all = [&] {
    const std::string log = daemon().log();
    shown = count(log, "event=join address=127.0.0.2 ") + count(log, "event=leave address=127.0.0.2");
    return shown + sum_of_counts(log, "event=sessions_hidden") == 1 + 2 * visits;
  };
  EXPECT_TRUE(eventually(is_told_of_all, patience())) << daemon().log();
  EXPECT_GE(shown, 500u);
  EXPECT_LT(shown, 1000u);
  EXPECT_EQ(count(daemon().log(), "event=join address=127.0.0.3 "), 1u);
}

TEST_F(LogTest, is_one_json_object_a_line_when_asked_to) {
  start({"--log-format", "json"});
  make_events();
  std::vector<std::string> events;
  for (const std::string& line : lines()) {
    const nlohmann::json event = nlohmann::json::parse(line);
    EXPECT_TRUE(event.at("time").is_string());
    EXPECT_TRUE(event.at("level").is_string());
    events.push_back(event.at("event"));
    if (events.back() == "reject") {
      EXPECT_EQ(event.at("code"), "E102");
      EXPECT_EQ(event.at("address"), "127.0.0.3");
    }
    if (events.back() == "join") {
      EXPECT_TRUE(event.at("session").is_number());
    }
  }
  // The two clients are served by different threads, so either may be logged first.
  if (events.size() == 7 && events[3] == "reject") std::swap(events[3], events[4]);
  EXPECT_EQ(events, (std::vector<std::string>{"listening", "started", "join", "leave", "reject", "stopping",
                                              "stopped"}));
}

TEST_F(LogTest, has_nothing_about_heartbeats) {
  RawClient client = joined(start().port(), "127.0.0.2");
  ASSERT_TRUE(daemon().logs("event=join"));
  const std::string before = daemon().log();
  for (int heartbeat = 0; heartbeat < 100; ++heartbeat) client.beat();
  EXPECT_EQ(daemon().log(), before);
}

TEST_F(LogTest, has_only_what_its_level_asks_for) {
  start({"--log-level", "info"}).stop(SIGTERM);
  const Outcome quiet = run(program_file("lektd"), {"--log-level", "off", "--database", "/nowhere/x"});
  EXPECT_EQ(count(quiet.errors, "event="), 0u);
  EXPECT_PRED_FORMAT2(IsSubstring, "E503", quiet.errors) << "why it did not start is said whatever the level";
}

}  // namespace lekt::test
