// What a datagram is explained with. The examples of the document are compared in device_packets_test.cc.
#include "common/annotate_datagram.h"

#include <gtest/gtest.h>

#include "common/device_items.h"
#include "common/device_packets.h"
#include "common/text.h"
#include "tests/common/device_examples.h"
#include "tests/support/datagrams.h"
#include "tests/support/support.h"

namespace lekt {
namespace {

using test::datagram_example;
using test::datagram_examples;
using test::DatagramExample;
using test::hex;

/// The lines behind the head of a datagram, each without its offset and its bytes.
std::string meanings(const Bytes& datagram, Direction direction = Direction::detect) {
  const DatagramAnnotation annotation = annotate_datagram(datagram, direction);
  constexpr std::size_t lines_before = 5;  // headline, name, registration, number, acknowledged
  constexpr std::size_t column = 33;
  std::string text;
  std::size_t begin = 0;
  for (std::size_t line = 0; begin < annotation.text.size(); ++line) {
    const std::size_t end = annotation.text.find('\n', begin);
    const std::string words = annotation.text.substr(begin, end - begin);
    if (line >= lines_before && words.size() > column)
      text += (text.empty() ? "" : "\n") + words.substr(column);
    begin = end + 1;
  }
  return text;
}

template <class... Items>
Bytes screen_of(const Items&... items) {
  Bytes all;
  (append_item(all, items), ...);
  return encode_datagram({{}, version_spoken, 1, 1, 0}, ScreenMessage{all});
}

template <class... Items>
Bytes input_of(const Items&... items) {
  Bytes all;
  (append_item(all, items), ...);
  return encode_datagram({{}, version_spoken, 1, 1, 0}, InputMessage{7, all});
}

TEST(AnnotateDatagram, prints_an_input_exactly) {
  EXPECT_EQ(annotate_datagram(datagram_example("input").bytes, Direction::detect, 3).text,
            "datagram 3, device to server\n"
            "  0000  4c 45 4b 54 4d 00 00 00  input, version 0.0.0\n"
            "  0008  01 23 45 67 89 ab cd ef  registration: 0123456789abcdef\n"
            "  0010  00 00 00 02              number: 2\n"
            "  0014  00 00 00 04              acknowledged: 4\n"
            "  0018  00 00 00 01              input: 1\n"
            "  001c  01 01 31                 text: \"1\"\n"
            "  001f  02 01 00                 key: enter\n"
            "  0022  03 04 00 00 00 63        chord: ctrl, \"c\"\n");
}

TEST(AnnotateDatagram, detects_the_direction_of_every_datagram_that_tells_it) {
  for (const DatagramExample& example : datagram_examples()) {
    const DatagramAnnotation annotation = annotate_datagram(example.bytes, Direction::detect);
    EXPECT_TRUE(annotation.complete) << example.name;
    EXPECT_EQ(annotation.understood, example.bytes.size()) << example.name;
    const bool tells = example.name != "acknowledgment";
    EXPECT_EQ(annotation.direction, tells ? example.direction : Direction::detect) << example.name;
  }
}

TEST(AnnotateDatagram, does_not_guess_who_sent_an_acknowledgment) {
  const Bytes& bytes = datagram_example("acknowledgment").bytes;
  const DatagramAnnotation annotation = annotate_datagram(bytes, Direction::detect);
  EXPECT_EQ(annotation.direction, Direction::detect);
  EXPECT_TRUE(annotation.text.starts_with("datagram 1, of either side\n")) << annotation.text;
  EXPECT_TRUE(
      annotate_datagram(bytes, Direction::to_client).text.starts_with("datagram 1, server to device\n"));
  EXPECT_TRUE(
      annotate_datagram(bytes, Direction::to_server).text.starts_with("datagram 1, device to server\n"));
}

TEST(AnnotateDatagram, detects_the_direction_of_a_message_that_is_wrong_by_what_makes_more_sense) {
  Bytes screen = datagram_example("screen").bytes + Bytes(1, '\x09');
  EXPECT_EQ(annotate_datagram(screen, Direction::detect).direction, Direction::to_client);
  Bytes input = datagram_example("input").bytes + Bytes(1, '\x09');
  EXPECT_EQ(annotate_datagram(input, Direction::detect).direction, Direction::to_server);
}

TEST(AnnotateDatagram, obeys_a_direction_that_is_given) {
  const DatagramAnnotation annotation =
      annotate_datagram(datagram_example("bye").bytes, Direction::to_client);
  EXPECT_FALSE(annotation.complete);
  EXPECT_EQ(
      annotation.text,
      "datagram 1, server to device\n"
      "  wrong: E916 a datagram of type 'B' came; one of 'P' 'Y' 'Q' 'S' 'E' 'M' 'N' 'F' would be right "
      "(24 bytes from offset 0 not understood)\n");
}

TEST(AnnotateDatagram, says_what_is_wrong_after_what_was_right) {
  Bytes bytes = datagram_example("screen").bytes;
  bytes.resize(56 + 3);
  EXPECT_TRUE(
      annotate_datagram(bytes, Direction::detect)
          .text.ends_with("  0034  02 00 00 00              style: plain\n"
                          "  wrong: E916 the item \"text\" is cut off by the end of the datagram (3 bytes "
                          "from offset 56 not understood)\n"))
      << annotate_datagram(bytes, Direction::detect).text;
  Bytes head = datagram_example("bye").bytes.substr(0, 18);
  EXPECT_EQ(
      annotate_datagram(head, Direction::detect).text,
      "datagram 1, device to server\n"
      "  0000  4c 45 4b 54 42 00 00 00  bye, version 0.0.0\n"
      "  0008  01 23 45 67 89 ab cd ef  registration: 0123456789abcdef\n"
      "  wrong: E916 the datagram is cut off: it has 18 bytes (2 bytes from offset 16 not understood)\n");
}

TEST(AnnotateDatagram, names_all_letters_when_there_is_none_of_them) {
  const std::string text =
      annotate_datagram(hex("4c454b54 48000000 00000001 00000001"), Direction::detect).text;
  EXPECT_EQ(
      text,
      "datagram 1, of either side\n"
      "  wrong: E916 a datagram of type 'H' came; one of 'C' 'P' 'G' 'Y' 'Q' 'D' 'S' 'E' 'M' 'N' 'B' 'F' "
      "would be right (16 bytes from offset 0 not understood)\n");
}

TEST(AnnotateDatagram, says_that_there_is_nothing) {
  EXPECT_EQ(annotate_datagram("", Direction::detect).text,
            "datagram 1, of either side\n"
            "  wrong: E916 the datagram is cut off: it has 0 bytes (0 bytes from offset 0 not understood)\n");
}

TEST(AnnotateDatagram, shows_the_bit_of_dtls_where_it_means_something) {
  Bytes request = datagram_example("connection_request").bytes;
  request[7] = 1;
  EXPECT_NE(annotate_datagram(request, Direction::detect)
                .text.find("connection request (1), version 0.0.1, DTLS\n"),
            std::string::npos);
  Bytes bye = datagram_example("bye").bytes;
  bye[7] = 1;
  EXPECT_NE(annotate_datagram(bye, Direction::detect).text.find("bye, version 0.0.1\n"), std::string::npos);
}

TEST(AnnotateDatagram, says_whether_what_nobody_looks_at_is_zeros) {
  Bytes request = datagram_example("connection_request").bytes;
  EXPECT_EQ(meanings(request), "zeros, not looked at");
  request[63] = 1;
  EXPECT_EQ(meanings(request), "not looked at");
}

TEST(AnnotateDatagram, puts_every_item_of_a_screen_into_words) {
  EXPECT_EQ(
      meanings(screen_of(SizeItem{24, 80}, StyleItem{}, StyleItem{style::known, 7, 0},
                         StyleItem{style::background_holds, 1, 2}, TextItem{1, 2, "Gr\u00fc\u00dfe"},
                         BlanksItem{3, 4, 5}, CursorItem{6, 7, true}, CursorItem{6, 7, false}, BellItem{})),
      "size: rows 24, columns 80\n"
      "style: plain\n"
      "style: bold, underline, blink, reverse, italic, foreground 7, background 0\n"
      "style: background 2\n"
      "text: row 1, column 2, \"Gr\u00fc\u00dfe\"\n"
      "blanks: row 3, column 4, count 5\n"
      "cursor: row 6, column 7, shown\n"
      "cursor: row 6, column 7, not shown\n"
      "bell");
  EXPECT_EQ(meanings(screen_of()), "items: none");
}

TEST(AnnotateDatagram, puts_every_item_of_an_input_into_words) {
  EXPECT_EQ(meanings(input_of(TypedItem{"\u20ac 5"}, KeyItem{Key::page_up, 0},
                              KeyItem{Key::f1, modifiers::known}, ChordItem{modifiers::alt, U'\u00e4'})),
            "input: 7\n"
            "text: \"\u20ac 5\"\n"
            "key: page up\n"
            "key: F1, shift, alt, ctrl\n"
            "chord: alt, \"\u00e4\"");
  EXPECT_EQ(meanings(input_of(), Direction::to_server), "input: 7\nitems: none");
}

TEST(AnnotateDatagram, puts_rules_into_words_also_those_that_it_does_not_know) {
  Bytes rules;
  append_rule(rules, DeviceRule::keep_alive, 30);
  append_rule(rules, static_cast<DeviceRule>(99), 5);
  const Bytes bytes = encode_datagram({{}, version_spoken, 1, 1, 0}, SetDeviceConfig{no_ticket, 12, rules});
  EXPECT_EQ(meanings(bytes), "ticket: none\ninput accepted: 12\nkeep-alive, s: 30\nrule 99, not known: 5");
}

TEST(AnnotateDatagram, prints_a_calendar_only_for_times_that_have_one) {
  const auto time = [](SetTime body) {
    return meanings(encode_datagram({{}, version_spoken, 1, 1, 0}, body));
  };
  EXPECT_EQ(time({1264408183, 7, -3600}),
            "time: 1264408183 (2010-01-25T08:29:43Z) and 7 ms\nzone: -3600 s east of UTC");
  EXPECT_EQ(time({-5, 0, 0}), "time: -5 and 0 ms\nzone: 0 s east of UTC");
}

TEST(AnnotateDatagram, cannot_control_a_terminal_through_a_text) {
  const Bytes failure = encode_failure(1, {ErrorCode::host_unreachable, "\x1b[2J\r\n\u202eforged \u009b"});
  const std::string text = annotate_datagram(failure, Direction::detect).text;
  EXPECT_TRUE(test::are_plain_lines(text)) << escape(text);
  EXPECT_NE(text.find("\"\\x1b[2J\\r\\n\\xe2\\x80\\xaeforged \\xc2\\x9b\""), std::string::npos) << text;
  EXPECT_TRUE(test::are_plain_lines(
      annotate_datagram(screen_of(TextItem{0, 0, "\u202eturned"}), Direction::detect).text))
      << "a text of an item has no control characters, and may have others that are not shown";
}

TEST(AnnotateDatagram, explains_every_change_of_a_datagram_without_harm) {
  test::Random random;
  for (int round = 0; round < (test::sanitized ? 1000 : 5000); ++round) {
    Bytes bytes = random.pick(datagram_examples()).bytes;
    if (random.chance(20)) bytes = random.bytes(random.below(100));
    for (std::uint64_t changes = random.below(5); changes > 0 && !bytes.empty(); --changes)
      random.pick(bytes) = static_cast<char>(random.below(random.chance(50) ? 8 : 256));
    if (random.chance(30)) bytes.resize(random.below(bytes.size() + 1));
    bool is_right_in_any = false;
    for (const Direction direction : {Direction::to_server, Direction::to_client}) {
      const DatagramAnnotation annotation = annotate_datagram(bytes, direction);
      ASSERT_TRUE(test::are_plain_lines(annotation.text)) << to_hex(bytes) << "\n" << escape(annotation.text);
      const bool is_right = test::round_trip_datagram(direction, bytes).encoded.has_value();
      ASSERT_EQ(annotation.complete, is_right) << to_hex(bytes) << "\n" << annotation.text;
      ASSERT_EQ(annotation.text.find("  wrong: ") == std::string::npos, is_right) << annotation.text;
      is_right_in_any |= is_right;
    }
    ASSERT_EQ(annotate_datagram(bytes, Direction::detect).complete, is_right_in_any) << to_hex(bytes);
  }
}

}  // namespace
}  // namespace lekt
