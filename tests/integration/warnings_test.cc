// What is wrong in the database or with its readers is warned of: in the log, in the database, and only while it is so.
#include <chrono>
#include <deque>
#include <string>
#include <thread>
#include <vector>

#include "tests/integration/daemon.h"
#include "tests/integration/raw_client.h"
#include "tests/integration/sqlite.h"

namespace lekt::test {

namespace {

using testing::IsSubstring;

class WarningsTest : public DaemonTest {
 protected:
  Daemon& start_with(const Flags& flags) {
    Flags all = catalogue_flags();
    all.insert(all.end(), flags.begin(), flags.end());
    return start(all);
  }

  bool warns(const std::string& code, bool does = true) {
    return eventually(
        [&] {
          const std::string rows =
              Operator(database()).ask_one("SELECT count(*) FROM warnings WHERE code = '" + code + "'");
          return rows == (does ? "1" : "0");
        },
        2 * patience());
  }

  void change(const std::string& sql) { Operator(database(), Operator::Access::read_write).ask(sql); }
};

}  // namespace

TEST_F(WarningsTest, tell_that_the_log_is_ahead_of_the_clock) {
  joined(start().port(), "127.0.0.2").beat();
  daemon().stop(SIGTERM);
  change("UPDATE server_record SET second = second + 240");
  start();
  joined(daemon().port(), "127.0.0.2").beat();
  EXPECT_EQ(count(daemon().log(), "event=clock_behind"), 0u) << "some minutes are nothing";
  daemon().stop(SIGTERM);
  change("UPDATE server_record SET second = second + 86400");
  start();
  EXPECT_TRUE(warns("E613"));
  EXPECT_TRUE(daemon().logs("event=clock_behind message=\"E613 times in the database are 86"));
}

TEST_F(WarningsTest, tell_of_records_that_no_longer_fit_a_packet_until_there_are_none) {
  start_with({"--method", "4:note:sized", "--method", "5:letter:sized"});
  Methods methods = chat(Bytes(4000, 'x'));
  for (const std::uint32_t index : {4u, 5u}) methods.push_back({index, methods.front().information});
  RawClient large = joined(daemon().port(), "127.0.0.3", methods);
  daemon().stop(SIGTERM);
  start_with({"--method", "4:note:sized", "--method", "5:letter:sized", "--max-packet-bytes", "8192"});
  EXPECT_TRUE(warns("E612"));
  EXPECT_TRUE(daemon().logs("event=records_oversize message=\"E612 1 stored clients do not fit"));
  RawClient smaller = joined(daemon().port(), "127.0.0.3");
  EXPECT_EQ(smaller.beat(0).added.size(), 1u);
  EXPECT_TRUE(warns("E612", false));
}

TEST_F(WarningsTest, tell_of_a_change_that_the_database_refuses_and_others_join) {
  start();
  change(
      "CREATE TRIGGER bad BEFORE INSERT ON client_record WHEN NEW.address = 2130706439 "
      "BEGIN SELECT RAISE(ABORT, 'not this one'); END");
  EXPECT_PRED_FORMAT2(IsSubstring, "E403 the server's database does not take a record of this address",
                      try_to_join("127.0.0.7"));
  const RawClient neighbour = joined(daemon().port(), "127.0.0.8");
  EXPECT_TRUE(daemon().logs("event=change_refused"));
  EXPECT_PRED_FORMAT2(IsSubstring, "E614 the database does not take a change of 127.0.0.7: not this one",
                      daemon().log());
  EXPECT_TRUE(warns("E614"));
  EXPECT_EQ(listed(database()), std::vector<std::string>{"127.0.0.8"});
}

TEST_F(WarningsTest, tell_once_of_rows_for_operators_that_the_database_refuses_and_everybody_joins) {
  start();
  change("CREATE TRIGGER bad BEFORE INSERT ON code_record BEGIN SELECT RAISE(ABORT, 'no codes'); END");
  for (int time = 0; time < 2; ++time) {
    RawClient stranger(daemon().port(), "127.0.0.7");
    stranger.send(Bytes(64, 'x'));
    stranger.expect_reject();
    EXPECT_TRUE(warns("E621"));
  }
  EXPECT_TRUE(
      daemon().logs("event=row_refused message=\"E621 the database does not take a row for operators, the "
                    "count of E102: no codes"));
  RawClient client = joined(daemon().port(), "127.0.0.8");
  // Rows for operators are written every 5 s, also under a sanitizer.
  std::this_thread::sleep_for(std::chrono::seconds(5) + slowed(std::chrono::seconds(1)));
  client.beat();
  EXPECT_EQ(listed(database()), std::vector<std::string>{"127.0.0.8"});
  EXPECT_EQ(count(daemon().log(), "event=row_refused"), 1u);
  EXPECT_EQ(count(daemon().log(), "event=storage_trouble"), 0u);
}

TEST_F(WarningsTest, tell_of_lists_that_are_not_read_to_the_end_long_before_anybody_is_let_go) {
  start_with({"--max-output-bytes", "4000000"});
  std::deque<RawClient> silent;
  std::deque<RawClient> others;
  // Lists of 410 KB, each of which somebody has begun to read, and then nobody has any more.
  for (const char content : {'a', 'b', 'c', 'd'}) {
    others.clear();
    for (std::size_t number = 0; number < 100; ++number)
      others.push_back(joined(daemon().port(), address_number(number), chat(Bytes(4096, content))));
    silent.emplace_back(daemon().port(), "127.0.0.2", RawClient::Settings{.receive_buffer = 4096});
    silent.back().join({});
    silent.back().send(heartbeat_bytes(0) + heartbeat_bytes(0));
    ASSERT_TRUE(silent.back().receives_within(patience()));
  }
  EXPECT_TRUE(warns("E609"));
  EXPECT_TRUE(daemon().logs("event=answers_unread message=\"E609 clients do not read to the end"));
  EXPECT_EQ(count(daemon().log(), "of an answer wait to be read"), 0u);
  silent.clear();
  EXPECT_TRUE(warns("E609", false));
}

}  // namespace lekt::test
