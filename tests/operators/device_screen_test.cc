// What a device shows can do nothing on an operator's terminal, and every character stands where it stands on the device.
#include "server/operators/device_screen.h"

#include <gtest/gtest.h>

#include "common/character_width.h"
#include "common/printable.h"
#include "common/utf8.h"
#include "tests/support/support.h"

namespace lekt {
namespace {

using Rows = std::vector<std::string>;

constexpr std::string_view replaced = "\xef\xbf\xbd";

/// Two rows: the character in the second column of the first one, then an x.
Screen screen_with(char32_t character) {
  Screen screen(2, 6);
  screen.put(0, 0, U'a', {});
  screen.put(0, 1, character, {});
  screen.put(0, 1 + cells_of(character), U'x', {});
  return screen;
}

TEST(PrintableRows, are_the_text_without_the_blanks_at_its_end) {
  Screen screen(3, 6);
  screen.draw(TextItem{0, 1, "ab c"}, StyleItem{style::reverse, 0, 0});
  screen.draw(BlanksItem{2, 0, 6}, StyleItem{style::background_holds, 0, 4});
  EXPECT_EQ(printable_rows(screen), (Rows{" ab c", "", ""}));
}

TEST(PrintableRows, have_letters_of_any_script_and_wide_ones_once) {
  EXPECT_EQ(printable_rows(screen_with(U'\u00e9')), (Rows{"a\xc3\xa9x", ""}));
  EXPECT_EQ(printable_rows(screen_with(U'\u6f22')), (Rows{"a\xe6\xbc\xa2x", ""}));
  EXPECT_EQ(printable_rows(screen_with(U'\u2500')), (Rows{"a\xe2\x94\x80x", ""})) << "a line of a box";
}

TEST(PrintableRows, have_a_sign_for_what_is_invisible_private_or_unknown) {
  // Soft hyphen, a filler of Hangul, private use in two planes, a number that is no character, a tag beyond the table.
  for (const char32_t character :
       {U'\u00ad', U'\u3164', U'\ue0b0', U'\U00100000', U'\uffff', U'\U000e0800'}) {
    std::string expected = "a";
    for (std::size_t cell = 0; cell < cells_of(character); ++cell) expected += replaced;
    EXPECT_EQ(printable_rows(screen_with(character)), (Rows{expected + "x", ""})) << std::uint32_t{character};
  }
}

TEST(PrintableRows, can_be_given_to_a_terminal_and_have_the_columns_of_the_device_whatever_the_character) {
  // Above are private planes, and those that nobody uses: some of each are enough. Under a sanitizer one in seven of the
  // others as well, different ones in each run.
  constexpr char32_t all_below = 0x30000;
  constexpr char32_t stride = test::sanitized ? 7 : 1;
  test::Random random;
  for (auto character = static_cast<char32_t>(random.below(stride)); character <= 0x10ffff;
       character += character < all_below ? stride : 97) {
    if (!is_character(character)) continue;
    const std::string row = printable_rows(screen_with(character)).front();
    ASSERT_EQ(printable(row), row) << std::uint32_t{character};
    ASSERT_EQ(columns_of(row), 2 + cells_of(character)) << std::uint32_t{character};
  }
}

}  // namespace
}  // namespace lekt
