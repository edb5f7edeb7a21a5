// What a client makes of the digest in a closing packet.
#include <gtest/gtest.h>

#include <vector>

#include "common/list_digest.h"
#include "tests/client/conversation_peer.h"
#include "tests/client/fake_server.h"

namespace lekt::test {
namespace {

constexpr Features digest_alone{Feature::digest};

Bytes closing_with(std::int64_t timestamp, const std::vector<AddedEntry>& list, std::uint32_t too_many = 0) {
  ListDigest digest;
  for (const AddedEntry& entry : list) digest.add(digest_of_entry(encode(entry)));
  digest.clients += too_many;
  return encode(UpdatePacket{version_with(digest_alone), timestamp, UpdateKind::added, 0, digest});
}

/// A peer that compares, and is registered.
class ComparingPeer : public Peer {
 public:
  ComparingPeer() : Peer(digest_alone) {
    receive(encode(AcceptPacket{version_with(digest_alone)}) + encode(RequestPacket{}));
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

TEST(Digest, is_read_only_if_it_is_in_force) {
  Peer peer(digest_alone);
  peer.receive(encode(AcceptPacket{}) + encode(RequestPacket{}));
  peer.receive(closing(100));
  EXPECT_EQ(peer.events, "accepted\njoined\nupdated\n");
}

}  // namespace
}  // namespace lekt::test
