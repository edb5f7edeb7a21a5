// lektctl on a terminal: it asks, fits, scrolls, and gives the terminal back.
#include <csignal>

#include "common/text.h"
#include "tests/integration/operators_command.h"
#include "tests/integration/terminal.h"
#include "tests/support/paths.h"

namespace lekt::test {

namespace {

using namespace std::chrono_literals;
using testing::IsSubstring;

}  // namespace

TEST_F(OperatorsCommandTest, does_not_ban_many_by_one_wrong_digit) {
  std::vector<RawClient> clients;
  start();
  for (int last = 1; last <= 10; ++last)
    clients.push_back(
        joined(daemon().port(), "127.0." + std::to_string(last < 7) + "." + std::to_string(last)));
  const std::string all =
      "E809 0.0.0.0/0 (4294967296 addresses) has 10 of the 10 clients that are here, with 10 sessions, and "
      "holds 127.0.0.1, an address of this machine";
  expect_failed({"ban", "0.0.0.0/0"}, 1, all);
  expect_failed({"trace", "0.0.0.0/0"}, 1, all);
  expect_failed({"ban", "127.0.0.0/15"}, 1, "E809 127.0.0.0/15 (131072 addresses)");
  expect_failed({"ban", "127.0.1.0/24"}, 1, "has 6 of the 10 clients that are here");
  EXPECT_EQ(objects({"bans"}).size(), 0u);
  EXPECT_EQ(lektctl({"ban", "127.0.0.0/24"}).output, "banned 127.0.0.0/24; 4 sessions ended.\n")
      << "not more than half";
  EXPECT_EQ(lektctl({"ban", "--yes", "127.0.1.0/24"}).output, "banned 127.0.1.0/24; 6 sessions ended.\n");
  EXPECT_EQ(lektctl({"trace", "0.0.0.0/0", "--yes"}).status, 0);
}

TEST_F(OperatorsCommandTest, asks_on_a_terminal_before_it_bans_a_block) {
  RawClient client = joined(start().port(), "127.0.0.2");
  const auto answers = [&](const Flags& given, const std::string& answer, const std::string& shown) {
    Terminal terminal(program_file("lektctl"), arguments(given), {.columns = 200, .rows = 24});
    EXPECT_TRUE(terminal.shows(shown)) << terminal.output();
    if (!answer.empty()) terminal.press(answer);
    return terminal.wait();
  };
  const std::string question =
      "127.0.0.0/30 (4 addresses) has 1 of the 1 client that is here, with 1 session, and holds 127.0.0.1, "
      "an "
      "address of this machine\r\nlektctl: a ban of all that? [y/N] ";
  for (const char* no : {"\n", "n\n", "\x04", "yess\n"})
    EXPECT_EQ(answers({"ban", "127.0.0.0/30"}, no, question), 1);
  EXPECT_EQ(answers({"ban", "127.0.0.1"}, "\n", "127.0.0.1, an address of this machine"), 1);
  EXPECT_EQ(objects({"bans"}).size(), 0u);
  EXPECT_EQ(answers({"ban", "127.0.0.9"}, "", "banned 127.0.0.9;"), 0)
      << "one address says itself what it reaches";
  EXPECT_EQ(answers({"ban", "127.0.0.0/30"}, "y\n", question), 0);
  EXPECT_PRED_FORMAT2(IsSubstring, "E408", client.expect_reject());
  EXPECT_EQ(answers({"ban", "127.0.0.0/30", "--yes"}, "", "banned 127.0.0.0/30 again"), 0);
}

TEST_F(OperatorsCommandTest, says_when_it_would_ban_where_the_operator_sits) {
  start();
  const Outcome outcome = run(program_file("lektctl"), arguments({"ban", "10.0.0.0/8"}),
                              {{"SSH_CONNECTION", "10.9.8.7 40000 10.0.0.1 22"}});
  EXPECT_PRED_FORMAT2(IsSubstring, "holds 10.9.8.7, from which you are here", outcome.errors);
}

TEST_F(OperatorsCommandTest, watches_on_a_screen_that_it_gives_back) {
  const RawClient client = joined(start().port(), "127.0.0.2");
  Terminal terminal(program_file("lektctl"), arguments({"watch"}), {.columns = 60, .rows = 20});
  EXPECT_TRUE(terminal.shows("added    127.0.0.2")) << terminal.output();
  EXPECT_TRUE(terminal.output().find("127.0.0.2        connected") != std::string::npos) << terminal.output();
  EXPECT_TRUE(terminal.output().starts_with("\x1b[?1049h"));
  EXPECT_FALSE(terminal.echoes());
  terminal.resize({.columns = 30, .rows = 8});
  EXPECT_TRUE(terminal.shows("1 client; 1 s...")) << "cut to the new width";
  terminal.press("q");
  EXPECT_EQ(terminal.wait(), 0);
  EXPECT_TRUE(terminal.output().ends_with("\x1b[?25h\x1b[?1049l")) << "cursor and screen are back";
  EXPECT_TRUE(terminal.echoes());
}

TEST_F(OperatorsCommandTest, watches_who_is_here_and_scrolls_to_the_last_of_them) {
  start();
  std::vector<RawClient> clients;
  for (int last = 2; last < 32; ++last)
    clients.push_back(joined(daemon().port(), "127.0.0." + std::to_string(last)));
  Terminal terminal(program_file("lektctl"), arguments({"watch"}), {.columns = 80, .rows = 24});
  ASSERT_TRUE(terminal.shows("30 clients")) << terminal.output();
  EXPECT_EQ(count(terminal.output(), "127.0.0.31  connected"), 0u) << "it is far below";
  terminal.press("G");
  EXPECT_TRUE(terminal.shows("127.0.0.31       connected")) << terminal.output();
  terminal.press("\x1b[H");
  EXPECT_TRUE(terminal.shows("Server"));
  terminal.press("\x1b[6~\x1b[6~\x1b[6~\x1b[6~");
  EXPECT_TRUE(terminal.shows("127.0.0.31       connected"));
  terminal.press("\x1b[99;9Zxkj\x1b[A\x1b[B");
  terminal.press("q");
  EXPECT_EQ(terminal.wait(), 0);
}

TEST_F(OperatorsCommandTest, watches_a_server_that_hangs_and_still_ends_at_once) {
  start();
  Terminal terminal(program_file("lektctl"), arguments({"watch"}), {.columns = 80, .rows = 24});
  ASSERT_TRUE(terminal.shows("Server"));
  daemon().pause();
  EXPECT_TRUE(terminal.shows("cannot be reached; process")) << terminal.output();
  terminal.press("q");
  EXPECT_EQ(terminal.wait(), 0);
  daemon().resume();
}

TEST_F(OperatorsCommandTest, ends_on_a_terminal_that_takes_nothing) {
  start();
  Terminal terminal(program_file("lektctl"), arguments({"watch"}), {.columns = 200, .rows = 200});
  ASSERT_TRUE(terminal.shows("Server"));
  terminal.stop_output();
  // It draws a few frames more, which fill what the terminal keeps.
  for (int resize = 0; resize < 50; ++resize)
    terminal.resize({.columns = static_cast<std::uint16_t>(200 + resize % 2), .rows = 200});
  terminal.send_signal(SIGTERM);
  EXPECT_EQ(terminal.wait(), 0);
  EXPECT_TRUE(terminal.echoes()) << "its settings are given back all the same";
}

TEST_F(OperatorsCommandTest, gives_the_screen_back_while_it_is_stopped) {
  start();
  Terminal terminal(program_file("lektctl"), arguments({"watch"}), {.columns = 80, .rows = 24});
  ASSERT_TRUE(terminal.shows("Server"));
  terminal.send_signal(SIGTSTP);
  EXPECT_TRUE(terminal.shows("\x1b[?25h\x1b[?1049l"));
  EXPECT_TRUE(eventually([&] { return terminal.echoes(); }, patience()));
  terminal.send_signal(SIGCONT);
  EXPECT_TRUE(terminal.shows("\x1b[?1049h"));
  EXPECT_TRUE(eventually([&] { return !terminal.echoes(); }, patience()));
  terminal.press("q");
  EXPECT_EQ(terminal.wait(), 0);
  EXPECT_TRUE(terminal.echoes());
}

TEST_F(OperatorsCommandTest, gives_the_screen_back_whatever_ends_it) {
  start();
  const auto ends_with = [&](auto end) {
    Terminal terminal(program_file("lektctl"), arguments({"watch"}), {.columns = 80, .rows = 24});
    EXPECT_TRUE(terminal.shows("Server"));
    end(terminal);
    EXPECT_EQ(terminal.wait(), 0);
    EXPECT_TRUE(terminal.output().ends_with("\x1b[?25h\x1b[?1049l"));
    EXPECT_TRUE(terminal.echoes());
  };
  ends_with([](Terminal& terminal) { terminal.press("\x03"); });
  for (const int signal : {SIGTERM, SIGINT, SIGHUP, SIGQUIT, SIGUSR1, SIGALRM, SIGPIPE})
    ends_with([signal](Terminal& terminal) { terminal.send_signal(signal); });
}

TEST_F(OperatorsCommandTest, fits_its_tables_to_the_terminal_and_cuts_nothing_elsewhere) {
  const std::string information(200, 'x');
  const RawClient client = joined(start(catalogue_flags()).port(), "127.0.0.2", chat(information));
  Terminal terminal(program_file("lektctl"), arguments({"clients"}), {.columns = 100, .rows = 24});
  EXPECT_EQ(terminal.wait(), 0);
  for (const std::string& line : lines_of(terminal.output())) EXPECT_LE(line.size(), 100u + 1) << line;
  EXPECT_PRED_FORMAT2(IsSubstring, "...", terminal.output());
  EXPECT_PRED_FORMAT2(IsSubstring, "chat:" + to_hex(information), lektctl({"clients"}).output);
}

TEST_F(OperatorsCommandTest, needs_a_terminal_to_watch) {
  expect_failed({"watch"}, 2, "E808 watch needs a terminal");
}

}  // namespace lekt::test
