// The terminal on which `lekt device` draws, and from which it takes keys: ncurses, which knows all terminals.
//
// Whatever ends the scope, the terminal is then as it was before. A process has one at a time, and one thread uses it.
// Never sees a socket or a link.
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

  /// What the terminal is to show.
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
  /// Takes over the size of the terminal, which may have changed.
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
