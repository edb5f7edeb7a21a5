#include "client/command/device_program/device_script.h"

#include <gtest/gtest.h>

#include "client/command/device_program/message_lines.h"
#include "client/command/device_program/screen_text.h"
#include "client/command/device_program/still_screen.h"
#include "tests/support/screens.h"

namespace lekt::command {
namespace {

using test::screen_of;
using Expect = DeviceScript::Expect;
using Send = DeviceScript::Send;

TEST(DeviceScript, without_steps_it_is_done) { EXPECT_TRUE(DeviceScript({}).is_done()); }

TEST(DeviceScript, waits_until_a_row_has_the_text) {
  DeviceScript script({Expect{"login:"}});
  EXPECT_EQ(script.go_on(screen_of(3, 10, TextItem{1, 0, "log"}, TextItem{2, 0, "in:"})), std::nullopt);
  ASSERT_NE(script.awaited(), nullptr);
  EXPECT_EQ(*script.awaited(), "login:");
  EXPECT_EQ(script.go_on(screen_of(3, 10, TextItem{1, 2, "login: x"})), std::nullopt);
  EXPECT_TRUE(script.is_done());
  EXPECT_EQ(script.awaited(), nullptr);
}

TEST(DeviceScript, steps_are_done_in_their_order_and_one_input_at_a_time) {
  DeviceScript script({Send{"a"}, Send{"b"}, Expect{"1"}, Expect{"2"}, Send{"c"}});
  const Screen blank(2, 4);
  EXPECT_EQ(script.go_on(blank), "a");
  EXPECT_EQ(script.awaited(), nullptr);
  EXPECT_EQ(script.go_on(blank), "b");
  EXPECT_EQ(script.go_on(blank), std::nullopt);
  EXPECT_EQ(script.go_on(screen_of(2, 4, TextItem{0, 0, "1"})), std::nullopt);
  EXPECT_EQ(*script.awaited(), "2");
  EXPECT_EQ(script.go_on(screen_of(2, 4, TextItem{0, 0, "2"})), "c");
  EXPECT_TRUE(script.is_done());
}

TEST(StillScreen, is_one_that_has_not_changed_for_half_a_second) {
  using std::chrono::milliseconds;
  StillScreen still;
  EXPECT_EQ(still.due(), std::nullopt);
  const Screen half = screen_of(2, 4, TextItem{0, 0, "a"});
  const Screen whole = screen_of(2, 4, TextItem{0, 0, "a"}, TextItem{1, 0, "b"});
  EXPECT_FALSE(still.look(half, milliseconds(1'000)));
  EXPECT_FALSE(still.look(half, milliseconds(1'499)));
  EXPECT_FALSE(still.look(whole, milliseconds(1'600)));
  EXPECT_EQ(still.due(), milliseconds(2'100));
  EXPECT_FALSE(still.look(whole, milliseconds(2'099)));
  EXPECT_TRUE(still.look(whole, milliseconds(2'100)));
  still.reset();
  EXPECT_EQ(still.due(), std::nullopt);
  EXPECT_FALSE(still.look(whole, milliseconds(9'000)));
}

TEST(ScreenText, rows_are_lines_without_the_blanks_at_their_end) {
  const Screen screen = screen_of(3, 6, TextItem{0, 1, "ab"}, TextItem{2, 0, "日本x"});
  EXPECT_EQ(screen_text(screen), " ab\n\n日本x\n");
  EXPECT_EQ(row_text(screen, 0), " ab   ");
}

TEST(MessageLines, the_text_of_a_failure_is_below_the_timeout) {
  EXPECT_EQ(message_lines("Connecting...", 80), (std::vector<std::string>{"Connecting..."}));
  EXPECT_EQ(message_lines("Err:Host Timeout!", 80), (std::vector<std::string>{"Err:Host Timeout!"}));
  EXPECT_EQ(message_lines("Err:Host Timeout! no port is free; try again later", 26),
            (std::vector<std::string>{"Err:Host Timeout!", "no port is free; try again", "later"}));
}

TEST(MessageLines, long_words_are_broken_between_characters_and_nothing_controls_the_terminal) {
  EXPECT_EQ(message_lines("ääää", 3), (std::vector<std::string>{"ä", "ä", "ä", "ä"}));
  EXPECT_EQ(message_lines("abcdef", 4), (std::vector<std::string>{"abcd", "ef"}));
  EXPECT_EQ(message_lines("a\x1b[2J", 80), (std::vector<std::string>{"a\\x1b[2J"}));
  EXPECT_EQ(message_lines("", 80), std::vector<std::string>{});
}

}  // namespace
}  // namespace lekt::command
