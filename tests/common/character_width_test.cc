#include "common/character_width.h"

#include <gnu/libc-version.h>
#include <gtest/gtest.h>

#include <clocale>
#include <cwchar>
#include <string_view>

namespace lekt {
namespace {

/// Where glibc 2.36 departs from Unicode: it widens some symbols of China that Unicode does not call wide, and gives a cell to
/// the signs that Arabic, Syriac and Kaithi write around numbers, and to the separators of lines and paragraphs.
bool is_disputed(char32_t character) {
  const auto within = [&](char32_t first, char32_t last) { return character >= first && character <= last; };
  return within(0x3248, 0x324f) || within(0x4dc0, 0x4dff) || within(0x600, 0x605) || within(0x6dd, 0x6dd) ||
         within(0x70f, 0x70f) || within(0x890, 0x891) || within(0x8e2, 0x8e2) || within(0x110bd, 0x110bd) ||
         within(0x110cd, 0x110cd) || within(0x2028, 0x2029);
}

TEST(CharacterWidth, is_one_cell_for_most_two_for_the_wide_and_none_for_what_joins_the_one_before) {
  for (const char32_t narrow : std::u32string_view(U" A~é─│█€Ωж\u00ad\ufffd"))
    EXPECT_EQ(cells_of(narrow), 1u) << static_cast<std::uint32_t>(narrow);
  for (const char32_t wide : {U'漢', U'あ', U'ー', U'한', U'Ａ', U'😀', U'⌚', U'\u3000'})
    EXPECT_EQ(cells_of(wide), 2u) << static_cast<std::uint32_t>(wide);
  for (const char32_t nothing : {U'\u0301', U'\u0e34', U'\u200b', U'\u200d', U'\u202e', U'\ufe0f', U'\u1160'})
    EXPECT_EQ(cells_of(nothing), 0u) << static_cast<std::uint32_t>(nothing);
}

TEST(CharacterWidth, is_none_for_control_characters) {
  for (char32_t character = 0; character < 0x20; ++character) EXPECT_EQ(cells_of(character), 0u);
  for (char32_t character = 0x7f; character < 0xa0; ++character) EXPECT_EQ(cells_of(character), 0u);
}

TEST(CharacterWidth, is_that_of_the_C_library_for_every_character_that_it_knows) {
  if (std::string_view(gnu_get_libc_version()) != "2.36")
    GTEST_SKIP() << "this C library has the tables of another Unicode";
  const locale_t tables = newlocale(LC_CTYPE_MASK, "C.UTF-8", nullptr);
  ASSERT_NE(tables, nullptr);
  const locale_t before = uselocale(tables);
  int compared = 0;
  for (char32_t character = 1; character <= 0x10ffff; ++character) {
    const int width = wcwidth(static_cast<wchar_t>(character));
    if (width < 0 || is_disputed(character)) continue;
    EXPECT_EQ(static_cast<int>(cells_of(character)), width) << static_cast<std::uint32_t>(character);
    ++compared;
  }
  uselocale(before);
  freelocale(tables);
  EXPECT_GT(compared, 140'000) << "all of Unicode 14.0";
}

}  // namespace
}  // namespace lekt
