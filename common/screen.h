// A screen: a grid of cells and a cursor. The server has one of what a device should show and one of what it shows
// (common/screen_pass.h); the device has the one that it shows, and applies messages to it.
//
// It knows neither datagrams nor terminals, and never throws on input. Items are applied by the same functions that the
// server calls to foresee what they do, so both have the same screen.
//
// Invariants, whatever is put, drawn or applied
// - 1 to limits::screen_rows_max rows and 1 to limits::screen_columns_max columns; the cursor is inside.
// - A wide character has two cells of one row: the first says width 2, the second is a copy of it that says width 0. No cell
//   says 2 or 0 otherwise: half of a wide character is never shown.
// - What cannot be seen is 0 in every cell (seen_style()), so cells that look the same are equal.
//
// A character that takes no cell of its own (common/character_width.h) is passed over: a cell has one character, so
// combining marks are not shown. Precomposed letters are shown.
//
// A value: whoever has it owns it, on one thread.
#pragma once

#include <algorithm>
#include <bit>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "common/bytes.h"
#include "common/device_items.h"

namespace lekt {

struct Cell {
  char32_t character = U' ';
  std::uint8_t width =
      1;  ///< cells that the character takes; 0: the second cell of the wide character to the left
  std::uint8_t flags = 0;  ///< bits of lekt::style
  std::uint8_t foreground = 0;
  std::uint8_t background = 0;

  StyleItem style() const { return {flags, foreground, background}; }
  bool is_blank() const { return character == U' '; }

  /// Compared as one number: screens are compared far more often than they change.
  bool operator==(const Cell& other) const {
    return std::bit_cast<std::uint64_t>(*this) == std::bit_cast<std::uint64_t>(other);
  }
};

/// The style without what cannot be seen: a colour that does not hold is 0, and so is a bit without meaning. A blank
/// that is neither underlined nor reversed keeps only its background.
StyleItem seen_style(StyleItem style, bool is_blank);

class Screen {
 public:
  /// Makes a blank screen, with the cursor shown at 0, 0. A size that no screen may have becomes the nearest that one
  /// may have.
  Screen(std::size_t rows, std::size_t columns) { resize(rows, columns); }

  std::size_t rows() const { return rows_; }
  std::size_t columns() const { return columns_; }
  std::span<const Cell> row(std::size_t row) const { return {cells_.data() + row * columns_, columns_}; }
  const CursorItem& cursor() const { return cursor_; }
  bool has_size_of(const Screen& other) const { return rows_ == other.rows_ && columns_ == other.columns_; }

  bool operator==(const Screen&) const = default;

  /// Makes everything as in a new screen of this size.
  void resize(std::size_t rows, std::size_t columns);

  /// Puts one character. A wide one with only one cell left in its row becomes a blank, and so does the half that
  /// remains of a wide one that was partly overwritten. Outside of the grid nothing happens. A caller that counts cells
  /// by other widths than ours loses characters, and nothing else.
  void put(std::size_t row, std::size_t column, char32_t character, const StyleItem& style);

  // ---- Items; what lies outside of the grid is left out ----

  void draw(const SizeItem& item) { resize(item.rows, item.columns); }
  void draw(const TextItem& item, const StyleItem& style);
  void draw(const BlanksItem& item, const StyleItem& style);
  /// Moves the cursor. A place outside of the grid becomes the nearest cell.
  void draw(const CursorItem& item);

  /// What a message did.
  struct Applied {
    std::optional<std::string> fault;  ///< what is wrong and what would be right, in one line
    bool rings = false;                ///< the message has a bell
  };

  /// Applies a message's items, or none of them if the message has a fault.
  Applied apply(ByteView items);

 private:
  Cell& at(std::size_t row, std::size_t column) { return cells_[row * columns_ + column]; }
  void break_up(std::size_t row, std::size_t column);

  std::size_t rows_ = 0;
  std::size_t columns_ = 0;
  std::vector<Cell> cells_;  ///< row by row
  CursorItem cursor_;
};

}  // namespace lekt
