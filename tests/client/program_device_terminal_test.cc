// `lekt device` as a user has it on a terminal.
#include <gtest/gtest.h>

#include <csignal>
#include <cstdlib>

#include "tests/integration/terminal.h"
#include "tests/support/device_server.h"
#include "tests/support/paths.h"
#include "tests/support/support.h"

namespace lekt::test {
namespace {

class DeviceTerminal : public testing::Test {
 protected:
  DeviceTerminal() {
    ::setenv("TERM", "xterm-256color", 1);
    ::setenv("LC_ALL", "C.UTF-8", 1);
  }

  std::vector<std::string> arguments() {
    return {"device",
            "--server",
            "127.0.0.1",
            "--port",
            std::to_string(server_.port()),
            "--uid",
            "joe",
            "--ticket",
            directory_.path() / "ticket"};
  }

  bool is_typed(const std::string& words) {
    return eventually([&] { return server_.typed() == words; });
  }

  TempDirectory directory_;
  DeviceServer server_;
};

const std::string leaves_the_full_screen = "\x1b[?1049l";

TEST_F(DeviceTerminal, shows_its_messages_and_then_the_screen_in_its_colours) {
  server_.be_reachable(false);
  Terminal terminal(program_file("lekt"), arguments(), {80, 24});
  EXPECT_TRUE(terminal.shows("Connecting..."));
  EXPECT_FALSE(terminal.echoes());
  server_.be_reachable(true);
  EXPECT_TRUE(terminal.shows("日本 ü"));
  EXPECT_PRED_FORMAT2(testing::IsSubstring, "uid joe", terminal.output());
  EXPECT_PRED_FORMAT2(testing::IsSubstring, "typed", terminal.output());
  EXPECT_PRED_FORMAT2(testing::IsSubstring, "\x1b[31m\x1b[47mred", terminal.output());
}

TEST_F(DeviceTerminal, keys_are_inputs) {
  Terminal terminal(program_file("lekt"), arguments(), {80, 24});
  ASSERT_TRUE(terminal.shows("uid joe"));
  terminal.press("ä\r\x1bOA\x1b[15~\x1b[1;5D\x03\x1bx\x1b[Z");
  EXPECT_TRUE(is_typed("ä<enter><up><F5><4 left><ctrl c><2 x><1 tab>")) << server_.typed();
  EXPECT_TRUE(terminal.shows("<1 tab>"));
}

TEST_F(DeviceTerminal, a_terminal_of_another_size_is_a_screen_of_another_size) {
  Terminal terminal(program_file("lekt"), arguments(), {80, 24});
  ASSERT_TRUE(terminal.shows("uid joe"));
  EXPECT_EQ(server_.size(), "24x80");
  terminal.resize({100, 30});
  EXPECT_TRUE(eventually([&] { return server_.size() == "30x100"; })) << server_.size();
}

TEST_F(DeviceTerminal, a_size_that_is_given_stays) {
  auto given = arguments();
  given.insert(given.end(), {"--rows", "5", "--columns", "30"});
  Terminal terminal(program_file("lekt"), given, {80, 24});
  ASSERT_TRUE(terminal.shows("uid joe"));
  terminal.resize({100, 30});
  terminal.press("x");
  EXPECT_TRUE(is_typed("x"));
  EXPECT_EQ(server_.size(), "5x30");
}

TEST_F(DeviceTerminal, the_menu_ends_the_session) {
  Terminal terminal(program_file("lekt"), arguments(), {80, 24});
  ASSERT_TRUE(terminal.shows("uid joe"));
  terminal.press("\x1d");
  EXPECT_TRUE(terminal.shows("q ends the session, d leaves it on the server"));
  terminal.press("q");
  EXPECT_EQ(terminal.wait(), 0);
  EXPECT_PRED_FORMAT2(testing::IsSubstring, leaves_the_full_screen, terminal.output());
  EXPECT_TRUE(terminal.echoes());
  EXPECT_EQ(server_.ended(), std::vector{ErrorCode::session_ended});
  EXPECT_EQ(server_.typed(), "");
}

TEST_F(DeviceTerminal, the_menu_leaves_the_session_on_the_server) {
  Terminal terminal(program_file("lekt"), arguments(), {80, 24});
  ASSERT_TRUE(terminal.shows("uid joe"));
  terminal.press(
      "1\x1d"
      "x2");
  EXPECT_TRUE(is_typed("12")) << "x was the answer to the menu";
  terminal.press("\x1d");
  EXPECT_TRUE(terminal.shows("d leaves it"));
  terminal.press("d");
  EXPECT_EQ(terminal.wait(), 0);
  EXPECT_TRUE(terminal.echoes());
  EXPECT_PRED_FORMAT2(testing::IsSubstring, "lekt: the session stays on the server", terminal.output());
  EXPECT_EQ(server_.sessions(), 1u);

  Terminal again(program_file("lekt"), arguments(), {80, 24});
  EXPECT_TRUE(again.shows("typed 12"));
  EXPECT_EQ(server_.began(), 1u);
}

TEST_F(DeviceTerminal, signals_leave_the_terminal_as_it_was) {
  for (const int signal : {SIGTERM, SIGINT, SIGHUP}) {
    Terminal terminal(program_file("lekt"), arguments(), {80, 24});
    ASSERT_TRUE(terminal.shows("uid joe"));
    EXPECT_FALSE(terminal.echoes());
    terminal.send_signal(signal);
    EXPECT_EQ(terminal.wait(), 0);
    EXPECT_TRUE(terminal.echoes());
    EXPECT_PRED_FORMAT2(testing::IsSubstring, leaves_the_full_screen, terminal.output());
  }
  EXPECT_EQ(server_.sessions(), 1u);
}

TEST_F(DeviceTerminal, who_is_ended_by_the_server_reads_why) {
  Terminal terminal(program_file("lekt"), arguments(), {80, 24});
  ASSERT_TRUE(terminal.shows("uid joe"));
  server_.end_sessions({ErrorCode::session_idle, "nothing was typed for 12h"});
  EXPECT_EQ(terminal.wait(), 1);
  EXPECT_TRUE(terminal.echoes());
  EXPECT_PRED_FORMAT2(testing::IsSubstring, "lekt: E911 nothing was typed for 12h", terminal.output());
}

TEST_F(DeviceTerminal, who_hears_nothing_is_told_so) {
  Terminal terminal(program_file("lekt"), arguments(), {80, 24});
  ASSERT_TRUE(terminal.shows("uid joe"));
  server_.be_reachable(false);
  terminal.press("x");
  EXPECT_TRUE(terminal.shows("[Linking]"));
  server_.be_reachable(true);
  EXPECT_TRUE(is_typed("x"));
}

TEST_F(DeviceTerminal, an_error_leaves_the_terminal_as_it_was) {
  auto taken = arguments();
  taken.insert(taken.end(), {"--source", "127.0.0.1", "--client-port", std::to_string(server_.port())});
  Terminal terminal(program_file("lekt"), taken, {80, 24});
  EXPECT_EQ(terminal.wait(), 1);
  EXPECT_PRED_FORMAT2(testing::IsSubstring, leaves_the_full_screen, terminal.output());
  EXPECT_PRED_FORMAT2(testing::IsSubstring, "lekt: E701 cannot use UDP port", terminal.output());
  EXPECT_TRUE(terminal.echoes());
}

TEST_F(DeviceTerminal, a_terminal_that_nobody_knows_is_named) {
  ::setenv("TERM", "nonsense", 1);
  Terminal terminal(program_file("lekt"), arguments(), {80, 24});
  EXPECT_EQ(terminal.wait(), 1);
  EXPECT_PRED_FORMAT2(testing::IsSubstring, "its type (TERM) is \"nonsense\"", terminal.output());
  EXPECT_TRUE(terminal.echoes());
}

}  // namespace
}  // namespace lekt::test
