// What a peer may not exceed, at the limit and one beyond it, in the shape in which it stands on the wire.
#include <gtest/gtest.h>

#include "common/packets.h"
#include "tests/support/round_trip.h"
#include "tests/support/support.h"

namespace lekt {
namespace {

using test::example_catalogue;
using test::hex;
using test::PacketForm;
using test::round_trip_guarded;
using test::RoundTrip;

const Bytes handshake_header = hex("4c454b54 48000000");
const Bytes response_header = hex("4c454b54 54000000");
const Bytes reject_header = hex("4c454b54 52000000");

Bytes u32(std::uint32_t value) {
  Bytes bytes;
  ByteWriter(bytes).u32(value);
  return bytes;
}

RoundTrip read_handshake(std::uint32_t known, ByteView field, std::uint32_t methods_max = 1024) {
  const ReadContext context{example_catalogue(), methods_max};
  return round_trip_guarded(PacketForm::handshake, handshake_header + u32(known) + Bytes(field), context);
}

RoundTrip read_response(const Bytes& body) {
  return round_trip_guarded(PacketForm::response, response_header + body, {example_catalogue()});
}

RoundTrip read_entry(const Bytes& entry) {
  const ReadContext context{example_catalogue(), 1024, 0, true};
  const Bytes header = hex("4c454b54 48000000 0000000000000000 41000001");
  return round_trip_guarded(PacketForm::update, header + entry, context);
}

TEST(MethodsKnown, need_a_word_for_each_32) {
  EXPECT_EQ(words_for(0), 0u);
  EXPECT_EQ(words_for(1), 1u);
  EXPECT_EQ(words_for(31), 1u);
  EXPECT_EQ(words_for(32), 1u);
  EXPECT_EQ(words_for(33), 2u);
  EXPECT_EQ(words_for(0xffffffe0), 0x07ffffffu);
  EXPECT_EQ(words_for(0xffffffe1), 0x08000000u) << "adding 31 before the division would overflow to 0 words";
  EXPECT_EQ(words_for(0xffffffff), 0x08000000u);
}

TEST(MethodsKnown, up_to_the_limit_are_read_with_exactly_their_words) {
  for (const std::uint32_t known : {0u, 1u, 31u, 32u, 33u, 63u, 64u, 65u, 1023u, 1024u}) {
    const std::size_t field = 4 * words_for(known);
    EXPECT_EQ(read_handshake(known, Bytes(field, '\0')).status, ReadStatus::complete) << known;
    EXPECT_EQ(read_handshake(known, Bytes(field, '\0')).consumed, 12 + field) << known;
    if (field == 0) continue;
    EXPECT_EQ(read_handshake(known, Bytes(field - 1, '\0')).status, ReadStatus::partial) << known;
  }
}

TEST(MethodsKnown, beyond_the_limit_are_refused_before_their_field_arrives) {
  for (const std::uint32_t known :
       {1025u, 65536u, 0x7fffffffu, 0x80000000u, 0xffffffe0u, 0xffffffe1u, 0xffffffffu}) {
    const RoundTrip result = read_handshake(known, "");
    ASSERT_EQ(result.status, ReadStatus::wrong) << known;
    EXPECT_EQ(result.rejection.text(), "E104 the number of known methods is " + std::to_string(known) +
                                           "; this server allows at most 1024");
  }
}

TEST(MethodsKnown, allocate_nothing_before_their_bytes_are_there) {
  for (const std::uint32_t known : {0xffffffe1u, 0xffffffffu})
    EXPECT_EQ(read_handshake(known, Bytes(64, '\0'), 0xffffffff).status, ReadStatus::partial);
}

TEST(MethodBits, below_the_number_of_known_methods_are_read) {
  EXPECT_EQ(read_handshake(1, hex("00000001")).status, ReadStatus::complete);
  EXPECT_EQ(read_handshake(31, hex("7fffffff")).status, ReadStatus::complete);
  EXPECT_EQ(read_handshake(32, hex("ffffffff")).status, ReadStatus::complete);
  EXPECT_EQ(read_handshake(33, hex("ffffffff 00000001")).status, ReadStatus::complete);
  EXPECT_EQ(read_handshake(64, hex("ffffffff ffffffff")).status, ReadStatus::complete);
}

TEST(MethodBits, at_and_beyond_it_are_refused) {
  struct Case {
    std::uint32_t known;
    const char* field;
    const char* method;
  };
  for (const Case& wrong : {Case{1, "00000002", "2"}, Case{1, "80000000", "32"}, Case{31, "80000000", "32"},
                            Case{33, "00000000 00000002", "34"}, Case{33, "ffffffff 80000001", "64"},
                            Case{1023, nullptr, "1024"}}) {
    const Bytes field = wrong.field != nullptr ? hex(wrong.field) : Bytes(124, '\0') + hex("80000000");
    const RoundTrip result = read_handshake(wrong.known, field);
    ASSERT_EQ(result.status, ReadStatus::wrong) << wrong.known;
    EXPECT_EQ(result.rejection.text(),
              "E105 the bit of method " + std::string(wrong.method) + " is set, but only " +
                  std::to_string(wrong.known) +
                  " methods are known; method m is bit (m-1) mod 32 of word (m-1) div 32");
  }
}

TEST(Port, is_1_to_65535) {
  EXPECT_EQ(read_response(u32(1) + u32(1)).status, ReadStatus::complete);
  EXPECT_EQ(read_response(u32(1) + u32(65535)).status, ReadStatus::complete);
  for (const std::uint32_t port : {0u, 65536u, 0x1ed20000u, 0xffffffffu}) {
    const RoundTrip result = read_response(u32(1) + u32(port));
    ASSERT_EQ(result.status, ReadStatus::wrong) << port;
    EXPECT_EQ(result.rejection.text(), "E202 port " + std::to_string(port) +
                                           " of method 1 (tcp) is not a port; 1 to 65535 would be right");
  }
}

TEST(SizedInformation, may_be_empty_and_may_reach_its_limit) {
  EXPECT_EQ(read_response(u32(2) + u32(0)).status, ReadStatus::complete);
  EXPECT_EQ(read_response(u32(2) + u32(4096) + Bytes(4096, 'x')).status, ReadStatus::complete);
  EXPECT_EQ(read_response(u32(2) + u32(4095) + Bytes(4095, 'x')).status, ReadStatus::partial)
      << "padding is missing";
  EXPECT_EQ(read_response(u32(2) + u32(4095) + Bytes(4095, 'x') + '\0').status, ReadStatus::complete);
}

TEST(SizedInformation, beyond_its_limit_is_refused_before_it_arrives) {
  for (const std::uint32_t size : {4097u, 0x7fffffffu, 0xfffffffdu, 0xffffffffu}) {
    const RoundTrip result = read_response(u32(2) + u32(size));
    ASSERT_EQ(result.status, ReadStatus::wrong) << size;
    EXPECT_EQ(result.rejection.text(), "E203 method 2 (chat) has " + std::to_string(size) +
                                           " bytes of information; at most 4096 are allowed");
  }
}

TEST(Padding, that_is_not_zero_is_refused) {
  for (const char* information : {"00000005 68656c6c 6f000001", "00000005 68656c6c 6f010000"}) {
    const RoundTrip result = read_response(u32(2) + hex(information));
    ASSERT_EQ(result.status, ReadStatus::wrong);
    EXPECT_EQ(
        result.rejection.text(),
        "E204 the padding after the information of method 2 (chat) is not zero; pad to a multiple of 4 bytes "
        "with zeros");
  }
  EXPECT_EQ(read_response(u32(3) + hex("616263646566 0001")).rejection.code, ErrorCode::padding_not_zero);
}

TEST(Padding, that_was_forgotten_shows_as_the_next_packet) {
  const RoundTrip result = read_response(u32(2) + u32(5) + "hello" + handshake_header + Bytes(8, '\0'));
  EXPECT_EQ(result.rejection.code, ErrorCode::padding_not_zero);
}

TEST(ClientObject, has_a_size_of_whole_words_with_at_least_an_address) {
  EXPECT_EQ(read_entry(u32(4) + u32(7)).status, ReadStatus::complete);
  for (const std::uint32_t size : {0u, 1u, 3u, 5u, 6u, 7u, 16u * 1024 * 1024 + 4, 0xfffffffcu, 0xffffffffu})
    EXPECT_EQ(read_entry(u32(size) + u32(7)).rejection.code, ErrorCode::answer_malformed) << size;
  EXPECT_EQ(read_entry(u32(16 * 1024 * 1024) + u32(7)).status, ReadStatus::partial)
      << "allowed, and not there yet";
}

TEST(ClientObject, is_checked_like_a_response) {
  EXPECT_EQ(read_entry(hex("0000000c 0a000007 00000001 00000000")).status, ReadStatus::wrong);
  EXPECT_EQ(read_entry(hex("00000014 0a000007 00000002 00000005 68656c6c 6f000001")).status,
            ReadStatus::wrong);
  EXPECT_EQ(read_entry(hex("0000000c 0a000007 00000002 00001001")).status, ReadStatus::wrong);
}

TEST(RejectText, of_up_to_1020_bytes_is_read_and_a_longer_one_is_refused_though_its_end_is_missing) {
  const ReadContext context{example_catalogue(), 1024, 0, true};
  const Bytes longest(1020, 'x');
  EXPECT_EQ(round_trip_guarded(PacketForm::reject, reject_header + longest, context).status,
            ReadStatus::partial);
  EXPECT_EQ(
      round_trip_guarded(PacketForm::reject, reject_header + longest + Bytes(4, '\0'), context).consumed,
      1032u);
  EXPECT_EQ(round_trip_guarded(PacketForm::reject, reject_header + longest + "x", context).status,
            ReadStatus::wrong);
}

TEST(RejectText, is_cut_at_its_limit_when_written) {
  const RejectPacket packet{version_spoken, std::string(5000, 'x')};
  EXPECT_EQ(encode(packet), reject_header + Bytes(1020, 'x') + Bytes(4, '\0'));
}

}  // namespace
}  // namespace lekt
