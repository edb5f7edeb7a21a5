// Operators who hold the database for long: a compaction lets others steer, a writer makes joins fail with a code
// and nothing else, and a reader lets the write-ahead log grow, which is said, and made good when he goes.
//
// CI holds them for seconds; a minute, and an hour of churn in fast motion:
//     LEKT_FAULTS_LONG=1 fault_test --gtest_filter='OperatorsFault*'
#include <algorithm>
#include <chrono>
#include <deque>
#include <iostream>
#include <optional>
#include <string>
#include <thread>

#include "tests/fault/fault_support.h"
#include "tests/fault/machine.h"
#include "tests/fault/strace.h"
#include "tests/integration/sqlite.h"
#include "tests/support/paths.h"

namespace lekt::test {

namespace {

using namespace std::chrono_literals;
using testing::IsSubstring;
using Clock = std::chrono::steady_clock;
namespace fs = std::filesystem;

class OperatorsFaultTest : public FaultTest {
 protected:
  std::uintmax_t log_bytes() const { return fs::file_size(database().string() + "-wal"); }
};

std::chrono::milliseconds since(Clock::time_point begin) {
  return std::chrono::duration_cast<std::chrono::milliseconds>(Clock::now() - begin);
}

}  // namespace

TEST_F(OperatorsFaultTest, a_writer_for_a_minute_makes_joins_fail_in_time_and_nothing_else) {
  const auto held = long_form() ? 60'000ms : 4000ms;
  const auto join_wait = slowed(1s);
  start(Flags{"--handshake-timeout", duration_flag(2s)});
  RawClient observer = joined(daemon().port(), "127.0.0.2");
  std::optional<RawClient> leaving(joined(daemon().port(), "127.0.0.3"));
  expect_holds_the_list(observer);
  const std::vector<std::string> before = observer.peers();
  Operator writer(database(), Operator::Access::read_write);
  writer.ask("BEGIN IMMEDIATE");
  leaving.reset();
  int refused = 0;
  std::chrono::milliseconds slowest_beat{0};
  for (const Deadline end(held); !end.over(); ++refused) {
    RawClient joining(daemon().port(), "127.0.0.4");
    const auto begin = Clock::now();
    joining.send(setup_bytes(tcp(7890)));
    joining.expect<AcceptPacket>();
    joining.expect<RequestPacket>();
    while (!joining.receives_within(20ms)) {
      const auto asked = Clock::now();
      observer.beat();
      slowest_beat = std::max(slowest_beat, since(asked));
    }
    EXPECT_PRED_FORMAT2(IsSubstring, "E403 another program has held", joining.expect_reject());
    EXPECT_LE(since(begin), join_wait + slowed(1s));
  }
  EXPECT_EQ(observer.peers(), before);
  std::cout << refused << " joins refused; slowest heartbeat " << slowest_beat.count() << " ms\n";
  EXPECT_LE(slowest_beat, slowed(500ms));
  writer.ask("ROLLBACK");
  expect_joins_again("127.0.0.4", observer);
  EXPECT_TRUE(eventually([&] { return observer.beat(), !observer.view().peers().contains(ip("127.0.0.3")); },
                         patience()));
  expect_holds_the_list(observer);
  EXPECT_EQ(count(daemon().log(), "event=storage_trouble"), 1u);
  EXPECT_EQ(count(daemon().log(), "event=storage_recovered"), 1u);
}

// All that a change can write: the pages of its row, of the list of changes and of their indexes.
TEST_F(OperatorsFaultTest, a_reader_during_churn_lets_the_log_grow_with_a_warning_until_he_goes) {
  constexpr std::uintmax_t log_bytes_worrying = 64 * 1024 * 1024;
  constexpr std::uintmax_t log_bytes_kept = 2 * 4 * 1024 * 1024;  // storage/connection.cc, overdue_factor
  constexpr std::uintmax_t change_bytes_max = 40 * 1024;
  constexpr std::size_t at_once = 50;
  const std::size_t changes_min = long_form() ? 100'000 : 5000;
  Flags flags = catalogue_flags();
  flags.insert(flags.end(), {"--max-connection-rate-per-address", "100000"});
  start(flags);
  RawClient observer = joined(daemon().port(), "127.0.0.2");
  const Bytes setup = setup_bytes(chat(Bytes(4000, 'x')));
  std::size_t changes = 0;
  const auto churn = [&] {
    std::deque<RawClient> clients;
    for (std::size_t number = 0; number < at_once; ++number) {
      // Each comes once: the changes of one address have a rate.
      clients.emplace_back(daemon().port(), address_number(changes / 2 + number));
      clients.back().send(setup);
    }
    for (RawClient& client : clients) client.expect<AcceptPacket>();
    for (RawClient& client : clients)
      while (client.expect<RequestPacket>().index != 0) {
      }
    changes += 2 * at_once;  // they leave at the end of this scope
    observer.beat();
  };
  {
    Operator reader(database());
    reader.ask("BEGIN");
    ASSERT_EQ(reader.ask("SELECT address FROM clients").size(), 1u);
    while (changes < changes_min || log_bytes() < log_bytes_worrying + at_once * change_bytes_max) {
      churn();
      ASSERT_LT(changes, 10 * changes_min);
    }
    EXPECT_EQ(reader.ask("SELECT address FROM clients").size(), 1u) << "still the old state";
    std::cout << changes << " changes, " << log_bytes() / changes << " bytes of the log each\n";
    EXPECT_LE(log_bytes() / changes, change_bytes_max);
    EXPECT_TRUE(daemon().logs("E603 the write-ahead log has grown to 64 MiB"));
  }
  // The next commits copy it back, start it over and cut it.
  ASSERT_TRUE(eventually(
      [&] {
        churn();
        return log_bytes() <= log_bytes_kept;
      },
      patience()));
  expect_holds_the_list(observer);
  EXPECT_EQ(observer.peers().size(), 1u);
  EXPECT_EQ(Operator(database()).ask_one("PRAGMA quick_check"), "ok");
  // One line each time the log has doubled, and not one a commit.
  EXPECT_LE(count(daemon().log(), "event=wal_growing"), 8u);
}

TEST_F(OperatorsFaultTest, a_kick_and_a_ban_during_a_compaction_say_what_was_done) {
  const std::string reason = cannot_trace();
  if (!reason.empty()) GTEST_SKIP() << reason;
  start();
  const auto lektctl = [&](Flags given) {
    given.insert(given.begin(), {"--database", database().string()});
    return given;
  };
  RawClient kicked = joined(daemon().port(), "127.0.0.2");
  RawClient banned = joined(daemon().port(), "127.0.0.3");
  std::optional<Strace> strace;
  strace.emplace(daemon().id(), Injection{{"fdatasync"}, {}, "fdatasync:delay_enter=12000000"},
                 directory_.path());
  Process compaction(program_file("lektctl"), lektctl({"compact"}), directory_.path());
  std::this_thread::sleep_for(1s);
  const auto begun = Clock::now();
  const Outcome kick = run(program_file("lektctl"), lektctl({"kick", "127.0.0.2"}));
  EXPECT_EQ(kick.output, "kicked 127.0.0.2; 1 session ended\n") << kick.errors;
  EXPECT_LE(since(begun), slowed(2s));
  EXPECT_PRED_FORMAT2(IsSubstring, "E409", kicked.expect_reject());
  const Outcome ban = run(program_file("lektctl"), lektctl({"ban", "127.0.0.3"}));
  EXPECT_EQ(ban.status, 1);
  EXPECT_PRED_FORMAT2(
      IsSubstring,
      "E802 the ban holds, but is not stored yet: the database is being compacted; it is stored as "
      "soon as that is over, unless the server ends before; 1 session ended",
      ban.errors);
  EXPECT_PRED_FORMAT2(IsSubstring, "E408", banned.expect_reject());
  strace.reset();
  EXPECT_TRUE(
      eventually([&] { return Operator(database()).ask_one("SELECT block FROM bans") == "127.0.0.3"; },
                 60s + patience()));
}

}  // namespace lekt::test
