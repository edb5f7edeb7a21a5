#include "common/text.h"

#include <gtest/gtest.h>

#include <algorithm>

#include "tests/support/support.h"

namespace lekt {
namespace {

bool is_printable(std::string_view text) {
  return std::ranges::all_of(text, [](char character) { return character >= 0x20 && character < 0x7f; });
}

Bytes every_byte() {
  Bytes bytes;
  for (int value = 0; value < 256; ++value) bytes.push_back(static_cast<char>(value));
  return bytes;
}

TEST(Hex, is_lower_case_without_separators) {
  EXPECT_EQ(to_hex(""), "");
  EXPECT_EQ(to_hex(ByteView("\x00\x0a\xff", 3)), "000aff");
}

TEST(Hex, is_read_in_either_case_with_spaces_and_colons_between_bytes) {
  EXPECT_EQ(parse_hex("000aFf"), Bytes("\x00\x0a\xff", 3));
  EXPECT_EQ(parse_hex(" 00:0a\tff\r\n"), Bytes("\x00\x0a\xff", 3));
  EXPECT_EQ(parse_hex(""), Bytes());
  EXPECT_EQ(parse_hex(to_hex(every_byte())), every_byte());
}

TEST(Hex, is_refused_when_a_byte_is_cut_or_a_digit_is_none) {
  for (const char* text : {"0", "000", "0 0", "0:0", "0g", "zz", "00,01", "0x00"})
    EXPECT_EQ(parse_hex(text), std::nullopt) << text;
}

TEST(Escape, leaves_printable_ascii_and_names_the_rest) {
  EXPECT_EQ(escape("10.0.0.7 ok"), "10.0.0.7 ok");
  EXPECT_EQ(escape("a\nb\rc\td"), "a\\nb\\rc\\td");
  EXPECT_EQ(escape("\"\\"), "\\\"\\\\");
  EXPECT_EQ(escape(std::string_view("\0\x1b[31m\x7f\xff", 8)), "\\x00\\x1b[31m\\x7f\\xff");
}

TEST(Escape, leaves_nothing_that_could_control_a_terminal) {
  EXPECT_TRUE(is_printable(escape(every_byte())));
}

TEST(Quote, is_put_only_where_a_reader_needs_it) {
  EXPECT_EQ(quote_if_needed("10.0.0.7:7890"), "10.0.0.7:7890");
  EXPECT_EQ(quote_if_needed("[::1]:80"), "[::1]:80");
  EXPECT_EQ(quote_if_needed(""), "\"\"");
  EXPECT_EQ(quote_if_needed("two words"), "\"two words\"");
  EXPECT_EQ(quote_if_needed("key=value"), "\"key=value\"") << "it must not look like a field of its own";
  EXPECT_EQ(quote_if_needed("a\nevent=forged"), "\"a\\nevent=forged\"");
  EXPECT_TRUE(is_printable(quote_if_needed(every_byte())));
}

TEST(Closest, finds_the_word_that_was_meant) {
  const std::vector<std::string> known = {"status", "clients", "client", "ban", "bans", "unban", "untrace"};
  EXPECT_EQ(closest("stat", known), "status");
  EXPECT_EQ(closest("statsu", known), "status");
  EXPECT_EQ(closest("cleints", known), "clients");
  EXPECT_EQ(closest("un-ban", known), "unban");
  EXPECT_EQ(closest("banns", known), "bans");
  for (const char* word : {"", "s", "dance", "xyz", "help", "sudo"})
    EXPECT_EQ(closest(word, known), "") << word;
  EXPECT_EQ(closest(std::string(100'000, 's'), known), "");
}

TEST(LowerCase, changes_letters_of_ASCII_and_no_others) {
  EXPECT_EQ(lower_case("AZaz[@ \xc3\x9c"), "azaz[@ \xc3\x9c");
}

}  // namespace
}  // namespace lekt
