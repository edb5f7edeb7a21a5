// What is typed on a device, as the items of an input (common/device_items.h): characters and keys of a terminal, and the
// text of --send.
//
// Characters that follow each other are one text. A control character is the key that sends it, or else a character with
// ctrl: "\r" is enter, 0x03 is ctrl c. Knows no terminal.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "common/device_items.h"

namespace lekt::command {

class TypedText {
 public:
  /// `modifiers`: bits of lekt::modifiers that the character does not imply by itself. A character that no input can
  /// have, such as 0x9b, is passed over.
  void add(char32_t character, std::uint8_t modifiers = 0);
  void add(Key key, std::uint8_t modifiers = 0);

  /// Takes the items so far, and leaves none.
  Bytes take();

 private:
  void end_text();

  Bytes items_;
  std::string text_;  ///< the text of an item that has not ended
};

/// Reads the text of --send: UTF-8 with the escapes \r \n (enter), \t (tab), \b (backspace), \e (escape), \xNN (a control
/// character), \{NAME} (a key: "up", "page down", "F5") and \\. Throws CodedError E705.
Bytes parse_typed_text(std::string_view text);

}  // namespace lekt::command
