// What the database keeps of devices, and what an operator sees of it in the sqlite3 shell.
#include <SQLiteCpp/SQLiteCpp.h>

#include "storage/backup.h"
#include "storage/check.h"
#include "storage/reader.h"
#include "tests/storage/support.h"

namespace lekt::storage {

namespace {

class DevicesTest : public StorageTest {
 protected:
  DevicesTest() : StorageTest(test::directory_in_memory()) {}

  static DeviceRow device(const std::string& uid, std::int64_t seen, std::uint64_t sessions = 0) {
    return {.uid = uid,
            .text = "AB~001~19~000~PDT9090_E5~16~26~09~01~0107~0000~000~" + uid + "~",
            .type = "PDT9090_E5",
            .version = "9.1.107",
            .system = "WindowsCE",
            .rows = 16,
            .columns = 26,
            .address = address_of("10.10.225.150"),
            .device_group = "default",
            .seen = seen,
            .sessions = sessions};
  }
  static DeviceSessionRow session(std::uint64_t number, std::uint16_t port, const char* state) {
    return {.number = number,
            .uid = "0015708E863F",
            .address = address_of("10.10.225.150"),
            .port = port,
            .client_port = 3771,
            .device_group = "default",
            .state = state,
            .dtls = port != 0,
            .began = started + 10,
            .heard = started + 70};
  }
  static DeviceAlertRow alert(std::int64_t second, const std::string& message, const std::string& uid = "") {
    return {second, ErrorCode::uid_in_use, address_of("10.10.225.150"), uid, message};
  }

  static void write(Database& database, const DeviceRows& rows, std::int64_t forget_before = 0) {
    Batch batch;
    batch.state = database.state();
    batch.devices = &rows;
    batch.forget_devices_before = forget_before;
    ASSERT_EQ(database.commit(batch), CommitResult::done);
    EXPECT_TRUE(database.refused_rows().empty());
  }

  std::string ask(const std::string& sql) const { return shell(path(), sql); }

  void change(const std::string& sql) {
    SQLite::Database database(path().string(), SQLite::OPEN_READWRITE);
    database.exec(sql);
  }
};

TEST_F(DevicesTest, are_listed_by_when_they_were_seen_last) {
  Database database(settings_);
  write(database,
        {.devices = {device("0015708E863F", started + 5, 1), device("0015708E8640", started + 60, 1)}});
  write(database, {.devices = {device("0015708E863F", started + 90, 2)}});
  EXPECT_EQ(ask("select * from devices"),
            "uid           type        version  device_group  address        sessions  first_seen           "
            "last_seen          \n"
            "------------  ----------  -------  ------------  -------------  --------  -------------------  "
            "-------------------\n"
            "0015708E863F  PDT9090_E5  9.1.107  default       10.10.225.150  3         2026-01-02 03:04:05  "
            "2026-01-02 03:05:30\n"
            "0015708E8640  PDT9090_E5  9.1.107  default       10.10.225.150  1         2026-01-02 03:05:00  "
            "2026-01-02 03:05:00\n");
  EXPECT_EQ(ask("select rows || 'x' || columns as screen, system, string from device_record limit 1"),
            "screen  system     string                                                          \n"
            "------  ---------  ----------------------------------------------------------------\n"
            "16x26   WindowsCE  AB~001~19~000~PDT9090_E5~16~26~09~01~0107~0000~000~0015708E863F~\n");
}

TEST_F(DevicesTest, a_clock_that_goes_back_makes_nobody_unseen) {
  Database database(settings_);
  write(database, {.devices = {device("A", started + 50)}});
  write(database, {.devices = {device("A", started + 5)}});
  EXPECT_EQ(Reader(path()).devices().at(0).row.seen, started + 50);
  EXPECT_EQ(check(path()).findings, std::vector<std::string>{});
}

TEST_F(DevicesTest, sessions_are_those_of_a_server_that_runs) {
  {
    Database database(settings_);
    write(database,
          {.sessions = {session(7, 5007, "active"), session(8, 0, "waiting"), session(9, 5008, "away")},
           .ended_sessions = {9}});
    EXPECT_EQ(ask("select * from device_sessions"),
              "number  uid           address        port  device_group  state    dtls  since                "
              "last_heard         \n"
              "------  ------------  -------------  ----  ------------  -------  ----  -------------------  "
              "-------------------\n"
              "7       0015708E863F  10.10.225.150  5007  default       active   yes   2026-01-02 03:04:10  "
              "2026-01-02 03:05:10\n"
              "8       0015708E863F  10.10.225.150        default       waiting  no    2026-01-02 03:04:10  "
              "2026-01-02 03:05:10\n");
    EXPECT_EQ(Reader(path()).device_sessions().size(), 2u);
    database.reopen();
    EXPECT_EQ(Reader(path()).device_sessions().size(), 2u) << "a recovery ends none";
    database.note_stop(started + 100);
    EXPECT_EQ(ask("select * from device_sessions"), "");
    EXPECT_TRUE(Reader(path()).device_sessions().empty());
  }
  const Database next(settings_);
  EXPECT_EQ(ask("select * from device_session_record"), "");
}

TEST_F(DevicesTest, alerts_are_the_newest_thousand) {
  Database database(settings_);
  DeviceRows many;
  for (std::size_t number = 1; number <= device_alerts_max; ++number)
    many.alerts.push_back(alert(started + 1, "alert " + std::to_string(number)));
  write(database, many);
  write(database,
        {.alerts = {alert(started + 90, "two devices say that they are this one", "0015708E863F")}});
  EXPECT_EQ(
      ask("select * from device_alerts limit 1"),
      "time                 code  address        uid           message                               \n"
      "-------------------  ----  -------------  ------------  --------------------------------------\n"
      "2026-01-02 03:05:30  E918  10.10.225.150  0015708E863F  two devices say that they are this one\n");
  const std::vector<DeviceAlertRow> alerts = Reader(path()).device_alerts();
  ASSERT_EQ(alerts.size(), device_alerts_max);
  EXPECT_EQ(alerts.front().uid, "0015708E863F");
  EXPECT_EQ(alerts.back().message, "alert 2");
}

TEST_F(DevicesTest, texts_stay_as_they_are_whatever_their_bytes) {
  const std::string odd = R"(a"b\c'd<e>&;%|)" + std::string("\n\t\xff\xc3(\xf0\x9f");
  Database database(settings_);
  DeviceRow row = device(odd, started + 1);
  row.type = row.version = row.system = row.device_group = odd;
  DeviceSessionRow going = session(1, 5000, "active");
  going.uid = going.device_group = odd;
  write(database, {.devices = {row}, .sessions = {going}, .alerts = {alert(started, odd, odd)}});
  Reader reader(path());
  const DeviceRow stored = reader.devices().at(0).row;
  for (const std::string& text :
       {stored.uid, stored.type, stored.version, stored.system, stored.device_group})
    EXPECT_EQ(text, odd);
  EXPECT_EQ(stored.text, row.text);
  EXPECT_EQ(reader.device_alerts().at(0).message, odd);
  SQLite::Database shell(path().string(), SQLite::OPEN_READONLY);
  for (const char* column :
       {"uid FROM devices", "type FROM devices", "version FROM devices", "device_group FROM devices",
        "uid FROM device_sessions", "device_group FROM device_sessions", "uid FROM device_alerts",
        "message FROM device_alerts"})
    EXPECT_EQ(shell.execAndGet(std::string("SELECT ") + column).getString(), odd) << column;
  EXPECT_EQ(check(path()).findings, std::vector<std::string>{});
}

TEST_F(DevicesTest, reading_gives_back_what_was_written) {
  Database database(settings_);
  write(database, {.devices = {device("A", started + 1, 2)}, .sessions = {session(7, 5007, "active")}});
  Reader reader(path());
  const DeviceRow row = reader.devices().at(0).row;
  EXPECT_EQ(row.system, "WindowsCE");
  EXPECT_EQ(row.rows, 16u);
  EXPECT_EQ(row.columns, 26u);
  EXPECT_EQ(row.address, address_of("10.10.225.150"));
  EXPECT_EQ(row.sessions, 2u);
  const DeviceSessionRow going = reader.device_sessions().at(0);
  EXPECT_EQ(going.number, 7u);
  EXPECT_EQ(going.port, 5007);
  EXPECT_EQ(going.client_port, 3771);
  EXPECT_EQ(going.state, "active");
  EXPECT_TRUE(going.dtls);
  EXPECT_EQ(going.began, started + 10);
  EXPECT_EQ(going.heard, started + 70);
}

TEST_F(DevicesTest, are_in_a_backup_and_their_sessions_end_with_its_restore) {
  const std::filesystem::path copy = directory_ / "copy.db";
  {
    Database database(settings_);
    write(database, {.devices = {device("A", started + 1)},
                     .sessions = {session(7, 5007, "active")},
                     .alerts = {alert(started, "of a device")}});
    back_up(path(), copy);
    write(database, {.devices = {device("B", started + 2)}});
  }
  restore(path(), copy, started + 500);
  Reader reader(path());
  ASSERT_EQ(reader.devices().size(), 1u);
  EXPECT_EQ(reader.devices().at(0).row.uid, "A");
  EXPECT_EQ(reader.device_alerts().size(), 1u);
  EXPECT_TRUE(reader.device_sessions().empty());
}

TEST_F(DevicesTest, a_check_finds_rows_that_no_server_writes) {
  {
    Database database(settings_);
    write(database, {.devices = {device("A\n", started + 1)}, .alerts = {alert(started, "of a device")}});
    database.note_stop(started + 10);
  }
  change("UPDATE device_record SET first_seen = 1767323042");
  EXPECT_EQ(check(path()).findings,
            std::vector<std::string>{
                "device_record, uid A\\n: first_seen 1767323042 is later than seen 1767323041"});
  change(
      "UPDATE device_record SET first_seen = 1; WITH RECURSIVE number (n) AS (SELECT 2 UNION ALL SELECT n + "
      "1 FROM "
      "number WHERE n < 1001) INSERT INTO device_alert_record SELECT n, 1, 918, 1, '', '' FROM number");
  EXPECT_EQ(check(path()).findings,
            std::vector<std::string>{
                "device_alert_record: there are 1001 rows; the most that a server keeps is 1000"});
}

// Both statements walk an index, so forgetting nobody costs nothing.
TEST_F(DevicesTest, forgetting_never_looks_at_all_devices) {
  const Database database(settings_);
  SQLite::Database shell(path().string(), SQLite::OPEN_READONLY);
  SQLite::Statement plan(shell, "EXPLAIN QUERY PLAN DELETE FROM device_record WHERE seen < 5");
  ASSERT_TRUE(plan.executeStep());
  EXPECT_NE(plan.getColumn(3).getString().find("USING INDEX device_by_seen"), std::string::npos)
      << plan.getColumn(3).getString();
}

}  // namespace

}  // namespace lekt::storage
