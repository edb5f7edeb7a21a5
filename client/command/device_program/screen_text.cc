#include "client/command/device_program/screen_text.h"

#include "common/utf8.h"

namespace lekt::command {

std::string row_text(const Screen& screen, std::size_t row) {
  std::string text;
  for (const Cell& cell : screen.row(row))
    if (cell.width != 0) append_character(text, cell.character);
  return text;
}

std::string screen_text(const Screen& screen) {
  std::string text;
  for (std::size_t row = 0; row < screen.rows(); ++row) {
    std::string line = row_text(screen, row);
    line.erase(line.find_last_not_of(' ') + 1);
    text += line + '\n';
  }
  return text;
}

}  // namespace lekt::command
