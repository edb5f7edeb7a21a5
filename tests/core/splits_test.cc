// TCP delivers a conversation in pieces of any size: a session must not notice.
#include <gtest/gtest.h>

#include "tests/core/session_owner.h"
#include "tests/support/support.h"

namespace lekt {
namespace {

using namespace test;
using Joins = SessionOwner::Joins;

const Bytes conversation = handshake({1, 2}) + response_tcp(7890) + response_chat("hello") + heartbeat(0) +
                           heartbeat(1700000003) + heartbeat(1700000003) + heartbeat(1700000005);
const Bytes setup_answers = accept() + request(1) + request(2);
const Bytes answers =
    setup_answers + request(0) + closing(0) + closing(1700000003) + closing(1700000003) + closing(1700000005);
const std::vector<std::string> decisions = {"join 10.0.0.7 tcp:7890 chat:68656c6c6f", "answer 0",
                                            "answer 1700000003", "answer 1700000003", "answer 1700000005"};

/// Bytes of handshake and responses.
const std::size_t setup_size = conversation.size() - 4 * limits::heartbeat_bytes;

void expect_whole(const SessionOwner& owner) {
  ASSERT_EQ(owner.sent(), answers);
  ASSERT_EQ(owner.decisions(), decisions);
}

TEST(Splits, a_conversation_may_come_in_one_piece) {
  SessionOwner owner;
  owner.receive(conversation);
  expect_whole(owner);
}

TEST(Splits, a_conversation_may_come_one_byte_at_a_time) {
  SessionOwner owner;
  for (const char byte : conversation) owner.receive(ByteView(&byte, 1));
  expect_whole(owner);
}

TEST(Splits, a_conversation_may_be_cut_in_two_at_every_byte) {
  for (std::size_t cut = 0; cut <= conversation.size(); ++cut) {
    SCOPED_TRACE(cut);
    SessionOwner owner;
    owner.receive(ByteView(conversation).substr(0, cut));
    owner.receive(ByteView(conversation).substr(cut));
    ASSERT_NO_FATAL_FAILURE(expect_whole(owner));
  }
}

TEST(Splits, a_conversation_may_be_cut_in_three_at_every_two_bytes) {
  for (std::size_t first = 1; first < conversation.size(); ++first)
    for (std::size_t second = first + 1; second < conversation.size(); ++second) {
      SessionOwner owner;
      owner.receive(ByteView(conversation).substr(0, first));
      owner.receive(ByteView(conversation).substr(first, second - first));
      owner.receive(ByteView(conversation).substr(second));
      ASSERT_NO_FATAL_FAILURE(expect_whole(owner)) << "cut at " << first << " and " << second;
    }
}

TEST(Splits, what_a_part_of_the_conversation_is_answered_with_does_not_depend_on_the_next_byte) {
  for (std::size_t size = 0; size <= conversation.size(); ++size) {
    SCOPED_TRACE(size);
    SessionOwner at_once;
    at_once.receive(ByteView(conversation).substr(0, size));
    SessionOwner in_bytes;
    for (std::size_t index = 0; index < size; ++index)
      in_bytes.receive(ByteView(conversation).substr(index, 1));
    ASSERT_EQ(at_once.sent(), in_bytes.sent());
    ASSERT_TRUE(answers.starts_with(at_once.sent()));
  }
}

TEST(Splits, bytes_that_come_while_joining_are_kept_and_not_looked_at) {
  SessionOwner owner(Joins::later);
  owner.receive(conversation);
  EXPECT_EQ(owner.session().phase(), Session::Phase::joining);
  EXPECT_EQ(owner.sent(), setup_answers);
  EXPECT_EQ(owner.decisions(), (std::vector{decisions.front()}));
  owner.decide_join();
  expect_whole(owner);
}

TEST(Splits, the_join_may_be_decided_after_any_number_of_further_bytes) {
  for (std::size_t cut = setup_size; cut <= conversation.size(); ++cut) {
    SCOPED_TRACE(cut);
    SessionOwner owner(Joins::later);
    for (std::size_t index = 0; index < cut; ++index) owner.receive(ByteView(conversation).substr(index, 1));
    ASSERT_EQ(owner.sent(), setup_answers);
    owner.decide_join();
    owner.receive(ByteView(conversation).substr(cut));
    ASSERT_NO_FATAL_FAILURE(expect_whole(owner));
  }
}

TEST(Splits, an_owner_may_keep_input_behind_an_answer_that_it_cannot_send_yet) {
  SessionOwner owner;
  owner.receive(ByteView(conversation).substr(0, setup_size));
  ByteView two_heartbeats = ByteView(conversation).substr(setup_size, 2 * limits::heartbeat_bytes);
  Bytes sent;
  EXPECT_EQ(owner.session().next(two_heartbeats, sent).timestamp, 0);
  owner.session().keep(two_heartbeats);
  EXPECT_TRUE(two_heartbeats.empty());
  ByteView nothing;
  EXPECT_EQ(owner.session().next(nothing, sent).timestamp, 1700000003);
  EXPECT_EQ(owner.session().next(nothing, sent).kind, Session::Action::Kind::wait);
  EXPECT_TRUE(sent.empty());
}

TEST(Splits, random_pieces_make_no_difference) {
  Random random;
  for (int round = 0; round < 1000; ++round) {
    SessionOwner owner(random.chance(50) ? Joins::at_once : Joins::later);
    ByteView rest = conversation;
    while (!rest.empty()) {
      const std::size_t size = 1 + random.below(rest.size());
      owner.receive(rest.substr(0, size));
      rest.remove_prefix(size);
      if (owner.join_waits() && random.chance(30)) owner.decide_join();
    }
    if (owner.join_waits()) owner.decide_join();
    ASSERT_NO_FATAL_FAILURE(expect_whole(owner));
  }
}

}  // namespace
}  // namespace lekt
