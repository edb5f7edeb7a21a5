#include "common/screen_pass.h"

#include <gtest/gtest.h>

#include "common/text.h"
#include "tests/support/screens.h"

namespace lekt {
namespace {

using namespace test;
using namespace std::chrono_literals;

/// The one message from one screen to another, in hexadecimal; empty if none is sent.
std::string items_from(const Screen& from, const Screen& to) {
  const auto messages = difference(from, to);
  EXPECT_LE(messages.size(), 1u);
  return messages.empty() ? std::string() : to_hex(messages.front());
}

// ---- What a message has ----

TEST(ScreenPass, sends_the_screen_of_the_worked_example) {
  // The title in reverse, two hosts, and the cursor, as docs/device-protocol.md has it.
  const Bytes items =
      hex("01101a 02080000 0300000d 53656c656374206120686f7374 04000d0d 02000000"
          "03020005 3120776d73 03030006 32206d61696c 05050001");
  EXPECT_EQ(items.size(), 79 - limits::datagram_head_bytes);
  Screen contents(1, 1);
  ASSERT_FALSE(contents.apply(items).fault);
  ScreenPass pass;
  const auto messages = messages_of_pass(pass, contents, 0ms);
  ASSERT_EQ(messages.size(), 1u);
  EXPECT_EQ(to_hex(messages.front()), to_hex(items));
}

TEST(ScreenPass, sends_a_typed_key_in_a_datagram_of_at_most_45_bytes) {
  const Screen before = screen_of(24, 80, TextItem{23, 0, "$ ls"}, CursorItem{23, 4, true});
  for (const StyleItem& style : {StyleItem{}, bold, red}) {
    Screen after = before;
    after.draw(TextItem{23, 4, "x"}, style);
    after.draw(CursorItem{23, 5, true});
    const auto messages = difference(before, after);
    ASSERT_EQ(messages.size(), 1u);
    EXPECT_LE(limits::datagram_head_bytes + messages.front().size(), style == StyleItem{} ? 33u : 37u);
  }
}

TEST(ScreenPass, sends_changed_cells_and_the_cursor_last) {
  const Screen before = screen_of(3, 40, TextItem{0, 0, "one"}, TextItem{1, 0, "two"});
  Screen after = before;
  after.draw(TextItem{2, 7, "three"}, {});
  after.draw(TextItem{1, 1, "o"}, {});
  after.draw(CursorItem{2, 12, false});
  EXPECT_EQ(items_from(before, after),
            to_hex(items_of(TextItem{1, 1, "o"}, TextItem{2, 7, "three"}, CursorItem{2, 12, false})));
}

TEST(ScreenPass, sends_nothing_when_nothing_has_changed) {
  const Screen screen = screen_of(3, 40, TextItem{0, 0, "one"}, CursorItem{1, 1, true});
  EXPECT_TRUE(difference(screen, screen).empty());
}

TEST(ScreenPass, joins_gaps_of_up_to_four_cells) {
  const auto joined = [](std::size_t gap) {
    const Screen before = screen_of(1, 40, TextItem{0, 0, "a-------------"});
    Screen after = before;
    after.put(0, 0, U'b', {});
    after.put(0, 1 + gap, U'b', {});
    return items_from(before, after);
  };
  EXPECT_EQ(joined(4), to_hex(items_of(TextItem{0, 0, "b----b"})));
  EXPECT_EQ(joined(5), to_hex(items_of(TextItem{0, 0, "b"}, TextItem{0, 6, "b"})));
}

TEST(ScreenPass, joins_no_gap_that_is_longer_than_an_item_or_of_another_style) {
  const Screen wide = screen_of(1, 40, TextItem{0, 0, "a漢字a"});
  Screen after = wide;
  after.put(0, 0, U'b', {});
  after.put(0, 5, U'b', {});
  EXPECT_EQ(items_from(wide, after), to_hex(items_of(TextItem{0, 0, "b"}, TextItem{0, 5, "b"})));

  const Screen colours =
      screen_of(1, 40, TextItem{0, 0, "a"}, red, TextItem{0, 1, "r"}, StyleItem{}, TextItem{0, 2, "a"});
  after = colours;
  after.put(0, 0, U'b', {});
  after.put(0, 2, U'b', {});
  EXPECT_EQ(items_from(colours, after), to_hex(items_of(TextItem{0, 0, "b"}, TextItem{0, 2, "b"})));
}

TEST(ScreenPass, sends_five_blanks_or_more_as_an_item_of_their_own) {
  const auto blanked = [](std::uint8_t count) {
    const Screen before = screen_of(1, 40, TextItem{0, 0, "abcdefghijklmnop"});
    Screen after = before;
    after.put(0, 0, U'x', {});
    after.draw(BlanksItem{0, 1, count}, {});
    return items_from(before, after);
  };
  EXPECT_EQ(blanked(4), to_hex(items_of(TextItem{0, 0, "x    "})));
  EXPECT_EQ(blanked(5), to_hex(items_of(TextItem{0, 0, "x"}, BlanksItem{0, 1, 5})));
}

TEST(ScreenPass, joins_no_gap_before_blanks_that_are_an_item_of_their_own) {
  const Screen before = screen_of(1, 40, TextItem{0, 0, "abcdefghijklmnop"});
  Screen after = before;
  after.put(0, 0, U'x', {});
  after.draw(BlanksItem{0, 3, 5}, {});
  EXPECT_EQ(items_from(before, after), to_hex(items_of(TextItem{0, 0, "x"}, BlanksItem{0, 3, 5})));
}

TEST(ScreenPass, sends_a_cleared_row_as_one_item_whatever_stood_there) {
  const Screen before = screen_of(1, 40, TextItem{0, 1, "a          b                  c"});
  EXPECT_EQ(items_from(before, Screen(1, 40)), to_hex(items_of(BlanksItem{0, 1, 31})));
}

TEST(ScreenPass, sends_a_style_only_when_it_changes) {
  Screen after(2, 40);
  after.draw(TextItem{0, 0, "red"}, red);
  after.draw(TextItem{0, 5, "red"}, red);
  after.draw(TextItem{0, 9, "green"}, green);
  after.draw(TextItem{1, 0, "plain"}, {});
  // The blanks look the same in any colour.
  EXPECT_EQ(items_from(Screen(2, 40), after),
            to_hex(items_of(red, TextItem{0, 0, "red  red"}, green, TextItem{0, 9, "green"}, StyleItem{},
                            TextItem{1, 0, "plain"})));
}

TEST(ScreenPass, sends_the_size_and_everything_when_the_size_has_changed) {
  const Screen before = screen_of(2, 8, TextItem{0, 0, "ab"});
  EXPECT_EQ(items_from(before, screen_of(2, 9, TextItem{0, 0, "ab"})),
            to_hex(items_of(SizeItem{2, 9}, TextItem{0, 0, "ab"})));
  EXPECT_EQ(items_from(before, screen_of(3, 8, TextItem{0, 0, "ab"})),
            to_hex(items_of(SizeItem{3, 8}, TextItem{0, 0, "ab"})));
}

TEST(ScreenPass, sends_no_message_that_is_larger_than_a_datagram) {
  // Each cell takes the most that one can: a style, the head of a text, and four bytes.
  Screen contents(limits::screen_rows_max, limits::screen_columns_max);
  for (std::size_t row = 0; row < contents.rows(); ++row)
    for (std::size_t column = 0; column < contents.columns(); ++column)
      contents.put(row, column, U'𝛼', (row + column) % 2 == 0 ? red : green);
  ScreenPass pass;
  const auto messages = messages_of_pass(pass, contents, 0ms);
  Screen device(1, 1);
  for (const Bytes& items : messages) {
    EXPECT_LE(items.size(), ScreenPass::items_bytes_max);
    device.apply(items);
  }
  EXPECT_EQ(device, contents);
  EXPECT_EQ(messages.size(), 213u) << "240,003 bytes";
}

TEST(ScreenPass, cuts_a_text_that_is_longer_than_an_item_between_characters) {
  struct Row {
    std::string_view character;
    std::size_t characters;
    std::size_t items;
  };
  for (const Row& row : {Row{"x", 200, 1}, Row{"é", 200, 2}, Row{"漢", 100, 2}, Row{"𝛼", 200, 4}}) {
    std::string text;
    for (std::size_t count = 0; count < row.characters; ++count) text += row.character;
    Screen contents(1, 200);
    contents.draw(TextItem{0, 0, text}, {});
    ScreenPass pass;
    const auto messages = messages_of_pass(pass, contents, 0ms);
    ASSERT_EQ(messages.size(), 1u);
    EXPECT_EQ(messages.front().size(), 3 + 4 * row.items + text.size()) << row.character;
    Screen device(1, 1);
    EXPECT_FALSE(device.apply(messages.front()).fault) << row.character;
    EXPECT_EQ(device, contents) << row.character;
  }
}

// ---- When a message is made ----

class ScreenPassRules : public testing::Test {
 protected:
  /// The next message, after which the device shows what it should; nothing if none is due.
  bool sends(ScreenPass::Time now, bool everything_is_acknowledged) {
    if (!pass_.next_message(contents_, now, everything_is_acknowledged, items_)) return false;
    rings_ = device_.apply(items_).rings;
    return true;
  }

  void write(std::uint8_t row, std::string_view text) {
    contents_.draw(TextItem{row, 0, text}, {});
    pass_.contents_changed();
  }

  /// So much that it takes four messages.
  void write_much(char32_t character) {
    for (std::size_t row = 0; row < contents_.rows(); ++row)
      for (std::size_t column = 0; column < contents_.columns(); ++column)
        contents_.put(row, column, character, {});
    pass_.contents_changed();
  }

  Screen contents_{24, 160};
  Screen device_{1, 1};
  ScreenPass pass_;
  Bytes items_;
  bool rings_ = false;
};

TEST_F(ScreenPassRules, a_pass_begins_when_everything_is_acknowledged_and_20_ms_after_the_last_one_began) {
  EXPECT_EQ(pass_.due(true), 0ms);
  EXPECT_TRUE(sends(100ms, true)) << "the size";
  EXPECT_EQ(pass_.due(true), std::nullopt) << "nothing has changed";
  write(0, "one");
  EXPECT_EQ(pass_.due(false), std::nullopt) << "an acknowledgment is missing, and no time replaces it";
  EXPECT_FALSE(sends(1s, false));
  EXPECT_EQ(pass_.due(true), 120ms);
  EXPECT_FALSE(sends(119ms, true));
  EXPECT_TRUE(sends(120ms, true));
  EXPECT_EQ(device_, contents_);
}

TEST_F(ScreenPassRules, a_pass_that_finds_nothing_changed_sends_nothing_and_waits_for_the_next_change) {
  sends(100ms, true);
  write(0, "");
  EXPECT_FALSE(sends(150ms, true));
  EXPECT_EQ(pass_.due(true), std::nullopt);
  write(0, "one");
  EXPECT_TRUE(sends(151ms, true)) << "the pass without messages was none";
}

TEST_F(ScreenPassRules, messages_of_a_pass_are_made_while_earlier_ones_are_on_their_way) {
  write_much(U'x');
  EXPECT_TRUE(sends(100ms, true));
  EXPECT_TRUE(pass_.is_under_way());
  EXPECT_EQ(pass_.due(true), std::nullopt) << "it waits for no time";
  EXPECT_TRUE(sends(100ms, false));
  EXPECT_TRUE(sends(100ms, false));
  EXPECT_TRUE(sends(100ms, false));
  EXPECT_FALSE(pass_.is_under_way());
  EXPECT_FALSE(sends(100ms, false));
  EXPECT_EQ(device_, contents_);
}

TEST_F(ScreenPassRules, messages_are_made_of_the_newest_contents) {
  write_much(U'x');
  sends(100ms, true);
  write_much(U'y');
  while (sends(101ms, false)) continue;
  EXPECT_EQ(text_of(device_, 0), std::string(160, 'x')) << "was sent before";
  EXPECT_EQ(text_of(device_, 23), std::string(160, 'y'));
  EXPECT_EQ(pass_.due(true), 120ms) << "the next pass sends the rest";
  while (sends(120ms, true)) continue;
  EXPECT_EQ(device_, contents_);
}

TEST_F(ScreenPassRules, a_row_that_changes_all_the_time_does_not_hold_up_the_others) {
  write_much(U'x');
  int messages = 0;
  do {
    // More than a message has room for.
    for (std::size_t column = 0; column < contents_.columns(); ++column)
      contents_.put(0, column, messages % 2 == 0 ? U'a' : U'b', column % 2 == 0 ? red : green);
    ASSERT_TRUE(sends(100ms, messages == 0));
  } while (++messages < 20 && pass_.is_under_way());
  EXPECT_LT(messages, 8);
  EXPECT_EQ(text_of(device_, 23), std::string(160, 'x'));
}

TEST_F(ScreenPassRules, a_wide_character_that_comes_to_stand_where_a_message_has_ended_is_sent) {
  contents_ = Screen(1, 200);
  for (std::size_t column = 0; column < 200; ++column)
    contents_.put(0, column, U'x', column % 2 == 0 ? red : green);
  ASSERT_TRUE(sends(100ms, true));
  std::size_t end = 0;
  while (device_.row(0)[end].character == U'x') ++end;
  ASSERT_GT(end, 100u);
  contents_.put(0, end - 1, U'漢', {});
  while (sends(100ms, false)) continue;
  EXPECT_EQ(device_, contents_);
}

TEST_F(ScreenPassRules, another_size_in_the_middle_of_a_pass_begins_the_sweep_anew) {
  write_much(U'x');
  sends(100ms, true);
  sends(100ms, false);
  contents_.resize(3, 5);
  write(2, "end");
  EXPECT_TRUE(sends(100ms, false));
  EXPECT_EQ(device_, contents_);
}

TEST_F(ScreenPassRules, what_a_device_shows_that_registers_anew_is_not_known) {
  write(0, "one");
  sends(100ms, true);
  pass_.forget();
  EXPECT_FALSE(pass_.shown());
  device_ = Screen(2, 2);
  EXPECT_TRUE(sends(101ms, true)) << "at once";
  EXPECT_EQ(device_, contents_);
}

TEST_F(ScreenPassRules, a_bell_is_rung_once_and_before_the_cursor) {
  sends(100ms, true);
  EXPECT_FALSE(rings_);
  pass_.ring();
  pass_.ring();
  contents_.draw(CursorItem{1, 2, true});
  EXPECT_TRUE(sends(200ms, true));
  EXPECT_TRUE(rings_);
  EXPECT_EQ(items_, items_of(BellItem{}, CursorItem{1, 2, true}));
  EXPECT_FALSE(sends(300ms, true));
  write(0, "x");
  EXPECT_TRUE(sends(400ms, true));
  EXPECT_FALSE(rings_);
}

}  // namespace
}  // namespace lekt
