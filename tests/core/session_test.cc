#include "server/core/session.h"

#include <gtest/gtest.h>

#include "tests/core/session_owner.h"

namespace lekt {
namespace {

using namespace test;
using Decisions = std::vector<std::string>;
using Joins = SessionOwner::Joins;
using Phase = Session::Phase;

TEST(Session, walks_from_the_handshake_to_heartbeats) {
  SessionOwner owner(Joins::later);
  EXPECT_EQ(owner.session().phase(), Phase::handshake);
  owner.receive(handshake({1}));
  EXPECT_EQ(owner.session().phase(), Phase::setup);
  EXPECT_EQ(owner.sent(), accept() + request(1));
  owner.receive(response_tcp(7890));
  EXPECT_EQ(owner.session().phase(), Phase::joining);
  EXPECT_EQ(owner.sent(), accept() + request(1)) << "the zero index comes only when the client is stored";
  owner.decide_join();
  EXPECT_EQ(owner.session().phase(), Phase::heartbeat);
  EXPECT_EQ(owner.sent(), accept() + request(1) + request(0));
  owner.receive(heartbeat(1700000000));
  EXPECT_EQ(owner.session().phase(), Phase::heartbeat);
  EXPECT_EQ(owner.decisions(), (Decisions{"join 10.0.0.7 tcp:7890", "answer 1700000000"}));
}

TEST(Session, sends_nothing_before_it_has_read_something) {
  SessionOwner owner;
  owner.receive({});
  EXPECT_TRUE(owner.sent().empty());
  EXPECT_TRUE(owner.decisions().empty());
}

TEST(Session, a_client_that_knows_no_methods_joins_at_once) {
  SessionOwner owner;
  owner.receive(handshake({}));
  EXPECT_EQ(owner.sent(), accept() + request(0));
  EXPECT_EQ(owner.decisions(), Decisions{"join 10.0.0.7 "});
}

TEST(Session, a_client_that_sets_no_bit_joins_at_once) {
  SessionOwner owner;
  owner.receive(encode(HandshakePacket{version_spoken, 64, {0, 0}}));
  EXPECT_EQ(owner.sent(), accept() + request(0));
  EXPECT_EQ(owner.decisions(), Decisions{"join 10.0.0.7 "});
}

TEST(Session, asks_for_methods_of_the_catalogue_only) {
  SessionOwner owner;
  owner.receive(handshake({4, 32, 33, 1024}));
  EXPECT_EQ(owner.sent(), accept() + request(0)) << "nobody can read the information of other methods";
}

TEST(Session, never_asks_for_what_the_server_gives) {
  SessionOwner owner(Joins::at_once, 4096);
  owner.receive(handshake({1, 2, 3006}));
  owner.receive(response_tcp(80));
  EXPECT_EQ(owner.sent(), accept() + request(1) + request(2));
  owner.receive(response_chat(""));
  EXPECT_EQ(owner.sent(), accept() + request(1) + request(2) + request(0));
  EXPECT_EQ(owner.decisions(), Decisions{"join 10.0.0.7 tcp:80 chat:"});
}

TEST(Session, refuses_who_claims_to_be_a_device_without_being_asked) {
  const Bytes device = response(3006, MethodCatalogue::wrap({MethodForm::Kind::sized, 0}, "uid=ab"));
  SessionOwner instead(Joins::at_once, 4096);
  instead.receive(handshake({1, 3006}) + device);
  EXPECT_EQ(instead.decisions(), Decisions{"end E201"});
  SessionOwner after(Joins::at_once, 4096);
  after.receive(handshake({1, 3006}) + response_tcp(80) + device);
  EXPECT_EQ(after.decisions(), (Decisions{"join 10.0.0.7 tcp:80", "end E103"}));
}

TEST(Session, asks_for_one_method_after_the_other_in_ascending_order) {
  SessionOwner owner;
  owner.receive(handshake({3, 900, 2, 1}));
  EXPECT_EQ(owner.sent(), accept() + request(1));
  owner.receive(response_tcp(80));
  EXPECT_EQ(owner.sent(), accept() + request(1) + request(2));
  owner.receive(response_chat(""));
  EXPECT_EQ(owner.sent(), accept() + request(1) + request(2) + request(3));
  owner.receive(response(3, ByteView("abcdef\0\0", 8)));
  EXPECT_EQ(owner.decisions(), Decisions{"join 10.0.0.7 tcp:80 chat: key:616263646566"});
}

TEST(Session, leaves_out_methods_that_the_client_does_not_support) {
  SessionOwner owner;
  owner.receive(handshake({1, 3}));
  owner.receive(response_tcp(80));
  EXPECT_EQ(owner.sent(), accept() + request(1) + request(3));
}

TEST(Session, keeps_information_as_it_is_on_the_wire) {
  SessionOwner owner(Joins::later);
  owner.receive(handshake({2}) + response_chat("abc"));
  EXPECT_EQ(owner.session().methods(), (Methods{{2, Bytes("\0\0\0\3abc\0", 8)}}));
  owner.decide_join();
  EXPECT_TRUE(owner.session().methods().empty()) << "an established session keeps none of it";
}

TEST(Session, ignores_the_extra_bits_of_every_packet_and_accepts_with_none) {
  const auto with_extra = [](Bytes packet) {
    packet[7] = '\xff';
    return packet;
  };
  SessionOwner owner;
  owner.receive(with_extra(handshake({1})) + with_extra(response_tcp(7890)) + with_extra(heartbeat(5)));
  EXPECT_EQ(owner.sent(), accept() + request(1) + request(0) + closing(5));
}

TEST(Session, has_the_features_that_both_sides_have_and_says_so_in_every_packet) {
  const Features asked = Features::from_extra(0xf8);  // identity, observe, and bits that nobody has defined
  const Features identity{Feature::identity};
  SessionOwner owner(Joins::at_once, limits::methods_max_default, {Feature::digest, Feature::identity});
  owner.receive(handshake({1}, asked) + response_tcp(7890));
  EXPECT_EQ(owner.session().features(), identity);
  EXPECT_EQ(owner.sent(), encode(AcceptPacket{version_with(identity), example_identity}) +
                              encode(RequestPacket{version_with(identity), 1}) +
                              encode(RequestPacket{version_with(identity), 0}));
}

TEST(Session, has_no_features_that_the_client_does_not_ask_for) {
  SessionOwner owner(Joins::at_once, limits::methods_max_default, Features::all());
  owner.receive(handshake({1}) + response_tcp(7890));
  EXPECT_TRUE(owner.session().features().empty());
  EXPECT_EQ(owner.sent(), accept() + request(1) + request(0));
}

TEST(Session, tells_a_client_that_it_refuses_what_the_server_has_if_it_has_asked_for_something) {
  const Features server{Feature::digest, Feature::identity};
  for (const Features asked : {Features{}, Features{Feature::push}}) {
    SessionOwner owner(Joins::at_once, limits::methods_max_default, server);
    owner.receive(handshake({1}, asked) + heartbeat(5));
    const Features told = asked.empty() ? Features{} : server;
    EXPECT_TRUE(owner.sent().ends_with(encode(RejectPacket{version_with(told), owner.refusal()})));
  }
}

TEST(Session, relays_every_timestamp_as_it_is) {
  for (const std::int64_t timestamp : {INT64_MIN, std::int64_t{-1}, std::int64_t{0}, INT64_MAX}) {
    SessionOwner owner;
    owner.receive(handshake({}) + heartbeat(timestamp));
    EXPECT_EQ(owner.decisions().back(), "answer " + std::to_string(timestamp));
  }
}

TEST(Session, remembers_the_second_in_which_it_joined) {
  SessionOwner owner;
  owner.receive(handshake({}));
  EXPECT_EQ(owner.session().cursor().second, 1700000010);
  EXPECT_TRUE(owner.session().cursor().first);
}

TEST(Session, can_be_refused_in_any_phase) {
  const Rejection reason{ErrorCode::server_stopping, "the server is stopping; try again later"};
  for (const Bytes& received : {Bytes(), handshake({1}), handshake({}), handshake({1}) + response_tcp(1),
                                handshake({}) + heartbeat(0), handshake({1}) + "LEK"}) {
    for (const Joins joins : {Joins::at_once, Joins::later}) {
      SessionOwner owner(joins);
      owner.receive(received);
      Bytes out;
      owner.session().reject(reason, out);
      EXPECT_EQ(out, reject("E402 the server is stopping; try again later"));
      EXPECT_EQ(owner.session().phase(), Phase::ended);
      EXPECT_EQ(owner.refusal(), reason.text());
    }
  }
}

TEST(Session, says_and_hears_nothing_after_the_end) {
  SessionOwner owner;
  owner.receive(handshake({}));
  Bytes out;
  owner.session().reject({ErrorCode::heartbeat_timeout, "first"}, out);
  out.clear();
  owner.session().reject({ErrorCode::server_stopping, "second"}, out);
  owner.receive(heartbeat(0) + "anything");
  EXPECT_TRUE(out.empty());
  EXPECT_EQ(owner.sent(), accept() + request(0));
  EXPECT_EQ(owner.refusal(), "E301 first") << "the first reason stays";
}

}  // namespace
}  // namespace lekt
