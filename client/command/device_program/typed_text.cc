#include "client/command/device_program/typed_text.h"

#include <optional>
#include <utility>

#include "client/device_link.h"
#include "common/errors.h"
#include "common/text.h"
#include "common/utf8.h"

namespace lekt::command {

namespace {

[[noreturn]] void refuse_typed(std::string_view text, const std::string& reason) {
  throw CodedError(ErrorCode::usage_wrong, "--send \"" + escape(text) + "\": " + reason);
}

std::optional<Key> key_of_control(char32_t character) {
  switch (character) {
    case '\r':
    case '\n':
      return Key::enter;
    case '\t':
      return Key::tab;
    case '\b':
    case 0x7f:
      return Key::backspace;
    case 0x1b:
      return Key::escape;
    default:
      return std::nullopt;
  }
}

std::optional<Key> key_named(std::string_view name) {
  for (int number = 1; number <= static_cast<int>(Key::f24); ++number)
    if (const auto key = static_cast<Key>(number); key_name(key) == name && !name.empty()) return key;
  return std::nullopt;
}

/// Takes the escape that `rest` begins with, and adds what it means.
void add_escape(TypedText& typed, std::string_view text, std::string_view& rest) {
  constexpr std::string_view allowed = R"(\r \n \t \b \e \\ \xNN and \{KEY} are the escapes)";
  const char letter = rest.size() < 2 ? '\0' : rest[1];
  const auto simple = [&](char32_t character) {
    typed.add(character);
    rest.remove_prefix(2);
  };
  switch (letter) {
    case 'r':
      return simple('\r');
    case 'n':
      return simple('\n');
    case 't':
      return simple('\t');
    case 'b':
      return simple('\b');
    case 'e':
      return simple(0x1b);
    case '\\':
      return simple('\\');
    case 'x': {
      const auto byte = parse_hex(rest.substr(2, 2));
      if (!byte || byte->size() != 1 || static_cast<unsigned char>(byte->front()) >= 0x80)
        refuse_typed(text,
                     "\\x needs two hexadecimal digits, 00 to 7f; other characters are written as they are");
      typed.add(static_cast<unsigned char>(byte->front()));
      return rest.remove_prefix(4);
    }
    case '{': {
      const std::size_t end = rest.find('}');
      const std::string_view name = rest.substr(2, end == rest.npos ? end : end - 2);
      const auto key = key_named(name);
      if (end == rest.npos || !key)
        refuse_typed(
            text, "\"" + escape(name) +
                      "\" is no key; enter, tab, backspace, escape, up, down, left, right, insert, delete, "
                      "home, end, page up, page down and F1 to F24 are");
      typed.add(*key);
      return rest.remove_prefix(end + 1);
    }
    default:
      refuse_typed(text, "'\\' begins no escape here; " + std::string(allowed));
  }
}

}  // namespace

void TypedText::add(char32_t character, std::uint8_t modifiers) {
  if (const auto key = key_of_control(character)) return add(*key, modifiers);
  if (character < 0x20) {
    // Ctrl with a letter, a space or one of \ ] ^ _
    const char32_t plain = character == 0 ? U' ' : character + (character < 27 ? 0x60 : 0x40);
    return add(plain, static_cast<std::uint8_t>(modifiers | modifiers::control));
  }
  std::string bytes;
  append_character(bytes, character);
  if (!is_item_text(bytes)) return;
  if (modifiers != 0) {
    end_text();
    return append_item(items_, ChordItem{modifiers, character});
  }
  if (text_.size() + bytes.size() > limits::item_text_bytes_max) end_text();
  text_ += bytes;
}

void TypedText::add(Key key, std::uint8_t modifiers) {
  end_text();
  append_item(items_, KeyItem{key, modifiers});
}

Bytes TypedText::take() {
  end_text();
  return std::exchange(items_, {});
}

void TypedText::end_text() {
  if (!text_.empty()) append_item(items_, TypedItem{text_});
  text_.clear();
}

Bytes parse_typed_text(std::string_view text) {
  TypedText typed;
  for (std::string_view rest = text; !rest.empty();) {
    if (rest.front() == '\\') {
      add_escape(typed, text, rest);
      continue;
    }
    const Utf8Character character = first_character(rest);
    if (!character.valid) refuse_typed(text, "it is not UTF-8");
    typed.add(character.value);
    rest.remove_prefix(character.bytes);
  }
  Bytes items = typed.take();
  if (items.empty()) refuse_typed(text, "there is nothing in it that can be typed");
  if (items.size() > DeviceLink::typed_bytes_max)
    refuse_typed(text.substr(0, 40), "it is too long; at most " +
                                         std::to_string(DeviceLink::typed_bytes_max) +
                                         " bytes can wait, so give it in several --send");
  return items;
}

}  // namespace lekt::command
