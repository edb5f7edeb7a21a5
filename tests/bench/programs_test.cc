// The load generator against the real server and against the floor: short runs that have to end well, and
// count what they say.

#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

#include "tests/integration/daemon.h"
#include "tests/integration/process.h"
#include "tests/support/paths.h"

namespace lekt::test {

namespace {

class BenchTest : public DaemonTest {
 protected:
  /// Runs lekt-bench against the daemon; an exit status that is not 0 fails the test with its words.
  nlohmann::json bench(const std::string& mode, const Flags& flags) {
    Flags command{mode, "--server", "127.0.0.1:" + std::to_string(daemon().port()), "--pid",
                  std::to_string(daemon().id())};
    command.insert(command.end(), flags.begin(), flags.end());
    const Outcome outcome = run(program_file("lekt-bench"), command);
    EXPECT_EQ(outcome.status, 0) << outcome.errors;
    return outcome.status == 0 ? nlohmann::json::parse(outcome.output) : nlohmann::json();
  }
};

}  // namespace

TEST_F(BenchTest, beats_and_measures_the_server) {
  start();
  const nlohmann::json result = bench("beat", {"--clients", "5", "--warm-up", "0s", "--time", "200ms"});
  const auto beats = result.at("count").get<std::size_t>();
  EXPECT_GT(beats, 0u);
  // Every answer is a closing packet of 20 bytes; a few may come behind the end.
  EXPECT_GE(result.at("bytes_received").get<std::size_t>(), 20 * beats);
  EXPECT_GT(result.at("server_cpu_us_each").get<double>(), 0);
  EXPECT_LE(result.at("latency_us").at("p50").get<double>(), result.at("latency_us").at("max").get<double>());
}

TEST_F(BenchTest, beats_at_the_rate_that_was_asked_for) {
  start();
  const nlohmann::json result =
      bench("beat", {"--clients", "5", "--warm-up", "0s", "--time", "500ms", "--rate", "200"});
  EXPECT_LE(result.at("count").get<std::size_t>(), 101u);
  EXPECT_GT(result.at("count").get<std::size_t>(), 0u);
}

TEST_F(BenchTest, gives_every_heartbeat_the_changes_that_were_asked_for) {
  start();
  const nlohmann::json result =
      bench("beat", {"--clients", "3", "--changes", "10", "--warm-up", "0s", "--time", "200ms"});
  // 10 entries of 16 bytes between two headers: what has another number of entries would have ended the run.
  EXPECT_GE(result.at("bytes_received").get<std::size_t>(), 200 * result.at("count").get<std::size_t>());
}

TEST_F(BenchTest, sees_every_join_become_visible) {
  start();
  const nlohmann::json result = bench(
      "churn", {"--clients", "4", "--joins", "50", "--stay", "300ms", "--interval", "100ms", "--time", "1s"});
  EXPECT_GT(result.at("visible").get<std::size_t>(), 0u);
  EXPECT_GE(result.at("count").get<std::size_t>() + 1, result.at("visible").get<std::size_t>());
}

TEST_F(BenchTest, takes_the_full_list_with_every_client_that_rushes_in) {
  const Outcome filled =
      run(program_file("lekt-storage-bench"), {"fill", "--database", database().string(), "--clients", "30",
                                               "--first", "127.1.0.1", "--port", "7890"});
  ASSERT_EQ(filled.status, 0) << filled.errors;
  start();
  EXPECT_EQ(bench("rush", {"--clients", "30"}).at("entries"), 30 * 30);
}

TEST_F(BenchTest, ends_with_words_when_the_server_refuses) {
  start({"--max-clients", "2"});
  const Outcome outcome = run(program_file("lekt-bench"), {"join", "--clients", "3", "--server",
                                                           "127.0.0.1:" + std::to_string(daemon().port())});
  EXPECT_EQ(outcome.status, 1);
  EXPECT_NE(outcome.errors.find("E401"), std::string::npos) << outcome.errors;
}

TEST(Bench, refuses_to_load_what_is_not_on_loopback) {
  const Outcome outcome = run(program_file("lekt-bench"), {"beat", "--server", "192.0.2.1:7890"});
  EXPECT_EQ(outcome.status, 2);
  EXPECT_NE(outcome.errors.find("loopback"), std::string::npos) << outcome.errors;
}

}  // namespace lekt::test
