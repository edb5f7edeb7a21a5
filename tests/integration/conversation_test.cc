// Whole conversations, in the pieces and orders that networks and programs make of them.
#include <chrono>

#include "tests/integration/daemon.h"
#include "tests/integration/raw_client.h"

namespace lekt::test {

namespace {

using Lines = std::vector<std::string>;

class ConversationTest : public DaemonTest {
 protected:
  /// What every client of these tests hears after `whole_conversation`, whatever way it was sent.
  static void expect_whole_answer(RawClient& client) {
    client.expect<AcceptPacket>();
    EXPECT_EQ(client.expect<RequestPacket>().index, 1u);
    EXPECT_EQ(client.expect<RequestPacket>().index, 2u);
    EXPECT_EQ(client.expect<RequestPacket>().index, 0u);
    const Answer answer = client.read_answer();
    EXPECT_EQ(client.peers(), Lines{"127.0.0.2 tcp:7890 chat:6869"});
    EXPECT_GT(answer.closing(), 0);
  }

  const Bytes whole_conversation_ = hex(
      // handshake: knows 2 methods, supports both
      "4c454b54 48000000 00000002 00000003"
      // response: method 1, port 7890
      "4c454b54 54000000 00000001 00001ed2"
      // response: method 2, 2 bytes "hi", padded
      "4c454b54 54000000 00000002 00000002 68690000"
      // heartbeat: from the beginning
      "4c454b54 48000000 00000000 00000000");
};

}  // namespace

TEST_F(ConversationTest, may_come_in_one_segment) {
  RawClient client(start(catalogue_flags()).port(), "127.0.0.2");
  client.send(whole_conversation_);
  expect_whole_answer(client);
}

TEST_F(ConversationTest, may_come_one_byte_at_a_time) {
  RawClient client(start(catalogue_flags()).port(), "127.0.0.2");
  for (const char byte : whole_conversation_) client.send(ByteView(&byte, 1));
  expect_whole_answer(client);
}

TEST_F(ConversationTest, is_answered_to_the_end_though_the_client_half_closes_at_once) {
  RawClient client(start(catalogue_flags()).port(), "127.0.0.2");
  client.send(whole_conversation_ + heartbeat_bytes(0) + heartbeat_bytes(0));
  client.half_close();
  expect_whole_answer(client);
  for (int repeated = 0; repeated < 2; ++repeated) EXPECT_EQ(client.read_answer().added.size(), 1u);
  client.expect_end();
}

TEST_F(ConversationTest, answers_every_one_of_many_pipelined_heartbeats) {
  RawClient client = joined(start({"--max-heartbeat-rate", "1000000"}).port(), "127.0.0.2");
  Bytes heartbeats;
  for (int i = 0; i < 5000; ++i) heartbeats += heartbeat_bytes(0);
  client.send(heartbeats);
  for (int i = 0; i < 5000; ++i) ASSERT_EQ(client.read_answer().added, std::vector{ip("127.0.0.2")});
}

TEST_F(ConversationTest, lets_three_clients_find_each_other_and_themselves) {
  const std::uint16_t port = start().port();
  RawClient first = joined(port, "127.0.0.2", tcp(1001));
  RawClient second = joined(port, "127.0.0.3", tcp(1002));
  RawClient third = joined(port, "127.0.0.4", tcp(1003));
  const Lines all = {"127.0.0.2 tcp:1001", "127.0.0.3 tcp:1002", "127.0.0.4 tcp:1003"};
  for (RawClient* client : {&first, &second, &third})
    EXPECT_TRUE(eventually([&] { return client->beat(), client->peers() == all; }, patience()));
}

TEST_F(ConversationTest, gives_all_clients_the_same_bytes) {
  const std::uint16_t port = start().port();
  RawClient first = joined(port, "127.0.0.2");
  RawClient second = joined(port, "127.0.0.3");
  ASSERT_TRUE(eventually([&] { return first.beat(), first.peers().size() == 2; }, patience()));
  const Answer one = first.beat(0);
  const Answer other = second.beat(0);
  EXPECT_EQ(one.added, other.added);
  EXPECT_EQ(one.packets.size(), other.packets.size());
}

TEST_F(ConversationTest, lists_a_client_that_offers_nothing) {
  const std::uint16_t port = start().port();
  RawClient none_known = joined(port, "127.0.0.2", {});
  RawClient none_supported(port, "127.0.0.3");
  none_supported.send(hex("4c454b54 48000000 00000021 00000000 00000000"));  // 33 known, no bit set
  none_supported.expect<AcceptPacket>();
  EXPECT_EQ(none_supported.expect<RequestPacket>().index, 0u);
  const Lines both = {"127.0.0.2 ", "127.0.0.3 "};
  EXPECT_TRUE(eventually([&] { return none_known.beat(), none_known.peers() == both; }, patience()));
}

TEST_F(ConversationTest, asks_only_for_methods_that_it_knows_and_in_ascending_order) {
  RawClient client(start(catalogue_flags()).port(), "127.0.0.2");
  HandshakePacket handshake;
  for (const std::uint32_t method : {70u, 32u, 3u, 1u}) handshake.support(method);
  client.send(encode(handshake));
  client.expect<AcceptPacket>();
  EXPECT_EQ(client.expect<RequestPacket>().index, 1u);
  client.send(hex("4c454b54 54000000 00000001 00001ed2"));
  EXPECT_EQ(client.expect<RequestPacket>().index, 3u);
  client.send(hex("4c454b54 54000000 00000003 0a0b0c0d 0e0f0000"));
  EXPECT_EQ(client.expect<RequestPacket>().index, 0u);
  client.beat();
  EXPECT_EQ(client.peers(), Lines{"127.0.0.2 tcp:7890 key:0a0b0c0d0e0f"});
}

TEST_F(ConversationTest, accepts_any_optional_features_and_grants_those_it_has) {
  RawClient client(start().port(), "127.0.0.2");
  client.send(hex("4c454b54 480000ff 00000000"));
  EXPECT_EQ(client.expect<AcceptPacket>().version, version_with(Features::all()));
  EXPECT_EQ(client.expect<RequestPacket>().index, 0u);
}

TEST_F(ConversationTest, counts_an_ipv4_client_of_an_ipv6_listener_as_ipv4) {
  if (!has_ipv6()) GTEST_SKIP() << "this machine has no IPv6 loopback";
  start({"--listen", "[::]:0"});
  RawClient client = joined(daemon().port(), "127.0.0.9");
  client.beat();
  EXPECT_EQ(client.peers(), Lines{"127.0.0.9 tcp:7890"});
}

TEST_F(ConversationTest, serves_one_list_on_several_addresses) {
  start({"--listen", "127.0.0.1:0", "--listen", "127.0.0.77:0"});
  ASSERT_EQ(daemon().ports().size(), 2u);
  RawClient first = joined(daemon().ports()[0], "127.0.0.2");
  RawClient second(daemon().ports()[1], "127.0.0.3", {.to = "127.0.0.77"});
  second.join(tcp(7890));
  EXPECT_TRUE(eventually([&] { return first.beat(), first.peers().size() == 2; }, patience()));
}

}  // namespace lekt::test
