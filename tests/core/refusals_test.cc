// What a session refuses: each broken rule in each phase has its code, its words, and is the end.
#include <gtest/gtest.h>

#include "tests/core/session_owner.h"
#include "tests/support/bad_input.h"
#include "tests/support/support.h"

namespace lekt {
namespace {

using namespace test;

/// What a session has sent before it refuses an input, or goes on with it.
Bytes sent_before(const Input& input) {
  Bytes sent = input.way->bytes.empty() ? Bytes() : accept();
  for (const std::uint32_t index : input.way->requests) sent += request(index);
  for (const std::int64_t timestamp : input.answers) sent += closing(timestamp);
  return sent;
}

TEST(Refusals, name_what_is_wrong_and_what_would_be_right) {
  for (const Input& input : wrong_inputs()) {
    SCOPED_TRACE(input.name);
    SessionOwner owner;
    owner.receive(input.way->bytes);
    owner.receive(input.bytes);
    EXPECT_EQ(owner.refusal(), input.refusal);
    EXPECT_EQ(owner.sent(), sent_before(input) + reject(input.refusal));
    EXPECT_EQ(owner.decisions().back(), "end " + input.refusal.substr(0, 4));
    EXPECT_EQ(owner.session().phase(), Session::Phase::ended);
  }
}

TEST(Refusals, are_the_last_thing_that_is_sent) {
  for (const Input& input : wrong_inputs()) {
    SCOPED_TRACE(input.name);
    SessionOwner owner;
    owner.receive(input.way->bytes);
    owner.receive(input.bytes + handshake({1}) + response_tcp(7890) + heartbeat(0));
    owner.receive(handshake({}) + heartbeat(0));
    EXPECT_EQ(owner.sent(), sent_before(input) + reject(input.refusal));
    EXPECT_EQ(owner.decisions().back(), "end " + input.refusal.substr(0, 4));
  }
}

TEST(Refusals, do_not_depend_on_how_the_bytes_arrive) {
  for (const Input& input : wrong_inputs()) {
    if (input.refusal.starts_with("E102")) continue;  // quotes as many bytes as have arrived
    SCOPED_TRACE(input.name);
    SessionOwner whole;
    whole.receive(input.way->bytes + input.bytes);
    SessionOwner in_bytes;
    for (const char byte : input.way->bytes + input.bytes) in_bytes.receive(ByteView(&byte, 1));
    EXPECT_EQ(in_bytes.sent(), whole.sent());
    EXPECT_EQ(in_bytes.decisions(), whole.decisions());
  }
}

TEST(Refusals, do_not_meet_the_values_beside_the_wrong_ones) {
  for (const Input& input : right_inputs()) {
    SCOPED_TRACE(input.name);
    SessionOwner owner;
    owner.receive(input.way->bytes + input.bytes + input.rest + heartbeat(7));
    EXPECT_EQ(owner.refusal(), "");
    EXPECT_EQ(owner.decisions().back(), "answer 7");
  }
}

TEST(Refusals, of_bytes_that_are_not_lekt_come_with_the_first_wrong_byte) {
  SessionOwner owner;
  owner.receive("LEK");
  EXPECT_TRUE(owner.sent().empty());
  owner.receive("S");
  EXPECT_EQ(owner.refusal(),
            "E102 the bytes \"LEKS\" begin no LEKT packet; every packet begins with \"LEKT\"");
}

TEST(Refusals, wait_for_the_join_when_the_wrong_bytes_came_too_early) {
  SessionOwner owner(SessionOwner::Joins::later);
  owner.receive(handshake({}) + response_tcp(7890));
  EXPECT_EQ(owner.sent(), accept());
  owner.decide_join();
  EXPECT_EQ(owner.sent(), accept() + request(0) + reject(owner.refusal()));
  EXPECT_EQ(owner.refusal(), "E103 a packet of type 'T' came where 'H' (heartbeat) is expected");
}

TEST(Refusals, come_behind_the_answers_to_what_was_right) {
  SessionOwner owner;
  owner.receive(handshake({}) + heartbeat(5) + heartbeat(6) + response_tcp(1));
  EXPECT_EQ(owner.sent(), accept() + request(0) + closing(5) + closing(6) + reject(owner.refusal()));
}

// Handshake and heartbeat share their type byte, so only what follows can tell them apart.
TEST(Refusals, meet_a_heartbeat_without_a_handshake_at_its_last_four_bytes) {
  SessionOwner owner;
  owner.receive(heartbeat(1700000003));
  EXPECT_EQ(owner.decisions(), (std::vector<std::string>{"join 10.0.0.7 ", "end E102"}));
}

TEST(Limits, the_largest_number_of_known_methods_is_allowed) {
  SessionOwner owner(SessionOwner::Joins::at_once, 64);
  owner.receive(handshake({64}));
  EXPECT_EQ(owner.sent(), accept() + request(0));
}

TEST(Limits, one_known_method_more_is_refused_before_its_bits_are_read) {
  SessionOwner owner(SessionOwner::Joins::at_once, 64);
  owner.receive(handshake({65}).substr(0, 12));
  EXPECT_EQ(owner.refusal(), "E104 the number of known methods is 65; this server allows at most 64");
}

TEST(Limits, a_server_may_allow_no_methods_at_all) {
  SessionOwner none(SessionOwner::Joins::at_once, 0);
  none.receive(handshake({}));
  EXPECT_EQ(none.sent(), accept() + request(0));
  SessionOwner one(SessionOwner::Joins::at_once, 0);
  one.receive(handshake({1}));
  EXPECT_EQ(one.refusal().substr(0, 4), "E104");
}

}  // namespace
}  // namespace lekt
