#include "common/screen.h"

#include <type_traits>

#include "common/character_width.h"
#include "common/device_packets.h"
#include "common/utf8.h"

namespace lekt {

namespace {

// Cells are compared as numbers, so every bit of them has to be a part of a field.
static_assert(sizeof(Cell) == 8 && std::has_unique_object_representations_v<Cell>);

Cell cell_of(char32_t character, std::size_t width, const StyleItem& style) {
  const StyleItem seen = seen_style(style, character == U' ');
  return {character, static_cast<std::uint8_t>(width), seen.flags, seen.foreground, seen.background};
}

Cell blank_of(const StyleItem& style) { return cell_of(U' ', 1, style); }

/// Draws the items of one message. A message begins with the plain style.
class ItemDrawer {
 public:
  ItemDrawer(Screen& screen, bool& rings) : screen_(screen), rings_(rings) {}

  void operator()(const SizeItem& item) { screen_.draw(item); }
  void operator()(const StyleItem& item) { style_ = item; }
  void operator()(const TextItem& item) { screen_.draw(item, style_); }
  void operator()(const BlanksItem& item) { screen_.draw(item, style_); }
  void operator()(const CursorItem& item) { screen_.draw(item); }
  void operator()(const BellItem&) { rings_ = true; }

 private:
  Screen& screen_;
  bool& rings_;
  StyleItem style_;
};

}  // namespace

StyleItem seen_style(StyleItem style, bool is_blank) {
  std::uint8_t visible = style::known;
  if (is_blank && (style.flags & (style::underline | style::reverse)) == 0) visible = style::background_holds;
  style.flags &= visible;
  if ((style.flags & style::foreground_holds) == 0) style.foreground = 0;
  if ((style.flags & style::background_holds) == 0) style.background = 0;
  return style;
}

void Screen::resize(std::size_t rows, std::size_t columns) {
  rows_ = std::clamp<std::size_t>(rows, 1, limits::screen_rows_max);
  columns_ = std::clamp<std::size_t>(columns, 1, limits::screen_columns_max);
  cells_.assign(rows_ * columns_, Cell{});
  cursor_ = {0, 0, true};
}

/// Prepares a cell for being written: if it is half of a wide character, the other half becomes a blank.
void Screen::break_up(std::size_t row, std::size_t column) {
  const Cell& cell = at(row, column);
  if (cell.width == 1) return;
  Cell& other = at(row, cell.width == 2 ? column + 1 : column - 1);
  other = blank_of(other.style());
}

void Screen::put(std::size_t row, std::size_t column, char32_t character, const StyleItem& style) {
  const std::size_t width = cells_of(character);
  if (width == 0 || row >= rows_ || column >= columns_) return;
  break_up(row, column);
  Cell& cell = at(row, column);
  if (column + width > columns_) {
    cell = blank_of(style);
    return;
  }
  if (width == 2) break_up(row, column + 1);
  cell = cell_of(character, width, style);
  if (width == 2) at(row, column + 1) = cell_of(character, 0, style);
}

void Screen::draw(const TextItem& item, const StyleItem& style) {
  std::string_view rest = item.text;
  for (std::size_t column = item.column; !rest.empty() && column < columns_;) {
    const Utf8Character character = first_character(rest);
    rest.remove_prefix(character.bytes);
    put(item.row, column, character.value, style);
    column += cells_of(character.value);
  }
}

void Screen::draw(const BlanksItem& item, const StyleItem& style) {
  const std::size_t end = std::min<std::size_t>(item.column + item.count, columns_);
  if (item.row >= rows_ || item.column >= end) return;
  break_up(item.row, item.column);
  break_up(item.row, end - 1);
  std::fill(&at(item.row, item.column), &at(item.row, end - 1) + 1, blank_of(style));
}

void Screen::draw(const CursorItem& item) {
  cursor_ = item;
  cursor_.row = static_cast<std::uint8_t>(std::min<std::size_t>(item.row, rows_ - 1));
  cursor_.column = static_cast<std::uint8_t>(std::min<std::size_t>(item.column, columns_ - 1));
}

Screen::Applied Screen::apply(ByteView items) {
  Applied applied;
  applied.fault = for_each_screen_item(items, [](const auto&) {});
  if (!applied.fault) for_each_screen_item(items, ItemDrawer(*this, applied.rings));
  return applied;
}

}  // namespace lekt
