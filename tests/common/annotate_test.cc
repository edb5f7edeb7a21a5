#include "common/annotate.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cstdint>

#include "common/text.h"
#include "tests/common/documented.h"
#include "tests/common/examples.h"
#include "tests/support/support.h"

namespace lekt {
namespace {

using test::conversation_to_client;
using test::conversation_to_server;
using test::example_catalogue;
using test::hex;
using test::packet_examples;

Annotation annotate(ByteView bytes, Direction direction = Direction::detect) {
  return lekt::annotate(bytes, direction, example_catalogue());
}

/// Printable lines that end with a line feed.
bool is_harmless(std::string_view text) {
  const bool printable =
      std::ranges::all_of(text, [](char c) { return c == '\n' || (c >= 0x20 && c < 0x7f); });
  return printable && (text.empty() || text.back() == '\n');
}

TEST(Annotate, prints_the_conversation_of_the_document) {
  const Annotation sent = annotate(conversation_to_server());
  EXPECT_EQ(sent.text, test::documented_example(test::protocol_document, "conversation_to_server"));
  EXPECT_EQ(sent.direction, Direction::to_server);
  EXPECT_EQ(sent.packets, 4u);
  EXPECT_TRUE(sent.complete);
  const Annotation received = annotate(conversation_to_client());
  EXPECT_EQ(received.text, test::documented_example(test::protocol_document, "conversation_to_client"));
  EXPECT_EQ(received.direction, Direction::to_client);
  EXPECT_EQ(received.packets, 7u);
  EXPECT_TRUE(received.complete);
}

TEST(Annotate, prints_a_handshake_exactly) {
  EXPECT_EQ(annotate(hex("4c454b54 48000000 00000001 00000001")).text,
            "packet 1, client to server\n"
            "  0000  4c 45 4b 54 48 00 00 00  handshake, version 0.0.0\n"
            "  0008  00 00 00 01              number of known methods: 1\n"
            "  000c  00 00 00 01              supported methods: 1 (tcp)\n");
}

TEST(Annotate, names_features_where_they_are_negotiated) {
  const auto has = [](const Bytes& bytes, std::string_view text) {
    return annotate(bytes).text.find(text) != std::string::npos;
  };
  const Bytes request = encode(RequestPacket{version_with({Feature::identity}), 1});
  EXPECT_TRUE(has(hex("4c454b54 48000028 00000000"), "handshake, version 0.0.40 (identity,0x20)\n"));
  EXPECT_TRUE(has(hex("4c454b54 52000008 45000000"), "reject, version 0.0.8 (identity)\n"));
  EXPECT_TRUE(has(request, "request, version 0.0.8\n")) << "it only repeats what is in force";
}

TEST(Annotate, detects_the_direction_of_every_packet) {
  for (const auto& example : packet_examples())
    EXPECT_EQ(annotate(example.bytes).direction, example.direction()) << example.name;
}

TEST(Annotate, detects_the_direction_of_a_recording_that_starts_in_the_heartbeat_phase) {
  const Bytes heartbeat = hex("4c454b54 48000000 00000000 6553f103");
  EXPECT_EQ(annotate(heartbeat + heartbeat).direction, Direction::to_server);
  EXPECT_TRUE(annotate(heartbeat + heartbeat).complete);
  EXPECT_NE(annotate(heartbeat).text.find("heartbeat, version"), std::string::npos);
  const Bytes handshake_with_nothing = hex("4c454b54 48000000 00000000");
  EXPECT_NE(annotate(handshake_with_nothing + heartbeat).text.find("handshake, version"), std::string::npos);
  const Bytes closing = hex("4c454b54 48000000 00000000 6553f107 41000000");
  EXPECT_EQ(annotate(closing + closing).direction, Direction::to_client);
  EXPECT_TRUE(annotate(closing + closing).complete);
}

TEST(Annotate, obeys_a_direction_that_is_given) {
  const Annotation annotation = annotate(hex("4c454b54 41000000"), Direction::to_server);
  EXPECT_EQ(annotation.direction, Direction::to_server);
  EXPECT_FALSE(annotation.complete);
  EXPECT_NE(annotation.text.find("wrong: E103"), std::string::npos) << annotation.text;
}

TEST(Annotate, says_where_a_stream_is_cut_off) {
  const Annotation annotation = annotate(hex("4c454b54 48000000 00000001 0000"));
  EXPECT_EQ(annotation.text,
            "packet 1, client to server\n"
            "  0000  4c 45 4b 54 48 00 00 00  handshake, version 0.0.0\n"
            "  0008  00 00 00 01              number of known methods: 1\n"
            "  cut off: the last packet is not complete (14 bytes from offset 0)\n");
  EXPECT_FALSE(annotation.complete);
  EXPECT_EQ(annotation.packets, 0u);
}

TEST(Annotate, says_that_entries_are_missing_even_where_no_byte_is_left_over) {
  const Annotation annotation = annotate(hex("4c454b54 48000000 0000000000000000 52000002 0a000007"));
  EXPECT_FALSE(annotation.complete);
  EXPECT_EQ(annotation.packets, 0u);
  EXPECT_NE(annotation.text.find("  cut off: the last packet is not complete"), std::string::npos)
      << annotation.text;
}

TEST(Annotate, says_what_is_wrong_after_what_was_right) {
  const Annotation annotation = annotate(hex("4c454b54 54000000 00000001 00000000"), Direction::to_server);
  EXPECT_EQ(annotation.text,
            "packet 1, client to server\n"
            "  0000  4c 45 4b 54 54 00 00 00  response, version 0.0.0\n"
            "  0008  00 00 00 01              index of method: 1 (tcp)\n"
            "  wrong: E202 port 0 of method 1 (tcp) is not a port; 1 to 65535 would be right (16 bytes from "
            "offset 0 "
            "not understood)\n");
}

TEST(Annotate, shows_methods_that_are_not_in_the_catalogue) {
  const Annotation annotation =
      annotate(hex("4c454b54 48000000 0000000000000000 41000001 0000000c 0a000007 00000009 0000002a"));
  EXPECT_TRUE(annotation.complete);
  EXPECT_NE(
      annotation.text.find("client: 10.0.0.7 and methods that are not in the catalogue: 000000090000002a"),
      std::string::npos)
      << annotation.text;
}

/// What is printed of a closing packet's timestamp.
std::string printed_timestamp(std::int64_t timestamp) {
  UpdatePacket packet;
  packet.timestamp = timestamp;
  const std::string text = annotate(encode(packet), Direction::to_client).text;
  const std::size_t begin = text.find("timestamp: ");
  return begin == text.npos ? text : text.substr(begin, text.find('\n', begin) - begin);
}

TEST(Annotate, takes_a_negative_timestamp_for_a_heartbeat_and_not_for_a_count) {
  EXPECT_TRUE(annotate(hex("4c454b54 48000000 ffffffffffffffff")).complete);
}

TEST(Annotate, prints_a_calendar_only_for_times_that_have_one) {
  EXPECT_EQ(printed_timestamp(1), "timestamp: 1 (1970-01-01T00:00:01Z)");
  EXPECT_EQ(printed_timestamp(253402300799), "timestamp: 253402300799 (9999-12-31T23:59:59Z)");
  for (const std::int64_t timestamp :
       {std::int64_t{0}, std::int64_t{-1}, std::int64_t{253402300800}, INT64_MIN, INT64_MAX})
    EXPECT_EQ(printed_timestamp(timestamp), "timestamp: " + std::to_string(timestamp));
}

TEST(Annotate, has_nothing_to_say_about_nothing) {
  EXPECT_EQ(annotate("").text, "");
  EXPECT_EQ(annotate("").packets, 0u);
}

TEST(Annotate, cannot_control_a_terminal_through_a_reject) {
  const Annotation annotation =
      annotate("LEKTR" + Bytes(3, '\0') + "\x1b[2J\x07\r\nforged line" + Bytes(2, '\0'));
  EXPECT_TRUE(is_harmless(annotation.text));
  EXPECT_NE(annotation.text.find("\\x1b[2J\\x07\\r\\nforged line"), std::string::npos) << annotation.text;
}

TEST(Annotate, cannot_control_a_terminal_through_random_bytes) {
  test::Random random;
  const std::vector<Bytes> seeds = {conversation_to_server(), conversation_to_client()};
  for (int round = 0; round < 5000; ++round) {
    Bytes bytes = random.chance(20) ? random.bytes(random.below(200)) : random.pick(seeds);
    for (std::uint64_t changes = random.below(5); changes > 0 && !bytes.empty(); --changes)
      random.pick(bytes) = static_cast<char>(random.next());
    bytes.resize(random.below(bytes.size() + 1));
    for (const Direction direction : {Direction::detect, Direction::to_server, Direction::to_client}) {
      const Annotation annotation = annotate(bytes, direction);
      ASSERT_TRUE(is_harmless(annotation.text)) << to_hex(bytes) << "\n" << escape(annotation.text);
      ASSERT_NE(annotation.direction, Direction::detect);
      const bool explained = annotation.text.find("  wrong: ") != std::string::npos ||
                             annotation.text.find("  cut off: ") != std::string::npos;
      ASSERT_NE(annotation.complete, explained) << to_hex(bytes) << "\n" << annotation.text;
    }
  }
}

}  // namespace
}  // namespace lekt
