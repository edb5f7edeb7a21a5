#include "server/core/writer.h"

#include "tests/core/writer_support.h"

namespace lekt {
namespace {

using namespace std::chrono_literals;
using namespace test;

// ---- A turn ----

TEST_F(WriterTest, a_join_is_stored_and_published_before_it_is_completed) {
  start();
  join(1, "10.0.0.7");
  EXPECT_EQ(told(), List{});
  const Writer::Turn turn = this->turn();
  EXPECT_EQ(words(turn.completions), Lines{"1 joined"});
  EXPECT_EQ(turn.completions[0].joined, writer_->state().second);
  EXPECT_TRUE(turn.published);
  EXPECT_EQ(told(), (List{{"10.0.0.7", "tcp:7890"}}));
  EXPECT_EQ(stored(), told());
}

TEST_F(WriterTest, all_that_has_gathered_is_one_commit) {
  start();
  SQLite::Database other = operator_connection();
  const int version = other.execAndGet("PRAGMA data_version");
  for (std::uint32_t number = 1; number <= 50; ++number)
    writer_->join(number, numbered(number), tcp(80), now_);
  const Writer::Turn turn = this->turn();
  EXPECT_EQ(turn.completions.size(), 50u);
  ASSERT_EQ(turn.changes.size(), 50u);
  EXPECT_EQ(turn.changes.front().sequence, 1u);
  EXPECT_EQ(turn.changes.back().sequence, 50u);
  EXPECT_EQ(turn.changes.front().second, turn.changes.back().second);
  EXPECT_EQ(other.execAndGet("PRAGMA data_version").getInt(), version + 1);
}

TEST_F(WriterTest, who_joins_and_leaves_between_two_turns_is_not_completed) {
  start();
  join(1, "10.0.0.7");
  leave(1, "10.0.0.7");
  const Writer::Turn turn = this->turn();
  EXPECT_EQ(words(turn.completions), Lines{});
  EXPECT_EQ(words(turn.changes), Lines{});
}

TEST_F(WriterTest, a_second_session_with_the_same_methods_is_completed_without_a_change) {
  start();
  join(1, "10.0.0.7");
  turn();
  join(2, "10.0.0.7");
  const Writer::Turn turn = this->turn();
  EXPECT_EQ(words(turn.completions), Lines{"2 joined"});
  EXPECT_EQ(words(turn.changes), Lines{});
}

TEST_F(WriterTest, a_refused_join_is_told_with_the_next_turn) {
  settings_.limits.clients_max = 1;
  start();
  join(1, "10.0.0.7");
  join(2, "10.0.0.8");
  writer_->join(3, address("10.0.0.7"), filler(limits::packet_bytes_floor), now_);
  EXPECT_EQ(words(turn().completions), (Lines{"2 E401", "3 E205", "1 joined"}));
  EXPECT_EQ(words(turn().completions), Lines{}) << "once";
}

// ---- Seconds ----

TEST_F(WriterTest, stamps_never_go_back_when_the_wall_clock_does) {
  start();
  pass(100s);
  join(1, "10.0.0.7");
  const std::int64_t before = turn().changes.at(0).second;
  EXPECT_EQ(before, started + 100);
  now_.wall -= 5000;
  join(2, "10.0.0.8");
  EXPECT_EQ(turn().changes.at(0).second, before);
  now_.wall = before + 10;
  join(3, "10.0.0.9");
  EXPECT_EQ(turn().changes.at(0).second, before + 10);
}

TEST_F(WriterTest, a_closing_timestamp_is_earlier_than_every_change_published_later) {
  Random random;
  start();
  std::int64_t newest_closing = closing();
  SessionId session = 0;
  for (int step = 0; step < 1000; ++step) {
    now_.awake += AwakeTime(random.below(1500));
    now_.wall += random.between(-2, 3);
    const auto number = static_cast<std::uint32_t>(random.between(1, 50));
    if (random.chance(30)) writer_->join(++session, numbered(number), tcp(80), now_);
    if (random.chance(20) && session > 0) {
      const SessionId leaving = 1 + random.below(session);
      for (std::uint32_t any = 1; any <= 50; ++any)
        writer_->leave(leaving, numbered(any), LeaveReason::closed);
    }
    for (const storage::Change& change : turn().changes) ASSERT_GT(change.second, newest_closing);
    ASSERT_GE(closing(), newest_closing) << "closing timestamps never go back";
    ASSERT_LT(closing(), writer_->state().second);
    newest_closing = closing();
  }
}

TEST_F(WriterTest, settles_two_seconds_after_the_last_change_and_then_writes_nothing) {
  start();
  join(1, "10.0.0.7");
  const std::int64_t changed_in = turn().changes.at(0).second;
  EXPECT_EQ(closing(), changed_in - 1);
  turns(3);
  EXPECT_GT(closing(), changed_in) << "who resumes now is not told of the change again";
  turns(5);  // operators' columns are written as well
  SQLite::Database other = operator_connection();
  const int version = other.execAndGet("PRAGMA data_version");
  for (int second = 0; second < 3600; ++second) {
    pass(1s);
    ASSERT_FALSE(turn().published);
  }
  EXPECT_EQ(other.execAndGet("PRAGMA data_version").getInt(), version);
}

TEST_F(WriterTest, a_server_without_clients_writes_nothing) {
  start();
  SQLite::Database other = operator_connection();
  const int version = other.execAndGet("PRAGMA data_version");
  turns(100);
  EXPECT_EQ(other.execAndGet("PRAGMA data_version").getInt(), version);
}

// ---- Restart ----

TEST_F(WriterTest, a_restart_keeps_the_clients_and_what_they_were_told) {
  start();
  join(1, "10.0.0.7");
  join(2, "10.0.0.8", 80);
  turns(3);
  const List before = told();
  Follower follower;
  Cursor cursor;
  follower.apply(take_apart(answer_of(*writer_->view(), cursor, follower.ask())));
  start();
  EXPECT_EQ(told(), before);
  EXPECT_GE(closing(), follower.timestamp());
  EXPECT_EQ(writer_->registry().waiting(), 2u);
  Cursor resumed;
  resumed.second = writer_->state().second;
  Output output;
  EXPECT_EQ(writer_->view()->answer(resumed, follower.ask(), {}, output), Basis::second_again);
  EXPECT_EQ(output.size(), limits::update_header_bytes) << "nothing has changed";
}

TEST_F(WriterTest, who_comes_back_within_the_grace_is_no_change) {
  start();
  join(1, "10.0.0.7");
  turns(10);
  start();
  join(1, "10.0.0.7");
  const Writer::Turn turn = this->turn();
  EXPECT_EQ(words(turn.completions), Lines{"1 joined"});
  EXPECT_EQ(words(turn.changes), Lines{});
}

TEST_F(WriterTest, who_does_not_come_back_is_removed_when_the_grace_ends) {
  start();
  join(1, "10.0.0.7");
  join(2, "10.0.0.8");
  turns(10);
  start();
  join(1, "10.0.0.7");
  pass(settings_.restart_grace - 1ms);
  EXPECT_EQ(words(turn().changes), Lines{});
  EXPECT_EQ(writer_->wake_at(), now_.awake + 1ms);
  pass(1ms);
  EXPECT_EQ(words(turn().changes), Lines{"- 10.0.0.8"});
  EXPECT_EQ(stored(), (List{{"10.0.0.7", "tcp:7890"}}));
}

TEST_F(WriterTest, a_clean_stop_leaves_the_clients_listed) {
  start();
  join(1, "10.0.0.7");
  turn();
  leave(1, "10.0.0.7");
  join(2, "10.0.0.8");
  writer_->stop(now_);
  start();
  EXPECT_EQ(told(), (List{{"10.0.0.8", "tcp:7890"}})) << "what had gathered was written";
}

TEST_F(WriterTest, a_wall_clock_that_is_earlier_after_a_restart_moves_no_second_back) {
  start();
  join(1, "10.0.0.7");
  turns(10);
  const std::int64_t before = closing();
  now_.wall -= 100'000;
  start();
  EXPECT_GE(closing(), before);
  leave(9, "10.0.0.9");
  join(2, "10.0.0.8");
  EXPECT_GT(turn().changes.at(0).second, before);
}

// ---- Retention ----

TEST_F(WriterTest, old_removals_are_forgotten_and_history_begins_behind_them) {
  settings_.retention = 60s;
  start();
  join(1, "10.0.0.7");
  join(2, "10.0.0.8");
  turn();
  leave(1, "10.0.0.7");
  const std::int64_t removed_in = turn().changes.at(0).second;
  turns(55);
  EXPECT_EQ(writer_->state().history_begins, started);
  EXPECT_EQ(writer_->change_log().addresses(), 2u);
  turns(20);
  EXPECT_EQ(writer_->state().history_begins, removed_in + 1);
  EXPECT_EQ(writer_->view()->history_begins(), removed_in + 1);
  EXPECT_EQ(writer_->change_log().addresses(), 1u);
  EXPECT_EQ(operator_connection().execAndGet("SELECT count(*) FROM client_record").getInt(), 1);
  EXPECT_EQ(told(), (List{{"10.0.0.8", "tcp:7890"}}));
  Cursor cursor;
  cursor.second = writer_->state().second;
  Output output;
  EXPECT_EQ(writer_->view()->answer(cursor, removed_in, {}, output), Basis::before_history);
}

TEST_F(WriterTest, what_was_forgotten_stays_forgotten_after_a_restart) {
  settings_.retention = 60s;
  start();
  join(1, "10.0.0.7");
  turn();
  leave(1, "10.0.0.7");
  turns(100);
  const storage::LogState before = writer_->state();
  EXPECT_EQ(before.forgotten_sequence, 2u);
  start();
  EXPECT_EQ(writer_->state(), before);
  EXPECT_EQ(writer_->view()->history_begins(), before.history_begins);
  join(2, "10.0.0.7");
  EXPECT_EQ(turn().changes.at(0).sequence, 3u) << "sequence numbers are never used again";
}

TEST_F(WriterTest, history_never_begins_after_the_closing_timestamp) {
  settings_.retention = 1s;
  start();
  for (SessionId session = 1; session <= 40; ++session) {
    join(session, "10.0.0.7");
    turn();
    leave(session, "10.0.0.7");
    turns(static_cast<int>(session % 15));
    ASSERT_LE(writer_->view()->history_begins(), closing());
  }
}

// ---- What operators see ----

TEST_F(WriterTest, operators_see_a_client_connected_with_its_join) {
  start();
  join(1, "10.0.0.7");
  turn();
  EXPECT_EQ(operator_connection().execAndGet("SELECT status FROM clients").getString(), "connected");
}

TEST_F(WriterTest, operators_see_sessions_and_last_heard_a_few_seconds_later) {
  start();
  join(1, "10.0.0.7");
  turns(10);
  join(2, "10.0.0.7");
  writer_->heard(address("10.0.0.7"), started + 12);
  turns(6);
  SQLite::Database other = operator_connection();
  EXPECT_EQ(other.execAndGet("SELECT sessions FROM client_record").getInt(), 2);
  EXPECT_EQ(other.execAndGet("SELECT heard FROM client_record").getInt64(), started + 12);
  leave(2, "10.0.0.7");
  turns(6);
  EXPECT_EQ(other.execAndGet("SELECT sessions FROM client_record").getInt(), 1);
  EXPECT_EQ(other.execAndGet("SELECT heard FROM client_record").getInt64(), started + 12);
}

TEST_F(WriterTest, a_session_that_ends_beside_another_does_not_keep_an_idle_server_writing) {
  start();
  join(1, "10.0.0.7");
  join(2, "10.0.0.7");
  turns(10);
  leave(2, "10.0.0.7");
  turns(10);
  for (int second = 0; second < 60; ++second) {
    pass(1s);
    ASSERT_FALSE(turn().published);
  }
}

TEST_F(WriterTest, who_is_heard_without_a_session_is_nobody) {
  start();
  writer_->heard(address("10.0.0.7"), started);
  turns(10);
  EXPECT_EQ(stored(), List{});
}

// ---- When to wake ----

TEST_F(WriterTest, wakes_at_once_for_what_waits_and_every_second_otherwise) {
  start();
  turn();
  EXPECT_EQ(writer_->wake_at(), now_.awake + 1s);
  pass(300ms);
  join(1, "10.0.0.7");
  EXPECT_LE(writer_->wake_at(), now_.awake);
  turn();
  EXPECT_GT(writer_->wake_at(), now_.awake);
}

TEST_F(WriterTest, reading_the_database_can_be_ended_and_leaves_it_as_it_was) {
  start();
  join(1, "10.0.0.1");
  turn();
  const List before = stored();
  writer_.reset();
  struct Enough {};
  EXPECT_THROW(Writer(*database_, settings_, now_, [] { throw Enough(); }), Enough);
  start();
  EXPECT_EQ(told(), before);
}

}  // namespace
}  // namespace lekt
