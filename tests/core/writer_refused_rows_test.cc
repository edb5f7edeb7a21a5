// A row that is for operators alone, and that somebody's trigger or constraint refuses, is left out: the changes of
// clients are stored and told all the same.
#include "tests/core/writer_support.h"

namespace lekt {
namespace {

using namespace std::chrono_literals;
using namespace test;

struct Refusing {
  const char* name;
  const char* table;   ///< and what happens to it
  const char* action;  ///< of RAISE
  const char* what;    ///< whose row it is said to be

  friend void PrintTo(const Refusing& refusing, std::ostream* out) { *out << refusing.table; }
};

class RefusedRowTest : public WriterTest, public testing::WithParamInterface<Refusing> {
 protected:
  void refuse(const std::string& table, const std::string& action) {
    operator_connection().exec("CREATE TRIGGER bad BEFORE " + table + " BEGIN SELECT RAISE(" + action +
                               ", 'not this one'); END");
  }
  void allow() { operator_connection().exec("DROP TRIGGER bad"); }
};

std::vector<Refusing> all_of_them() {
  std::vector<Refusing> all;
  for (const char* action : {"ABORT", "FAIL", "ROLLBACK"}) {
    all.push_back({"presence", "UPDATE OF heard ON client_record WHEN NEW.sequence = OLD.sequence", action,
                   "the presence of 10.0.0.6"});
    all.push_back({"history", "INSERT ON change_record", action, "the history of 10.0.0.7"});
    all.push_back({"pruning", "DELETE ON change_record", action, ""});
    all.push_back({"removals", "DELETE ON client_record", action, "removals that are forgotten"});
    all.push_back({"code", "INSERT ON code_record", action, "the count of E404"});
    all.push_back({"warning", "INSERT ON warning_record", action, "the warning E605"});
    all.push_back({"old_warnings", "DELETE ON warning_record", action, "warnings that are over"});
    all.push_back({"ban", "INSERT ON ban_record", action, "the ban of 10.9.0.0/16"});
    all.push_back({"device", "INSERT ON device_record", action, "the device 0015708E863F"});
    all.push_back({"old_devices", "DELETE ON device_record", action, "devices that are forgotten"});
    all.push_back({"device_session", "INSERT ON device_session_record", action,
                   "session 2 of the device 0015708E863F"});
    all.push_back(
        {"ended_session", "DELETE ON device_session_record", action, "the end of session 1 of a device"});
    all.push_back({"device_alert", "INSERT ON device_alert_record", action, "the alert E918 of 10.0.0.6"});
    all.push_back({"lifted_ban", "DELETE ON ban_record", action, "the lifted ban of 10.8.0.0/16"});
  }
  return all;
}

INSTANTIATE_TEST_SUITE_P(OfEachKind, RefusedRowTest, testing::ValuesIn(all_of_them()),
                         [](const auto& refusing) {
                           return std::string(refusing.param.name) + "_" + refusing.param.action;
                         });

TEST_P(RefusedRowTest, fails_no_change_and_is_told) {
  settings_.retention = 2s;
  start();
  join(1, "10.0.0.6");
  join(2, "10.0.0.5");
  writer_->side_rows().ban({parse_block("10.8.0.0/16").value(), started, ""});
  writer_->side_rows().show_warnings({{ErrorCode::wal_growing, started, "it grows"}});
  writer_->side_rows().tell_of_devices(
      {.devices = {{.uid = "old", .seen = started}}, .sessions = {{.number = 1}}});
  turn();
  leave(2, "10.0.0.5");
  turn();
  pass(20min);
  refuse(GetParam().table, GetParam().action);
  // One row of each kind, in one commit with a change.
  join(3, "10.0.0.7");
  writer_->heard(address("10.0.0.6"), now_.wall);
  writer_->side_rows().note_code(ErrorCode::address_denied, 3, now_);
  writer_->side_rows().ban({parse_block("10.9.0.0/16").value(), started, "floods"});
  writer_->side_rows().unban(parse_block("10.8.0.0/16").value());
  writer_->side_rows().show_warnings({{ErrorCode::mass_silence, started, "so many"}});
  writer_->side_rows().tell_of_devices(
      {.devices = {{.uid = "0015708E863F", .seen = now_.wall}},
       .sessions = {{.number = 2, .uid = "0015708E863F"}},
       .ended_sessions = {1},
       .alerts = {{now_.wall, ErrorCode::uid_in_use, address("10.0.0.6"), "", "two at once"}}});
  const Writer::Turn turn = this->turn();
  EXPECT_EQ(words(turn.completions), Lines{"3 joined"}) << turn.message;
  EXPECT_EQ(turn.trouble, StorageState::usable);
  EXPECT_EQ(stored(), told());
  EXPECT_EQ(stored().size(), 2u);
  EXPECT_TRUE(writer_->wishes_are_stored());
  const std::string what = GetParam().what;
  if (what.empty()) {
    EXPECT_TRUE(turn.refused_rows.empty());
  } else {
    ASSERT_EQ(turn.refused_rows.size(), 1u);
    EXPECT_EQ(turn.refused_rows[0].what + ": " + turn.refused_rows[0].why, what + ": not this one");
  }
  // All others are there.
  auto other = operator_connection();
  const auto ask = [&](const char* question) { return other.execAndGet(question).getInt64(); };
  const std::string name = GetParam().name;
  EXPECT_EQ(ask("SELECT count(*) FROM client_record WHERE address = 167772166 AND heard > since"),
            name != "presence");
  EXPECT_EQ(ask("SELECT count(*) FROM change_record WHERE address = 167772167"), name != "history");
  EXPECT_EQ(ask("SELECT count(*) FROM client_record WHERE present = 0"), name == "removals");
  EXPECT_EQ(ask("SELECT count(*) FROM code_record"), name != "code");
  // Whatever ends the transaction leaves out all of its kind.
  const bool ends = GetParam().action == std::string("ROLLBACK");
  const bool lacks_new = name == "warning" || (ends && name == "old_warnings");
  const bool keeps_old = name == "old_warnings" || (ends && name == "warning");
  EXPECT_EQ(ask("SELECT count(*) FROM warning_record WHERE code = 605"), !lacks_new);
  EXPECT_EQ(ask("SELECT count(*) FROM warning_record WHERE code = 603"), keeps_old);
  EXPECT_EQ(ask("SELECT count(*) FROM ban_record WHERE address = 168361984"), name != "ban");
  EXPECT_EQ(ask("SELECT count(*) FROM device_record WHERE uid = '0015708E863F'"),
            name != "device" && !(ends && name == "old_devices"));
  EXPECT_EQ(ask("SELECT count(*) FROM device_record WHERE uid = 'old'"),
            name == "old_devices" || (ends && name == "device"));
  EXPECT_EQ(ask("SELECT count(*) FROM device_session_record WHERE number = 2"),
            name != "device_session" && !(ends && name == "ended_session"));
  EXPECT_EQ(ask("SELECT count(*) FROM device_session_record WHERE number = 1"),
            name == "ended_session" || (ends && name == "device_session"));
  EXPECT_EQ(ask("SELECT count(*) FROM device_alert_record"), name != "device_alert");
  EXPECT_EQ(ask("SELECT count(*) FROM ban_record WHERE address = 168296448"), name == "lifted_ban");
  // And the database can be gone on with.
  allow();
  turns(3);
  start();
  turns(15);
  EXPECT_EQ(ask("SELECT count(*) FROM client_record WHERE present = 0"), 0);
  EXPECT_EQ(stored().size(), 2u);
}

TEST_F(WriterTest, a_ban_that_the_database_refuses_is_told_from_one_that_is_stored) {
  start();
  operator_connection().exec(
      "CREATE TRIGGER bad BEFORE INSERT ON ban_record WHEN NEW.address = 168361984 "
      "BEGIN SELECT RAISE(ROLLBACK, 'not this one'); END");
  const Block refused = parse_block("10.9.0.0/16").value();
  const Block taken = parse_block("10.8.0.0/16").value();
  writer_->side_rows().ban({refused, started, ""});
  writer_->side_rows().ban({taken, started, ""});
  turn();
  EXPECT_EQ(writer_->side_rows().refusal_of(refused), "not this one");
  EXPECT_FALSE(writer_->side_rows().refusal_of(taken));
  EXPECT_EQ(database_->bans().size(), 1u);
  operator_connection().exec("DROP TRIGGER bad");
  writer_->side_rows().ban({refused, started, ""});
  turn();
  EXPECT_FALSE(writer_->side_rows().refusal_of(refused));
  EXPECT_EQ(database_->bans().size(), 2u);
}

// A trigger whose table is gone fails each row that it is for, in other words.
TEST_F(WriterTest, a_trigger_that_cannot_run_refuses_its_rows_and_no_change) {
  start();
  join(1, "10.0.0.6");
  turn();
  operator_connection().exec(
      "CREATE TABLE audit (x); CREATE TRIGGER bad AFTER INSERT ON code_record BEGIN INSERT INTO audit VALUES "
      "(1); "
      "END; DROP TABLE audit");
  pass(20s);
  writer_->side_rows().note_code(ErrorCode::address_denied, 3, now_);
  join(2, "10.0.0.7");
  const Writer::Turn turn = this->turn();
  EXPECT_EQ(words(turn.completions), Lines{"2 joined"}) << turn.message;
  ASSERT_EQ(turn.refused_rows.size(), 1u);
  EXPECT_EQ(turn.refused_rows[0].what, "the count of E404");
}

TEST_F(WriterTest, many_rows_that_are_refused_take_one_commit_more_and_are_told_once) {
  settings_.limits.clients_max = 3000;
  start();
  for (SessionId session = 1; session <= 2000; ++session)
    writer_->join(session, Address::v4(0x0a000000 + static_cast<std::uint32_t>(session)), {}, now_);
  turn();
  operator_connection().exec(
      "CREATE TRIGGER bad BEFORE UPDATE ON client_record BEGIN SELECT RAISE(ROLLBACK, 'none'); END");
  pass(20s);
  for (std::uint32_t number = 1; number <= 2000; ++number)
    writer_->heard(Address::v4(0x0a000000 + number), now_.wall);
  const auto begun = std::chrono::steady_clock::now();
  const Writer::Turn turn = this->turn();
  EXPECT_LT(std::chrono::steady_clock::now() - begun, 5s);
  EXPECT_EQ(turn.trouble, StorageState::usable);
  EXPECT_EQ(turn.refused_rows.size(), 1u);
}

}  // namespace
}  // namespace lekt
