// What a host writes, and what is seen then. The expected rows are those of pyte, which is another terminal, where it does
// not differ from DEC's manuals.
#include "devices/terminal.h"

#include <gtest/gtest.h>

#include "tests/devices/terminal_world.h"

namespace lekt::test {
namespace {

using Rows = std::vector<std::string>;

struct Written {
  const char* what;
  const char* bytes;
  Rows rows;
  std::size_t row;
  std::size_t column;
};

void PrintTo(const Written& written, std::ostream* out) { *out << written.what; }

/// On 4 rows of 10 columns.
const Written written_texts[] = {
    {"text", "stock 7", {"stock 7"}, 0, 7},
    {"lines", "a\r\nb\nc", {"a", "b", " c"}, 2, 2},
    {"backspace", "abc\b\bX", {"aXc"}, 0, 2},
    {"a text that is longer than its row", "0123456789ab", {"0123456789", "ab"}, 1, 2},
    {"a full row, whose end the cursor does not leave", "0123456789", {"0123456789"}, 0, 9},
    {"a return in a full row", "0123456789\rX", {"X123456789"}, 0, 1},
    {"no wrapping", "\x1b[?7l0123456789ab", {"012345678b"}, 0, 9},
    {"scrolling", "1\r\n2\r\n3\r\n4\r\n5", {"2", "3", "4", "5"}, 3, 1},
    {"a place", "\x1b[3;5Hx", {"", "", "    x"}, 2, 5},
    {"a place outside", "\x1b[99;99Hx", {"", "", "", "         x"}, 3, 9},
    {"a place without a row", "\x1b[;5Hx", {"    x"}, 0, 5},
    {"moves", "\x1b[3;5H\x1b[2A\x1b[3D1\x1b[B2\x1b[C3", {" 1", "  2 3"}, 1, 5},
    {"a column and a row", "\x1b[6Gx\x1b[2dy", {"     x", "      y"}, 1, 7},
    {"erasing to the end of a row", "abcdef\x1b[3D\x1b[K", {"abc"}, 0, 3},
    {"erasing to the cursor", "abcdef\x1b[3D\x1b[1K", {"    ef"}, 0, 3},
    {"erasing a row", "abc\r\ndef\x1b[2K", {"abc"}, 1, 3},
    {"erasing below", "a\r\nb\r\nc\x1b[2;1H\x1b[J", {"a"}, 1, 0},
    {"erasing above", "a\r\nb\r\nc\x1b[2;1H\x1b[1J", {"", "", "c"}, 1, 0},
    {"erasing everything", "a\r\nb\x1b[2J", {}, 1, 1},
    {"erasing characters", "abcdef\x1b[1;2H\x1b[3X", {"a   ef"}, 0, 1},
    {"inserting characters", "abcdef\x1b[1;2H\x1b[2@", {"a  bcdef"}, 0, 1},
    {"deleting characters", "abcdef\x1b[1;2H\x1b[2P", {"adef"}, 0, 1},
    {"insert mode", "abc\x1b[1;2H\x1b[4hXY\x1b[4l", {"aXYbc"}, 0, 3},
    {"inserting rows", "1\r\n2\r\n3\x1b[2;1H\x1b[L", {"1", "", "2", "3"}, 1, 0},
    {"deleting rows", "1\r\n2\r\n3\r\n4\x1b[2;1H\x1b[2M", {"1", "4"}, 1, 0},
    {"margins move the cursor home", "abc\x1b[2;3r", {"abc"}, 0, 0},
    {"scrolling between margins", "1\r\n2\r\n3\r\n4\x1b[2;3r\x1b[3;1H\nx", {"1", "3", "x", "4"}, 2, 1},
    {"scrolling back between margins",
     "1\r\n2\r\n3\r\n4\x1b[2;3r\x1b[2;1H\x1bMx",
     {"1", "x", "2", "4"},
     1,
     1},
    {"scrolling by a number", "1\r\n2\r\n3\x1b[2S", {"3"}, 2, 1},
    {"scrolling back by a number", "1\r\n2\x1b[T", {"", "1", "2"}, 1, 1},
    {"tabs", "a\tb", {"a       b"}, 0, 9},
    {"tabs that are set", "\x1b[3g\x1b[1;4H\x1bH\r\tx", {"   x"}, 0, 4},
    {"a saved cursor",
     "\x1b[2;2H\x1b"
     "7\x1b[4;4H\x1b"
     "8x",
     {"", " x"},
     1,
     2},
    {"the other screen", "main\x1b[?1049h\x1b[Hother", {"other"}, 0, 5},
    {"back from the other screen", "main\x1b[?1049h\x1b[Hother\x1b[?1049l", {"main"}, 0, 4},
    {"lines of G0, as a VT220 has them", "\x1b(0lqk\x1b(Blqk", {"┌─┐lqk"}, 0, 6},
    {"lines of G1, as GNU Screen has them", "\x1b(B\x1b)0\x0elqk\x0flqk", {"┌─┐lqk"}, 0, 6},
    {"letters of Latin 1 while G1 has lines", "\x1b)0äé", {"äé"}, 0, 2},
    {"the same after a cursor that was never saved",
     "\x1b"
     "8\x1b)0é",
     {"é"},
     0,
     1},
    {"the same after a soft reset", "\x1b[!p\x1b)0é", {"é"}, 0, 1},
    {"the same after a hard reset",
     "\x1b"
     "c\x1b)0é",
     {"é"},
     0,
     1},
    {"the same after G3 and the right half were named otherwise", "\x1b+0\x1b~\x1b}é", {"é"}, 0, 1},
    {"a title of the window", "\x1b]0;title\ax\x1b]2;title\x1b\\y", {"xy"}, 0, 2},
    {"a title of GNU Screen", "\x1bktitle\x1b\\x", {"x"}, 0, 1},
    {"a string for nobody", "\x1bPq#0\x1b\\x\x1b_y\x1b\\z", {"xz"}, 0, 2},
    {"a sequence that is cancelled", "\x1b[3\x18x", {"x"}, 0, 1},
    {"a sequence of another terminal", "\x1b[>4;2mx\x1b[?1ry\x1b[=cz", {"xyz"}, 0, 3},
    {"a rectangle of a VT420, which is no margin", "abc\x1b[2;3$rx", {"abcx"}, 0, 4},
    {"a soft reset", "abc\x1b[4h\x1b[!p\x1b[HX", {"Xbc"}, 0, 1},
    {"wide characters", "漢字x", {"漢字x"}, 0, 5},
    {"a wide character that does not fit the row", "123456789漢x", {"123456789", "漢x"}, 1, 3},
    {"the same without wrapping", "\x1b[?7l123456789漢x", {"123456789x"}, 0, 9},
    {"a letter on the first half of a wide character", "漢字\rx", {"x 字"}, 0, 1},
    {"a letter on the second half of a wide character", "漢字\r\x1b[Cx", {" x字"}, 0, 2},
    {"a wide character that is pushed apart", "漢字\r\x1b[C\x1b[@", {"漢 字"}, 0, 1},
    {"a letter and its accent", "e\xcc\x81x", {"ex"}, 0, 2},
    {"what is wider here than in libtsm, before a letter", "🥰x", {" x"}, 0, 2},
    {"bytes that are no UTF-8", "a\xff\xc3\x1b[31mb\xe6\xbcz", {"a��b��z"}, 0, 7},
    {"a reset",
     "abc\x1b[31m\x1b[?25l\x1b"
     "c",
     {},
     0,
     0},
};

class TerminalText : public testing::TestWithParam<Written> {};

TEST_P(TerminalText, is_where_the_host_wanted_it) {
  TerminalWorld world;
  world.write(GetParam().bytes);
  EXPECT_EQ(world.rows(), GetParam().rows);
  EXPECT_EQ(world.screen().cursor(), (CursorItem{static_cast<std::uint8_t>(GetParam().row),
                                                 static_cast<std::uint8_t>(GetParam().column), true}));
  EXPECT_EQ(flaw_of(world.screen()), "");
}

TEST_P(TerminalText, does_not_depend_on_where_it_was_cut) {
  const ByteView bytes = GetParam().bytes;
  TerminalWorld whole;
  whole.write(bytes);
  TerminalWorld byte_by_byte;
  for (const char& byte : bytes) byte_by_byte.write({&byte, 1});
  EXPECT_EQ(byte_by_byte.screen(), whole.screen());
  for (std::size_t cut = 1; cut < bytes.size(); ++cut) {
    TerminalWorld halves;
    halves.write(bytes.substr(0, cut)).write(bytes.substr(cut));
    EXPECT_EQ(halves.screen(), whole.screen()) << "cut at " << cut;
  }
}

INSTANTIATE_TEST_SUITE_P(Terminal, TerminalText, testing::ValuesIn(written_texts));

// ---- Styles ----

TEST(Terminal, has_the_styles_that_a_host_sets) {
  const auto flags_after = [](const std::string& sequence, std::string_view term) {
    TerminalWorld world(2, 5, term);
    world.write(sequence + "x");
    return world.style().flags;
  };
  EXPECT_EQ(flags_after("\x1b[1m", "vt220"), style::bold);
  EXPECT_EQ(flags_after("\x1b[4m", "vt220"), style::underline);
  EXPECT_EQ(flags_after("\x1b[5m", "vt220"), style::blink);
  EXPECT_EQ(flags_after("\x1b[7m", "vt220"), style::reverse);
  EXPECT_EQ(flags_after("\x1b[3m", "vt220"), style::italic);
  EXPECT_EQ(flags_after("\x1b[1;4;7m", "vt220"), style::bold | style::underline | style::reverse);
  EXPECT_EQ(flags_after("\x1b[1;7m\x1b[27m", "vt220"), style::bold);
  EXPECT_EQ(flags_after("\x1b[1;7m\x1b[m", "vt220"), 0);
  EXPECT_EQ(flags_after("\x1b[1m\x1b[;7m", "vt220"), style::reverse);
  EXPECT_EQ(flags_after("\x1b[1;m", "vt220"), 0);
  // smso of GNU Screen: what is italic elsewhere stands out.
  EXPECT_EQ(flags_after("\x1b[3m", "screen-256color"), style::reverse);
  EXPECT_EQ(flags_after("\x1b[3;7m", "screen-256color"), style::reverse);
}

TEST(Terminal, has_each_of_256_colours) {
  for (int colour = 0; colour < 256; ++colour) {
    TerminalWorld world;
    const std::string number = std::to_string(colour);
    world.write("\x1b[38;5;" + number + ";48;5;" + number + "mx");
    const auto entry = static_cast<std::uint8_t>(colour);
    EXPECT_EQ(world.style(), (StyleItem{style::foreground_holds | style::background_holds, entry, entry}));
  }
}

TEST(Terminal, has_the_sixteen_colours_by_their_own_sequences) {
  for (int colour = 0; colour < 8; ++colour) {
    const auto entry = static_cast<std::uint8_t>(colour);
    const auto style_after = [&](int first) {
      return TerminalWorld().write("\x1b[" + std::to_string(first + colour) + "mx").style();
    };
    EXPECT_EQ(style_after(30), (StyleItem{style::foreground_holds, entry, 0}));
    EXPECT_EQ(style_after(40), (StyleItem{style::background_holds, 0, entry}));
    EXPECT_EQ(style_after(90), (StyleItem{style::foreground_holds, static_cast<std::uint8_t>(entry + 8), 0}));
    EXPECT_EQ(style_after(100),
              (StyleItem{style::background_holds, 0, static_cast<std::uint8_t>(entry + 8)}));
  }
}

TEST(Terminal, shows_other_colours_as_the_nearest_of_the_palette) {
  EXPECT_EQ(TerminalWorld().write("\x1b[38;2;255;0;4mx").style().foreground, 196);
  EXPECT_EQ(TerminalWorld().write("\x1b[38;2;9;9;9mx").style().foreground, 232);
  EXPECT_EQ(TerminalWorld().write("\x1b[38;2;240;240;240mx").style().foreground, 255);
  EXPECT_EQ(TerminalWorld().write("\x1b[38;2;96;134;176mx").style().foreground, 67);
}

TEST(Terminal, has_no_colour_after_the_default_ones) {
  EXPECT_EQ(TerminalWorld().write("x").style(), StyleItem{});
  EXPECT_EQ(TerminalWorld().write("\x1b[31;44m\x1b[39;49mx").style(), StyleItem{});
}

TEST(Terminal, keeps_only_the_background_where_it_erases) {
  TerminalWorld world;
  world.write("\x1b[1;4;7;31;44m\x1b[K");
  EXPECT_EQ(world.style(), (StyleItem{style::background_holds, 0, 4}));
  // Blanks that a host has written have everything.
  world.write(" ");
  EXPECT_EQ(world.style().flags & (style::underline | style::reverse), style::underline | style::reverse);
}

TEST(Terminal, reverses_all_of_a_reversed_screen) {
  TerminalWorld world;
  world.write("a\x1b[7mb\x1b[m\x1b[?5h");
  EXPECT_EQ(world.cell(0, 0).flags, style::reverse);
  EXPECT_EQ(world.cell(0, 1).flags, 0);
  EXPECT_EQ(world.cell(3, 9).flags, style::reverse);
  world.write("\x1b[?5l");
  EXPECT_EQ(world.cell(0, 0).flags, 0);
  EXPECT_EQ(world.cell(3, 9).flags, 0);
}

TEST(Terminal, tells_where_the_cursor_is_and_not_by_a_style) {
  TerminalWorld world;
  world.write("ab\b");
  EXPECT_EQ(world.screen().cursor(), (CursorItem{0, 1, true}));
  EXPECT_EQ(world.cell(0, 1).flags, 0);
  world.write("\x1b[?25l");
  EXPECT_EQ(world.screen().cursor(), (CursorItem{0, 1, false}));
  EXPECT_EQ(world.cell(0, 1).flags, 0);
  world.write("\x1b[?25h\x1b[7mb\b");
  EXPECT_EQ(world.cell(0, 1).flags, style::reverse);
}

// ---- Sizes ----

TEST(Terminal, keeps_what_fits_when_the_size_changes) {
  TerminalWorld world(4, 10);
  world.write("first row\r\nsecond row");
  world.terminal.resize(3, 6);
  EXPECT_EQ(world.rows(), (Rows{"first", "second"}));
  world.terminal.resize(6, 20);
  EXPECT_EQ(world.rows(), (Rows{"first", "second"}));
  EXPECT_EQ(world.screen().rows(), 6u);
  EXPECT_EQ(world.screen().columns(), 20u);
  world.write("\x1b[6;20Hx");
  EXPECT_EQ(world.cell(5, 19).character, U'x');
}

TEST(Terminal, loses_rows_at_the_top_only_for_the_sake_of_the_cursor) {
  TerminalWorld world(4, 10);
  world.write("1\r\n2\r\n3\r\n4\x1b[2;2H");
  world.terminal.resize(3, 10);
  EXPECT_EQ(world.rows(), (Rows{"1", "2", "3"}));
  EXPECT_EQ(world.screen().cursor(), (CursorItem{1, 1, true}));
  world.write("\x1b[3;2H");
  world.terminal.resize(1, 10);
  EXPECT_EQ(world.rows(), (Rows{"3"}));
  EXPECT_EQ(world.screen().cursor(), (CursorItem{0, 1, true}));
}

TEST(Terminal, keeps_both_screens_when_the_size_changes) {
  TerminalWorld world(4, 10);
  world.write("main\x1b[?1049h\x1b[Hother");
  world.terminal.resize(2, 20);
  EXPECT_EQ(world.rows(), (Rows{"other"}));
  world.write("\x1b[?1049l");
  EXPECT_EQ(world.rows(), (Rows{"main"}));
}

TEST(Terminal, has_every_size_that_a_screen_may_have_and_no_other) {
  TerminalWorld world(0, 0);
  EXPECT_EQ(world.terminal.rows(), 1u);
  EXPECT_EQ(world.terminal.columns(), 1u);
  world.write("\x1b[4hab漢漢\x1b[2@");
  EXPECT_EQ(flaw_of(world.screen()), "");
  EXPECT_EQ(world.screen().columns(), 1u);
  world.terminal.resize(1000, 1000);
  EXPECT_EQ(world.terminal.rows(), limits::screen_rows_max);
  EXPECT_EQ(world.terminal.columns(), limits::screen_columns_max);
  world.write("\x1b[1000;1000Hx");
  EXPECT_EQ(world.cell(limits::screen_rows_max - 1, limits::screen_columns_max - 1).character, U'x');
}

// ---- Bell, answers ----

TEST(Terminal, hears_the_bell_but_not_the_end_of_a_title) {
  TerminalWorld world;
  EXPECT_FALSE(world.terminal.take_bell());
  world.write("a\ab");
  EXPECT_TRUE(world.terminal.take_bell());
  EXPECT_FALSE(world.terminal.take_bell());
  world.write("\x1b]0;title\a\x1bP\a\x1b\\");
  EXPECT_FALSE(world.terminal.take_bell());
  world.write("\x1b[\a3m");
  EXPECT_TRUE(world.terminal.take_bell());
  EXPECT_EQ(world.rows(), (Rows{"ab"}));
}

TEST(Terminal, answers_what_a_host_asks) {
  TerminalWorld world;
  world.write("\x1b[2;3H\x1b[6n");
  EXPECT_EQ(world.said, "\x1b[2;3R");
  world.said.clear();
  world.write("\x1b[5n\x1b[c");
  EXPECT_EQ(world.said, "\x1b[0n\x1b[?60;1;6;9;15c");
  world.said.clear();
  world.write("\x1b[?6n\x1b[?1$p\x1b[=c");
  EXPECT_EQ(world.said, "");
}

TEST(Terminal, answers_at_most_eight_times_what_was_asked) {
  TerminalWorld world(24, 80);
  for (const std::string_view question : {"\xc2\x9a", "\x1bZ", "\x1b[c",
                                          "\xc2\x9b"
                                          "c",
                                          "\x05", "\x1b[6n", "\x1b[>c"}) {
    world.said.clear();
    Bytes questions;
    for (int count = 0; count < 2000; ++count) questions += question;
    world.write(questions);
    EXPECT_LE(world.said.size(), 8 * questions.size()) << to_hex(question);
    EXPECT_EQ(world.said.size() % 2000, 0u) << "none is left out: " << to_hex(question);
  }
}

// ---- What libtsm would make of it ----

TEST(Terminal, keeps_its_screen_when_a_host_asks_for_modes) {
  TerminalWorld world;
  world.write("\x1b[?1049h\x1b[2;3r\x1b[Hvim\x1b[?25l");
  const Screen before = world.screen();
  world.write("\x1b[?2026$p\x1b[?12$p\x1b[4$p\x1b[>1p\x1b[62;1\"p");
  EXPECT_EQ(world.screen(), before);
  world.write("\x1b[?1049l");
  EXPECT_EQ(world.rows(), Rows{});
}

TEST(Terminal, stays_with_utf8_whatever_level_a_host_wants) {
  TerminalWorld world;
  world.write("\x1b[61\"p\x1b[62;1\"p\x1b[64p\x1b[63;2\"pé");
  EXPECT_EQ(world.rows(), Rows{"é"});
}

}  // namespace
}  // namespace lekt::test
