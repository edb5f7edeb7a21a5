#include "common/utf8.h"

#include <array>
#include <cstdint>

namespace lekt {

Utf8Character first_character(std::string_view text) {
  const auto byte = [&](std::size_t index) { return static_cast<std::uint8_t>(text[index]); };
  const std::uint8_t lead = byte(0);
  if (lead < 0x80) return {lead, 1, true};
  const std::size_t bytes = lead >= 0xf0 ? 4 : lead >= 0xe0 ? 3 : 2;
  if (lead < 0xc2 || lead > 0xf4 || text.size() < bytes) return {};
  char32_t value = lead & (0x7fu >> bytes);
  for (std::size_t index = 1; index < bytes; ++index) {
    if ((byte(index) & 0xc0) != 0x80) return {};
    value = value << 6 | (byte(index) & 0x3fu);
  }
  constexpr std::array<char32_t, 5> least = {0, 0, 0x80, 0x800, 0x10000};
  if (value < least.at(bytes) || !is_character(value)) return {};
  return {value, bytes, true};
}

void append_character(std::string& out, char32_t value) {
  const auto continuation = [&](int shift) { out += static_cast<char>(0x80 | (value >> shift & 0x3f)); };
  if (value < 0x80) {
    out += static_cast<char>(value);
    return;
  }
  if (value < 0x800) {
    out += static_cast<char>(0xc0 | value >> 6);
  } else if (value < 0x10000) {
    out += static_cast<char>(0xe0 | value >> 12);
    continuation(6);
  } else {
    out += static_cast<char>(0xf0 | value >> 18);
    continuation(12);
    continuation(6);
  }
  continuation(0);
}

std::string_view cut_to_bytes(std::string_view text, std::size_t bytes_max) {
  if (text.size() <= bytes_max) return text;
  std::size_t kept = 0;
  while (kept < bytes_max) {
    const std::size_t after = kept + first_character(text.substr(kept)).bytes;
    if (after > bytes_max) break;
    kept = after;
  }
  return text.substr(0, kept);
}

}  // namespace lekt
