#include "common/screen.h"

#include <gtest/gtest.h>

#include "common/device_packets.h"
#include "common/text.h"
#include "tests/support/screens.h"

namespace lekt {
namespace {

using namespace test;

TEST(Screen, begins_blank_with_its_cursor_shown_at_the_first_cell) {
  const Screen screen(16, 26);
  EXPECT_EQ(screen.rows(), 16u);
  EXPECT_EQ(screen.columns(), 26u);
  for (std::size_t row = 0; row < screen.rows(); ++row)
    for (const Cell& cell : screen.row(row)) EXPECT_EQ(cell, Cell{});
  EXPECT_EQ(screen.cursor(), (CursorItem{0, 0, true}));
}

TEST(Screen, has_the_nearest_size_that_a_screen_may_have) {
  EXPECT_EQ(Screen(0, 0), Screen(1, 1));
  EXPECT_EQ(screen_of(1, 1, SizeItem{255, 255}), Screen(limits::screen_rows_max, limits::screen_columns_max));
}

TEST(Screen, is_blank_after_a_size_even_if_it_is_the_same) {
  EXPECT_EQ(screen_of(2, 9, TextItem{1, 3, "x"}, CursorItem{1, 1, false}, SizeItem{2, 9}), Screen(2, 9));
}

TEST(Screen, has_text_in_the_style_that_stands_before_it) {
  const Screen screen = screen_of(2, 9, TextItem{0, 1, "ab"}, red, TextItem{1, 0, "c"});
  EXPECT_EQ(text_of(screen, 0), " ab");
  EXPECT_EQ(screen.row(0)[1].style(), StyleItem{});
  EXPECT_EQ(screen.row(1)[0], (Cell{U'c', 1, style::foreground_holds, 1, 0}));
}

TEST(Screen, begins_each_message_with_the_plain_style) {
  Screen screen(1, 9);
  screen.apply(items_of(red));
  screen.apply(items_of(TextItem{0, 0, "a"}));
  EXPECT_EQ(screen.row(0)[0].style(), StyleItem{});
}

TEST(Screen, has_blanks_in_their_style) {
  const Screen screen =
      screen_of(1, 9, TextItem{0, 0, "abcdefghi"}, reverse, BlanksItem{0, 2, 3}, BlanksItem{0, 6, 0});
  EXPECT_EQ(text_of(screen, 0), "ab   fghi");
  EXPECT_EQ(screen.row(0)[2], (Cell{U' ', 1, style::reverse, 0, 0}));
  EXPECT_EQ(screen.row(0)[5].style(), StyleItem{});
}

TEST(Screen, leaves_out_what_lies_outside) {
  const Screen before = screen_of(2, 4, TextItem{0, 0, "abcd"}, TextItem{1, 0, "efgh"});
  Screen screen = before;
  screen.apply(items_of(TextItem{2, 0, "x"}, TextItem{0, 4, "x"}, TextItem{255, 255, "x"},
                        BlanksItem{2, 0, 9}, BlanksItem{0, 4, 9}, BlanksItem{255, 255, 255}));
  EXPECT_EQ(screen, before);
  screen.apply(items_of(TextItem{0, 3, "xyz"}, BlanksItem{1, 2, 255}));
  EXPECT_EQ(text_of(screen, 0), "abcx");
  EXPECT_EQ(text_of(screen, 1), "ef");
}

TEST(Screen, has_a_cursor_outside_at_the_nearest_cell) {
  EXPECT_EQ(screen_of(2, 4, CursorItem{9, 200, false}).cursor(), (CursorItem{1, 3, false}));
  EXPECT_EQ(screen_of(2, 4, CursorItem{1, 4, true}).cursor(), (CursorItem{1, 3, true}));
}

TEST(Screen, gives_a_wide_character_two_cells) {
  const Screen screen = screen_of(1, 6, bold, TextItem{0, 0, "a漢b"});
  EXPECT_EQ(text_of(screen, 0), "a漢b");
  EXPECT_EQ(screen.row(0)[1], (Cell{U'漢', 2, style::bold, 0, 0}));
  EXPECT_EQ(screen.row(0)[2], (Cell{U'漢', 0, style::bold, 0, 0}));
  EXPECT_EQ(screen.row(0)[3].character, U'b');
}

TEST(Screen, shows_no_half_of_a_wide_character) {
  EXPECT_EQ(screen_of(1, 2, TextItem{0, 0, "a漢"}), screen_of(1, 2, TextItem{0, 0, "a "})) << "at the edge";
  EXPECT_EQ(text_of(screen_of(1, 6, TextItem{0, 0, "漢字"}, TextItem{0, 0, "x"}), 0), "x 字");
  EXPECT_EQ(text_of(screen_of(1, 6, TextItem{0, 0, "漢字"}, TextItem{0, 1, "x"}), 0), " x字");
  EXPECT_EQ(text_of(screen_of(1, 6, TextItem{0, 0, "漢字"}, TextItem{0, 1, "한"}), 0), " 한");
  EXPECT_EQ(text_of(screen_of(1, 6, TextItem{0, 0, "漢字x"}, BlanksItem{0, 1, 2}), 0), "    x");
  EXPECT_EQ(text_of(screen_of(1, 6, TextItem{0, 0, "漢字x"}, BlanksItem{0, 2, 1}), 0), "漢  x");
  const Screen half = screen_of(1, 3, reverse, TextItem{0, 0, "漢"}, StyleItem{}, TextItem{0, 0, "x"});
  EXPECT_EQ(half.row(0)[1], (Cell{U' ', 1, style::reverse, 0, 0})) << "what is left keeps its style";
}

TEST(Screen, passes_over_what_takes_no_cell) {
  EXPECT_EQ(screen_of(1, 6, TextItem{0, 0, "e\u0301\u200bx"}), screen_of(1, 6, TextItem{0, 0, "ex"}));
  EXPECT_EQ(screen_of(1, 6, TextItem{0, 0, "\u0301"}), Screen(1, 6));
}

TEST(Screen, is_equal_to_one_that_looks_the_same) {
  EXPECT_EQ(screen_of(1, 1, StyleItem{style::bold, 7, 9}, TextItem{0, 0, "a"}),
            screen_of(1, 1, StyleItem{style::bold, 0, 0}, TextItem{0, 0, "a"}))
      << "colours that do not hold";
  EXPECT_EQ(screen_of(1, 1, StyleItem{style::bold | style::foreground_holds, 7, 0}, BlanksItem{0, 0, 1}),
            Screen(1, 1))
      << "a blank has no foreground";
  const StyleItem background{style::italic | style::background_holds, 0, 9};
  EXPECT_EQ(screen_of(1, 1, background, TextItem{0, 0, " "}).row(0)[0],
            (Cell{U' ', 1, style::background_holds, 0, 9}));
  for (const std::uint8_t visible : {style::reverse, style::underline}) {
    const StyleItem seen{static_cast<std::uint8_t>(visible | style::foreground_holds), 7, 0};
    EXPECT_EQ(screen_of(1, 1, seen, BlanksItem{0, 0, 1}).row(0)[0].style(), seen);
  }
}

TEST(Screen, tells_of_a_bell) {
  Screen screen(1, 1);
  EXPECT_FALSE(screen.apply(items_of(TextItem{0, 0, "a"})).rings);
  EXPECT_TRUE(screen.apply(items_of(BellItem{}, TextItem{0, 0, "b"})).rings);
  EXPECT_FALSE(screen.apply("").rings);
}

TEST(Screen, applies_nothing_of_a_message_with_a_fault) {
  const Screen before = screen_of(2, 4, TextItem{0, 0, "abcd"});
  for (const Bytes& broken : {Bytes("\x07"), hex("00"), hex("0301000180"), hex("03010000"), hex("030100011b"),
                              hex("0100ff"), hex("02200000"), hex("05000002"), hex("0401")}) {
    Screen screen = before;
    const auto applied = screen.apply(items_of(SizeItem{3, 3}, BellItem{}, TextItem{0, 0, "x"}) + broken);
    ASSERT_TRUE(applied.fault) << to_hex(broken);
    EXPECT_GT(applied.fault->size(), 10u);
    EXPECT_FALSE(applied.rings) << to_hex(broken);
    EXPECT_EQ(screen, before) << to_hex(broken);
  }
}

TEST(Screen, applies_a_prefix_of_a_message_up_to_an_item_or_not_at_all) {
  const Bytes parts[] = {items_of(SizeItem{3, 8}),         items_of(reverse),
                         items_of(TextItem{0, 0, "漢x"}),  items_of(BlanksItem{1, 2, 7}),
                         items_of(CursorItem{2, 1, true}), items_of(BellItem{})};
  Bytes message;
  for (const Bytes& part : parts) {
    for (std::size_t size = 1; size < part.size(); ++size) {
      Screen screen(2, 4);
      EXPECT_TRUE(screen.apply(message + part.substr(0, size)).fault) << to_hex(part) << " cut at " << size;
      EXPECT_EQ(screen, Screen(2, 4));
    }
    message += part;
    Screen screen(2, 4);
    EXPECT_FALSE(screen.apply(message).fault);
    EXPECT_EQ(screen.rows(), 3u);
  }
}

/// Messages as a server sends them, and then any byte of them changed.
TEST(Screen, is_sound_whatever_is_applied) {
  Random random;
  Screen screen(16, 26);
  int applied = 0;
  for (int round = 0; round < (sanitized ? 100 : 400) && !HasFailure(); ++round) {
    Screen contents = random_screen(random);
    const Screen from = contents;
    change_at_random(contents, random);
    for (Bytes message : difference(random.chance(50) ? from : screen, contents)) {
      for (std::uint64_t changes = random.below(4); changes > 0; --changes)
        random.pick(message) = static_cast<char>(random.next());
      const Screen before = screen;
      const bool is_right = !screen.apply(message).fault;
      applied += is_right;
      EXPECT_TRUE(is_right || screen == before) << to_hex(message);
      ASSERT_EQ(flaw_of(screen), "") << to_hex(message);
    }
  }
  EXPECT_GT(applied, 10) << "every fourth message is not changed at all";
}

}  // namespace
}  // namespace lekt
