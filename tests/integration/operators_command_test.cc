// lektctl against the real server: it looks while the server runs and when it does not, and what it steers
// holds.
#include <sys/stat.h>
#include <unistd.h>

#include <csignal>
#include <fstream>

#include "tests/integration/operators_command.h"
#include "tests/integration/sqlite.h"
#include "tests/support/paths.h"

namespace lekt::test {

namespace {

using namespace std::chrono_literals;
using testing::IsSubstring;

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

TEST_F(OperatorsCommandTest, tells_a_hung_server_from_a_dead_one_and_shows_what_the_database_has) {
  const RawClient client = joined(start().port(), "127.0.0.2");
  const std::string process = "process " + std::to_string(daemon().id()) + " (lektd)";
  daemon().pause();
  const auto begin = std::chrono::steady_clock::now();
  const Outcome one = lektctl({"client", "127.0.0.2"});
  EXPECT_EQ(one.status, 0);
  EXPECT_PRED_FORMAT2(
      IsSubstring, process + " is there and does not answer; sessions and rejects are not shown", one.errors);
  EXPECT_PRED_FORMAT2(IsSubstring, "127.0.0.2 is connected", one.output);
  const Outcome status = lektctl({"status"});
  EXPECT_EQ(status.status, 1);
  EXPECT_PRED_FORMAT2(IsSubstring, process + " is there and has not answered for 2s; waiting 3s more",
                      status.errors);
  EXPECT_PRED_FORMAT2(IsSubstring, "cannot be reached; " + process + " has its database", status.output);
  EXPECT_LT(std::chrono::steady_clock::now() - begin, 12s) << "both together";
  daemon().resume();
  EXPECT_EQ(objects({"status"}).at(0).at("process"), daemon().id());
}

TEST_F(OperatorsCommandTest, names_the_server_that_has_the_database_and_no_socket) {
  start({"--control-socket", "none"});
  const std::string process = "process " + std::to_string(daemon().id()) + " (lektd)";
  EXPECT_PRED_FORMAT2(IsSubstring, process + " has its database", lektctl({"status"}).output);
  EXPECT_EQ(Json::parse(lektctl({"status", "--json"}).output).at("process"), daemon().id());
  expect_failed({"kick", "127.0.0.2"}, 1, "but " + process + " has the database");
  daemon().kill();
  EXPECT_EQ(count(lektctl({"status"}).output, "has its database"), 0u);
}

TEST_F(OperatorsCommandTest, shows_a_client_that_has_come_back_as_connected_at_once) {
  {
    const RawClient client = joined(start().port(), "127.0.0.2");
    start();
  }
  EXPECT_PRED_FORMAT2(IsSubstring, "127.0.0.2 is waiting", lektctl({"client", "127.0.0.2"}).output);
  const RawClient first = joined(daemon().port(), "127.0.0.2");
  const RawClient second = joined(daemon().port(), "127.0.0.2");
  EXPECT_PRED_FORMAT2(IsSubstring, "127.0.0.2 is connected", lektctl({"client", "127.0.0.2"}).output);
  const Json client = objects({"client", "127.0.0.2"}).at(0).at("client");
  EXPECT_EQ(client.at("status"), "connected");
  EXPECT_EQ(client.at("sessions"), 2);
}

TEST_F(OperatorsCommandTest, shows_reasons_in_any_script_and_refuses_those_that_trick_a_terminal) {
  start();
  EXPECT_EQ(lektctl({"ban", "127.0.0.2", "--reason", "zu laut, größer als erlaubt"}).status, 0);
  EXPECT_PRED_FORMAT2(IsSubstring, "zu laut, größer als erlaubt", lektctl({"bans"}).output);
  EXPECT_PRED_FORMAT2(IsSubstring, "zu laut, größer als erlaubt", lektctl({"client", "127.0.0.2"}).output);
  EXPECT_EQ(objects({"bans"}).at(0).at("reason"), "zu laut, größer als erlaubt");
  for (const char* reason : {"\x1b[2J",
                             "\xc2\x9b"
                             "2J",
                             "\xe2\x80\xaetxt", "a\nb", "\xff"})
    expect_failed({"ban", "127.0.0.3", "--reason", reason}, 2, "E808 the reason has a control character");
}

TEST_F(OperatorsCommandTest, kicks_a_client_that_may_come_back) {
  RawClient client = joined(start().port(), "127.0.0.2");
  EXPECT_EQ(lektctl({"kick", "127.0.0.2"}).output, "kicked 127.0.0.2; 1 session ended\n");
  EXPECT_PRED_FORMAT2(IsSubstring, "E409", client.expect_reject());
  EXPECT_EQ(try_to_join("127.0.0.2"), "");
  expect_failed({"kick", "127.0.0.3"}, 1, "E803 no client 127.0.0.3 is here");
  expect_failed({"kick", "0015708E863F"}, 1, "E802 this server has no devices: --device-listen is off");
}

TEST_F(OperatorsCommandTest, finds_in_the_database_why_each_client_has_left) {
  RawClient closing = joined(start().port(), "127.0.0.2");
  RawClient breaking = joined(daemon().port(), "127.0.0.3");
  RawClient kicked = joined(daemon().port(), "127.0.0.4");
  RawClient banned = joined(daemon().port(), "127.0.0.5");
  RawClient staying_away = joined(daemon().port(), "127.0.0.6");
  closing.close();
  breaking.reset();
  lektctl({"kick", "127.0.0.4"});
  lektctl({"ban", "127.0.0.5"});
  const auto reason_of = [&](const std::string& address) {
    return Operator(database()).ask_one("SELECT reason FROM removed WHERE address = '" + address + "'");
  };
  const auto expect_reason = [&](const std::string& address, const std::string& reason) {
    EXPECT_TRUE(eventually([&] { return !reason_of(address).empty(); }, patience())) << address;
    EXPECT_EQ(reason_of(address), reason) << address;
  };
  expect_reason("127.0.0.2", "closed");
  expect_reason("127.0.0.3", "lost");
  expect_reason("127.0.0.4", "E409");
  expect_reason("127.0.0.5", "E408");
  ASSERT_EQ(daemon().stop(SIGTERM), 0);
  staying_away.close();
  RawClient silent =
      joined(start({"--restart-grace", "0s", "--heartbeat-timeout", "200ms"}).port(), "127.0.0.7");
  expect_reason("127.0.0.6", "not back");
  expect_reason("127.0.0.7", "E301");
  EXPECT_EQ(Operator(database()).ask("SELECT reason FROM changes WHERE kind = 'added' AND reason <> ''"),
            Lines{});
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

TEST_F(OperatorsCommandTest, bans_for_a_time) {
  start();
  const Outcome banned = lektctl({"ban", "127.0.0.2", "--for", "1h"});
  EXPECT_PRED_FORMAT2(IsSubstring, "banned 127.0.0.2; 0 sessions ended; it ends by itself at 20",
                      banned.output);
  const Json ban = objects({"bans"}).at(0);
  EXPECT_TRUE(ban.at("until").is_string()) << ban;
  std::string until = ban.at("until");
  EXPECT_PRED_FORMAT2(IsSubstring, until, banned.output);
  until[10] = ' ';
  EXPECT_PRED_FORMAT2(IsSubstring, until.substr(0, 19), lektctl({"bans"}).output);
  EXPECT_PRED_FORMAT2(IsSubstring, ", until " + until.substr(0, 19) + " UTC",
                      lektctl({"client", "127.0.0.2"}).output);
  start();
  EXPECT_PRED_FORMAT2(IsSubstring, "E408", try_to_join("127.0.0.2")) << "it holds after a restart";
  EXPECT_EQ(objects({"ban", "127.0.0.2", "--for", "1s"}).at(0).at("is_new"), false);
  EXPECT_TRUE(eventually([&] { return try_to_join("127.0.0.2").empty(); }, patience()));
  EXPECT_TRUE(eventually([&] { return objects({"bans"}).empty(); }, patience()));
  ASSERT_EQ(daemon().stop(SIGTERM), 0);
  EXPECT_PRED_FORMAT2(IsSubstring, "it ends by itself at 20",
                      lektctl({"ban", "127.0.0.3", "--for", "1s"}).output);
  EXPECT_TRUE(eventually([&] { return objects({"bans"}).empty(); }, patience()))
      << "it is over, also while no server runs";
  start();
  EXPECT_EQ(try_to_join("127.0.0.3"), "");
  for (const char* wrong : {"0s", "1", "-1h", "500ms", "999999d", "soon"})
    expect_failed({"ban", "127.0.0.2", "--for", wrong}, 2,
                  "E808 --for \"" + std::string(wrong) + "\" is not a duration");
}

TEST_F(OperatorsCommandTest, tells_why_a_client_was_removed) {
  start();
  {
    const RawClient closes = joined(daemon().port(), "127.0.0.3");
    const RawClient kicked = joined(daemon().port(), "127.0.0.2");
    EXPECT_EQ(lektctl({"kick", "127.0.0.2"}).status, 0);
  }
  ASSERT_TRUE(eventually([&] { return clients().empty(); }, patience()));
  const std::string removed = lektctl({"clients", "--status", "removed"}).output;
  EXPECT_PRED_FORMAT2(IsSubstring, "127.0.0.2        removed    E409 ", removed);
  EXPECT_PRED_FORMAT2(IsSubstring, "127.0.0.3        removed    closed ", removed);
  EXPECT_PRED_FORMAT2(IsSubstring, "removed  127.0.0.2        E409", lektctl({"changes"}).output);
  EXPECT_PRED_FORMAT2(IsSubstring, "\nRemoved: E409: the operator has ended the session\n",
                      lektctl({"client", "127.0.0.2"}).output);
  EXPECT_PRED_FORMAT2(IsSubstring, "\nRemoved: its program has closed the connection\n",
                      lektctl({"client", "127.0.0.3"}).output);
  EXPECT_EQ(objects({"changes"}).back().at("reason"), "closed");
}

TEST_F(OperatorsCommandTest, tells_the_programs_of_an_address_apart) {
  const RawClient first = joined(start().port(), "127.0.0.2", tcp(1));
  const RawClient second = joined(daemon().port(), "127.0.0.2", tcp(2));
  const Json sessions = objects({"client", "127.0.0.2"}).at(0).at("sessions");
  ASSERT_EQ(sessions.size(), 2u);
  EXPECT_EQ(sessions.at(0).at("methods"), "tcp:1");
  EXPECT_EQ(sessions.at(1).at("methods"), "tcp:2");
  EXPECT_GT(sessions.at(0).at("port"), 0);
  EXPECT_NE(sessions.at(0).at("port"), sessions.at(1).at("port"));
  EXPECT_PRED_FORMAT2(IsSubstring, std::to_string(sessions.at(1).at("port").get<int>()),
                      lektctl({"client", "127.0.0.2"}).output);
}

TEST_F(OperatorsCommandTest, bans_and_lifts_bans_while_no_server_runs) {
  start();
  EXPECT_EQ(lektctl({"ban", "127.0.0.2"}).output, "banned 127.0.0.2; 0 sessions ended.\n");
  ASSERT_EQ(daemon().stop(SIGTERM), 0);
  EXPECT_PRED_FORMAT2(IsSubstring, "holds from its next start", lektctl({"ban", "127.0.0.3"}).output);
  EXPECT_PRED_FORMAT2(IsSubstring, "lifted", lektctl({"unban", "127.0.0.2"}).output);
  expect_failed({"unban", "127.0.0.2"}, 1, "E803");
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
    Flags given = {"--reuid=65534", "--regid=" + group, "--clear-groups", program_file("lektctl")};
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
  EXPECT_EQ(run(program_file("lektctl"), {"--database", other, "import", "--create", file.string()}).output,
            "imported: 1 client added, 0 changed, 0 were the same; 0 bans added\n");
  std::ofstream(file, std::ios::app) << "rubbish\n";
  const Outcome wrong = run(program_file("lektctl"), {"--database", other, "import", file.string()});
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
  Process follower(program_file("lektctl"), arguments({"changes", "--follow", "--json"}), directory_.path());
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

}  // namespace lekt::test
