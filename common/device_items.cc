#include "common/device_items.h"

#include "common/text.h"
#include "common/utf8.h"

namespace lekt {

namespace {

std::string byte_text(std::uint8_t value) {
  const char byte = static_cast<char>(value);
  return "0x" + to_hex(ByteView(&byte, 1));
}

/// Reads the fields of an item in the order of its bytes, and remembers the first thing that is wrong or missing.
class ItemFieldReader {
 public:
  ItemFieldReader(std::string_view item, ByteView bytes) : item_(item), reader_(bytes) {}

  void u8(std::string_view, std::uint8_t& value) { value = reader_.u8(); }

  void extent(std::string_view name, std::uint8_t& value) {
    value = reader_.u8();
    if (value == 0) refuse(name, "0", "1 or more");
  }

  void style_flags(std::string_view name, std::uint8_t& flags) {
    flags = reader_.u8();
    if ((flags & ~style::known) != 0) refuse(name, byte_text(flags), "bits of 0xdf");
  }

  void colour(std::string_view, std::uint8_t& value, bool) { value = reader_.u8(); }

  void yes_or_no(std::string_view name, bool& value) {
    const std::uint8_t found = reader_.u8();
    value = found != 0;
    if (found > 1) refuse(name, std::to_string(found), "0 or 1");
  }

  void key(std::string_view name, Key& key) {
    key = static_cast<Key>(reader_.u8());
    if (key_name(key).empty())
      refuse(name, std::to_string(static_cast<int>(key)), "1 to 14, or 33 to 56 for F1 to F24");
  }

  void modifiers(std::string_view name, std::uint8_t& bits, int least) {
    bits = reader_.u8();
    if (bits < least || bits > modifiers::known)
      refuse(name, std::to_string(bits), std::to_string(least) + " to 7");
  }

  void character(std::string_view name, char32_t& value) {
    const std::uint32_t found = reader_.u32();
    value = found;
    if (found < 0x20 || !is_character(found))
      refuse(name, std::to_string(found), "a code point from 32, and no surrogate");
  }

  void text(std::string_view name, std::string_view& text) {
    text = reader_.take(reader_.u8());
    if (!is_item_text(text)) refuse(name, quote_bytes(text), "some UTF-8 without control characters");
  }

  std::size_t consumed() const { return reader_.consumed(); }

  /// The first thing that is wrong; nothing if the item is right. A missing field is reported before a wrong one,
  /// since a field that was cut off has no value.
  std::optional<std::string> fault() const {
    if (!reader_.ran_short()) return fault_;
    return "the item \"" + std::string(item_) + "\" is cut off by the end of the datagram";
  }

 private:
  void refuse(std::string_view name, const std::string& found, std::string_view right) {
    if (fault_) return;
    fault_ = std::string(name) + " " + found + " came in the item \"" + std::string(item_) + "\"; " +
             std::string(right) + " would be right";
  }

  std::string_view item_;
  ByteReader reader_;
  std::optional<std::string> fault_;
};

/// Reads the item of which `at` is the kind. Returns what is wrong, or nothing, and then moves `at` behind the item.
template <class Item, class Variant>
std::optional<std::string> read_item(Variant& item, ByteView items, std::size_t& at) {
  ItemFieldReader reader(Item::name, items.substr(at + 1));
  Item& read = item.template emplace<Item>();
  Item::fields(read, reader);
  std::optional<std::string> fault = reader.fault();
  if (!fault) at += 1 + reader.consumed();
  return fault;
}

template <class... Items>
std::optional<std::string> read_any(std::variant<Items...>& item, ByteView items, std::size_t& at) {
  const auto kind = static_cast<std::uint8_t>(items[at]);
  std::optional<std::string> fault;
  const auto is_read = [&]<class Item>(const Item*) {
    if (kind != Item::kind) return false;
    fault = read_item<Item>(item, items, at);
    return true;
  };
  if ((is_read(static_cast<const Items*>(nullptr)) || ...)) return fault;
  return "an item of kind " + std::to_string(kind) + " came; 1 to " + std::to_string(sizeof...(Items)) +
         " would be right";
}

}  // namespace

bool is_item_text(std::string_view text) {
  if (text.empty()) return false;
  while (!text.empty()) {
    const Utf8Character character = first_character(text);
    const bool is_control = character.value < 0x20 || (character.value >= 0x7f && character.value <= 0x9f);
    if (!character.valid || is_control) return false;
    text.remove_prefix(character.bytes);
  }
  return true;
}

std::string key_name(Key key) {
  switch (key) {
    case Key::enter:
      return "enter";
    case Key::tab:
      return "tab";
    case Key::backspace:
      return "backspace";
    case Key::escape:
      return "escape";
    case Key::up:
      return "up";
    case Key::down:
      return "down";
    case Key::left:
      return "left";
    case Key::right:
      return "right";
    case Key::insert:
      return "insert";
    case Key::remove:
      return "delete";
    case Key::home:
      return "home";
    case Key::end:
      return "end";
    case Key::page_up:
      return "page up";
    case Key::page_down:
      return "page down";
    default:
      break;
  }
  if (key < Key::f1 || key > Key::f24) return {};
  return "F" + std::to_string(static_cast<int>(key) - static_cast<int>(Key::f1) + 1);
}

template <class Item>
bool ItemReader::read_next(Item& item) {
  if (fault_ || consumed_ == items_.size()) return false;
  fault_ = read_any(item, items_, consumed_);
  return !fault_;
}

bool ItemReader::next(ScreenItem& item) { return read_next(item); }
bool ItemReader::next(InputItem& item) { return read_next(item); }

}  // namespace lekt
