// What an operator sees in the sqlite3 shell, to the letter.
#include <algorithm>
#include <sstream>

#include "storage/tables.h"
#include "tests/storage/support.h"

namespace lekt::storage {

namespace {

class ViewsTest : public StorageTest {
 protected:
  ViewsTest() { catalogue_.add("2:chat:sized"); }

  static MethodInformation device(ByteView content) {
    return {device_index, MethodCatalogue::wrap({MethodForm::Kind::sized, 0}, content)};
  }

  std::string ask(const std::string& sql) const { return shell(path(), sql); }

  /// Three clients, one of which has left, another one with two methods and two sessions.
  void live_a_little(Database& database) {
    const Methods chat = {{tcp_index, tcp_information(7890)},
                          {2, MethodCatalogue::wrap({MethodForm::Kind::sized, 0}, "hello")}};
    commit(database, {added(1, started + 5, "10.0.0.20"), added(2, started + 6, "10.0.0.3")});
    commit(database,
           {added(3, started + 60, address_of("10.0.0.3"), chat), added(4, started + 61, "192.168.100.200")});
    commit(database, {removed(5, started + 120, "10.0.0.20", leave_reason(ErrorCode::heartbeat_timeout))});
    commit(database, {},
           {{address_of("10.0.0.3"), 2, started + 130}, {address_of("192.168.100.200"), 1, started + 131}});
  }
};

TEST_F(ViewsTest, clients_are_sorted_by_address) {
  Database database(settings_);
  live_a_little(database);
  EXPECT_EQ(ask("select * from clients"),
            "address          methods                   sessions  status     since                last_heard "
            "        \n"
            "---------------  ------------------------  --------  ---------  -------------------  "
            "-------------------\n"
            "10.0.0.3         tcp:7890 chat:68656c6c6f  2         connected  2026-01-02 03:04:06  2026-01-02 "
            "03:06:10\n"
            "192.168.100.200  tcp:7890                  1         connected  2026-01-02 03:05:01  2026-01-02 "
            "03:06:11\n");
}

TEST_F(ViewsTest, methods_tell_who_offers_what) {
  Database database(settings_);
  live_a_little(database);
  commit(database,
         {added(6, started + 200, address_of("10.0.0.1"), {}),
          added(7, started + 200, address_of("10.0.0.2"), {{9, Bytes("\0\0\0\1", 4)}}),
          added(8, started + 200, address_of("10.0.0.4"), {device("uid=1,group=a"), device("uid=\"','")})});
  EXPECT_EQ(ask("select * from methods"),
            "address          method  information  \n"
            "---------------  ------  -------------\n"
            "10.0.0.2         ?9      00000001     \n"
            "10.0.0.3         chat    68656c6c6f   \n"
            "10.0.0.4         device  uid=1,group=a\n"
            "10.0.0.4         device  uid=__,_     \n"
            "10.0.0.3         tcp     7890         \n"
            "192.168.100.200  tcp     7890         \n");
}

TEST_F(ViewsTest, clients_wait_after_a_restart_until_they_are_seen_again) {
  {
    Database database(settings_);
    live_a_little(database);
  }
  Database database(settings_);
  commit(database, {}, {{address_of("10.0.0.3"), 1, started + 200}});
  EXPECT_EQ(ask("select address, sessions, status from clients"),
            "address          sessions  status   \n"
            "---------------  --------  ---------\n"
            "10.0.0.3         1         connected\n"
            "192.168.100.200  0         waiting  \n");
}

TEST_F(ViewsTest, nobody_is_connected_to_a_stopped_server) {
  Database database(settings_);
  live_a_little(database);
  database.note_stop(started + 300);
  EXPECT_EQ(ask("select address, sessions, status from clients"),
            "address          sessions  status \n"
            "---------------  --------  -------\n"
            "10.0.0.3         0         waiting\n"
            "192.168.100.200  0         waiting\n");
}

TEST_F(ViewsTest, a_client_that_joined_is_connected_before_its_first_presence) {
  Database database(settings_);
  commit(database, {added(1, started + 5, "10.0.0.1")});
  EXPECT_EQ(ask("select sessions, status, last_heard from clients"),
            "sessions  status     last_heard         \n"
            "--------  ---------  -------------------\n"
            "1         connected  2026-01-02 03:04:05\n");
}

TEST_F(ViewsTest, changes_come_newest_first_and_tell_added_from_changed) {
  Database database(settings_);
  live_a_little(database);
  EXPECT_EQ(ask("select * from changes"),
            "sequence  time                 kind     address          methods                   reason\n"
            "--------  -------------------  -------  ---------------  ------------------------  ------\n"
            "5         2026-01-02 03:06:00  removed  10.0.0.20                                  E301  \n"
            "4         2026-01-02 03:05:01  added    192.168.100.200  tcp:7890                        \n"
            "3         2026-01-02 03:05:00  changed  10.0.0.3         tcp:7890 chat:68656c6c6f        \n"
            "2         2026-01-02 03:04:06  added    10.0.0.3         tcp:7890                        \n"
            "1         2026-01-02 03:04:05  added    10.0.0.20        tcp:7890                        \n");
}

TEST_F(ViewsTest, removed_tells_who_it_was_and_why) {
  Database database(settings_);
  live_a_little(database);
  EXPECT_EQ(ask("select * from removed"),
            "address    last_methods  since                removed_at           reason\n"
            "---------  ------------  -------------------  -------------------  ------\n"
            "10.0.0.20  tcp:7890      2026-01-02 03:04:05  2026-01-02 03:06:00  E301  \n");
}

TEST_F(ViewsTest, who_has_come_back_has_no_reason_to_be_gone) {
  Database database(settings_);
  live_a_little(database);
  commit(database, {added(6, started + 130, "10.0.0.20")});
  EXPECT_EQ(ask("select address, reason from client_record where reason <> ''"), "");
  EXPECT_EQ(ask("select kind, reason from changes where sequence >= 5"),
            "kind     reason\n-------  ------\nadded          \nremoved  E301  \n");
}

TEST_F(ViewsTest, every_reason_has_a_word_or_a_code) {
  Database database(settings_);
  commit(database, {removed(1, started + 1, "10.0.0.1", LeaveReason::closed),
                    removed(2, started + 1, "10.0.0.2", LeaveReason::lost),
                    removed(3, started + 1, "10.0.0.3", LeaveReason::not_back),
                    removed(4, started + 1, "10.0.0.4", leave_reason(ErrorCode::ended_by_operator)),
                    removed(5, started + 1, "10.0.0.5")});
  EXPECT_EQ(ask("select address, reason from removed"),
            "address   reason  \n--------  --------\n10.0.0.5          \n10.0.0.4  E409    \n"
            "10.0.0.3  not back\n10.0.0.2  lost    \n10.0.0.1  closed  \n");
}

TEST_F(ViewsTest, bans_tell_until_when_they_hold) {
  Database database(settings_);
  const std::vector<BanChange> bans = {
      {make_ban(parse_block("10.0.0.0/8").value(), "floods", started, std::nullopt)},
      {make_ban(Block(address_of("10.0.0.7")), "", started + 1, std::chrono::hours(1))}};
  Batch batch;
  batch.state = database.state();
  batch.bans = bans;
  database.commit(batch);
  EXPECT_EQ(ask("select * from bans"),
            "block       since                until                reason\n"
            "----------  -------------------  -------------------  ------\n"
            "10.0.0.7    2026-01-02 03:04:01  2026-01-02 04:04:01        \n"
            "10.0.0.0/8  2026-01-02 03:04:00                       floods\n");
}

TEST_F(ViewsTest, server_tells_its_state_in_one_row) {
  Database database(settings_);
  live_a_little(database);
  EXPECT_EQ(ask("select * from server"),
            "version  started              stopped             history_begins       newest_change  clients  "
            "connected  removed\n"
            "-------  -------------------  ------------------  -------------------  -------------  -------  "
            "---------  -------\n"
            "0.1.0    2026-01-02 03:04:00  running or crashed  2026-01-02 03:04:00  5              2        "
            "2          1      \n");
  database.note_stop(started + 300);
  EXPECT_EQ(ask("select stopped, connected from server"),
            "stopped              connected\n"
            "-------------------  ---------\n"
            "2026-01-02 03:09:00  0        \n");
}

TEST_F(ViewsTest, log_tells_which_one_it_is) {
  settings_.make_identity = [] { return LogIdentity{0xab, 0xcd}; };
  Database database(settings_);
  live_a_little(database);
  EXPECT_EQ(ask("select * from log"),
            "identity                          created              history_begins       newest_change\n"
            "--------------------------------  -------------------  -------------------  -------------\n"
            "abcd0000000000000000000000000000  2026-01-02 03:04:00  2026-01-02 03:04:00  5            \n");
}

TEST_F(ViewsTest, codes_add_up_and_the_latest_stands_first) {
  Database database(settings_);
  const std::vector<CodeCount> first = {{ErrorCode::address_denied, 3, started + 5},
                                        {ErrorCode::not_lekt, 1, started + 5}};
  const std::vector<CodeCount> second = {{ErrorCode::not_lekt, 2, started + 9}};
  Batch batch;
  batch.state = database.state();
  batch.codes = first;
  database.commit(batch);
  batch.codes = second;
  database.commit(batch);
  EXPECT_EQ(ask("select * from codes"),
            "code  count  last               \n"
            "----  -----  -------------------\n"
            "E102  3      2026-01-02 03:04:09\n"
            "E404  3      2026-01-02 03:04:05\n");
}

TEST_F(ViewsTest, warnings_are_those_that_hold_now_and_none_after_a_start) {
  const std::vector<Warning> some = {{ErrorCode::mass_silence, started + 5, "the network is suspected"}};
  const std::vector<Warning> none;
  {
    Database database(settings_);
    Batch batch;
    batch.state = database.state();
    batch.warnings = &some;
    database.commit(batch);
    EXPECT_EQ(ask("select * from warnings"),
              "code  since                message                 \n"
              "----  -------------------  ------------------------\n"
              "E605  2026-01-02 03:04:05  the network is suspected\n");
    batch.warnings = &none;
    database.commit(batch);
    EXPECT_EQ(ask("select * from warnings"), "");
    batch.warnings = &some;
    database.commit(batch);
    batch.warnings = nullptr;
    database.commit(batch);
    EXPECT_NE(ask("select * from warnings"), "") << "null means: as before";
  }
  const Database next(settings_);
  EXPECT_EQ(ask("select * from warnings"), "");
}

TEST_F(ViewsTest, a_start_takes_back_the_note_of_the_stop) {
  {
    Database database(settings_);
    database.note_stop(started + 300);
  }
  settings_.started = started + 400;
  settings_.program_version = "0.2.0";
  const Database database(settings_);
  EXPECT_EQ(ask("select version, started, stopped from server"),
            "version  started              stopped           \n"
            "-------  -------------------  ------------------\n"
            "0.2.0    2026-01-02 03:10:40  running or crashed\n");
}

TEST_F(ViewsTest, long_methods_are_cut_so_that_every_line_fits_a_terminal) {
  Database database(settings_);
  const Methods methods = {{2, MethodCatalogue::wrap({MethodForm::Kind::sized, 0}, Bytes(4096, 'x'))}};
  commit(database, {added(1, started + 5, address_of("192.168.100.200"), methods),
                    added(2, started + 5, address_of("192.168.100.201"), methods)});
  commit(database, {removed(3, started + 6, "192.168.100.201")});
  for (const char* view : {"clients", "methods", "changes", "removed", "server"}) {
    std::istringstream lines(ask(std::string("select * from ") + view));
    for (std::string line; std::getline(lines, line);) EXPECT_LE(line.size(), 120u) << view << "\n" << line;
  }
  EXPECT_EQ(ask("select methods from clients"),
            "methods                                 \n"
            "----------------------------------------\n"
            "chat:78787878787878787878787878787878...\n");
  EXPECT_EQ(ask("select max(length(methods)) as longest from client_record"), "longest\n-------\n500    \n");
}

TEST_F(ViewsTest, the_schema_explains_its_columns) {
  const Database database(settings_);
  EXPECT_NE(ask(".schema client_record").find("-- second in which it became present"), std::string::npos);
}

}  // namespace

}  // namespace lekt::storage
