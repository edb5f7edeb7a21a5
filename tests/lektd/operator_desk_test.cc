// What the desk promises of a ban: it is stored before a session is told of it, and holds from the first moment.
//
// A worker and a writer that the test drives stand behind the desk; the operator waits in a thread.
#include <future>

#include "lektd/operator_desk.h"
#include "server/net/worker.h"
#include "tests/core/writer_support.h"

namespace lekt {
namespace {

using namespace std::chrono_literals;
using namespace test;

const Block banned_block = Block::v4(address("10.0.0.0"), 24).value();

class OperatorDeskTest : public WriterTest {
 protected:
  OperatorDeskTest() {
    start();
    doors_.published.publish(writer_->view());
    worker_.emplace(0, 1, WorkerSettings(), Worker::Shared{rules_, doors_, seen_});
    fronts_.push_back(&*worker_);
  }

  OperatorDesk make_desk(std::vector<storage::Ban> bans = {}) {
    return OperatorDesk({doors_, seen_, watchdog_, fronts_}, path(), database_->identity(), std::move(bans));
  }

  /// What the writer's thread does with the tasks that have come; false when none comes within a second.
  bool take_tasks() {
    std::vector<Command> commands;
    doors_.inbox.take(commands, 1s);
    for (const Command& command : commands)
      if (const auto* task = std::get_if<TaskCommand>(&command)) {
        task->run(*writer_, now_);
        if (task->stored) waiting_.push_back(task->stored);
      }
    return !commands.empty();
  }
  void commit() {
    turn();
    EXPECT_TRUE(writer_->wishes_are_stored());
    for (const auto& stored : std::exchange(waiting_, {})) stored(*writer_);
  }
  bool is_refused(std::string_view dotted) const {
    return doors_.admission.judge_ban(address(dotted)).has_value();
  }
  template <class Answer>
  Answer answer_of(std::future<Answer> asked) {
    for (int round = 0; round < 500 && asked.wait_for(10ms) != std::future_status::ready; ++round)
      worker_->turn(std::chrono::steady_clock::now());
    return asked.get();
  }
  template <class Answer>
  void turn_worker_for(const std::future<Answer>& asked) {
    while (asked.wait_for(10ms) != std::future_status::ready) worker_->turn(std::chrono::steady_clock::now());
  }
  /// What is thrown instead of an answer.
  template <class Answer>
  static std::string failure_of(std::future<Answer>& asked) {
    try {
      asked.get();
      return "an answer";
    } catch (const CodedError& error) {
      return error.what();
    }
  }
  std::size_t stored_bans() const { return database_->bans().size(); }

  MethodCatalogue desk_catalogue_;
  SessionRules rules_{desk_catalogue_};
  Inbox inbox_;
  Seen seen_{".", 0};
  Doors doors_{ChangeLog(limits::packet_bytes_default).publish({}, 0),
               {},
               {.connections_max = 9, .connections = Rate(9, 9), .connections_per_address = Rate(9, 9)},
               {},
               seen_.codes};
  Watchdog watchdog_{std::chrono::steady_clock::now()};
  std::optional<Worker> worker_;
  Fronts fronts_;
  std::vector<std::function<void(Writer&)>> waiting_;
};

TEST_F(OperatorDeskTest, a_ban_waits_until_it_is_stored_and_holds_meanwhile) {
  OperatorDesk desk = make_desk();
  auto asked = std::async(std::launch::async, [&] { return desk.ban(banned_block, "floods", 1h); });
  // It comes to the writer before the worker, which is busy, has been asked for anything.
  ASSERT_TRUE(take_tasks());
  EXPECT_TRUE(is_refused("10.0.0.7"));
  // A worker that would answer does not help: nothing is stored yet.
  for (int round = 0; round < 5; ++round) worker_->turn(std::chrono::steady_clock::now());
  EXPECT_NE(asked.wait_for(20ms), std::future_status::ready) << "it says that it is stored, and it is not";
  commit();
  EXPECT_EQ(stored_bans(), 1u);
  EXPECT_TRUE(answer_of(std::move(asked)).is_new);
  EXPECT_EQ(database_->bans().front().until, database_->bans().front().second + 3600);
}

TEST_F(OperatorDeskTest, a_ban_is_lifted_when_that_is_stored) {
  writer_->side_rows().ban({banned_block, started, "floods"});
  turn();
  OperatorDesk desk = make_desk(database_->bans());
  EXPECT_TRUE(is_refused("10.0.0.7"));
  auto asked = std::async(std::launch::async, [&] { return desk.unban(banned_block); });
  ASSERT_TRUE(take_tasks());
  EXPECT_FALSE(is_refused("10.0.0.7"));
  EXPECT_NE(asked.wait_for(20ms), std::future_status::ready) << "it would come back with a restart";
  commit();
  EXPECT_TRUE(answer_of(std::move(asked)));
  EXPECT_EQ(stored_bans(), 0u);
}

TEST_F(OperatorDeskTest, more_bans_than_there_may_be_are_refused) {
  std::vector<storage::Ban> bans;
  for (std::uint32_t number = 0; number < storage::bans_max; ++number)
    bans.push_back({Block(Address::v4(0xc0000000 + number)), started, ""});
  OperatorDesk desk = make_desk(bans);
  auto asked = std::async(std::launch::async, [&] { return desk.ban(banned_block, "one more", {}); });
  EXPECT_PRED_FORMAT2(testing::IsSubstring, "E802 there are 10000 bans", failure_of(asked));
  EXPECT_FALSE(is_refused("10.0.0.7"));
}

TEST_F(OperatorDeskTest, a_ban_that_cannot_be_stored_holds_and_says_so) {
  OperatorDesk desk = make_desk();
  auto asked = std::async(std::launch::async, [&] { return desk.ban(banned_block, "", {}); });
  ASSERT_TRUE(take_tasks());
  // Sessions are ended all the same; the worker answers as soon as it is asked.
  turn_worker_for(asked);
  EXPECT_PRED_FORMAT2(testing::IsSubstring, "E802 the ban holds, but is not stored yet", failure_of(asked));
  EXPECT_TRUE(is_refused("10.0.0.7"));
  commit();
  EXPECT_EQ(stored_bans(), 1u) << "it is stored as soon as that works";
}

TEST_F(OperatorDeskTest, a_ban_that_is_stored_says_so_also_when_a_worker_does_not_answer) {
  OperatorDesk desk = make_desk();
  auto asked = std::async(std::launch::async, [&] { return desk.ban(banned_block, "", {}); });
  ASSERT_TRUE(take_tasks());
  commit();
  EXPECT_PRED_FORMAT2(testing::IsSubstring,
                      "E802 the ban is stored and holds; 0 sessions ended; a worker did not answer",
                      failure_of(asked));
  EXPECT_TRUE(is_refused("10.0.0.7"));
}

TEST_F(OperatorDeskTest, a_ban_that_the_database_refuses_holds_and_says_until_when) {
  operator_connection().exec(
      "CREATE TRIGGER bad BEFORE INSERT ON ban_record BEGIN SELECT RAISE(ABORT, 'no bans here'); END");
  OperatorDesk desk = make_desk();
  auto asked = std::async(std::launch::async, [&] { return desk.ban(banned_block, "", {}); });
  ASSERT_TRUE(take_tasks());
  commit();
  turn_worker_for(asked);
  EXPECT_EQ(failure_of(asked),
            "E621 the ban holds until the server ends, since its database does not take it: no bans here; 0 "
            "sessions "
            "ended");
  EXPECT_TRUE(is_refused("10.0.0.7"));
}

TEST_F(OperatorDeskTest, a_ban_ends_the_waiting_for_clients_that_cannot_come_back) {
  join(1, "10.0.0.7");
  join(2, "10.0.1.7");
  turn();
  start();
  OperatorDesk desk = make_desk();
  auto asked = std::async(std::launch::async, [&] { return desk.ban(banned_block, "", {}); });
  ASSERT_TRUE(take_tasks());
  commit();
  answer_of(std::move(asked));
  EXPECT_EQ(told(), (List{{"10.0.1.7", "tcp:7890"}}));
}

TEST_F(OperatorDeskTest, a_kick_says_that_nobody_is_waited_for_when_that_is_stored) {
  join(1, "10.0.0.7");
  turn();
  start();
  seen_.writer.grace_milliseconds_left = 1000;
  OperatorDesk desk = make_desk();
  auto asked = std::async(std::launch::async, [&] { return desk.kick(address("10.0.0.7")); });
  for (int round = 0; round < 100 && waiting_.empty(); ++round) {
    worker_->turn(std::chrono::steady_clock::now());
    take_tasks();
  }
  EXPECT_NE(asked.wait_for(20ms), std::future_status::ready);
  commit();
  EXPECT_TRUE(answer_of(std::move(asked)).was_waiting);
  EXPECT_EQ(stored(), List{});
}

// The writer takes nothing meanwhile.
TEST_F(OperatorDeskTest, a_kick_during_a_compaction_needs_nothing_of_it_when_nobody_is_waited_for) {
  OperatorDesk desk = make_desk();
  const LongStep compaction(doors_.writer_turns);
  const auto begun = std::chrono::steady_clock::now();
  auto asked = std::async(std::launch::async, [&] { return desk.kick(address("10.0.0.7")); });
  EXPECT_FALSE(answer_of(std::move(asked)).was_waiting);
  EXPECT_LT(std::chrono::steady_clock::now() - begun, 4s);
}

TEST_F(OperatorDeskTest, a_kick_during_a_compaction_says_what_was_done_and_what_is_still_to_come) {
  seen_.writer.grace_milliseconds_left = 60'000;
  OperatorDesk desk = make_desk();
  const LongStep compaction(doors_.writer_turns);
  auto asked = std::async(std::launch::async, [&] { return desk.kick(address("10.0.0.7")); });
  turn_worker_for(asked);
  EXPECT_EQ(failure_of(asked),
            "E802 0 sessions ended; if it is waited for since the restart, that ends as soon as the writer "
            "can: the "
            "database is being compacted");
}

TEST_F(OperatorDeskTest, a_kick_that_a_worker_does_not_answer_ends_the_waiting_all_the_same) {
  join(1, "10.0.0.7");
  turn();
  start();
  seen_.writer.grace_milliseconds_left = 60'000;
  OperatorDesk desk = make_desk();
  auto asked = std::async(std::launch::async, [&] { return desk.kick(address("10.0.0.7")); });
  for (int round = 0; round < 10 && waiting_.empty(); ++round) take_tasks();
  commit();
  EXPECT_EQ(
      failure_of(asked),
      "E802 0 sessions ended; a worker did not answer within 5 s, and ends its sessions as soon as it can");
  EXPECT_EQ(stored(), List{});
}

TEST_F(OperatorDeskTest, a_ban_during_a_compaction_ends_sessions_at_once_and_is_stored_afterwards) {
  OperatorDesk desk = make_desk();
  {
    const LongStep compaction(doors_.writer_turns);
    auto asked = std::async(std::launch::async, [&] { return desk.ban(banned_block, "", {}); });
    turn_worker_for(asked);
    EXPECT_EQ(
        failure_of(asked),
        "E802 the ban holds, but is not stored yet: the database is being compacted; it is stored as soon as "
        "that is over, unless the server ends before; 0 sessions ended");
    auto lifted =
        std::async(std::launch::async, [&] { return desk.unban(parse_block("10.0.1.0/24").value()); });
    EXPECT_FALSE(lifted.get()) << "what is not there is refused before anything is done";
  }
  take_tasks();
  commit();
  EXPECT_EQ(stored_bans(), 1u);
  const LongStep compaction(doors_.writer_turns);
  auto lifted = std::async(std::launch::async, [&] { return desk.unban(banned_block); });
  EXPECT_PRED_FORMAT2(testing::IsSubstring,
                      "E802 the ban is lifted, but that is not stored yet: the database is being compacted",
                      failure_of(lifted));
}

TEST_F(OperatorDeskTest, a_server_whose_threads_all_turn_is_healthy) {
  OperatorDesk desk = make_desk();
  watchdog_.watch("writer", doors_.writer_turns);
  const Health health = answer_of(std::async(std::launch::async, [&] { return desk.health(); }));
  EXPECT_EQ(health.threads, 1u);
  EXPECT_FALSE(health.hangs);
  EXPECT_FALSE(health.not_ready);
}

TEST_F(OperatorDeskTest, a_worker_that_does_not_answer_makes_the_server_ill) {
  OperatorDesk desk = make_desk();
  const auto begun = std::chrono::steady_clock::now();
  const Health health = desk.health();
  ASSERT_TRUE(health.hangs);
  EXPECT_EQ(health.hangs->text(), "E620 the thread \"worker 0\" has made no progress for 1 s");
  EXPECT_LT(std::chrono::steady_clock::now() - begun, 2s) << "whoever asks does not hang with it";
}

TEST_F(OperatorDeskTest, a_writer_that_hangs_makes_the_server_ill_and_whoever_asks_is_told_at_once) {
  OperatorDesk desk = make_desk();
  watchdog_.watch("writer", doors_.writer_turns);
  auto now = std::chrono::steady_clock::now();
  for (int second = 0; second < 31; ++second) watchdog_.look(now += 1s);
  const Health health = answer_of(std::async(std::launch::async, [&] { return desk.health(); }));
  ASSERT_TRUE(health.hangs);
  EXPECT_EQ(health.hangs->text(), "E620 the thread \"writer\" has made no progress for 31 s");
}

TEST_F(OperatorDeskTest, a_main_thread_that_looks_at_nothing_any_more_makes_the_server_ill) {
  Watchdog long_ago(std::chrono::steady_clock::now() - 40s);
  OperatorDesk desk({doors_, seen_, long_ago, fronts_}, path(), {}, {});
  const Health health = answer_of(std::async(std::launch::async, [&] { return desk.health(); }));
  ASSERT_TRUE(health.hangs);
  EXPECT_PRED_FORMAT2(testing::IsSubstring, "E620 the thread \"main\" has made no progress for 4",
                      health.hangs->text());
  EXPECT_EQ(desk.totals().warnings, std::vector{ErrorCode::thread_hangs});
}

TEST_F(OperatorDeskTest, a_pause_of_the_process_does_not_make_it_ill) {
  Watchdog paused(std::chrono::steady_clock::now() - 40s);
  OperatorDesk desk({doors_, seen_, paused, fronts_}, path(), {}, {});
  auto asked = std::async(std::launch::async, [&] { return desk.health(); });
  std::this_thread::sleep_for(100ms);
  paused.look(std::chrono::steady_clock::now());
  EXPECT_FALSE(answer_of(std::move(asked)).hangs);
}

TEST_F(OperatorDeskTest, a_ban_that_is_over_does_not_hold_and_is_taken_out_of_the_database) {
  const std::vector<storage::Ban> bans = {
      {banned_block, started, "over", started + 60},
      {parse_block("10.0.1.0/24").value(), started, "holds", wall_second_max}};
  for (const storage::Ban& ban : bans) writer_->side_rows().ban(ban);
  turn();
  OperatorDesk desk = make_desk(bans);
  EXPECT_FALSE(is_refused("10.0.0.7"));
  EXPECT_TRUE(is_refused("10.0.1.7"));
  EXPECT_EQ(stored_bans(), 2u);
  desk.sample();
  ASSERT_TRUE(take_tasks());
  commit();
  EXPECT_EQ(stored_bans(), 1u);
  EXPECT_TRUE(is_refused("10.0.1.7"));
}

}  // namespace
}  // namespace lekt
