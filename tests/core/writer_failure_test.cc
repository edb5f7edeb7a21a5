// The writer in trouble: the database is held by somebody else, or the disk refuses.
#include "tests/core/writer_support.h"

namespace lekt {
namespace {

using namespace std::chrono_literals;
using namespace test;

// ---- Another program holds the write lock ----

TEST_F(WriterTest, a_join_waits_for_the_lock_and_is_completed_when_it_is_free) {
  start();
  {
    const WriteLock lock(path());
    join(1, "10.0.0.7");
    const Writer::Turn turn = this->turn();
    EXPECT_EQ(turn.trouble, StorageState::busy);
    EXPECT_EQ(turn.message.substr(0, 5), "E602 ");
    EXPECT_EQ(words(turn.completions), Lines{});
    EXPECT_FALSE(turn.published);
    EXPECT_EQ(told(), List{}) << "nothing is published that is not stored";
    EXPECT_LE(writer_->wake_at(), now_.awake) << "and it is tried again";
    pass(1s);
    EXPECT_EQ(this->turn().message, "") << "said once";
  }
  const Writer::Turn turn = this->turn();
  EXPECT_EQ(turn.trouble, StorageState::usable);
  EXPECT_EQ(turn.message, "the database can be written again");
  EXPECT_EQ(words(turn.completions), Lines{"1 joined"});
  EXPECT_EQ(stored(), (List{{"10.0.0.7", "tcp:7890"}}));
}

TEST_F(WriterTest, a_join_that_has_waited_too_long_is_refused_and_leaves_nothing_behind) {
  start();
  {
    const WriteLock lock(path());
    join(1, "10.0.0.7");
    turn();
    pass(settings_.join_wait - 1ms);
    EXPECT_EQ(words(turn().completions), Lines{});
    pass(1ms);
    EXPECT_EQ(words(turn().completions), Lines{"1 E403"});
    EXPECT_EQ(words(turn().completions), Lines{}) << "once";
  }
  EXPECT_EQ(words(turn().changes), Lines{});
  EXPECT_EQ(writer_->registry().sessions(), 0u);
  EXPECT_EQ(stored(), List{});
}

TEST_F(WriterTest, a_join_that_changes_nothing_does_not_wait_for_the_lock) {
  start();
  join(1, "10.0.0.7");
  turn();
  const WriteLock lock(path());
  join(2, "10.0.0.7");
  join(3, "10.0.0.7", 80);
  EXPECT_EQ(words(turn().completions), Lines{}) << "their union is a change";
  pass(settings_.join_wait);
  EXPECT_EQ(words(turn().completions), (Lines{"2 E403", "3 E403"}));
  join(4, "10.0.0.7");
  const Writer::Turn turn = this->turn();
  EXPECT_EQ(words(turn.completions), Lines{"4 joined"});
  EXPECT_EQ(turn.trouble, StorageState::busy);
}

TEST_F(WriterTest, leaves_are_kept_until_they_can_be_written) {
  start();
  join(1, "10.0.0.7");
  join(2, "10.0.0.8");
  turn();
  {
    const WriteLock lock(path());
    leave(1, "10.0.0.7");
    turns(60);
    EXPECT_EQ(told().size(), 2u);
  }
  EXPECT_EQ(words(turn().changes), Lines{"- 10.0.0.7"});
  EXPECT_EQ(stored(), (List{{"10.0.0.8", "tcp:7890"}}));
}

TEST_F(WriterTest, answers_go_on_while_the_lock_is_held) {
  start();
  join(1, "10.0.0.7");
  turns(3);
  const WriteLock lock(path());
  join(2, "10.0.0.8");
  turns(3);
  EXPECT_EQ(told(), (List{{"10.0.0.7", "tcp:7890"}}));
}

// ---- The disk refuses ----

TEST_F(WriterTest, a_failed_commit_refuses_the_joins_and_publishes_nothing) {
  start();
  join(1, "10.0.0.7");
  turn();
  const FullDisk disk;
  join(2, "10.0.0.8");
  const Writer::Turn turn = this->turn();
  EXPECT_EQ(turn.trouble, StorageState::failed);
  EXPECT_EQ(turn.message.substr(0, 5), "E601 ");
  EXPECT_EQ(words(turn.completions), Lines{"2 E403"});
  EXPECT_FALSE(turn.published);
  EXPECT_EQ(told(), (List{{"10.0.0.7", "tcp:7890"}}));
}

TEST_F(WriterTest, while_it_has_failed_every_join_is_refused_at_once) {
  start();
  join(1, "10.0.0.7");
  turn();
  const FullDisk disk;
  join(2, "10.0.0.8");
  turn();
  for (SessionId session = 3; session < 20; ++session) {
    pass(300ms);
    join(session, session % 2 == 0 ? "10.0.0.7" : "10.0.0.9");
    const Writer::Turn turn = this->turn();
    EXPECT_EQ(turn.trouble, StorageState::failed);
    EXPECT_EQ(words(turn.completions), Lines{std::to_string(session) + " E403"});
  }
}

TEST_F(WriterTest, it_recovers_by_itself_and_writes_what_has_happened_meanwhile) {
  start();
  join(1, "10.0.0.7");
  join(2, "10.0.0.8");
  turn();
  {
    const FullDisk disk;
    leave(1, "10.0.0.7");
    join(3, "10.0.0.9");
    turns(5);
    EXPECT_EQ(told().size(), 2u);
  }
  pass(1s);
  const Writer::Turn turn = this->turn();
  EXPECT_EQ(turn.trouble, StorageState::usable);
  EXPECT_EQ(turn.message, "the database can be written again");
  EXPECT_TRUE(turn.published);
  EXPECT_EQ(told(), (List{{"10.0.0.8", "tcp:7890"}}));
  EXPECT_EQ(stored(), told());
  join(4, "10.0.0.9");
  EXPECT_EQ(words(this->turn().completions), Lines{"4 joined"});
}

TEST_F(WriterTest, it_tries_a_failed_database_once_a_second) {
  start();
  join(1, "10.0.0.7");
  {
    const FullDisk disk;
    turn();
  }
  pass(999ms);
  EXPECT_EQ(turn().trouble, StorageState::failed);
  pass(1ms);
  EXPECT_EQ(turn().trouble, StorageState::usable);
}

TEST_F(WriterTest, it_sleeps_between_two_attempts_whatever_is_due) {
  start();
  join(1, "10.0.0.7");
  turns(10);
  const FullDisk disk;
  writer_->heard(address("10.0.0.7"), now_.wall);
  leave(2, "10.0.0.8");
  join(3, "10.0.0.9");
  ASSERT_EQ(turn().trouble, StorageState::failed);
  for (int attempt = 0; attempt < 20; ++attempt) {
    EXPECT_EQ(writer_->wake_at(), now_.awake + 1s);
    pass(writer_->wake_at() - now_.awake);
    turn();
  }
}

TEST_F(WriterTest, who_is_refused_for_the_disks_sake_is_still_waited_for_after_a_restart) {
  start();
  join(1, "10.0.0.7");
  turn();
  start();
  {
    const FullDisk disk;
    join(1, "10.0.0.7", 80);
    EXPECT_EQ(words(turn().completions), Lines{"1 E403"});
  }
  turns(3);
  EXPECT_EQ(stored(), (List{{"10.0.0.7", "tcp:7890"}}));
  join(2, "10.0.0.7");
  EXPECT_EQ(words(turn().changes), Lines{});
}

TEST_F(WriterTest, those_waited_for_after_a_restart_are_still_waited_for_after_a_failure) {
  start();
  join(1, "10.0.0.7");
  turn();
  start();
  {
    const FullDisk disk;
    join(2, "10.0.0.8");
    turns(2);
  }
  turns(2);
  EXPECT_EQ(writer_->registry().waiting(), 1u);
  EXPECT_EQ(stored(), (List{{"10.0.0.7", "tcp:7890"}}));
  pass(settings_.restart_grace);
  turn();
  EXPECT_EQ(stored(), List{});
}

TEST_F(WriterTest, who_has_vanished_from_the_database_meanwhile_is_written_again) {
  start();
  join(1, "10.0.0.7");
  join(2, "10.0.0.8");
  turn();
  {
    const FullDisk disk;
    join(3, "10.0.0.9");
    turn();
  }
  operator_connection().exec("DELETE FROM client_record WHERE address = 0x0a000007");
  pass(1s);
  EXPECT_EQ(words(turn().changes), Lines{"+ 10.0.0.7 tcp:7890"});
  EXPECT_EQ(told().size(), 2u);
  EXPECT_EQ(stored(), told());
}

// The disk fills up at every page of the log that a commit writes, and between them.
TEST_F(WriterTest, wherever_a_commit_fails_the_registry_equals_the_database_afterwards) {
  start();
  SessionId session = 0;
  int failures = 0;
  for (std::uint32_t step = 0; step < 60; ++step) {
    SCOPED_TRACE(step);
    {
      const FullDisk disk(std::filesystem::file_size(path().string() + "-wal") + 700 * step);
      if (step >= 3) writer_->leave(step - 2, numbered(step - 2), LeaveReason::closed);
      ++session;
      writer_->join(session, numbered(static_cast<std::uint32_t>(session)), tcp(80), now_);
      const Writer::Turn turn = this->turn();
      failures += turn.trouble == StorageState::failed;
      ASSERT_EQ(turn.completions.size(), 1u);
      ASSERT_EQ(turn.completions[0].rejection == std::nullopt, turn.trouble == StorageState::usable);
    }
    turns(2);
    ASSERT_EQ(told(), stored());
    ASSERT_EQ(told().size(), writer_->registry().clients());
  }
  EXPECT_GE(failures, 5);
  const List before = told();
  start();
  EXPECT_EQ(told(), before);
}

}  // namespace
}  // namespace lekt
