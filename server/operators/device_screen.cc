#include "server/operators/device_screen.h"

#include <span>

#include "common/printable.h"
#include "common/utf8.h"

namespace lekt {

namespace {

constexpr char32_t replacement = 0xfffd;

/// Characters without a meaning that all agree upon.
bool is_private(char32_t character) {
  return (character >= 0xe000 && character <= 0xf8ff) || character >= 0xf0000;
}

/// The characters of a cell that is no second half.
std::string printable_cell(const Cell& cell) {
  std::string text;
  append_character(text, cell.character);
  if (!is_private(cell.character) && columns_of(text) == cell.width) return text;
  text.clear();
  for (int column = 0; column < cell.width; ++column) append_character(text, replacement);
  return text;
}

std::string printable_row(std::span<const Cell> cells) {
  while (!cells.empty() && cells.back().is_blank()) cells = cells.first(cells.size() - 1);
  std::string text;
  for (const Cell& cell : cells)
    if (cell.width != 0) text += printable_cell(cell);
  return text;
}

}  // namespace

std::vector<std::string> printable_rows(const Screen& screen) {
  std::vector<std::string> rows;
  rows.reserve(screen.rows());
  for (std::size_t row = 0; row < screen.rows(); ++row) rows.push_back(printable_row(screen.row(row)));
  return rows;
}

}  // namespace lekt
