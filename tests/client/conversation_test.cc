#include "client/conversation.h"

#include <gtest/gtest.h>

#include <algorithm>

#include "client/command/output.h"
#include "tests/client/fake_server.h"
#include "tests/support/support.h"

namespace lekt::test {
namespace {

struct EventText {
  std::string operator()(const Accepted&) const { return "accepted\n"; }
  std::string operator()(const Joined&) const { return "joined\n"; }
  std::string operator()(const ListDiffers& event) const { return "differs: " + event.message + "\n"; }
  std::string operator()(const Rejected& event) const { return "rejected: " + event.text + "\n"; }
  std::string operator()(const Malformed& event) const { return event.rejection.text() + "\n"; }
  std::string operator()(const Updated& event) const {
    std::string text = "updated\n";
    for (const PeerChange& change : event.changes) text += command::text_of(change, MethodCatalogue());
    return text;
  }
};

/// A conversation that offers tcp:4000 and method 3, and asks as soon as it may.
class Peer {
 public:
  explicit Peer(Features asked = {}) : conversation{catalogue, offered, view, asked} {
    sent += conversation.take_output();
  }

  void receive(ByteView bytes) {
    for (const ConversationEvent& event : conversation.receive(bytes)) {
      events += std::visit(EventText(), event);
      if (std::holds_alternative<Joined>(event)) conversation.heartbeat();
    }
    sent += conversation.take_output();
  }

  MethodCatalogue catalogue;
  Methods offered = {{tcp_index, tcp_information(4000)}, {3, hex("aabbccdd")}};
  PeerView view;
  Conversation conversation;
  std::string events;
  Bytes sent;
};

const Bytes accept = encode(AcceptPacket{});
const Bytes request_1 = encode(RequestPacket{.index = 1});
const Bytes request_3 = encode(RequestPacket{.index = 3});
const Bytes setup_ends = encode(RequestPacket{});

const Bytes handshake_sent = hex("4c454b54 48000000 00000003 00000005");
const Bytes responses_sent = hex("4c454b54 54000000 00000001 00000fa0 4c454b54 54000000 00000003 aabbccdd");
const Bytes heartbeat_sent = hex("4c454b54 48000000 0000000000000000");

const Bytes setup = accept + request_1 + request_3 + setup_ends;

/// The answer to the first heartbeat. No server can send it earlier, so it never comes together with the
/// setup.
Bytes first_answer() {
  return update(0, {added("10.0.0.1", tcp(1)), added("10.0.0.2", tcp(2))}) +
         update(0, std::vector<std::string_view>{"10.0.0.1"}) + closing(100);
}

const std::string whole_events = "accepted\njoined\nupdated\n+ 10.0.0.2 tcp:2\n";

TEST(Conversation, announces_the_offered_methods_first) { EXPECT_EQ(Peer().sent, handshake_sent); }

TEST(Conversation, announces_nothing_when_nothing_is_offered) {
  const MethodCatalogue catalogue;
  const Methods offered;
  PeerView view;
  EXPECT_EQ(Conversation(catalogue, offered, view).take_output(), hex("4c454b54 48000000 00000000"));
}

TEST(Conversation, runs_from_handshake_to_list) {
  Peer peer;
  peer.receive(setup);
  peer.receive(first_answer());
  EXPECT_EQ(peer.events, whole_events);
  EXPECT_EQ(peer.sent, handshake_sent + responses_sent + heartbeat_sent);
  EXPECT_EQ(peer.view.next_timestamp(), 100);
  EXPECT_EQ(peer.conversation.buffered(), 0u);
}

TEST(Conversation, does_not_care_how_the_bytes_are_split) {
  const Bytes answer = first_answer();
  for (std::size_t first = 0; first <= setup.size(); ++first)
    for (std::size_t second = 0; second <= answer.size(); ++second) {
      Peer peer;
      for (const ByteView piece : {ByteView(setup).substr(0, first), ByteView(setup).substr(first),
                                   ByteView(answer).substr(0, second), ByteView(answer).substr(second)})
        peer.receive(piece);
      ASSERT_EQ(peer.events, whole_events) << first << " " << second;
      ASSERT_EQ(peer.sent, handshake_sent + responses_sent + heartbeat_sent) << first << " " << second;
    }
}

TEST(Conversation, takes_one_byte_at_a_time) {
  Peer peer;
  for (const char byte : setup + first_answer()) peer.receive(ByteView(&byte, 1));
  EXPECT_EQ(peer.events, whole_events);
}

TEST(Conversation, keeps_no_more_of_a_large_packet_than_one_entry) {
  Peer peer;
  peer.receive(accept + setup_ends);
  std::vector<AddedEntry> entries;
  for (std::uint32_t i = 1; i <= 5000; ++i) entries.push_back({Address::v4(i), tcp(1), {}});
  for (const char byte : update(0, entries)) {
    peer.receive(ByteView(&byte, 1));
    ASSERT_LT(peer.conversation.buffered(), 20u);
  }
  peer.receive(closing(100));
  EXPECT_EQ(peer.view.peers().size(), 5000u);
}

TEST(Conversation, may_ask_only_when_joined_and_answered) {
  Peer peer;
  EXPECT_FALSE(peer.conversation.can_ask());
  peer.receive(accept + setup_ends);
  EXPECT_FALSE(peer.conversation.can_ask());
  EXPECT_TRUE(peer.conversation.expects_bytes());
  peer.receive(closing(100));
  EXPECT_TRUE(peer.conversation.can_ask());
  EXPECT_FALSE(peer.conversation.expects_bytes());
}

TEST(Conversation, asks_with_the_closing_timestamp) {
  Peer peer;
  peer.receive(accept + setup_ends);
  peer.receive(closing(0x65a0bc00));
  peer.conversation.heartbeat();
  EXPECT_EQ(peer.conversation.take_output(), hex("4c454b54 48000000 0000000065a0bc00"));
}

TEST(Conversation, skips_methods_that_are_not_requested) {
  Peer peer;
  peer.receive(accept + request_3 + setup_ends);
  EXPECT_EQ(peer.sent, handshake_sent + hex("4c454b54 54000000 00000003 aabbccdd") + heartbeat_sent);
}

TEST(Conversation, tells_a_reject_in_every_phase) {
  const Bytes reject = encode(RejectPacket{.version = {1, 2, 3}, .text = "E402 going away"});
  const std::vector<std::pair<Bytes, Bytes>> phases = {{"", ""},
                                                       {accept, ""},
                                                       {accept + request_1, ""},
                                                       {setup, ""},
                                                       {setup, update(0, {added("10.0.0.1", tcp(1))})},
                                                       {setup, closing(100)}};
  for (const auto& [first, second] : phases) {
    Peer peer;
    peer.receive(first);
    peer.receive(second + reject + accept);
    EXPECT_TRUE(peer.events.ends_with("rejected: E402 going away\n")) << peer.events;
    EXPECT_FALSE(peer.conversation.can_ask());
    EXPECT_FALSE(peer.conversation.expects_bytes());
  }
}

TEST(Conversation, refuses_packets_of_another_phase) {
  const std::vector<std::pair<Bytes, Bytes>> cases = {{"", request_1},  {"", closing(1)},
                                                      {accept, accept}, {accept, closing(1)},
                                                      {setup, accept},  {setup, request_1}};
  for (const auto& [before, wrong] : cases) {
    Peer peer;
    peer.receive(before);
    peer.events.clear();
    peer.receive(wrong + setup);
    EXPECT_TRUE(peer.events.starts_with("E703 a packet of type ")) << peer.events;
    EXPECT_EQ(std::ranges::count(peer.events, '\n'), 1);
  }
}

struct Nonsense {
  Bytes before;
  Bytes wrong;
  std::string said;
};

TEST(Conversation, names_what_is_wrong_with_the_servers_bytes) {
  const std::vector<Nonsense> cases = {
      {"", "SSH-2.0-OpenSSH\r\n",
       "the bytes \"SSH-2.0-\" begin no LEKT packet; every packet begins with \"LEKT\""},
      {"", hex("4c454b54 41010000"), "protocol version 1.0 is not supported; this client speaks 0.0"},
      {accept, encode(RequestPacket{.index = 7}), "the server requests method 7, which was not offered"},
      {accept, encode(RequestPacket{.index = 2}), "the server requests method 2, which was not offered"},
      {accept + request_3, request_1,
       "the server requests method 1 after method 3; ascending order would be right"},
      {accept + request_1, request_1,
       "the server requests method 1 after method 1; ascending order would be right"},
      {setup, closing(1) + closing(1), "an update came that no heartbeat asked for"},
      {encode(AcceptPacket{.version = version_with({Feature::push})}) + setup_ends, closing(1) + closing(1),
       "an update came that no heartbeat asked for"},
      {setup, update(0, {added("10.0.0.1", {{tcp_index, hex("00000000")}})}),
       "port 0 of method 1 (tcp) is not a port; 1 to 65535 would be right"},
      {setup, hex("4c454b54 48000000 0000000000000001 5a000001"),
       "the kind of an update is 'Z'; 'A' or 'R' would be right"}};
  for (const Nonsense& one : cases) {
    Peer peer;
    peer.receive(one.before);
    peer.receive(one.wrong);
    EXPECT_TRUE(peer.events.ends_with("E703 " + one.said + "\n")) << peer.events << one.said;
  }
}

// ---- Pushed answers ----

/// One that asks for pushes, from a server that has them.
struct PushedTo {
  explicit PushedTo(Features features = {Feature::push}) : conversation(catalogue, offered, view, features) {
    receive(encode(AcceptPacket{.version = version_with(features)}) +
            encode(RequestPacket{.version = version_with(features)}));
  }

  void receive(ByteView bytes) {
    for (const ConversationEvent& event : conversation.receive(bytes))
      events += std::visit(EventText(), event);
  }

  MethodCatalogue catalogue;
  Methods offered;
  PeerView view;
  Conversation conversation;
  std::string events;
};

TEST(Conversation, asks_for_features_and_says_what_is_in_force) {
  PushedTo peer;
  EXPECT_EQ(peer.conversation.take_output(), hex("4c454b54 48000002 00000000"));
  EXPECT_EQ(peer.conversation.features(), Features{Feature::push});
  peer.conversation.heartbeat();
  EXPECT_EQ(peer.conversation.take_output(), hex("4c454b54 48000002 00000000 00000000"));
}

TEST(Conversation, takes_answers_that_come_unasked_once_the_first_has_come) {
  PushedTo peer;
  peer.conversation.heartbeat();
  peer.receive(update(0, {added("10.0.0.1", tcp(1))}) + closing(100));
  peer.events.clear();
  peer.receive(update(101, {added("10.0.0.2", tcp(2))}) + closing(102));
  EXPECT_EQ(peer.events, "updated\n+ 10.0.0.2 tcp:2\n");
  EXPECT_FALSE(peer.conversation.expects_bytes());
  PushedTo other;
  other.receive(closing(100));
  EXPECT_TRUE(other.events.ends_with("E703 an update came that no heartbeat asked for\n")) << other.events;
}

TEST(Conversation, sends_no_heartbeat_within_a_pushed_answer_and_expects_its_end) {
  PushedTo peer;
  peer.conversation.heartbeat();
  peer.receive(closing(100));
  EXPECT_TRUE(peer.conversation.can_ask());
  peer.receive(update(101, {added("10.0.0.2", tcp(2))}));
  EXPECT_FALSE(peer.conversation.can_ask());
  EXPECT_TRUE(peer.conversation.expects_bytes());
  peer.receive(closing(102));
  EXPECT_TRUE(peer.conversation.can_ask());
  EXPECT_FALSE(peer.conversation.expects_bytes());
}

TEST(Conversation, takes_a_pushed_answer_that_crosses_a_heartbeat_for_its_answer_and_the_next_one_too) {
  PushedTo peer;
  peer.conversation.heartbeat();
  peer.receive(closing(100));
  peer.conversation.heartbeat();
  EXPECT_TRUE(peer.conversation.expects_bytes());
  peer.receive(update(101, {added("10.0.0.2", tcp(2))}) + closing(102));
  EXPECT_FALSE(peer.conversation.expects_bytes());
  peer.receive(closing(103));
  EXPECT_EQ(peer.view.next_timestamp(), 103);
  EXPECT_EQ(peer.view.peers().size(), 1u);
}

TEST(Conversation, goes_on_with_the_view_of_the_last_one) {
  Peer peer;
  peer.receive(accept + setup_ends);
  peer.receive(update(0, {added("10.0.0.1", tcp(1))}) + closing(100));
  Conversation next(peer.catalogue, peer.offered, peer.view);
  next.take_output();
  next.receive(accept + setup_ends);
  next.heartbeat();
  EXPECT_EQ(next.take_output(), hex("4c454b54 48000000 0000000000000064"));
  const auto events = next.receive(update(100, {added("10.0.0.1", tcp(1))}) + closing(100));
  ASSERT_EQ(events.size(), 1u);
  EXPECT_TRUE(std::get<Updated>(events.front()).changes.empty());
}

// ---- The digest ----

constexpr Features digest_alone{Feature::digest};

Bytes closing_with(std::int64_t timestamp, const std::vector<AddedEntry>& list, std::uint32_t too_many = 0) {
  ListDigest digest;
  for (const AddedEntry& entry : list) digest.add(digest_of_object(object_of_entry(encode(entry))));
  digest.clients += too_many;
  return encode(UpdatePacket{version_with(digest_alone), timestamp, UpdateKind::added, 0, digest});
}

/// A peer that compares, and is registered.
class ComparingPeer : public Peer {
 public:
  ComparingPeer() : Peer(digest_alone) {
    receive(encode(AcceptPacket{version_with(digest_alone)}) + setup_ends);
    events.clear();
    sent.clear();
  }
};

const AddedEntry first_peer = added("10.0.0.1", tcp(1));
const AddedEntry second_peer = added("10.0.0.2", tcp(2));

TEST(Digest, is_that_of_the_list_after_each_answer) {
  ComparingPeer peer;
  peer.receive(update(0, {first_peer, second_peer}) + closing_with(100, {first_peer, second_peer}));
  peer.conversation.heartbeat();
  peer.receive(update(101, {added("10.0.0.2", tcp(22)), added("10.0.0.3", {})}) +
               update(101, std::vector<std::string_view>{"10.0.0.1"}) +
               closing_with(101, {added("10.0.0.2", tcp(22)), added("10.0.0.3", {})}));
  peer.conversation.heartbeat();
  peer.receive(update(0, std::vector<std::string_view>{"0.0.0.0"}) + closing_with(102, {}));
  EXPECT_EQ(peer.events.find("differs"), std::string::npos) << peer.events;
  EXPECT_EQ(peer.view.digest(), ListDigest());
}

TEST(Digest, is_of_the_bytes_that_came_and_not_of_what_was_understood) {
  const AddedEntry unknown{parse_address("10.0.0.1").value(), tcp(1), hex("00000063 0a0b0c0d")};
  ComparingPeer peer;
  peer.receive(update(0, {unknown}) + closing_with(100, {unknown}));
  EXPECT_EQ(peer.events, "updated\n+ 10.0.0.1 tcp:1 ?99:0a0b0c0d\n");
}

TEST(Digest, that_differs_makes_the_client_ask_for_everyone) {
  ComparingPeer peer;
  peer.receive(update(0, {first_peer}) + closing_with(100, {first_peer}));
  peer.conversation.heartbeat();
  peer.receive(closing_with(101, {first_peer, second_peer}));
  EXPECT_NE(peer.events.find("differs: the list has 1 clients with the digest "), std::string::npos);
  EXPECT_TRUE(peer.events.ends_with("; all of it is asked for anew\n")) << peer.events;
  EXPECT_EQ(peer.view.next_timestamp(), 0);
  peer.conversation.heartbeat();
  peer.events.clear();
  peer.receive(update(0, {first_peer, second_peer}) + closing_with(101, {first_peer, second_peer}));
  EXPECT_EQ(peer.events, "updated\n+ 10.0.0.2 tcp:2\n");
  EXPECT_EQ(peer.view.next_timestamp(), 101);
}

TEST(Digest, differs_also_in_the_number_of_clients_alone) {
  ComparingPeer peer;
  peer.receive(update(0, {first_peer}) + closing_with(100, {first_peer}, 1));
  EXPECT_NE(peer.events.find("differs"), std::string::npos);
}

TEST(Digest, that_differs_for_a_full_list_as_well_is_not_compared_any_more) {
  ComparingPeer peer;
  for (int answer = 0; answer < 4; ++answer) {
    peer.receive(update(0, {first_peer}) + closing_with(100, {second_peer}));
    peer.conversation.heartbeat();
  }
  const std::string twice = peer.events.substr(peer.events.find("differs") + 1);
  EXPECT_NE(twice.find("it is not compared any more on this connection"), std::string::npos) << peer.events;
  EXPECT_EQ(twice.find("differs", twice.find("differs") + 1), std::string::npos) << peer.events;
  EXPECT_EQ(peer.view.next_timestamp(), 100) << "it must not ask for everyone for ever";
}

TEST(Digest, that_differs_makes_the_client_ask_for_everyone_whatever_is_pushed_meanwhile) {
  PushedTo peer({Feature::push, Feature::digest});
  peer.conversation.heartbeat();
  peer.receive(update(0, {first_peer}) + closing_with(100, {first_peer, second_peer}));
  EXPECT_NE(peer.events.find("differs: "), std::string::npos);
  const AddedEntry third = added("10.0.0.3", {});
  peer.receive(update(101, {third}) + closing_with(101, {first_peer, second_peer, third}));
  peer.conversation.take_output();
  peer.conversation.heartbeat();
  EXPECT_EQ(peer.conversation.take_output(), hex("4c454b54 48000006 00000000 00000000"));
  peer.receive(update(102, std::vector<std::string_view>{"10.0.0.3"}) +
               closing_with(102, {first_peer, second_peer}));
  peer.events.clear();
  peer.receive(update(0, std::vector<std::string_view>{"0.0.0.0"}) + update(0, {first_peer, second_peer}) +
               closing_with(103, {first_peer, second_peer}));
  EXPECT_EQ(peer.events, "updated\n+ 10.0.0.2 tcp:2\n");
  EXPECT_EQ(peer.view.next_timestamp(), 103);
}

TEST(Digest, is_read_only_if_it_is_in_force) {
  Peer peer(digest_alone);
  peer.receive(accept + setup_ends);
  peer.receive(closing(100));
  EXPECT_EQ(peer.events, "accepted\njoined\nupdated\n");
  Peer other;
  other.receive(encode(AcceptPacket{version_with(digest_alone)}) + setup_ends);
  other.receive(closing(100));
  EXPECT_EQ(other.events, "accepted\njoined\nupdated\n");
}

}  // namespace
}  // namespace lekt::test
