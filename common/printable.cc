#include "common/printable.h"

#include <algorithm>
#include <array>
#include <clocale>
#include <cstdint>
#include <cwchar>

#include "common/text.h"
#include "common/utf8.h"

namespace lekt {

namespace {

struct Range {
  char32_t first;
  char32_t last;
};

/// Control characters, and those that are invisible or change the direction of writing: Unicode's category Cf, the
/// separators of lines and paragraphs, and letters without a shape.
constexpr std::array unwanted = {
    Range{0x00, 0x1f},       Range{0x7f, 0x9f},     Range{0xad, 0xad},       Range{0x61c, 0x61c},
    Range{0x115f, 0x1160},   Range{0x17b4, 0x17b5}, Range{0x180b, 0x180f},   Range{0x200b, 0x200f},
    Range{0x2028, 0x202e},   Range{0x2060, 0x206f}, Range{0x3164, 0x3164},   Range{0xfeff, 0xfeff},
    Range{0xffa0, 0xffa0},   Range{0xfff0, 0xfffb}, Range{0x1bca0, 0x1bca3}, Range{0x1d173, 0x1d17a},
    Range{0xe0000, 0xe0fff},
};

bool is_unwanted(char32_t character) {
  return std::ranges::any_of(
      unwanted, [=](const Range& range) { return character >= range.first && character <= range.last; });
}

/// The C library's tables of Unicode for this thread, whatever the user's locale is: a terminal reads UTF-8.
class UnicodeTables {
 public:
  UnicodeTables() {
    static const locale_t tables = newlocale(LC_CTYPE_MASK, "C.UTF-8", nullptr);
    known_ = tables != nullptr;
    if (known_) before_ = uselocale(tables);
  }
  ~UnicodeTables() {
    if (known_) uselocale(before_);
  }
  UnicodeTables(const UnicodeTables&) = delete;
  UnicodeTables& operator=(const UnicodeTables&) = delete;

  /// The width of a character in columns; -1 if it is not printed.
  int width(const Utf8Character& character) const {
    if (!character.valid || is_unwanted(character.value)) return -1;
    if (character.value < 0x80) return 1;
    return known_ ? wcwidth(static_cast<wchar_t>(character.value)) : -1;
  }

 private:
  bool known_ = false;
  locale_t before_ = nullptr;
};

/// Calls `take` with each character's bytes and its width, until it returns false.
template <class Take>
void for_each(std::string_view text, Take take) {
  const UnicodeTables tables;
  while (!text.empty()) {
    const Utf8Character character = first_character(text);
    if (!take(text.substr(0, character.bytes), tables.width(character))) return;
    text.remove_prefix(character.bytes);
  }
}

}  // namespace

std::string printable(std::string_view text) {
  std::string shown;
  shown.reserve(text.size());
  for_each(text, [&](std::string_view bytes, int width) {
    shown += width < 0 ? escape(bytes) : std::string(bytes);
    return true;
  });
  return shown;
}

bool is_plain_text(std::string_view text) {
  while (!text.empty()) {
    const Utf8Character character = first_character(text);
    if (!character.valid || is_unwanted(character.value)) return false;
    text.remove_prefix(character.bytes);
  }
  return true;
}

std::string plain_text(std::string_view text, std::string_view others) {
  std::string plain;
  plain.reserve(text.size());
  while (!text.empty()) {
    const std::string_view bytes = text.substr(0, first_character(text).bytes);
    const bool stays = is_plain_text(bytes) && others.find(bytes.front()) == others.npos;
    plain += stays ? std::string(bytes) : escape(bytes);
    text.remove_prefix(bytes.size());
  }
  return plain;
}

std::size_t columns_of(std::string_view text) {
  std::size_t columns = 0;
  for_each(text, [&](std::string_view, int width) {
    columns += static_cast<std::size_t>(std::max(width, 0));
    return true;
  });
  return columns;
}

std::string cut(std::string_view text, std::size_t columns_max) {
  constexpr std::string_view ellipsis = "...";
  if (columns_of(text) <= columns_max) return std::string(text);
  const bool has_room = columns_max > ellipsis.size();
  const std::size_t kept_columns = has_room ? columns_max - ellipsis.size() : columns_max;
  std::size_t columns = 0;
  std::size_t bytes = 0;
  for_each(text, [&](std::string_view character, int width) {
    columns += static_cast<std::size_t>(std::max(width, 0));
    if (columns > kept_columns) return false;
    bytes += character.size();
    return true;
  });
  return std::string(text.substr(0, bytes)).append(has_room ? ellipsis : std::string_view());
}

}  // namespace lekt
