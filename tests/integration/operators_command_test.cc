// lektctl against the real server: it looks while the server runs and when it does not, and what it steers
// holds.
#include <sys/stat.h>
#include <unistd.h>

#include <csignal>
#include <fstream>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "common/text.h"
#include "tests/integration/daemon.h"
#include "tests/integration/raw_client.h"
#include "tests/integration/terminal.h"

namespace lekt::test {

namespace {

using namespace std::chrono_literals;
using testing::IsSubstring;
using Json = nlohmann::json;
using Lines = std::vector<std::string>;

Lines lines_of(const std::string& text) {
  Lines lines;
  std::istringstream stream(text);
  for (std::string line; std::getline(stream, line);) lines.push_back(line);
  return lines;
}

class OperatorsCommandTest : public DaemonTest {
 protected:
  Flags arguments(Flags given) const {
    given.insert(given.begin(), {"--database", database().string()});
    return given;
  }
  Outcome lektctl(const Flags& given) const { return run(LEKTCTL_PROGRAM, arguments(given)); }

  /// The objects that it prints.
  std::vector<Json> objects(Flags given) const {
    given.push_back("--json");
    const Outcome outcome = lektctl(given);
    EXPECT_EQ(outcome.status, 0) << outcome.errors;
    std::vector<Json> found;
    for (const std::string& line : lines_of(outcome.output)) found.push_back(Json::parse(line));
    return found;
  }

  Lines clients(const Flags& filter = {}) const {
    Flags given = {"clients"};
    given.insert(given.end(), filter.begin(), filter.end());
    Lines addresses;
    for (const Json& client : objects(given)) addresses.push_back(client.at("address"));
    return addresses;
  }

  void expect_failed(const Flags& given, int status, const std::string& part) const {
    const Outcome outcome = lektctl(given);
    EXPECT_EQ(outcome.status, status) << outcome.output << outcome.errors;
    EXPECT_PRED_FORMAT2(IsSubstring, part, outcome.errors);
  }

  /// "" for joined, else the reject.
  std::string try_to_join(const std::string& from) {
    RawClient client(daemon().port(), from);
    try {
      client.join(tcp(7890));
      return {};
    } catch (const UnexpectedInput& refused) {
      return refused.what();
    }
  }
};

}  // namespace

TEST_F(OperatorsCommandTest, looks_whether_the_server_runs_has_stopped_or_was_killed) {
  const RawClient client = joined(start().port(), "127.0.0.2");
  const Json status = objects({"status"}).at(0);
  EXPECT_EQ(status.at("running"), true);
  EXPECT_EQ(status.at("server").at("process"), daemon().id());
  EXPECT_EQ(status.at("server").at("totals").at("clients"), 1);
  EXPECT_EQ(status.at("stored").at("clients"), 1);
  EXPECT_EQ(clients({"--status", "connected"}), Lines{"127.0.0.2"});
  ASSERT_EQ(daemon().stop(SIGTERM), 0);
  const Outcome stopped = lektctl({"status"});
  EXPECT_EQ(stopped.status, 1) << "as that of other services that do not run";
  EXPECT_PRED_FORMAT2(IsSubstring, "does not run; stopped at 20", stopped.output);
  EXPECT_PRED_FORMAT2(IsSubstring, "1 client stored", stopped.output);
  EXPECT_EQ(clients({"--status", "waiting"}), Lines{"127.0.0.2"});
  start().kill();
  const Outcome killed = lektctl({"status"});
  EXPECT_EQ(killed.status, 1);
  EXPECT_PRED_FORMAT2(IsSubstring, "has not stopped cleanly", killed.output);
  EXPECT_EQ(clients(), Lines{"127.0.0.2"});
  EXPECT_EQ(lektctl({"check"}).status, 0);
}

TEST_F(OperatorsCommandTest, tells_everything_about_one_client) {
  RawClient first = joined(start().port(), "127.0.0.2", tcp(1));
  const RawClient second = joined(daemon().port(), "127.0.0.2", tcp(2));
  RawClient wrong(daemon().port(), "127.0.0.2");
  wrong.send("GET / HTTP/1.1\r\n\r\n");
  wrong.expect_reject();
  const Json known = objects({"client", "127.0.0.2"}).at(0);
  EXPECT_EQ(known.at("client").at("methods"), "tcp:1 tcp:2");
  EXPECT_EQ(known.at("sessions").size(), 2u);
  EXPECT_EQ(known.at("changes").size(), 2u);
  EXPECT_EQ(known.at("rejects").at(0).at("code"), "E102");
  const std::string text = lektctl({"client", "127.0.0.2"}).output;
  for (const char* part : {"is connected", "tcp:1 tcp:2", "SESSION", "CHANGED", "E102"})
    EXPECT_PRED_FORMAT2(IsSubstring, part, text);
  expect_failed({"client", "127.9.9.9"}, 1, "E803 nothing is known of 127.9.9.9");
}

TEST_F(OperatorsCommandTest, kicks_a_client_that_may_come_back) {
  RawClient client = joined(start().port(), "127.0.0.2");
  EXPECT_EQ(lektctl({"kick", "127.0.0.2"}).output, "kicked 127.0.0.2; 1 session ended\n");
  EXPECT_PRED_FORMAT2(IsSubstring, "E409", client.expect_reject());
  EXPECT_EQ(try_to_join("127.0.0.2"), "");
  expect_failed({"kick", "127.0.0.3"}, 1, "E803 no client 127.0.0.3 is here");
}

TEST_F(OperatorsCommandTest, bans_now_and_after_a_restart_until_the_ban_is_lifted) {
  RawClient client = joined(start().port(), "127.0.0.2");
  EXPECT_EQ(lektctl({"ban", "127.0.0.0/30", "--reason", "too loud"}).output,
            "banned 127.0.0.0/30; 1 session ended.\n");
  EXPECT_PRED_FORMAT2(IsSubstring, "E408", client.expect_reject());
  EXPECT_PRED_FORMAT2(IsSubstring, "E408", try_to_join("127.0.0.2"));
  EXPECT_EQ(try_to_join("127.0.0.4"), "");
  EXPECT_EQ(objects({"bans"}).at(0).at("reason"), "too loud");
  EXPECT_EQ(objects({"client", "127.0.0.3"}).at(0).at("bans").at(0).at("block"), "127.0.0.0/30");
  start();
  EXPECT_PRED_FORMAT2(IsSubstring, "E408", try_to_join("127.0.0.2"));
  EXPECT_EQ(lektctl({"unban", "127.0.0.0/30"}).output, "lifted the ban of 127.0.0.0/30.\n");
  EXPECT_EQ(try_to_join("127.0.0.2"), "");
  expect_failed({"unban", "127.0.0.0/30"}, 1, "E803 there is no ban of exactly 127.0.0.0/30");
}

TEST_F(OperatorsCommandTest, bans_through_lektd_whether_a_server_runs_or_not) {
  start();
  const auto lektd = [&](const Flags& given) { return run(LEKTD_PROGRAM, arguments(given)); };
  EXPECT_EQ(lektd({"--ban", "127.0.0.2"}).output, "banned 127.0.0.2; 0 sessions ended.\n");
  EXPECT_PRED_FORMAT2(IsSubstring, "E408", try_to_join("127.0.0.2"));
  ASSERT_EQ(daemon().stop(SIGTERM), 0);
  EXPECT_PRED_FORMAT2(IsSubstring, "holds from its next start", lektd({"--ban", "127.0.0.3"}).output);
  EXPECT_PRED_FORMAT2(IsSubstring, "lifted", lektd({"--unban", "127.0.0.2"}).output);
  const Outcome missing = lektd({"--unban", "127.0.0.2"});
  EXPECT_EQ(missing.status, 1);
  EXPECT_PRED_FORMAT2(IsSubstring, "E803", missing.errors);
  start();
  EXPECT_EQ(try_to_join("127.0.0.2"), "");
  EXPECT_PRED_FORMAT2(IsSubstring, "E408", try_to_join("127.0.0.3"));
  EXPECT_EQ(lektctl({"status"}).status, 0) << "it counts as a start of nothing";
}

TEST_F(OperatorsCommandTest, never_writes_into_the_database_of_a_server_that_it_cannot_reach) {
  start({"--control-socket", "none"});
  expect_failed({"ban", "127.0.0.2"}, 1, "E801 nobody listens at");
  expect_failed({"compact"}, 1, "E801");
  expect_failed({"kick", "127.0.0.2"}, 1, "E801");
  expect_failed({"restore", "/nowhere.db"}, 1, "E805");
  EXPECT_EQ(objects({"bans"}).size(), 0u);
}

TEST_F(OperatorsCommandTest, steers_only_for_those_who_may_write_the_socket) {
  if (geteuid() != 0) GTEST_SKIP() << "only root can become another user";
  start();
  const auto as_group = [&](const std::string& group) {
    Flags given = {"--reuid=65534", "--regid=" + group, "--clear-groups", LEKTCTL_PROGRAM};
    for (const std::string& argument : arguments({"kick", "127.0.0.2"})) given.push_back(argument);
    return run("/usr/bin/setpriv", given).errors;
  };
  ASSERT_EQ(chmod(directory_.path().c_str(), 0755), 0);
  ASSERT_EQ(chown((database().string() + ".sock").c_str(), 0, 65533), 0);
  EXPECT_PRED_FORMAT2(IsSubstring, "Permission denied; you have to be in the group", as_group("65534"));
  EXPECT_PRED_FORMAT2(IsSubstring, "E803", as_group("65533")) << "it was asked, and had no such client";
}

TEST_F(OperatorsCommandTest, restores_a_backup_and_nobody_resumes_across_the_gap) {
  const std::filesystem::path backup = directory_.path() / "copy.db";
  RawClient client = joined(start().port(), "127.0.0.2");
  const RawClient stayed = joined(daemon().port(), "127.0.0.3");
  EXPECT_EQ(lektctl({"backup", backup.string()}).status, 0);
  expect_failed({"backup", backup.string()}, 1, "E804");
  const RawClient lost = joined(daemon().port(), "127.0.0.4");
  // It hears of the third, and that is no longer true after the restore.
  ASSERT_TRUE(eventually([&] { return client.beat(), client.peers().size() == 3; }, patience()));
  const std::int64_t told = client.view().next_timestamp();
  expect_failed({"restore", backup.string()}, 1, "E805");
  ASSERT_EQ(daemon().stop(SIGTERM), 0);
  const Outcome restored = lektctl({"restore", backup.string()});
  EXPECT_EQ(restored.status, 0) << restored.errors;
  EXPECT_PRED_FORMAT2(IsSubstring, "lekt.db.before-restore-20", restored.output);
  EXPECT_EQ(lektctl({"check"}).output.substr(0, 16), "nothing is wrong");
  start();
  RawClient again = joined(daemon().port(), "127.0.0.2");
  again.continue_from(client);
  ASSERT_EQ(again.view().next_timestamp(), told);
  EXPECT_TRUE(again.beat().is_reset());
  EXPECT_EQ(again.peers(), (Lines{"127.0.0.2 tcp:7890", "127.0.0.3 tcp:7890"}));
}

TEST_F(OperatorsCommandTest, imports_clients_that_the_server_then_waits_for) {
  const std::filesystem::path file = directory_.path() / "export.jsonl";
  {
    const RawClient client = joined(start().port(), "127.0.0.2");
    std::ofstream(file) << lektctl({"export"}).output;
    expect_failed({"import", file.string()}, 1, "E805");
  }
  const std::string other = (directory_.path() / "other.db").string();
  expect_failed({"--database", other, "import", file.string()}, 1, "E503 there is no database");
  EXPECT_EQ(run(LEKTCTL_PROGRAM, {"--database", other, "import", "--create", file.string()}).output,
            "imported: 1 client added, 0 changed, 0 were the same; 0 bans added\n");
  std::ofstream(file, std::ios::app) << "rubbish\n";
  const Outcome wrong = run(LEKTCTL_PROGRAM, {"--database", other, "import", file.string()});
  EXPECT_EQ(wrong.status, 1);
  EXPECT_PRED_FORMAT2(IsSubstring, "E807 line 3", wrong.errors);
  start({"--database", other});
  RawClient observer = joined(daemon().port(), "127.0.0.9");
  observer.beat();
  EXPECT_EQ(observer.peers(), (Lines{"127.0.0.2 tcp:7890", "127.0.0.9 tcp:7890"}));
}

TEST_F(OperatorsCommandTest, follows_changes_over_restarts_and_a_restore) {
  const std::filesystem::path backup = directory_.path() / "copy.db";
  start();
  ASSERT_EQ(lektctl({"backup", backup.string()}).status, 0);
  Process follower(LEKTCTL_PROGRAM, arguments({"changes", "--follow", "--json"}), directory_.path());
  const auto sees = [&](const std::string& address) {
    return eventually([&] { return count(follower.output(), "\"added\",\"address\":\"" + address) == 1; },
                      patience());
  };
  joined(daemon().port(), "127.0.0.2");
  EXPECT_TRUE(sees("127.0.0.2"));
  start();
  joined(daemon().port(), "127.0.0.3");
  EXPECT_TRUE(sees("127.0.0.3"));
  ASSERT_EQ(daemon().stop(SIGTERM), 0);
  ASSERT_EQ(lektctl({"restore", backup.string()}).status, 0);
  EXPECT_TRUE(eventually([&] { return count(follower.errors(), "was restored") == 1; }, patience()));
  start();
  joined(daemon().port(), "127.0.0.4");
  EXPECT_TRUE(sees("127.0.0.4"));
  EXPECT_EQ(count(follower.output(), "\"added\""), 3u) << "nothing twice:\n" << follower.output();
}

TEST_F(OperatorsCommandTest, watches_on_a_screen_that_it_gives_back) {
  const RawClient client = joined(start().port(), "127.0.0.2");
  Terminal terminal(LEKTCTL_PROGRAM, arguments({"watch"}), {.columns = 60, .rows = 20});
  EXPECT_TRUE(terminal.shows("added    127.0.0.2")) << terminal.output();
  EXPECT_TRUE(terminal.output().starts_with("\x1b[?1049h"));
  EXPECT_FALSE(terminal.echoes());
  terminal.resize({.columns = 30, .rows = 8});
  EXPECT_TRUE(terminal.shows("1 client; 1 s...")) << "cut to the new width";
  terminal.press("q");
  EXPECT_EQ(terminal.wait(), 0);
  EXPECT_TRUE(terminal.output().ends_with("\x1b[?25h\x1b[?1049l")) << "cursor and screen are back";
  EXPECT_TRUE(terminal.echoes());
}

TEST_F(OperatorsCommandTest, gives_the_screen_back_whatever_ends_it) {
  start();
  const auto ends_with = [&](auto end) {
    Terminal terminal(LEKTCTL_PROGRAM, arguments({"watch"}), {.columns = 80, .rows = 24});
    EXPECT_TRUE(terminal.shows("Server"));
    end(terminal);
    EXPECT_EQ(terminal.wait(), 0);
    EXPECT_TRUE(terminal.output().ends_with("\x1b[?25h\x1b[?1049l"));
    EXPECT_TRUE(terminal.echoes());
  };
  ends_with([](Terminal& terminal) { terminal.press("\x03"); });
  ends_with([](Terminal& terminal) { terminal.send_signal(SIGTERM); });
  ends_with([](Terminal& terminal) { terminal.send_signal(SIGINT); });
}

TEST_F(OperatorsCommandTest, fits_its_tables_to_the_terminal_and_cuts_nothing_elsewhere) {
  const std::string information(200, 'x');
  const RawClient client = joined(start(catalogue_flags()).port(), "127.0.0.2", chat(information));
  Terminal terminal(LEKTCTL_PROGRAM, arguments({"clients"}), {.columns = 100, .rows = 24});
  EXPECT_EQ(terminal.wait(), 0);
  for (const std::string& line : lines_of(terminal.output())) EXPECT_LE(line.size(), 100u + 1) << line;
  EXPECT_PRED_FORMAT2(IsSubstring, "...", terminal.output());
  EXPECT_PRED_FORMAT2(IsSubstring, "chat:" + to_hex(information), lektctl({"clients"}).output);
}

TEST_F(OperatorsCommandTest, needs_a_terminal_to_watch) {
  expect_failed({"watch"}, 2, "E808 watch needs a terminal");
}

TEST_F(OperatorsCommandTest, says_what_is_wrong_with_its_arguments) {
  expect_failed({}, 2, "E808 a subcommand is missing");
  expect_failed({"dance"}, 2, "E808");
  expect_failed({"ban", "10.0.0.1/8"}, 2, "E808 CIDR \"10.0.0.1/8\" is not an IPv4 address or a block");
  expect_failed({"changes", "--since", "yesterday"}, 2,
                "E808 --since \"yesterday\" is neither a time in UTC");
  expect_failed({"trace", "10.0.0.1", "--for", "25h"}, 2, "E808 --for \"25h\" is not a duration of 1s to 1d");
  expect_failed({"rejects", "--count", "1001"}, 2, "E808 --count \"1001\" is not a number from 1 to 1000");
  expect_failed({"clients"}, 1, "E503 cannot read");
  const Outcome unnamed = run(LEKTCTL_PROGRAM, {"clients"});
  EXPECT_PRED_FORMAT2(IsSubstring, "name the server's database with --database or LEKT_DATABASE",
                      unnamed.errors);
}

TEST_F(OperatorsCommandTest, explains_each_subcommand) {
  const std::string all = run(LEKTCTL_PROGRAM, {"--help"}).output;
  for (const char* name :
       {"status", "clients", "client", "changes", "watch", "bans", "rejects", "traces", "kick", "ban",
        "unban", "trace", "untrace", "backup", "restore", "check", "compact", "export", "import"}) {
    EXPECT_PRED_FORMAT2(IsSubstring, std::string("\n  ") + name + " ", all);
    const Outcome help = run(LEKTCTL_PROGRAM, {name, "--help"});
    EXPECT_EQ(help.status, 0);
    EXPECT_PRED_FORMAT2(IsSubstring, "Exit codes: 0", help.output);
    for (const std::string& line : lines_of(help.output)) EXPECT_LE(line.size(), 120u) << line;
  }
}

}  // namespace lekt::test
