// A member, driven with bytes and moments: its states, what is told about it, and when.
#include "server/core/member.h"

#include <gtest/gtest.h>

#include "tests/core/session_owner.h"
#include "tests/core/support.h"

namespace lekt::test {

namespace {

using namespace std::chrono_literals;
using State = Member::State;
using Kind = Session::Action::Kind;

class MemberTest : public testing::Test {
 protected:
  static constexpr Address address = Address::v4(0x0a000007);
  static constexpr std::int64_t nothing_new = std::int64_t{1} << 40;

  MemberTest() { member_.begin(); }

  /// Feeds the member once, and yields what it asks for.
  Kind receive(ByteView bytes) {
    const Kind kind = member_.next(bytes, now_, sent_).kind;
    if (kind != Kind::end) member_.check();
    return kind;
  }

  void join() {
    ASSERT_EQ(receive(handshake({})), Kind::join);
    member_.joined(1, now_, sent_);
    member_.check();
  }

  Member::Answer answer(std::int64_t timestamp = nothing_new) {
    Output output;
    return member_.answer(timestamp, *history_.view(), settings_, now_, output);
  }

  AwakeTime overdue() const { return member_.overdue(settings_, now_); }

  MethodCatalogue catalogue_;
  SessionRules rules_{catalogue_};
  History history_;
  MemberSettings settings_{
      .heartbeat_timeout = 90s, .handshake_timeout = 10s, .drain_timeout = 2s, .heartbeats = Rate(1, 2)};
  AwakeTime now_ = 1000s;
  Bytes sent_;
  Member member_{1, address, rules_, now_};
};

}  // namespace

TEST_F(MemberTest, goes_from_the_handshake_through_the_join_to_heartbeats) {
  EXPECT_EQ(member_.state(), State::handshaking);
  EXPECT_EQ(receive(handshake({})), Kind::join);
  EXPECT_EQ(member_.state(), State::joining);
  EXPECT_FALSE(member_.takes_input());
  EXPECT_EQ(member_.join_command().session, 1u);
  EXPECT_EQ(member_.join_command().address, address);
  member_.joined(1, now_, sent_);
  EXPECT_EQ(member_.state(), State::established);
  EXPECT_TRUE(member_.takes_input());
}

TEST_F(MemberTest, keeps_what_comes_behind_its_setup_until_it_has_joined) {
  const Bytes both = handshake({}) + heartbeat(5);
  ByteView input = both;
  EXPECT_EQ(member_.next(input, now_, sent_).kind, Kind::join);
  EXPECT_TRUE(input.empty());
  member_.joined(1, now_, sent_);
  const Session::Action action = member_.next(input, now_, sent_);
  EXPECT_EQ(action.kind, Kind::answer);
  EXPECT_EQ(action.timestamp, 5);
}

TEST_F(MemberTest, is_overdue_by_the_handshake_timeout_until_its_setup_is_complete) {
  now_ += 4s;
  EXPECT_EQ(receive("LE"), Kind::wait);
  now_ += 6s - 1ms;
  EXPECT_EQ(overdue(), -1ms);
  now_ += 1ms;
  EXPECT_EQ(overdue(), 0ms) << "a part of a packet must not win time";
  EXPECT_EQ(member_.timeout(settings_).text(),
            "E107 handshake and setup took longer than 10s; the session was in the handshake phase");
}

TEST_F(MemberTest, that_waits_for_the_writer_has_the_whole_timeout_again_and_is_not_told_that_it_was_slow) {
  now_ += 9s;
  ASSERT_EQ(receive(handshake({})), Kind::join);
  now_ += 9s;
  EXPECT_EQ(overdue(), -1s);
  EXPECT_EQ(member_.timeout(settings_).code, ErrorCode::storage_unavailable);
}

TEST_F(MemberTest, that_has_joined_is_overdue_by_the_heartbeat_timeout_after_it_was_last_heard) {
  ASSERT_EQ(receive(handshake({})), Kind::join);
  now_ += 5s;
  member_.joined(1, now_, sent_);
  now_ += 50s;
  EXPECT_EQ(overdue(), -40s);
  (void)answer();
  now_ += 89s;
  EXPECT_EQ(overdue(), -1s);
  now_ += 3s;
  EXPECT_EQ(overdue(), 2s);
  EXPECT_EQ(member_.timeout(settings_).code, ErrorCode::heartbeat_timeout);
}

TEST_F(MemberTest, that_is_refused_has_the_drain_timeout_to_read_why) {
  join();
  now_ += 80s;
  member_.refuse({ErrorCode::ended_by_operator, "by hand"}, sent_);
  (void)member_.leave(LeaveReason::closed, now_);
  EXPECT_EQ(overdue(), -2s);
  now_ += 1s;
  member_.reject_was_sent();
  EXPECT_EQ(member_.state(), State::draining);
  member_.check();
  EXPECT_EQ(overdue(), -1s) << "the time counts from the reject, not from the moment at which it was sent";
}

TEST_F(MemberTest, is_reported_as_heard_once_with_the_second_in_which_it_was_heard) {
  join();
  now_ += 30s;
  (void)answer();
  now_ += 4900ms;
  EXPECT_EQ(member_.take_heard(now_, 1'700'000'000), 1'699'999'996);
  EXPECT_EQ(member_.take_heard(now_, 1'700'000'000), std::nullopt);
}

TEST_F(MemberTest, that_is_heard_is_no_longer_held) {
  join();
  ASSERT_TRUE(member_.take_heard(now_, 0));
  member_.hold(true);
  EXPECT_EQ(member_.take_heard(now_, 0), std::nullopt);
  EXPECT_TRUE(member_.is_held());
  (void)answer();
  ASSERT_TRUE(member_.take_heard(now_, 0));
  EXPECT_FALSE(member_.is_held());
}

TEST_F(MemberTest, is_spared_once_until_it_is_heard) {
  join();
  ASSERT_TRUE(member_.take_heard(now_, 0));
  EXPECT_TRUE(member_.spare());
  EXPECT_EQ(member_.take_heard(now_, 0), std::nullopt);
  EXPECT_FALSE(member_.spare());
  EXPECT_EQ(overdue(), -90s) << "it gains no time";
  (void)answer();
  ASSERT_TRUE(member_.take_heard(now_, 0));
  EXPECT_TRUE(member_.spare());
}

TEST_F(MemberTest, asks_too_fast_until_what_it_asked_for_is_paid) {
  join();
  EXPECT_FALSE(answer().too_fast);
  EXPECT_TRUE(answer().too_fast) << "two at once, and the next one has to wait";
  now_ += 999ms;
  EXPECT_TRUE(member_.asks_too_fast(settings_, now_));
  now_ += 1ms;
  EXPECT_FALSE(member_.asks_too_fast(settings_, now_));
}

TEST_F(MemberTest, pays_for_a_long_answer_by_its_size) {
  settings_.heartbeats = Rate(1, 5);
  for (std::uint32_t number = 1; number <= 70; ++number) history_.add(numbered(number), filler(2000));
  join();
  EXPECT_FALSE(answer(0).too_fast) << "140 KB count three";
  EXPECT_FALSE(answer().too_fast);
  EXPECT_TRUE(answer().too_fast);
}

TEST_F(MemberTest, of_which_the_writer_does_not_know_leaves_without_a_word) {
  EXPECT_EQ(receive("LE"), Kind::wait);
  EXPECT_FALSE(member_.leave(LeaveReason::lost, now_));
  EXPECT_EQ(member_.state(), State::ending);
}

TEST_F(MemberTest, that_leaves_while_it_joins_was_not_told_of_it) {
  ASSERT_EQ(receive(handshake({})), Kind::join);
  const auto command = member_.leave(LeaveReason::lost, now_);
  ASSERT_TRUE(command);
  EXPECT_FALSE(command->was_told);
  EXPECT_EQ(command->reason, LeaveReason::lost);
}

TEST_F(MemberTest, leaves_once) {
  join();
  const auto command = member_.leave(LeaveReason::closed, now_);
  ASSERT_TRUE(command);
  EXPECT_TRUE(command->was_told);
  EXPECT_EQ(command->session, 1u);
  EXPECT_EQ(command->address, address);
  EXPECT_FALSE(member_.leave(LeaveReason::lost, now_));
}

TEST_F(MemberTest, whose_join_the_writer_has_refused_leaves_without_a_word) {
  ASSERT_EQ(receive(handshake({})), Kind::join);
  member_.join_was_refused();
  member_.refuse({ErrorCode::server_full, "full"}, sent_);
  EXPECT_FALSE(member_.leave(LeaveReason::lost, now_));
}

TEST_F(MemberTest, that_breaks_a_rule_takes_nothing_more) {
  EXPECT_EQ(receive("no handshake at all"), Kind::end);
  (void)member_.leave(LeaveReason::lost, now_);
  EXPECT_FALSE(member_.takes_input());
  EXPECT_FALSE(member_.is_open());
}

TEST_F(MemberTest, is_pushed_to_once_it_has_joined_and_its_first_heartbeat_was_answered) {
  rules_.features = {Feature::push};
  ASSERT_EQ(receive(handshake({}, {Feature::push})), Kind::join);
  history_.at(1005).add("10.0.0.1");
  EXPECT_FALSE(member_.is_pushed_to());
  member_.joined(1, now_, sent_);
  EXPECT_TRUE(member_.is_pushed_to());
  EXPECT_FALSE(member_.is_behind(*history_.view())) << "it says first where it stands";
  answer(0);
  EXPECT_FALSE(member_.is_behind(*history_.view()));
  history_.at(1006).add("10.0.0.2");
  EXPECT_TRUE(member_.is_behind(*history_.view()));
}

TEST_F(MemberTest, pays_for_what_is_pushed_and_is_not_heard_by_it) {
  join();
  answer();
  now_ += 60s;
  history_.at(1005).add("10.0.0.1");
  Output output;
  EXPECT_EQ(member_.push(*history_.view(), settings_, now_, output), Basis::exact);
  EXPECT_FALSE(member_.is_behind(*history_.view()));
  EXPECT_FALSE(member_.asks_too_fast(settings_, now_)) << "one of two is left";
  EXPECT_EQ(member_.age(now_), 60s);
  history_.at(1006).add("10.0.0.2");
  output.clear();
  member_.push(*history_.view(), settings_, now_, output);
  EXPECT_TRUE(member_.asks_too_fast(settings_, now_));
}

}  // namespace lekt::test
