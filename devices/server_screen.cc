#include "devices/server_screen.h"

#include <algorithm>
#include <cstdint>

#include "common/character_width.h"
#include "common/utf8.h"
#include "devices/groups.h"

namespace lekt {

namespace {

/// How many bytes of the text stand in one line.
std::size_t bytes_of_line(std::string_view text, std::size_t columns) {
  std::size_t cells = 0;
  std::size_t end = 0;
  std::size_t last_blank = 0;
  while (end < text.size()) {
    const Utf8Character character = first_character(text.substr(end));
    if (character.value == U' ') last_blank = end;
    cells += cells_of(character.value);
    if (cells > columns) return last_blank > 0 ? last_blank : std::max(end, character.bytes);
    end += character.bytes;
  }
  return end;
}

}  // namespace

void draw_title(Screen& screen, std::string_view title, std::string_view group) {
  constexpr StyleItem reversed{style::reverse, 0, 0};
  screen.draw(BlanksItem{0, 0, static_cast<std::uint8_t>(screen.columns())}, reversed);
  screen.draw(TextItem{0, 0, title}, reversed);
  if (group == default_group_name || title.size() + 2 + group.size() > screen.columns()) return;
  screen.draw(TextItem{0, static_cast<std::uint8_t>(screen.columns() - group.size()), group}, reversed);
}

std::size_t draw_lines(Screen& screen, std::size_t row, std::string_view text) {
  for (; row < screen.rows() && !text.empty(); ++row) {
    const std::size_t bytes = bytes_of_line(text, screen.columns());
    screen.draw(TextItem{static_cast<std::uint8_t>(row), 0, text.substr(0, bytes)}, StyleItem{});
    text.remove_prefix(bytes);
    text.remove_prefix(std::min(text.find_first_not_of(' '), text.size()));
  }
  return row;
}

void draw_cursor(Screen& screen, std::size_t row, std::size_t column) {
  screen.draw(CursorItem{static_cast<std::uint8_t>(std::min<std::size_t>(row, UINT8_MAX)),
                         static_cast<std::uint8_t>(std::min<std::size_t>(column, UINT8_MAX)), true});
}

}  // namespace lekt
