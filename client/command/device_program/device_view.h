// The terminal on which `lekt device` draws, and from which it takes keys: ncurses, which knows all terminals.
//
// The terminal is as it was before at the end of the scope, whatever ends it. There is one of it in a process, and
// everything is used by one thread. Never sees a socket or a link.
#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "client/command/device_program/typed_text.h"
#include "common/screen.h"

namespace lekt::command {

class DeviceView {
 public:
  struct Size {
    std::size_t rows = 0;
    std::size_t columns = 0;
  };

  /// What is to be seen. Texts are UTF-8 that a terminal may be given.
  struct Picture {
    const Screen* screen = nullptr;    ///< null: none yet
    std::vector<std::string> message;  ///< from the first row on, over the screen
    std::string indicator;             ///< at the upper right
    std::string question;              ///< in the last row
    bool rings = false;
  };

  /// A key that was pressed: something to be typed, or the one that opens the menu.
  struct Pressed {
    char32_t character = 0;  ///< 0: a key without a character
    bool opens_menu = false;
  };

  /// Takes standard input and output. Throws CodedError E706 if the terminal cannot be used.
  DeviceView();
  ~DeviceView();
  DeviceView(const DeviceView&) = delete;
  DeviceView& operator=(const DeviceView&) = delete;

  Size size() const;
  /// The terminal has another size, maybe.
  void take_size();
  void draw(const Picture& picture);
  /// The next key; what it types is added to `typed`. Nothing when no key is waiting.
  std::optional<Pressed> read_key(TypedText& typed);

 private:
  struct Colours;

  void draw_screen(const Screen& screen);
  void draw_text(int row, int column, const std::string& text, bool highlighted);
  std::optional<Pressed> take_function_key(unsigned code, std::uint8_t modifiers, TypedText& typed);

  struct Terminal;
  const std::unique_ptr<Terminal> terminal_;
  std::map<std::string, std::pair<Key, std::uint8_t>> named_keys_;
};

}  // namespace lekt::command
