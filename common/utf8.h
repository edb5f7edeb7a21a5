// UTF-8, a character at a time. Overlong forms, surrogates and numbers beyond Unicode are no characters.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

namespace lekt {

struct Utf8Character {
  char32_t value = 0;
  std::size_t bytes = 1;
  bool valid = false;  ///< otherwise it is one byte that begins no character
};

/// Whether a character has this number: Unicode has 0x110000 numbers, and 0xd800 to 0xdfff are none.
constexpr bool is_character(char32_t value) {
  return value < 0xd800 || (value > 0xdfff && value <= 0x10ffff);
}

/// The first character of a text that is not empty.
Utf8Character first_character(std::string_view text);

/// Appends a character for which is_character() is true.
void append_character(std::string& out, char32_t value);

/// At most `bytes_max` bytes of the text's beginning. It never ends within a character.
std::string_view cut_to_bytes(std::string_view text, std::size_t bytes_max);

}  // namespace lekt
