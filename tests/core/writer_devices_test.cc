// What the writer is told of devices is in the database's views a few seconds later, and never costs a client anything.
#include "server/core/commands.h"
#include "storage/reader.h"
#include "tests/core/writer_support.h"

namespace lekt {
namespace {

using namespace std::chrono_literals;
using namespace test;

class WriterDevicesTest : public WriterTest {
 protected:
  void tell(DevicesCommand command) { writer_->side_rows().tell_of_devices(std::move(command)); }

  storage::DeviceRow device(const std::string& uid, std::uint64_t sessions = 0) const {
    return {.uid = uid,
            .type = "PDT9090_E5",
            .address = address("10.0.0.9"),
            .seen = now_.wall,
            .sessions = sessions};
  }
  storage::DeviceSessionRow session(std::uint64_t number, const std::string& state = "active") const {
    return {.number = number, .uid = "A", .address = address("10.0.0.9"), .state = state};
  }
  storage::DeviceAlertRow alert(const std::string& message) const {
    return {now_.wall, ErrorCode::uid_in_use, address("10.0.0.9"), "A", message};
  }

  /// The first column of a query's rows.
  Lines ask(const std::string& sql) const {
    Lines lines;
    SQLite::Database reader(path().string(), SQLite::OPEN_READONLY);
    for (SQLite::Statement query(reader, sql); query.executeStep();)
      lines.push_back(query.getColumn(0).getString());
    return lines;
  }
  Lines uids() const { return ask("SELECT uid FROM devices ORDER BY uid"); }
  Lines sessions() const { return ask("SELECT number || ' ' || state FROM device_sessions"); }
};

TEST_F(WriterDevicesTest, are_in_the_views_within_the_interval_of_presences) {
  start();
  turn();
  tell({.devices = {device("A", 1)}, .sessions = {session(1)}, .alerts = {alert("first"), alert("second")}});
  pass(4s);
  EXPECT_FALSE(turn().committed);
  EXPECT_EQ(writer_->wake_at(), now_.awake + 1s);
  pass(1s);
  EXPECT_TRUE(turn().committed);
  EXPECT_EQ(ask("SELECT uid || ' ' || type || ' ' || address || ' ' || sessions FROM devices"),
            Lines{"A PDT9090_E5 10.0.0.9 1"});
  EXPECT_EQ(sessions(), Lines{"1 active"});
  EXPECT_EQ(ask("SELECT code || ' ' || message FROM device_alerts"), (Lines{"E918 second", "E918 first"}));
  turns(20);
  EXPECT_EQ(ask("SELECT message FROM device_alerts").size(), 2u) << "each is written once";
}

TEST_F(WriterDevicesTest, go_with_the_commit_of_a_join) {
  start();
  tell({.devices = {device("A")}});
  join(1, "10.0.0.7");
  EXPECT_EQ(words(turn().completions), Lines{"1 joined"});
  EXPECT_EQ(uids(), Lines{"A"});
}

TEST_F(WriterDevicesTest, cost_no_commit_when_there_are_none) {
  start();
  join(1, "10.0.0.7");
  turns(10);
  for (int minute = 0; minute < 60; ++minute) {
    pass(1min);
    EXPECT_FALSE(turn().attempted);
  }
}

TEST_F(WriterDevicesTest, a_device_has_its_newest_row_and_all_of_its_sessions) {
  start();
  tell({.devices = {device("A", 1)}});
  pass(2s);
  tell({.devices = {device("A"), device("A", 2)}});
  turns(6);
  pass(20s);
  tell({.devices = {device("A", 1)}});
  turns(6);
  const storage::StoredDevice stored = storage::Reader(path()).devices().at(0);
  EXPECT_EQ(stored.row.sessions, 4u);
  EXPECT_EQ(stored.first_seen, started + 2);
  EXPECT_EQ(stored.row.seen, started + 28);
}

TEST_F(WriterDevicesTest, a_session_is_listed_until_it_ends) {
  start();
  tell({.sessions = {session(1), session(2), session(3)}, .ended_sessions = {3}});
  turns(6);
  EXPECT_EQ(sessions(), (Lines{"1 active", "2 active"}));
  tell({.sessions = {session(1, "away")}, .ended_sessions = {2}});
  turns(6);
  EXPECT_EQ(sessions(), Lines{"1 away"});
  start();
  EXPECT_EQ(sessions(), Lines{}) << "sessions end with the server";
}

TEST_F(WriterDevicesTest, all_that_is_told_before_a_stop_is_written_with_it) {
  start();
  DevicesCommand command;
  for (int number = 0; number < 7000; ++number)
    command.devices.push_back(device("A" + std::to_string(number)));
  tell(std::move(command));
  tell({.sessions = {session(1)}, .alerts = {alert("last")}});
  writer_->stop(now_);
  EXPECT_EQ(ask("SELECT count(*) FROM devices"), Lines{"7000"});
  EXPECT_EQ(ask("SELECT message FROM device_alerts"), Lines{"last"});
  EXPECT_EQ(sessions(), Lines{}) << "nobody works on a stopped server";
}

TEST_F(WriterDevicesTest, many_are_written_in_several_commits_at_once) {
  start();
  DevicesCommand command;
  for (int number = 0; number < 5000; ++number)
    command.devices.push_back(device("A" + std::to_string(number)));
  tell(std::move(command));
  pass(5s);
  turn();
  EXPECT_LT(uids().size(), 5000u);
  for (int i = 0; i < 2; ++i) {
    EXPECT_LE(writer_->wake_at(), now_.awake);
    turn();
  }
  EXPECT_EQ(uids().size(), 5000u);
  EXPECT_FALSE(turn().attempted);
}

TEST_F(WriterDevicesTest, are_forgotten_after_the_retention_unless_they_have_a_session) {
  settings_.retention = 1h;
  start();
  tell({.devices = {device("A"), device("gone")}, .sessions = {session(1)}});
  turns(6);
  pass(30min);
  tell({.devices = {device("later")}});
  turns(6);
  EXPECT_EQ(uids(), (Lines{"A", "gone", "later"}));
  pass(35min);
  join(1, "10.0.0.7");
  turn();
  EXPECT_EQ(uids(), (Lines{"A", "later"})) << "with whatever is committed";
}

TEST_F(WriterDevicesTest, of_an_earlier_run_are_forgotten_with_the_first_commit) {
  settings_.retention = 1h;
  start();
  tell({.devices = {device("A")}});
  turns(6);
  pass(2h);
  start();
  join(1, "10.0.0.7");
  turn();
  EXPECT_EQ(uids(), Lines{});
}

TEST_F(WriterDevicesTest, never_exceed_what_is_remembered) {
  start();
  turn();
  operator_connection().exec(
      "WITH RECURSIVE number (n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM number WHERE n < 100000) "
      "INSERT INTO device_record SELECT 'old' || n, '', '', '', '', 0, 0, 1, '', 1, 1699900000 + n, 1 FROM "
      "number");
  for (int round = 0; round < 6; ++round) {
    DevicesCommand command;
    for (int number = 0; number < 1500; ++number)
      command.devices.push_back(device(std::to_string(round) + "-" + std::to_string(number)));
    tell(std::move(command));
    turns(6);
    EXPECT_LE(std::stoul(ask("SELECT count(*) FROM device_record").at(0)), storage::devices_max);
  }
  EXPECT_EQ(ask("SELECT count(*) FROM device_record WHERE uid NOT LIKE 'old%'"), Lines{"9000"});
  EXPECT_EQ(ask("SELECT count(*) FROM device_record WHERE uid = 'old1'"), Lines{"0"})
      << "the oldest goes first";
  EXPECT_EQ(ask("SELECT count(*) FROM device_record WHERE uid = 'old100000'"), Lines{"1"});
}

TEST_F(WriterDevicesTest, wait_in_a_bounded_memory_while_the_disk_is_full_and_joins_are_refused_as_ever) {
  start();
  turn();
  {
    const FullDisk full;
    join(1, "10.0.0.7");
    for (int round = 0; round < 30; ++round) {
      DevicesCommand command;
      for (std::uint64_t number = 0; number < 1000; ++number) {
        command.devices.push_back(device(std::to_string(round) + "-" + std::to_string(number)));
        command.alerts.push_back(alert(std::to_string(round)));
        command.sessions.push_back(session(1000 * static_cast<std::uint64_t>(round) + number + 1));
        command.ended_sessions.push_back(command.sessions.back().number);
      }
      command.devices.push_back(device("A", 1));
      tell(std::move(command));
      pass(1s);
      const Writer::Turn turn = this->turn();  // which looks at the invariants
      EXPECT_EQ(turn.trouble, StorageState::failed);
      EXPECT_EQ(words(turn.completions), round == 0 ? Lines{"1 E403"} : Lines{});
    }
    tell({.sessions = {session(99999)}});
  }
  pass(2s);
  join(2, "10.0.0.8");
  EXPECT_EQ(words(turn().completions), Lines{"2 joined"});
  turns(20);
  EXPECT_EQ(ask("SELECT count(*) FROM devices"), Lines{std::to_string(DeviceSideRows::waiting_max)});
  EXPECT_EQ(ask("SELECT sessions FROM devices WHERE uid = 'A'"), Lines{"30"});
  EXPECT_EQ(sessions(), Lines{"99999 active"});
  EXPECT_EQ(ask("SELECT DISTINCT message FROM device_alerts"), Lines{"29"}) << "the newest thousand";
}

TEST_F(WriterDevicesTest, the_end_of_a_session_that_is_stored_outlasts_any_number_that_are_not) {
  start();
  tell({.sessions = {session(1)}});
  turns(6);
  DevicesCommand command;
  for (std::uint64_t number = 2; number <= DeviceSideRows::ended_max + 10; ++number)
    command.ended_sessions.push_back(number);
  command.ended_sessions.push_back(1);
  tell(std::move(command));
  turns(6);
  writer_->stop(now_);
  EXPECT_EQ(ask("SELECT number FROM device_session_record"), Lines{});
}

}  // namespace
}  // namespace lekt
