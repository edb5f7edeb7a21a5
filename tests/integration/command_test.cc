// The lekt command against the real server: the path that users take first.
#include <csignal>
#include <nlohmann/json.hpp>
#include <string>

#include "tests/integration/daemon.h"
#include "tests/integration/raw_client.h"
#include "tests/support/paths.h"

namespace lekt::test {

namespace {

using testing::IsSubstring;

class CommandTest : public DaemonTest {
 protected:
  std::string server() { return "127.0.0.1:" + std::to_string(daemon().port()); }
};

}  // namespace

TEST_F(CommandTest, ping_tells_whether_the_server_answers) {
  start();
  EXPECT_EQ(run(program_file("lekt"), {"ping", "--server", server()}).status, 0);
  const std::string address = server();
  daemon().stop(SIGTERM);
  EXPECT_EQ(run(program_file("lekt"), {"ping", "--server", address}).status, 1);
}

TEST_F(CommandTest, ping_leaves_no_trace_in_the_list) {
  RawClient client = joined(start().port(), "127.0.0.2");
  client.beat();
  ASSERT_EQ(run(program_file("lekt"), {"ping", "--server", server()}).status, 0);
  EXPECT_EQ(client.beat().packets.size(), 1u);
}

TEST_F(CommandTest, peers_prints_the_list) {
  start();
  const RawClient client = joined(daemon().port(), "127.0.0.2");
  const Outcome outcome = run(program_file("lekt"), {"peers", "--server", server()});
  EXPECT_EQ(outcome.status, 0) << outcome.errors;
  EXPECT_PRED_FORMAT2(IsSubstring, "127.0.0.2", outcome.output);
  EXPECT_PRED_FORMAT2(IsSubstring, "tcp:7890", outcome.output);
}

TEST_F(CommandTest, join_prints_who_comes_and_goes_and_survives_a_restart_of_the_server) {
  start();
  const std::string address = server();
  Process join(
      program_file("lekt"),
      {"join", "--server", address, "--method", "tcp:1000", "--interval", "50ms", "--source", "127.0.0.9"},
      directory_.path());
  const auto prints = [&](const std::string& line, std::size_t times = 1) {
    return eventually([&] { return count(join.output(), line + "\n") == times; }, patience());
  };
  EXPECT_TRUE(prints("+ 127.0.0.9 tcp:1000"));
  RawClient other = joined(daemon().port(), "127.0.0.2");
  EXPECT_TRUE(prints("+ 127.0.0.2 tcp:7890"));
  daemon().stop(SIGTERM);
  start({"--listen", address});
  const RawClient back = joined(daemon().port(), "127.0.0.2");
  const RawClient later = joined(daemon().port(), "127.0.0.3");
  EXPECT_TRUE(prints("+ 127.0.0.3 tcp:7890"));
  EXPECT_TRUE(prints("+ 127.0.0.2 tcp:7890")) << "and nothing twice";
  join.send_signal(SIGINT);
  EXPECT_EQ(join.wait(), 0);
}

}  // namespace lekt::test
