#include "common/screen_pass.h"

#include <algorithm>
#include <cstring>
#include <span>

#include "common/utf8.h"

namespace lekt {

namespace {

// What the items take on the wire, as device_items.h draws them.
constexpr std::size_t style_item_bytes = 4;
constexpr std::size_t text_item_head_bytes = 4;
constexpr std::size_t blanks_item_bytes = 4;
constexpr std::size_t cursor_item_bytes = 4;
constexpr std::size_t bell_item_bytes = 1;
constexpr std::size_t character_bytes_max = 4;

/// From this many blanks on, an item of their own takes fewer bytes than text.
constexpr std::size_t blanks_min = 5;

// An empty message has room for the largest cell, so every message makes progress.
static_assert(style_item_bytes + text_item_head_bytes + character_bytes_max <= ScreenPass::items_bytes_max);
static_assert(limits::screen_columns_max <= 255 && limits::screen_rows_max <= 255);  // a place is two bytes

/// Writes one message, and draws into `shown` what the device will show then. A function that writes returns false,
/// or writes less, when there is no room.
class ScreenMessageWriter {
 public:
  ScreenMessageWriter(const Screen& contents, Screen& shown, Bytes& items)
      : contents_(contents), shown_(shown), items_(items) {}

  /// Writes the changed cells of a row from `column` on, and moves `column` to where it stopped. True at the end.
  bool write_row(std::size_t row, std::size_t& column);
  bool write_bell(bool& rings);
  bool write_cursor();

 private:
  bool has_room(std::size_t bytes) const { return items_.size() + bytes <= ScreenPass::items_bytes_max; }
  bool is_changed(std::size_t column) const { return to_[column] != from_[column]; }
  /// Whether the cell looks as it should when it is written in the style that is in force.
  bool has_style(const Cell& cell) const { return seen_style(style_, cell.is_blank()) == cell.style(); }
  std::size_t next_change(std::size_t column) const;
  std::size_t end_of_blanks(std::size_t column) const;
  bool are_blanks(std::size_t column) const { return end_of_blanks(column) >= column + blanks_min; }
  bool joins(std::size_t column) const;
  std::size_t write_item(std::size_t column);
  std::size_t write_text(std::size_t column);

  const Screen& contents_;
  Screen& shown_;
  Bytes& items_;
  Bytes text_;       ///< the text of the item that is being written
  StyleItem style_;  ///< the style in force; a message begins with the plain one
  std::size_t row_ = 0;
  std::span<const Cell> to_;  ///< the row as it should be, and as it is
  std::span<const Cell> from_;
};

/// The first changed cell from `column` on; the number of columns if there is none.
std::size_t ScreenMessageWriter::next_change(std::size_t column) const {
  while (column < to_.size() && !is_changed(column)) ++column;
  return column;
}

/// The column behind the last changed one of the equal blanks that begin at `column`; `column` if no blank is there.
/// Unchanged blanks between changed ones cost nothing.
std::size_t ScreenMessageWriter::end_of_blanks(std::size_t column) const {
  std::size_t end = column;
  if (!to_[column].is_blank()) return end;
  for (std::size_t at = column; at < to_.size() && to_[at] == to_[column]; ++at)
    if (is_changed(at)) end = at + 1;
  return end;
}

/// Whether a text goes on over the unchanged cells at `column`: a changed cell behind them belongs to the text, and
/// the head of another text would not be shorter than they are.
bool ScreenMessageWriter::joins(std::size_t column) const {
  Bytes gap;
  for (std::size_t at = column; at < to_.size(); at += to_[at].width) {
    if (!has_style(to_[at]) || gap.size() > text_item_head_bytes) return false;
    if (is_changed(at)) return !are_blanks(at);
    append_character(gap, to_[at].character);
  }
  return false;
}

/// Writes one item that begins at `column`, where a changed cell is. Returns where it ends; `column` without room.
std::size_t ScreenMessageWriter::write_item(std::size_t column) {
  const StyleItem style = to_[column].style();
  const bool is_new_style = !has_style(to_[column]);
  const std::size_t end = end_of_blanks(column);
  const bool as_blanks = end >= column + blanks_min;
  const std::size_t least = as_blanks ? blanks_item_bytes : text_item_head_bytes + character_bytes_max;
  if (!has_room(least + (is_new_style ? style_item_bytes : 0))) return column;
  if (is_new_style) append_item(items_, style_ = style);
  if (!as_blanks) return write_text(column);
  const BlanksItem blanks{static_cast<std::uint8_t>(row_), static_cast<std::uint8_t>(column),
                          static_cast<std::uint8_t>(end - column)};
  append_item(items_, blanks);
  shown_.draw(blanks, style_);
  return end;
}

std::size_t ScreenMessageWriter::write_text(std::size_t column) {
  const std::size_t bytes_max = std::min(limits::item_text_bytes_max,
                                         ScreenPass::items_bytes_max - items_.size() - text_item_head_bytes);
  std::size_t end = column;
  text_.clear();
  while (end < to_.size() && has_style(to_[end]) && text_.size() + character_bytes_max <= bytes_max) {
    if (end > column && (is_changed(end) ? are_blanks(end) : !joins(end))) break;
    append_character(text_, to_[end].character);
    end += to_[end].width;
  }
  const TextItem item{static_cast<std::uint8_t>(row_), static_cast<std::uint8_t>(column), text_};
  append_item(items_, item);
  shown_.draw(item, style_);
  return end;
}

bool ScreenMessageWriter::write_row(std::size_t row, std::size_t& column) {
  row_ = row;
  to_ = contents_.row(row);
  from_ = shown_.row(row);
  if (std::memcmp(to_.data(), from_.data(), to_.size_bytes()) == 0) return true;
  for (column = next_change(column); column < to_.size(); column = next_change(column)) {
    // A wide character now lies across the place where the last message ended.
    if (to_[column].width == 0) --column;
    const std::size_t end = write_item(column);
    if (end == column) return false;
    column = end;
  }
  return true;
}

bool ScreenMessageWriter::write_bell(bool& rings) {
  if (!rings) return true;
  if (!has_room(bell_item_bytes)) return false;
  append_item(items_, BellItem{});
  rings = false;
  return true;
}

bool ScreenMessageWriter::write_cursor() {
  if (contents_.cursor() == shown_.cursor()) return true;
  if (!has_room(cursor_item_bytes)) return false;
  append_item(items_, contents_.cursor());
  shown_.draw(contents_.cursor());
  return true;
}

}  // namespace

std::optional<ScreenPass::Time> ScreenPass::due(bool everything_is_acknowledged) const {
  if (is_under_way_ || !has_changed_ || !everything_is_acknowledged) return std::nullopt;
  return began_ ? *began_ + interval : Time(0);
}

bool ScreenPass::wants_contents(Time now, bool everything_is_acknowledged) const {
  const std::optional<Time> begin = due(everything_is_acknowledged);
  return is_under_way_ || (begin && now >= *begin);
}

bool ScreenPass::next_message(const Screen& contents, Time now, bool everything_is_acknowledged,
                              Bytes& items) {
  items.clear();
  if (!wants_contents(now, everything_is_acknowledged)) return false;
  const bool begins = !is_under_way_;
  if (begins) {
    has_changed_ = false;
    row_ = column_ = 0;
  }
  is_under_way_ = !write(contents, items);
  if (begins && !items.empty()) began_ = now;
  return !items.empty();
}

/// Writes the next message of the sweep. Returns true when the sweep is over.
bool ScreenPass::write(const Screen& contents, Bytes& items) {
  if (!shown_ || !shown_->has_size_of(contents)) {
    shown_.emplace(contents.rows(), contents.columns());
    append_item(items, SizeItem{static_cast<std::uint8_t>(contents.rows()),
                                static_cast<std::uint8_t>(contents.columns())});
    row_ = column_ = 0;
  }
  ScreenMessageWriter writer(contents, *shown_, items);
  for (; row_ < contents.rows(); ++row_, column_ = 0)
    if (!writer.write_row(row_, column_)) return false;
  return writer.write_bell(rings_) && writer.write_cursor();
}

}  // namespace lekt
