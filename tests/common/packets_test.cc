// The packets against the bytes of the document, and each field's own rules. Limits are in
// packet_limits_test.cc.
#include "common/packets.h"

#include <gtest/gtest.h>

#include <algorithm>

#include "common/text.h"
#include "tests/common/documented.h"
#include "tests/common/examples.h"
#include "tests/support/support.h"

namespace lekt {
namespace {

using test::Example;
using test::example_catalogue;
using test::hex;
using test::packet_examples;

template <class Packet>
Packet read_whole(const Bytes& bytes, bool from_server = true) {
  const ReadContext context{example_catalogue(), limits::methods_max_default, 0, from_server};
  Packet packet;
  ByteView rest = bytes;
  Rejection rejection{ErrorCode::not_lekt, {}};
  EXPECT_EQ(read(rest, packet, context, rejection), ReadStatus::complete) << rejection.text();
  EXPECT_TRUE(rest.empty());
  return packet;
}

/// What a packet that breaks the protocol is answered with.
template <class Packet>
std::string refusal(const Bytes& bytes, ReadContext context = {example_catalogue()}) {
  Packet packet;
  ByteView rest = bytes;
  Rejection rejection{ErrorCode::not_lekt, {}};
  const ReadStatus status = read(rest, packet, context, rejection);
  EXPECT_EQ(rest.size(), bytes.size()) << "nothing is consumed";
  if (status == ReadStatus::partial) return "partial";
  return status == ReadStatus::wrong ? rejection.text() : "complete";
}

class EveryPacket : public testing::TestWithParam<Example> {};

TEST_P(EveryPacket, is_written_as_its_golden_bytes) {
  EXPECT_EQ(to_hex(GetParam().built), to_hex(GetParam().bytes));
}

TEST_P(EveryPacket, has_its_golden_bytes_in_the_document) {
  EXPECT_EQ(
      to_hex(test::bytes_of_annotation(test::documented_example(test::protocol_document, GetParam().name))),
      to_hex(GetParam().bytes));
}

TEST_P(EveryPacket, is_annotated_in_the_document_as_the_program_does_it) {
  const Annotation annotation = annotate(GetParam().bytes, GetParam().direction(), example_catalogue());
  EXPECT_TRUE(annotation.complete);
  EXPECT_EQ(annotation.packets, 1u);
  EXPECT_EQ(annotation.text, test::documented_example(test::protocol_document, GetParam().name));
}

TEST_P(EveryPacket, is_read_to_its_end_and_not_beyond) {
  const Bytes followed = GetParam().bytes + "LEKT and what follows";
  const auto result = test::round_trip_guarded(GetParam().form, followed, GetParam().context());
  ASSERT_EQ(result.status, ReadStatus::complete) << result.rejection.text();
  EXPECT_EQ(result.consumed, GetParam().bytes.size());
  EXPECT_EQ(to_hex(result.encoded), to_hex(GetParam().bytes));
}

TEST_P(EveryPacket, is_aligned_to_four_bytes) { EXPECT_EQ(GetParam().bytes.size() % 4, 0u); }

INSTANTIATE_TEST_SUITE_P(Packets, EveryPacket, testing::ValuesIn(packet_examples()),
                         [](const auto& instance) { return instance.param.name; });

TEST(Examples, of_the_document_are_all_checked) {
  std::vector<std::string> checked = {"conversation_to_client", "conversation_to_server"};
  for (const Example& example : packet_examples()) checked.push_back(example.name);
  std::ranges::sort(checked);
  EXPECT_EQ(test::documented_example_names(test::protocol_document), checked);
}

TEST(Handshake, numbers_methods_from_one_and_bits_from_the_least_significant) {
  HandshakePacket packet;
  packet.support(1);
  EXPECT_EQ(packet.methods_known, 1u);
  EXPECT_EQ(packet.words, std::vector<std::uint32_t>{0x00000001});
  packet.support(32);
  EXPECT_EQ(packet.methods_known, 32u);
  EXPECT_EQ(packet.words, std::vector<std::uint32_t>{0x80000001});
  packet.support(33);
  EXPECT_EQ(packet.methods_known, 33u);
  EXPECT_EQ(packet.words, (std::vector<std::uint32_t>{0x80000001, 0x00000001}));
  packet.support(2);
  EXPECT_EQ(packet.methods_known, 33u) << "it never shrinks";
  for (std::uint32_t method = 0; method <= 100; ++method)
    EXPECT_EQ(packet.supports(method), method == 1 || method == 2 || method == 32 || method == 33) << method;
}

TEST(Handshake, may_support_nothing) {
  EXPECT_EQ(read_whole<HandshakePacket>(hex("4c454b54 48000000 00000000"), false).words.size(), 0u);
  const auto packet = read_whole<HandshakePacket>(hex("4c454b54 48000000 00000020 00000000"), false);
  for (std::uint32_t method = 0; method <= 33; ++method) EXPECT_FALSE(packet.supports(method));
}

TEST(Header, of_another_protocol_is_refused_with_the_first_byte_that_differs) {
  EXPECT_EQ(refusal<HandshakePacket>("G"),
            "E102 the bytes \"G\" begin no LEKT packet; every packet begins with \"LEKT\"");
  EXPECT_EQ(refusal<HandshakePacket>("LEK"), "partial");
  EXPECT_EQ(refusal<HandshakePacket>("LEKX"),
            "E102 the bytes \"LEKX\" begin no LEKT packet; every packet begins with \"LEKT\"");
  EXPECT_EQ(refusal<HandshakePacket>("GET / HTTP/1.1\r\n"),
            "E102 the bytes \"GET / HT\" begin no LEKT packet; every packet begins with \"LEKT\"");
  EXPECT_EQ(refusal<HandshakePacket>("\x16"),
            "E102 the bytes 0x16 begin no LEKT packet; every packet begins with \"LEKT\"");
  EXPECT_EQ(
      refusal<HandshakePacket>("\x16\x03\x01"),
      "E102 the bytes 0x160301 are TLS, and this port takes plain text; connect without TLS, or to a port of "
      "--tls-listen");
}

TEST(Header, with_another_type_is_refused_by_name) {
  EXPECT_EQ(refusal<HandshakePacket>(hex("4c454b54 54000000")),
            "E103 a packet of type 'T' came where 'H' (handshake) is expected");
  EXPECT_EQ(refusal<HeartbeatPacket>(hex("4c454b54 0a000000")),
            "E103 a packet of type '\\n' came where 'H' (heartbeat) is expected");
}

TEST(Header, with_another_major_or_minor_is_refused_in_every_client_packet) {
  const std::string major = "E101 protocol version 1.0 is not supported; this server speaks 0.0";
  const std::string minor = "E101 protocol version 0.1 is not supported; this server speaks 0.0";
  EXPECT_EQ(refusal<HandshakePacket>(hex("4c454b54 48010000")), major);
  EXPECT_EQ(refusal<HandshakePacket>(hex("4c454b54 48000100")), minor);
  EXPECT_EQ(refusal<ResponsePacket>(hex("4c454b54 54010000")), major);
  EXPECT_EQ(refusal<ResponsePacket>(hex("4c454b54 54000100")), minor);
  EXPECT_EQ(refusal<HeartbeatPacket>(hex("4c454b54 48010000")), major);
  EXPECT_EQ(refusal<HeartbeatPacket>(hex("4c454b54 48000100")), minor);
}

TEST(Header, with_any_extra_is_accepted_and_kept) {
  const auto packet = read_whole<HandshakePacket>(hex("4c454b54 480000a5 00000000"), false);
  EXPECT_EQ(packet.version.extra, 0xa5);
  EXPECT_EQ(read_whole<HeartbeatPacket>(hex("4c454b54 480000ff 0000000000000000"), false).version.extra,
            0xff);
}

TEST(Reject, of_another_version_can_be_read) {
  const auto packet = read_whole<RejectPacket>(hex("4c454b54 52070809 6e6f0000"));
  EXPECT_EQ(packet.version, (Version{7, 8, 9}));
  EXPECT_EQ(packet.text, "no");
}

TEST(Reject, keeps_its_message_when_the_padding_is_not_zero) {
  EXPECT_EQ(read_whole<RejectPacket>(hex("4c454b54 52000000 6e00ffff")).text, "n");
}

TEST(Response, for_another_method_than_the_requested_one_is_refused) {
  ReadContext context{example_catalogue()};
  context.index_requested = 2;
  EXPECT_EQ(refusal<ResponsePacket>(hex("4c454b54 54000000 00000001"), context),
            "E201 a response for method 1 came; method 2 was requested");
  EXPECT_EQ(refusal<ResponsePacket>(hex("4c454b54 54000000 00000009")),
            "E201 method 9 is not in the catalogue");
  EXPECT_EQ(refusal<ResponsePacket>(hex("4c454b54 54000000 00000000")),
            "E201 method 0 is not in the catalogue");
}

TEST(Heartbeat, keeps_the_whole_range_of_its_timestamp) {
  EXPECT_EQ(read_whole<HeartbeatPacket>(hex("4c454b54 48000000 ffffffffffffffff"), false).timestamp, -1);
  EXPECT_EQ(read_whole<HeartbeatPacket>(hex("4c454b54 48000000 8000000000000000"), false).timestamp,
            INT64_MIN);
  EXPECT_EQ(read_whole<HeartbeatPacket>(hex("4c454b54 48000000 7fffffffffffffff"), false).timestamp,
            INT64_MAX);
}

TEST(Update, closes_when_it_adds_nobody) {
  EXPECT_TRUE((UpdatePacket{version_spoken, 1, UpdateKind::added, 0}).closes());
  EXPECT_FALSE((UpdatePacket{version_spoken, 1, UpdateKind::removed, 0}).closes());
  EXPECT_FALSE((UpdatePacket{version_spoken, 1, UpdateKind::added, 1}).closes());
}

TEST(Update, of_an_unknown_kind_is_refused) {
  EXPECT_EQ(refusal<UpdatePacket>(hex("4c454b54 48000000 0000000000000000 42")),
            "E703 the kind of an update is 'B'; 'A' or 'R' would be right");
}

TEST(Update, keeps_a_method_that_is_not_in_the_catalogue_and_all_behind_it) {
  const Bytes bytes = hex("00000014 0a000007 00000001 00001ed2 00000009 0000002a");
  const auto entry = read_whole<AddedEntry>(bytes);
  EXPECT_EQ(entry.methods, (Methods{{1, tcp_information(7890)}}));
  EXPECT_EQ(to_hex(entry.unknown), "000000090000002a");
  EXPECT_EQ(encode(entry), bytes);
}

TEST(Update, holds_information_inside_its_client_object) {
  EXPECT_EQ(refusal<AddedEntry>(hex("00000008 0a000007 00000001 00001ed2")),
            "E703 the information of method 1 does not fit its client object");
  EXPECT_EQ(refusal<AddedEntry>(hex("00000010 0a000007 00000002 00000005 68656c6c 6f000000")),
            "E703 the information of method 2 does not fit its client object");
}

}  // namespace
}  // namespace lekt
