// What the contents of a device session are made of: the items of a screen, server to device, and those of an input,
// device to server. docs/device-protocol.md has the same pictures and the same bytes.
//
// An item is one byte that says its kind, and the fields of its struct. Each struct has one list of them,
// `fields(self, io)`: reading (ItemReader), writing (ItemWriter) and printing (annotate_datagram.cc) walk that list.
//
//   screen   1 | rows | columns                        the size; everything is blank, the cursor at 0, 0
//            2 | flags | foreground | background       the style of what follows
//            3 | row | column | length | UTF-8         text
//            4 | row | column | count                  blanks in the style
//            5 | row | column | shown                  cursor
//            6 |                                       bell
//   input    1 | length | UTF-8                        text
//            2 | key | modifiers                       a key that types no character
//            3 | modifiers | code point, u32           a character with modifiers
//
// Texts that are read are views into the message. Nothing here knows the grid of cells: places may lie outside of any
// screen, and the code that draws clips them. Nothing throws on input.
#pragma once

#include <cassert>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <variant>

#include "common/bytes.h"

namespace lekt {

namespace limits {

/// The length of an item's text is one byte.
inline constexpr std::size_t item_text_bytes_max = 255;

}  // namespace limits

/// Whether a text may stand in an item: at least one character, all of them UTF-8, and none below 0x20 or from 0x7f to
/// 0x9f. The length has a limit of its own, item_text_bytes_max.
bool is_item_text(std::string_view text);

// ---- Items of a screen ----

/// Bits of a style. Without its `holds` bit a colour is the device's own, and its number means nothing.
namespace style {

inline constexpr std::uint8_t bold = 1;
inline constexpr std::uint8_t underline = 2;
inline constexpr std::uint8_t blink = 4;
inline constexpr std::uint8_t reverse = 8;
inline constexpr std::uint8_t italic = 16;
inline constexpr std::uint8_t foreground_holds = 64;
inline constexpr std::uint8_t background_holds = 128;
inline constexpr std::uint8_t known = 0xdf;  ///< all of them

}  // namespace style

/// Sets the size of the screen and makes it blank. Neither number is 0; a server sends at most limits::screen_rows_max
/// and limits::screen_columns_max, but a reader accepts up to 255 x 255.
struct SizeItem {
  static constexpr std::uint8_t kind = 1;
  static constexpr std::string_view name = "size";
  std::uint8_t rows = 1;
  std::uint8_t columns = 1;

  template <class Self, class Io>
  static void fields(Self& self, Io& io) {
    io.extent("rows", self.rows);
    io.extent("columns", self.columns);
  }
  bool operator==(const SizeItem&) const = default;
};

/// The style of the texts and blanks that follow in the same message. A message begins with the plain style, which is
/// this struct's.
struct StyleItem {
  static constexpr std::uint8_t kind = 2;
  static constexpr std::string_view name = "style";
  std::uint8_t flags = 0;       ///< bits of lekt::style
  std::uint8_t foreground = 0;  ///< an index in the palette of 256 colours, like background
  std::uint8_t background = 0;

  template <class Self, class Io>
  static void fields(Self& self, Io& io) {
    io.style_flags("flags", self.flags);
    io.colour("foreground", self.foreground, (self.flags & style::foreground_holds) != 0);
    io.colour("background", self.background, (self.flags & style::background_holds) != 0);
  }
  bool operator==(const StyleItem&) const = default;
};

/// Text that begins in a cell and runs to the right. A wide character takes two cells.
struct TextItem {
  static constexpr std::uint8_t kind = 3;
  static constexpr std::string_view name = "text";
  std::uint8_t row = 0;
  std::uint8_t column = 0;
  std::string_view text;

  template <class Self, class Io>
  static void fields(Self& self, Io& io) {
    io.u8("row", self.row);
    io.u8("column", self.column);
    io.text("text", self.text);
  }
  bool operator==(const TextItem&) const = default;
};

/// This many blank cells of one row.
struct BlanksItem {
  static constexpr std::uint8_t kind = 4;
  static constexpr std::string_view name = "blanks";
  std::uint8_t row = 0;
  std::uint8_t column = 0;
  std::uint8_t count = 0;

  template <class Self, class Io>
  static void fields(Self& self, Io& io) {
    io.u8("row", self.row);
    io.u8("column", self.column);
    io.u8("count", self.count);
  }
  bool operator==(const BlanksItem&) const = default;
};

struct CursorItem {
  static constexpr std::uint8_t kind = 5;
  static constexpr std::string_view name = "cursor";
  std::uint8_t row = 0;
  std::uint8_t column = 0;
  bool is_shown = false;

  template <class Self, class Io>
  static void fields(Self& self, Io& io) {
    io.u8("row", self.row);
    io.u8("column", self.column);
    io.yes_or_no("shown", self.is_shown);
  }
  bool operator==(const CursorItem&) const = default;
};

struct BellItem {
  static constexpr std::uint8_t kind = 6;
  static constexpr std::string_view name = "bell";

  template <class Self, class Io>
  static void fields(Self&, Io&) {}
  bool operator==(const BellItem&) const = default;
};

using ScreenItem = std::variant<SizeItem, StyleItem, TextItem, BlanksItem, CursorItem, BellItem>;

// ---- Items of an input ----

enum class Key : std::uint8_t {
  enter = 1,
  tab = 2,
  backspace = 3,
  escape = 4,
  up = 5,
  down = 6,
  left = 7,
  right = 8,
  insert = 9,
  remove = 10,  ///< the key named delete
  home = 11,
  end = 12,
  page_up = 13,
  page_down = 14,
  f1 = 33,
  f24 = 56,  ///< F2 to F23 are the numbers between
};

/// "enter", "page up", "F5"; empty for a number that is no key.
std::string key_name(Key key);

/// Bits of modifiers.
namespace modifiers {

inline constexpr std::uint8_t shift = 1;
inline constexpr std::uint8_t alt = 2;
inline constexpr std::uint8_t control = 4;
inline constexpr std::uint8_t known = 7;  ///< all of them

}  // namespace modifiers

/// Text as it was typed or scanned.
struct TypedItem {
  static constexpr std::uint8_t kind = 1;
  static constexpr std::string_view name = "text";
  std::string_view text;

  template <class Self, class Io>
  static void fields(Self& self, Io& io) {
    io.text("text", self.text);
  }
  bool operator==(const TypedItem&) const = default;
};

struct KeyItem {
  static constexpr std::uint8_t kind = 2;
  static constexpr std::string_view name = "key";
  Key key = Key::enter;
  std::uint8_t modifiers = 0;  ///< bits of lekt::modifiers

  template <class Self, class Io>
  static void fields(Self& self, Io& io) {
    io.key("key", self.key);
    io.modifiers("modifiers", self.modifiers, 0);
  }
  bool operator==(const KeyItem&) const = default;
};

/// A character that is typed with at least one modifier.
struct ChordItem {
  static constexpr std::uint8_t kind = 3;
  static constexpr std::string_view name = "chord";
  std::uint8_t modifiers = lekt::modifiers::control;
  char32_t character = U' ';  ///< from 0x20; see is_character()

  template <class Self, class Io>
  static void fields(Self& self, Io& io) {
    io.modifiers("modifiers", self.modifiers, 1);
    io.character("character", self.character);
  }
  bool operator==(const ChordItem&) const = default;
};

using InputItem = std::variant<TypedItem, KeyItem, ChordItem>;

// ---- Reading ----

/// Walks the items of one message. Invariant: consumed() is the end of the last item that next() has given.
class ItemReader {
 public:
  explicit ItemReader(ByteView items) : items_(items) {}

  /// Reads one more item. False at the end, and at an item that breaks a rule, which is never passed.
  bool next(ScreenItem& item);
  bool next(InputItem& item);

  std::size_t consumed() const { return consumed_; }
  /// What is wrong with the next item and what would be right, in one line; nothing if none is wrong.
  const std::optional<std::string>& fault() const { return fault_; }

 private:
  template <class Item>
  bool read_next(Item& item);

  ByteView items_;
  std::size_t consumed_ = 0;
  std::optional<std::string> fault_;
};

template <class Item, class Visitor>
std::optional<std::string> for_each_item(ByteView items, Visitor& visitor) {
  ItemReader reader(items);
  Item item;
  while (reader.next(item)) std::visit(visitor, std::as_const(item));
  return reader.fault();
}

/// Calls `visitor` with each item of a screen, in order: it takes SizeItem, StyleItem, TextItem, BlanksItem, CursorItem
/// and BellItem. Returns what is wrong, in one line, or nothing. The items before the wrong one have been visited by
/// then. A message from read_body_to_device() has no wrong one.
template <class Visitor>
std::optional<std::string> for_each_screen_item(ByteView items, Visitor visitor) {
  return for_each_item<ScreenItem>(items, visitor);
}

/// Calls `visitor` with each item of an input, as for_each_screen_item() does: TypedItem, KeyItem and ChordItem.
template <class Visitor>
std::optional<std::string> for_each_input_item(ByteView items, Visitor visitor) {
  return for_each_item<InputItem>(items, visitor);
}

// ---- Writing ----

/// Appends the fields of an item. Asserts what only a mistake of this program could break.
class ItemWriter {
 public:
  explicit ItemWriter(Bytes& out) : writer_(out) {}

  void u8(std::string_view, std::uint8_t value) { writer_.u8(value); }
  void extent(std::string_view, std::uint8_t value) { writer_.u8(value); }
  void style_flags(std::string_view, std::uint8_t flags) { writer_.u8(flags); }
  void colour(std::string_view, std::uint8_t value, bool) { writer_.u8(value); }
  void yes_or_no(std::string_view, bool value) { writer_.u8(value ? 1 : 0); }
  void key(std::string_view, Key key) { writer_.u8(static_cast<std::uint8_t>(key)); }
  void modifiers(std::string_view, std::uint8_t bits, int) { writer_.u8(bits); }
  void character(std::string_view, char32_t value) { writer_.u32(value); }
  void text(std::string_view, std::string_view text) {
    assert(!text.empty() && text.size() <= limits::item_text_bytes_max);
    writer_.u8(static_cast<std::uint8_t>(text.size()));
    writer_.bytes(text);
  }

 private:
  ByteWriter writer_;
};

/// Appends an item: `append_item(items, TextItem{2, 0, "1 wms"})`.
template <class Item>
void append_item(Bytes& items, const Item& item) {
  ItemWriter writer(items);
  writer.u8("kind", Item::kind);
  Item::fields(item, writer);
}

}  // namespace lekt
