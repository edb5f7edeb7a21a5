#include "client/command/device_program/typed_text.h"

#include <gtest/gtest.h>

#include "client/device_link.h"
#include "common/errors.h"
#include "tests/support/screens.h"

namespace lekt::command {
namespace {

using test::items_of;

std::string refusal_of(std::string_view text) {
  try {
    parse_typed_text(text);
  } catch (const CodedError& error) {
    EXPECT_EQ(error.code(), ErrorCode::usage_wrong);
    return error.what();
  }
  return "";
}

TEST(TypedText, characters_that_follow_each_other_are_one_item) {
  EXPECT_EQ(parse_typed_text("läuft 日本"), items_of(TypedItem{"läuft 日本"}));
}

TEST(TypedText, a_long_text_is_several_items) {
  const std::string text(300, 'a');
  EXPECT_EQ(parse_typed_text(text), items_of(TypedItem{text.substr(0, 255)}, TypedItem{text.substr(255)}));
}

TEST(TypedText, escapes_are_keys) {
  EXPECT_EQ(parse_typed_text(R"(1\r\n\t\b\e)"),
            items_of(TypedItem{"1"}, KeyItem{Key::enter}, KeyItem{Key::enter}, KeyItem{Key::tab},
                     KeyItem{Key::backspace}, KeyItem{Key::escape}));
  EXPECT_EQ(parse_typed_text(R"(\{up}\{page down}\{F1}\{F24}\\)"),
            items_of(KeyItem{Key::up}, KeyItem{Key::page_down}, KeyItem{Key::f1}, KeyItem{Key::f24},
                     TypedItem{"\\"}));
}

TEST(TypedText, control_characters_are_characters_with_ctrl) {
  EXPECT_EQ(parse_typed_text(R"(\x03\x00\x1d)"),
            items_of(ChordItem{modifiers::control, U'c'}, ChordItem{modifiers::control, U' '},
                     ChordItem{modifiers::control, U']'}));
  EXPECT_EQ(parse_typed_text(R"(\x0d\x7f\x41)"),
            items_of(KeyItem{Key::enter}, KeyItem{Key::backspace}, TypedItem{"A"}));
}

TEST(TypedText, alt_is_a_modifier_of_any_character) {
  TypedText typed;
  typed.add(U'x', modifiers::alt);
  typed.add(U'\x03', modifiers::alt);
  typed.add(U'\r', modifiers::alt);
  EXPECT_EQ(typed.take(),
            items_of(ChordItem{modifiers::alt, U'x'}, ChordItem{modifiers::alt | modifiers::control, U'c'},
                     KeyItem{Key::enter, modifiers::alt}));
  EXPECT_EQ(typed.take(), Bytes());
}

TEST(TypedText, what_no_input_has_is_passed_over) {
  TypedText typed;
  typed.add(U'\x9b');
  EXPECT_EQ(typed.take(), Bytes());
}

TEST(TypedText, refusals_say_what_would_be_right) {
  EXPECT_EQ(
      refusal_of(R"(a\q)"),
      R"(E705 --send "a\\q": '\' begins no escape here; \r \n \t \b \e \\ \xNN and \{KEY} are the escapes)");
  for (const char* text : {R"(\x)", R"(\x1)", R"(\xzz)", R"(\x80)"})
    EXPECT_NE(refusal_of(text).find("two hexadecimal digits, 00 to 7f"), std::string::npos) << text;
  for (const char* text : {R"(\{upp})", R"(\{up)", R"(\{})"})
    EXPECT_NE(refusal_of(text).find("is no key; enter, tab"), std::string::npos) << text;
  EXPECT_NE(refusal_of("\xff").find("not UTF-8"), std::string::npos);
  EXPECT_NE(refusal_of("").find("nothing in it"), std::string::npos);
  EXPECT_NE(refusal_of(std::string(DeviceLink::typed_bytes_max, 'a')).find("too long"), std::string::npos);
}

}  // namespace
}  // namespace lekt::command
