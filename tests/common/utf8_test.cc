#include "common/utf8.h"

#include <gtest/gtest.h>

#include "common/text.h"
#include "tests/support/support.h"

namespace lekt {
namespace {

using test::hex;

std::string encoded(char32_t value) {
  std::string text;
  append_character(text, value);
  return text;
}

TEST(Utf8, every_character_is_read_as_it_was_written) {
  for (char32_t value = 0; value <= 0x10ffff; ++value) {
    if (!is_character(value)) continue;
    const std::string text = encoded(value);
    const Utf8Character read = first_character(text + "x");
    ASSERT_TRUE(read.valid) << std::hex << static_cast<std::uint32_t>(value);
    ASSERT_EQ(read.value, value);
    ASSERT_EQ(read.bytes, text.size());
  }
}

TEST(Utf8, has_the_bytes_of_the_standard) {
  EXPECT_EQ(to_hex(encoded(U'A')), "41");
  EXPECT_EQ(to_hex(encoded(U'\u00e4')), "c3a4");
  EXPECT_EQ(to_hex(encoded(U'\u20ac')), "e282ac");
  EXPECT_EQ(to_hex(encoded(U'\U0001f600')), "f09f9880");
}

TEST(Utf8, surrogates_and_numbers_beyond_unicode_are_no_characters) {
  for (const char32_t value : {0xd800u, 0xdfffu, 0x110000u, 0xffffffffu}) EXPECT_FALSE(is_character(value));
  for (const char32_t value : {0u, 0xd7ffu, 0xe000u, 0x10ffffu}) EXPECT_TRUE(is_character(value));
}

TEST(Utf8, what_is_no_character_is_one_byte) {
  for (const char* digits : {"80", "bf", "c0af", "c1bf", "c3", "c3c3", "e08080", "e282", "e282e2", "eda080",
                             "edbfbf", "f0808080", "f09f98", "f4908080", "f5808080", "ff"}) {
    const Utf8Character read = first_character(hex(digits));
    EXPECT_FALSE(read.valid) << digits;
    EXPECT_EQ(read.bytes, 1u) << digits;
  }
}

TEST(Utf8, a_cut_never_ends_within_a_character) {
  const std::string text = "a\u00e4\u20ac\U0001f600";  // 1, 2, 3 and 4 bytes
  const std::size_t kept[] = {0, 1, 1, 3, 3, 3, 6, 6, 6, 6, 10, 10};
  for (std::size_t bytes_max = 0; bytes_max < std::size(kept); ++bytes_max)
    EXPECT_EQ(cut_to_bytes(text, bytes_max), text.substr(0, kept[bytes_max])) << bytes_max;
}

TEST(Utf8, a_cut_takes_bytes_that_begin_no_character_one_by_one) {
  const std::string text = hex("80 c3 ff c3a4");
  EXPECT_EQ(cut_to_bytes(text, 3).size(), 3u);
  EXPECT_EQ(cut_to_bytes(text, 4).size(), 3u);
}

}  // namespace
}  // namespace lekt
