#include "common/printable.h"

#include <gtest/gtest.h>

#include "common/text.h"
#include "tests/support/support.h"

namespace lekt {

TEST(Printable, shows_text_of_any_script_as_it_is) {
  for (const char* text : {"plain", "zu laut: Ümläute, ß", "Слишком громко", "うるさい",
                           "€ 100 \"quoted\" C:\\new", "u\xcc\x88 composed", "\xf0\x9f\x94\x87"})
    EXPECT_EQ(printable(text), text);
}

TEST(Printable, shows_bytes_of_what_controls_a_terminal_hides_or_turns_the_text) {
  EXPECT_EQ(printable("a\x1b[2J\n\t\x7f"), "a\\x1b[2J\\n\\t\\x7f");
  EXPECT_EQ(printable("\xc2\x9b"), "\\xc2\\x9b") << "CSI as one character";
  EXPECT_EQ(printable("\xe2\x80\xae"), "\\xe2\\x80\\xae") << "right-to-left override";
  EXPECT_EQ(printable("\xe2\x81\xa6"), "\\xe2\\x81\\xa6") << "left-to-right isolate";
  EXPECT_EQ(printable("\xd8\x9c"), "\\xd8\\x9c") << "Arabic letter mark";
  EXPECT_EQ(printable("\xe2\x80\x8b"), "\\xe2\\x80\\x8b") << "zero width space";
  EXPECT_EQ(printable("\xef\xbb\xbf"), "\\xef\\xbb\\xbf") << "byte order mark";
  EXPECT_EQ(printable("\xf3\xa0\x81\x81"), "\\xf3\\xa0\\x81\\x81") << "tag";
  EXPECT_EQ(printable("\xe2\x80\xa8"), "\\xe2\\x80\\xa8") << "line separator";
}

TEST(Printable, shows_bytes_that_are_not_UTF_8) {
  EXPECT_EQ(printable("\xfc"), "\\xfc") << "Latin-1";
  EXPECT_EQ(printable("\xc3"), "\\xc3") << "cut off";
  EXPECT_EQ(printable("\xc0\xaf"), "\\xc0\\xaf") << "overlong";
  EXPECT_EQ(printable("\xe0\x80\xaf"), "\\xe0\\x80\\xaf") << "overlong";
  EXPECT_EQ(printable("\xed\xa0\x80"), "\\xed\\xa0\\x80") << "surrogate";
  EXPECT_EQ(printable("\xf4\x90\x80\x80"), "\\xf4\\x90\\x80\\x80") << "beyond Unicode";
  EXPECT_EQ(printable("\xc3\xbc\xff"), "\xc3\xbc\\xff");
}

TEST(Printable, is_cut_between_characters_by_the_columns_that_they_take) {
  EXPECT_EQ(columns_of("Ümläute"), 7u);
  EXPECT_EQ(columns_of("うる"), 4u);
  EXPECT_EQ(columns_of("u\xcc\x88"), 1u);
  EXPECT_EQ(cut("Ümläute", 7), "Ümläute");
  EXPECT_EQ(cut("Ümläute", 6), "Üml...");
  EXPECT_EQ(cut("うるさい", 6), "う...") << "half of a character would be the fourth column";
  EXPECT_EQ(cut("abcdef", 2), "ab");
}

TEST(Printable, escapes_the_same_text_on_every_machine) {
  EXPECT_EQ(plain_text("Küche \"7\" \\"), "Küche \"7\" \\");
  EXPECT_EQ(plain_text("a\n\x1b\xff\xe2\x80\xae"), "a\\n\\x1b\\xff\\xe2\\x80\\xae");
  EXPECT_EQ(plain_text("\xf3\xb0\x80\x80"), "\xf3\xb0\x80\x80")
      << "of private use, which no terminal's tables know";
  EXPECT_TRUE(is_plain_text(plain_text("\xc2\x9b\xc3")));
}

TEST(Printable, has_no_control_characters_whatever_the_bytes_were) {
  test::Random random;
  for (int turn = 0; turn < 2'000; ++turn) {
    const std::string bytes = random.bytes(random.below(20));
    const std::string shown = printable(bytes);
    EXPECT_TRUE(is_plain_text(shown)) << to_hex(bytes);
    EXPECT_EQ(printable(shown), shown) << to_hex(bytes);
    EXPECT_LE(columns_of(cut(shown, 5)), 5u) << to_hex(bytes);
  }
}

}  // namespace lekt
