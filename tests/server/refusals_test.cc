// What a session refuses: each broken rule in each phase has its code, its words, and is the end.
#include <gtest/gtest.h>

#include "tests/server/session_owner.h"
#include "tests/support/support.h"

namespace lekt {
namespace {

using namespace test;

/// Valid bytes that bring a session to a phase, and what it has sent by then.
struct Way {
  std::string phase;
  Bytes received;
  Bytes sent;
};
const Way to_handshake{"handshake", {}, {}};
const Way to_setup{"setup", handshake({1}), accept() + request(1)};
const Way to_chat{"setup of chat", handshake({2}), accept() + request(2)};
const Way to_key{"setup of key", handshake({3}), accept() + request(3)};
const Way to_heartbeat{"heartbeat", handshake({1}) + response_tcp(7890), accept() + request(1) + request(0)};

struct Refusal {
  const Way& way;
  Bytes wrong;
  std::string text;  ///< begins with the code
};

Bytes with_version(Bytes packet, char major, char minor) {
  packet[5] = major;
  packet[6] = minor;
  return packet;
}

std::string unexpected(char found, const std::string& expected) {
  return std::string("E103 a packet of type '") + found + "' came where " + expected + " is expected";
}

std::string padding(const std::string& method) {
  return "E204 the padding after the information of method " + method +
         " is not zero; pad to a multiple of 4 bytes with zeros";
}

const std::vector<Refusal>& refusals() {
  const std::string version_12 = "E101 protocol version 1.2 is not supported; this server speaks 0.0";
  const std::string version_01 = "E101 protocol version 0.1 is not supported; this server speaks 0.0";
  const std::string http =
      "E102 the bytes \"GET / HT\" begin no LEKT packet; every packet begins with \"LEKT\"";
  static const std::vector<Refusal> all = {
      // The version, in every phase.
      {to_handshake, with_version(handshake({1}), 1, 2), version_12},
      {to_handshake, with_version(handshake({1}), 0, 1), version_01},
      {to_setup, with_version(response_tcp(7890), 1, 2), version_12},
      {to_heartbeat, with_version(heartbeat(0), 1, 2), version_12},
      {to_heartbeat, with_version(heartbeat(0), 0, 1), version_01},
      // Bytes of another protocol, in every phase.
      {to_handshake, "GET / HTTP/1.1\r\n", http},
      {to_setup, "GET / HTTP/1.1\r\n", http},
      {to_heartbeat, "GET / HTTP/1.1\r\n", http},
      {to_handshake, "LE\x1b[2J\n\"",
       "E102 the bytes \"LE\\x1b[2J\\n\\\"\" begin no LEKT packet; every packet begins with \"LEKT\""},
      // Packets in the wrong phase; those of the server too.
      {to_handshake, response_tcp(7890), unexpected('T', "'H' (handshake)")},
      {to_handshake, accept(), unexpected('A', "'H' (handshake)")},
      {to_handshake, reject("no"), unexpected('R', "'H' (handshake)")},
      {to_setup, handshake({1}), unexpected('H', "'T' (response)")},
      {to_setup, heartbeat(0), unexpected('H', "'T' (response)")},
      {to_setup, accept(), unexpected('A', "'T' (response)")},
      {to_heartbeat, response_tcp(7890), unexpected('T', "'H' (heartbeat)")},
      {to_heartbeat, accept(), unexpected('A', "'H' (heartbeat)")},
      {to_heartbeat, reject("no"), unexpected('R', "'H' (heartbeat)")},
      // The handshake.
      {to_handshake, hex("4c454b54 48000000 00000401"),
       "E104 the number of known methods is 1025; this server allows at most 1024"},
      {to_handshake, hex("4c454b54 48000000 ffffffff"),
       "E104 the number of known methods is 4294967295; this server allows at most 1024"},
      {to_handshake, hex("4c454b54 48000000 00000001 00000002"),
       "E105 the bit of method 2 is set, but only 1 methods are known; "
       "method m is bit (m-1) mod 32 of word (m-1) div 32"},
      {to_handshake, hex("4c454b54 48000000 00000021 00000000 80000001"),
       "E105 the bit of method 64 is set, but only 33 methods are known; "
       "method m is bit (m-1) mod 32 of word (m-1) div 32"},
      // The setup.
      {to_setup, response_chat("x"), "E201 a response for method 2 came; method 1 was requested"},
      {to_setup, response(0, {}), "E201 a response for method 0 came; method 1 was requested"},
      {to_setup, response_tcp(0), "E202 port 0 of method 1 (tcp) is not a port; 1 to 65535 would be right"},
      {to_setup, response_tcp(65536),
       "E202 port 65536 of method 1 (tcp) is not a port; 1 to 65535 would be right"},
      {to_chat, response(2, hex("00001001")),
       "E203 method 2 (chat) has 4097 bytes of information; at most 4096 are allowed"},
      {to_chat, response(2, hex("00000001 61000100")), padding("2 (chat)")},
      {to_key, response(3, hex("616263646566 0001")), padding("3 (key)")},
  };
  return all;
}

TEST(Refusals, name_what_is_wrong_and_what_would_be_right) {
  for (const Refusal& refusal : refusals()) {
    SCOPED_TRACE(refusal.way.phase + ": " + refusal.text);
    SessionOwner owner;
    owner.receive(refusal.way.received);
    owner.receive(refusal.wrong);
    EXPECT_EQ(owner.refusal(), refusal.text);
    EXPECT_EQ(owner.sent(), refusal.way.sent + reject(owner.refusal()));
    EXPECT_EQ(owner.decisions().back(), "end " + refusal.text.substr(0, 4));
    EXPECT_EQ(owner.session().phase(), Session::Phase::ended);
  }
}

TEST(Refusals, are_the_last_thing_that_is_sent) {
  for (const Refusal& refusal : refusals()) {
    SCOPED_TRACE(refusal.way.phase + ": " + refusal.text);
    SessionOwner owner;
    owner.receive(refusal.way.received);
    owner.receive(refusal.wrong + handshake({1}) + response_tcp(7890) + heartbeat(0));
    owner.receive(handshake({}) + heartbeat(0));
    EXPECT_EQ(owner.sent(), refusal.way.sent + reject(owner.refusal()));
    EXPECT_EQ(owner.decisions().back(), "end " + refusal.text.substr(0, 4));
  }
}

TEST(Refusals, do_not_depend_on_how_the_bytes_arrive) {
  for (const Refusal& refusal : refusals()) {
    if (refusal.text.starts_with("E102")) continue;  // quotes as many bytes as have arrived
    SCOPED_TRACE(refusal.way.phase + ": " + refusal.text);
    SessionOwner whole;
    whole.receive(refusal.way.received + refusal.wrong);
    SessionOwner in_bytes;
    for (const char byte : refusal.way.received + refusal.wrong) in_bytes.receive(ByteView(&byte, 1));
    EXPECT_EQ(in_bytes.sent(), whole.sent());
    EXPECT_EQ(in_bytes.decisions(), whole.decisions());
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
  EXPECT_EQ(owner.refusal(), unexpected('T', "'H' (heartbeat)"));
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

TEST(Limits, the_longest_information_is_allowed) {
  SessionOwner owner;
  owner.receive(handshake({2}) + response_chat(Bytes(4096, 'x')));
  EXPECT_EQ(owner.sent(), accept() + request(2) + request(0));
}

TEST(Limits, both_ends_of_the_ports_are_allowed) {
  for (const std::uint32_t port : {1u, 65535u}) {
    SessionOwner owner;
    owner.receive(handshake({1}) + response_tcp(port));
    EXPECT_EQ(owner.decisions(), (std::vector{"join 10.0.0.7 tcp:" + std::to_string(port)}));
  }
}

}  // namespace
}  // namespace lekt
