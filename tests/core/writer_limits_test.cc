// The writer at its limits: those that were larger at an earlier start, those of one address, those of memory; a
// database that refuses one row; and a clock that was ahead.
#include <set>

#include "tests/core/writer_support.h"

namespace lekt {
namespace {

using namespace std::chrono_literals;
using namespace test;

class WriterLimitsTest : public WriterTest {
 protected:
  void start_with_packets_of(std::uint32_t bytes) {
    settings_.limits.packet_bytes_max = bytes;
    start();
  }

  std::int64_t asked(const char* sql) { return operator_connection().execAndGet(sql).getInt64(); }
};

// ---- A smaller --max-packet-bytes than before ----

TEST_F(WriterLimitsTest, a_record_that_no_longer_fits_a_packet_is_sent_in_one_of_its_own) {
  start_with_packets_of(64 * 1024);
  writer_->join(1, address("10.0.0.1"), tcp(1), now_);
  writer_->join(2, address("10.0.0.2"), filler(20'000), now_);
  writer_->join(3, address("10.0.0.3"), tcp(3), now_);
  turn();
  start_with_packets_of(limits::packet_bytes_floor);
  EXPECT_EQ(told().size(), 3u);
  EXPECT_EQ(writer_->oversize().clients, 1u);
  Cursor cursor;
  std::size_t alone = 0;
  for (const AnswerPacket& packet : take_apart(answer_of(*writer_->view(), cursor, 0))) {
    EXPECT_TRUE(packet.size <= limits::packet_bytes_floor || packet.added.size() == 1) << packet.size;
    alone += packet.size > limits::packet_bytes_floor;
    EXPECT_LE(packet.size, std::max<std::size_t>(writer_->oversize().bytes_max, limits::packet_bytes_floor));
  }
  EXPECT_EQ(alone, 1u);
}

TEST_F(WriterLimitsTest, who_offers_what_no_longer_fits_is_refused_and_who_offers_less_takes_its_place) {
  start_with_packets_of(64 * 1024);
  writer_->join(1, address("10.0.0.1"), filler(20'000), now_);
  turn();
  start_with_packets_of(limits::packet_bytes_floor);
  writer_->join(2, address("10.0.0.1"), filler(20'000), now_);
  EXPECT_EQ(words(turn().completions), Lines{"2 E205"});
  EXPECT_EQ(told().size(), 1u) << "it is still waited for";
  join(3, "10.0.0.1");
  const Writer::Turn joined = turn();
  EXPECT_EQ(words(joined.completions), Lines{"3 joined"});
  EXPECT_EQ(words(joined.changes), Lines{"+ 10.0.0.1 tcp:7890"});
  turns(11);
  EXPECT_EQ(writer_->oversize().clients, 0u);
}

TEST(RegistryLimits, a_smaller_limit_finds_those_who_were_stored_and_those_who_have_joined_since) {
  Registry registry({.clients_max = 3, .packet_bytes_max = 4096});
  registry.restore(address("10.0.0.7"), tcp(7890), true);
  EXPECT_EQ(registry.join(1, address("10.0.0.8"), {{2, Bytes(1000, 'x')}}), std::nullopt);
  registry.committed(registry.differences());
  EXPECT_EQ(registry.oversize().clients, 0u);
  registry.use({.clients_max = 3, .packet_bytes_max = 500});
  EXPECT_EQ(registry.oversize().clients, 1u);
  EXPECT_GT(registry.oversize().bytes_max, 1000u);
}

// ---- Who was never told ----

TEST_F(WriterLimitsTest, who_is_cut_while_it_joins_after_a_restart_is_still_waited_for) {
  start();
  join(1, "10.0.0.7");
  turn();
  start();
  join(2, "10.0.0.7");
  writer_->leave(2, address("10.0.0.7"), LeaveReason::lost, false);
  EXPECT_EQ(words(turn().changes), Lines{});
  join(3, "10.0.0.7");
  writer_->leave(3, address("10.0.0.7"), LeaveReason::lost);
  EXPECT_EQ(words(turn().changes), Lines{}) << "the writer knows itself whom it has not told";
  join(3, "10.0.0.7");
  EXPECT_EQ(words(turn().completions), Lines{"3 joined"});
  // The worker has seen the end before the decision.
  writer_->leave(3, address("10.0.0.7"), LeaveReason::lost, false);
  EXPECT_EQ(words(turn().changes), Lines{});
  EXPECT_EQ(told(), (List{{"10.0.0.7", "tcp:7890"}}));
  join(4, "10.0.0.7");
  turn();
  leave(4, "10.0.0.7");
  EXPECT_EQ(words(turn().changes), Lines{"- 10.0.0.7"}) << "it was told, and has left";
}

TEST_F(WriterLimitsTest, who_is_cut_before_it_was_told_is_removed_when_nobody_waits_for_it) {
  start();
  join(1, "10.0.0.7");
  turn();
  writer_->leave(1, address("10.0.0.7"), LeaveReason::lost, false);
  const Writer::Turn after = turn();
  EXPECT_EQ(words(after.changes), Lines{"- 10.0.0.7"});
  EXPECT_EQ(after.changes.at(0).reason, LeaveReason::lost);
}

// ---- The end ----

TEST_F(WriterLimitsTest, a_clean_stop_writes_when_each_client_was_heard_last) {
  constexpr std::uint32_t clients = 11'000;
  settings_.limits.clients_max = clients;
  start();
  for (std::uint32_t number = 1; number <= clients; ++number)
    writer_->join(number, numbered(number), {}, now_);
  turn();
  for (std::uint32_t number = 1; number <= clients; ++number) writer_->heard(numbered(number), started + 77);
  writer_->stop(now_);
  EXPECT_EQ(asked("SELECT count(*) FROM client_record WHERE heard = 1700000077"), clients);
}

// ---- Memory of removals ----

TEST_F(WriterLimitsTest, more_removals_than_may_be_remembered_make_history_begin_later) {
  settings_.removals_max = 80;
  settings_.limits.clients_max = 1000;
  start();
  for (std::uint32_t number = 1; number <= 400; ++number) {
    writer_->join(number, numbered(number), {}, now_);
    turn();
    writer_->leave(number, numbered(number), LeaveReason::closed);
    pass(1s);
    turn();
    ASSERT_LE(writer_->change_log().removals(), 80u + 2);
    ASSERT_LE(writer_->view()->history_begins(), closing());
  }
  EXPECT_GE(writer_->change_log().removals(), 70u - 2);
  EXPECT_EQ(asked("SELECT count(*) FROM client_record WHERE present = 0"),
            static_cast<std::int64_t>(writer_->change_log().removals()));
  EXPECT_GT(writer_->view()->history_begins(), started + 300);
  EXPECT_EQ(writer_->state(), database_->state());
}

TEST_F(WriterLimitsTest, removals_that_come_all_at_once_are_too_many_for_a_moment) {
  constexpr std::uint32_t clients = 200;
  settings_.removals_max = 80;
  settings_.limits.clients_max = clients;
  start();
  for (std::uint32_t number = 1; number <= clients; ++number)
    writer_->join(number, numbered(number), {}, now_);
  turn();
  for (std::uint32_t number = 1; number <= clients; ++number)
    writer_->leave(number, numbered(number), LeaveReason::closed);
  // Their second is the newest, of which no closing timestamp has told yet.
  for (int second = 0; second < 4; ++second) {
    turn();
    ASSERT_LE(writer_->view()->history_begins(), closing());
    pass(1s);
  }
  EXPECT_LE(writer_->change_log().removals(), settings_.removals_max);
}

// ---- Changes of one address ----

TEST_F(WriterLimitsTest, who_changes_too_often_is_listed_a_little_later_and_nobody_else_is) {
  start();
  std::size_t changes = 0;
  for (SessionId session = 1; session <= 500; ++session) {
    join(session, "10.0.0.7", static_cast<std::uint16_t>(session));
    pass(10ms);
    changes += turn().changes.size();
    leave(session, "10.0.0.7");
    pass(10ms);
    changes += turn().changes.size();
  }
  EXPECT_LE(changes, 30u + 10 + 1) << "thirty at once, and one a second";
  EXPECT_GE(changes, 30u + 9);
  join(1000, "10.0.0.8");
  EXPECT_EQ(words(turn().completions), Lines{"1000 joined"});
  join(1001, "10.0.0.7");
  const AwakeTime asked_at = now_.awake;
  Lines completions;
  while (completions.empty()) {
    ASSERT_LE(now_.awake, asked_at + 2s);
    completions = words(turn().completions);
    EXPECT_LE(writer_->wake_at(), now_.awake + 1s);
    EXPECT_GT(writer_->wake_at(), now_.awake) << "it does not turn in vain";
    pass(100ms);
  }
  EXPECT_EQ(completions, Lines{"1001 joined"});
  EXPECT_EQ(told(), (List{{"10.0.0.7", "tcp:7890"}, {"10.0.0.8", "tcp:7890"}}));
}

TEST_F(WriterLimitsTest, who_was_quiet_may_change_often_again) {
  start();
  for (SessionId session = 1; session <= 40; ++session) {
    join(session, "10.0.0.7", static_cast<std::uint16_t>(session));
    turn();
  }
  turns(60);
  join(99, "10.0.0.7", 99);
  EXPECT_EQ(words(turn().completions), Lines{"99 joined"});
}

TEST_F(WriterLimitsTest, a_dismissal_that_waits_for_its_turn_is_not_called_stored) {
  start();
  join(1, "10.0.0.7");
  turn();
  start();
  // What is waited for stays in the union, so each of these is a change.
  for (SessionId session = 2; session <= 40; ++session) {
    join(session, "10.0.0.7", static_cast<std::uint16_t>(session));
    turn();
    leave(session, "10.0.0.7");
  }
  turn();
  ASSERT_EQ(writer_->dismiss(Block(address("10.0.0.7")), leave_reason(ErrorCode::ended_by_operator)), 1u);
  turn();
  EXPECT_FALSE(writer_->wishes_are_stored());
  EXPECT_EQ(told().size(), 1u);
  turns(2);
  EXPECT_TRUE(writer_->wishes_are_stored());
  EXPECT_EQ(told(), List{});
  EXPECT_EQ(stored(), List{});
}

// ---- A row that the database refuses ----

TEST_F(WriterLimitsTest, a_change_that_the_database_refuses_does_not_fail_its_neighbours) {
  start();
  operator_connection().exec(
      "CREATE TRIGGER bad BEFORE INSERT ON client_record WHEN NEW.address = 167772167 "
      "BEGIN SELECT RAISE(ABORT, 'not this one'); END");
  join(1, "10.0.0.6");
  join(2, "10.0.0.7");
  join(3, "10.0.0.8");
  const Writer::Turn refused = turn();
  EXPECT_EQ(words(refused.completions), (Lines{"1 joined", "2 E403", "3 joined"}));
  EXPECT_EQ(words(refused.changes), (Lines{"+ 10.0.0.6 tcp:7890", "+ 10.0.0.8 tcp:7890"}));
  EXPECT_EQ(refused.trouble, StorageState::usable);
  EXPECT_EQ(refused.refused_changes, Lines{"10.0.0.7: not this one"});
  EXPECT_EQ(stored(), told());
  join(4, "10.0.0.7");
  join(5, "10.0.0.9");
  EXPECT_EQ(words(turn().completions), (Lines{"4 E403", "5 joined"}));
  EXPECT_EQ(writer_->registry().sessions(), 3u);
}

// ---- A clock that was ahead ----

TEST_F(WriterLimitsTest, removals_are_forgotten_although_the_clock_was_ahead_once) {
  settings_.retention = 2s;
  now_.wall += 86'400;
  start();
  join(1, "10.0.0.7");
  turn();
  now_.wall -= 86'400;
  EXPECT_EQ(writer_->ahead_of(now_.wall), 86'400 + 1);
  for (SessionId session = 2; session <= 100; ++session) {
    writer_->join(session, numbered(static_cast<std::uint32_t>(session)), {}, now_);
    turn();
    writer_->leave(session, numbered(static_cast<std::uint32_t>(session)), LeaveReason::closed);
    turns(1);
  }
  EXPECT_LE(writer_->change_log().removals(), 20u);
  EXPECT_LT(writer_->ahead_of(now_.wall), 86'400 - 40) << "and one day the clock has caught up";
  EXPECT_GT(writer_->ahead_of(now_.wall), 86'400 - 60);
}

TEST_F(WriterLimitsTest, the_log_goes_on_at_half_the_speed_until_the_clock_has_caught_up) {
  settings_.limits.clients_max = 1000;
  start();
  join(1, "10.0.0.7");
  turn();
  const std::int64_t ahead = 100;
  now_.wall += ahead;
  join(2, "10.0.0.8");
  const std::int64_t stepped = turn().changes.at(0).second;
  now_.wall -= ahead;
  std::int64_t newest = stepped;
  for (SessionId session = 3; session <= 300; ++session) {
    pass(1s);
    writer_->join(session, numbered(static_cast<std::uint32_t>(100 + session)), {}, now_);
    const std::int64_t second = turn().changes.at(0).second;
    ASSERT_GE(second, newest);
    ASSERT_LE(second - newest, 1);
    ASSERT_GT(second, closing());
    newest = second;
  }
  EXPECT_EQ(newest, now_.wall);
}

TEST_F(WriterLimitsTest, a_clock_that_jumps_by_centuries_makes_no_answer_incomplete) {
  start();
  join(1, "10.0.0.1");
  turns(5);
  const std::int64_t seen = closing();
  std::uint32_t client = 2;
  for (const std::int64_t jump : {std::int64_t{5'000'000'000}, std::int64_t{10'000'000'000}, INT64_MAX / 2}) {
    now_.wall = started + jump;
    writer_->join(client, numbered(client), {}, now_);
    ++client;
    turn();
    now_.awake += 3s;
    turn();
  }
  EXPECT_LE(writer_->state().second, wall_second_max);
  Follower follower;
  Cursor cursor;
  follower.apply(take_apart(answer_of(*writer_->view(), cursor, 0)));
  EXPECT_EQ(follower.list(), told());
  const auto added_since = [&](std::int64_t timestamp) {
    Cursor resuming;
    resuming.second = writer_->state().second;
    std::set<Address> added;
    for (const AnswerPacket& packet : take_apart(answer_of(*writer_->view(), resuming, timestamp)))
      for (const AddedEntry& entry : packet.added) added.insert(entry.address);
    return added.size();
  };
  EXPECT_EQ(added_since(seen), 3u) << "all that came since";
  start();
  EXPECT_EQ(told().size(), 4u);
  EXPECT_EQ(added_since(seen), 3u) << "and after a restart";
}

}  // namespace
}  // namespace lekt
