#include "bench/load/reply.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "bench/load/dialogue.h"
#include "common/catalogue.h"
#include "common/packets.h"

namespace lekt::bench {

namespace {

using Kind = ReplyForm::Kind;
using testing::HasSubstr;
using testing::ThrowsMessage;

/// Two added, one removed, the closing packet.
Bytes answer() {
  const Methods methods{{tcp_index, tcp_information(7890)}};
  Bytes bytes =
      encode(UpdatePacket{version_spoken, 5, UpdateKind::removed, 1}) + encode(RemovedEntry{Address::v4(9)});
  bytes += encode(UpdatePacket{version_spoken, 5, UpdateKind::added, 2});
  bytes += encode(AddedEntry{Address::v4(1), methods, {}}) + encode(AddedEntry{Address::v4(2), {}, {}});
  return bytes + encode(UpdatePacket{version_spoken, 7, UpdateKind::added, 0});
}

/// Feeds the reply in two pieces at every place: it ends with its last byte, and with no earlier one.
void expect_end_after(const Bytes& reply, const ReplyForm& form, std::uint64_t entries = 0) {
  for (std::size_t cut = 0; cut < reply.size(); ++cut) {
    ReplyReader reader;
    reader.expect(form);
    ByteView first = ByteView(reply).substr(0, cut);
    EXPECT_FALSE(reader.take(first)) << cut;
    EXPECT_TRUE(first.empty()) << cut;
    const Bytes rest = reply.substr(cut) + "next";
    ByteView second = rest;
    EXPECT_TRUE(reader.take(second)) << cut;
    EXPECT_EQ(second, "next") << cut;
    EXPECT_EQ(reader.entries(), entries) << cut;
  }
}

auto taking(const Bytes& reply, const ReplyForm& form) {
  return [=] {
    ReplyReader reader;
    reader.expect(form);
    ByteView input = reply;
    (void)reader.take(input);
  };
}

}  // namespace

TEST(Reply, of_fixed_size_ends_with_it) { expect_end_after(Bytes(300, 'x'), {Kind::fixed, 300}); }

TEST(Reply, to_a_heartbeat_ends_with_the_closing_packet) { expect_end_after(answer(), {Kind::answer}, 3); }

TEST(Reply, to_a_heartbeat_carries_the_timestamp_to_resume_from) {
  ReplyReader reader;
  reader.expect({Kind::answer});
  const Bytes bytes = answer();
  ByteView input = bytes;
  ASSERT_TRUE(reader.take(input));
  EXPECT_EQ(reader.timestamp(), 7);
}

TEST(Reply, names_the_added_addresses_to_who_collects_them) {
  ReplyReader reader;
  reader.collect();
  reader.expect({Kind::answer});
  const Bytes bytes = answer();
  ByteView input = bytes;
  ASSERT_TRUE(reader.take(input));
  EXPECT_THAT(reader.added(), testing::ElementsAre(1u, 2u));
}

TEST(Reply, of_redis_ends_with_its_last_value) {
  expect_end_after("*-1\r\n", {Kind::resp, 1});
  expect_end_after("+OK\r\n$5\r\n1-1\r\n\r\n", {Kind::resp, 2});
  expect_end_after("*1\r\n*2\r\n$4\r\nlekt\r\n*1\r\n*2\r\n$3\r\n2-1\r\n*2\r\n$1\r\na\r\n$-1\r\n",
                   {Kind::resp, 1});
}

TEST(Reply, over_http_ends_with_its_body) {
  expect_end_after("HTTP/1.1 200 OK\r\nContent-LENGTH: 5\r\nX: y\r\n\r\nhello", {Kind::http});
}

TEST(Reply, that_refuses_ends_the_run_with_the_words_of_the_server) {
  EXPECT_THAT(taking(encode(RejectPacket{version_spoken, "E401 the server is full"}), {Kind::fixed, 32}),
              ThrowsMessage<BenchError>(HasSubstr("E401 the server is full")));
  EXPECT_THAT(taking(encode(RejectPacket{version_spoken, "E301 no heartbeat came"}), {Kind::answer}),
              ThrowsMessage<BenchError>(HasSubstr("LEKTR")));
  EXPECT_THAT(taking("-ERR unknown\r\n", {Kind::resp, 1}),
              ThrowsMessage<BenchError>(HasSubstr("ERR unknown")));
  EXPECT_THAT(taking("HTTP/1.1 500 Oops\r\n", {Kind::http}),
              ThrowsMessage<BenchError>(HasSubstr("500 Oops")));
}

TEST(Dialogue, of_lekt_joins_with_a_handshake_and_a_response) {
  const Dialogue dialogue(Peer::lekt, "");
  const auto joining = dialogue.joining(Address::v4(0x7f000002));
  ASSERT_EQ(joining.size(), 2u);
  EXPECT_EQ(joining[0].request.size(), 16u);
  EXPECT_EQ(joining[0].reply.size, 20u);
  EXPECT_EQ(joining[1].reply.size, 12u);
  EXPECT_EQ(dialogue.beat(-2).request.substr(8), Bytes("\xff\xff\xff\xff\xff\xff\xff\xfe"));
}

}  // namespace lekt::bench
