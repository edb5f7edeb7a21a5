#include "common/text.h"

#include <algorithm>
#include <cstdint>
#include <numeric>
#include <utility>
#include <vector>

namespace lekt {

namespace {

constexpr std::string_view hex_digits = "0123456789abcdef";

int hex_value(char digit) {
  if (digit >= '0' && digit <= '9') return digit - '0';
  if (digit >= 'a' && digit <= 'f') return digit - 'a' + 10;
  if (digit >= 'A' && digit <= 'F') return digit - 'A' + 10;
  return -1;
}

bool is_plain(char character) {
  return (character >= '0' && character <= '9') || (character >= 'a' && character <= 'z') ||
         (character >= 'A' && character <= 'Z') ||
         std::string_view("._:/+-@,[]%").find(character) != std::string_view::npos;
}

/// How many letters have to be added, removed, changed or swapped with their neighbour to turn one word into the
/// other (optimal string alignment).
std::size_t distance(std::string_view from, std::string_view to) {
  std::vector<std::size_t> before;  // the row of the table before `above`
  std::vector<std::size_t> above;
  std::vector<std::size_t> row(to.size() + 1);
  std::iota(row.begin(), row.end(), std::size_t{0});
  for (std::size_t y = 1; y <= from.size(); ++y) {
    before = std::exchange(above, std::exchange(row, std::vector<std::size_t>(to.size() + 1)));
    row[0] = y;
    for (std::size_t x = 1; x <= to.size(); ++x) {
      const bool same = from[y - 1] == to[x - 1];
      row[x] = std::min({above[x] + 1, row[x - 1] + 1, above[x - 1] + (same ? 0 : 1)});
      const bool swapped = y > 1 && x > 1 && from[y - 1] == to[x - 2] && from[y - 2] == to[x - 1];
      if (swapped) row[x] = std::min(row[x], before[x - 2] + 1);
    }
  }
  return row[to.size()];
}

}  // namespace

std::string to_hex(ByteView bytes) {
  std::string text;
  text.reserve(2 * bytes.size());
  for (const char byte : bytes) {
    const auto value = static_cast<std::uint8_t>(byte);
    text += hex_digits[value >> 4];
    text += hex_digits[value & 15];
  }
  return text;
}

std::string to_hex(std::uint64_t number) {
  Bytes bytes;
  ByteWriter(bytes).u64(number);
  return to_hex(bytes);
}

std::optional<Bytes> parse_hex(std::string_view text) {
  Bytes bytes;
  int high = -1;
  for (const char character : text) {
    const int value = hex_value(character);
    if (value < 0) {
      const bool separator = std::string_view(" \t\r\n:").find(character) != std::string_view::npos;
      if (!separator || high >= 0) return std::nullopt;
    } else if (high < 0) {
      high = value;
    } else {
      bytes.push_back(static_cast<char>(high << 4 | value));
      high = -1;
    }
  }
  if (high >= 0) return std::nullopt;
  return bytes;
}

std::string escape(std::string_view text) {
  std::string escaped;
  escaped.reserve(text.size());
  for (const char character : text) {
    const auto value = static_cast<std::uint8_t>(character);
    if (character == '"' || character == '\\') {
      escaped += '\\';
      escaped += character;
    } else if (character == '\n') {
      escaped += "\\n";
    } else if (character == '\r') {
      escaped += "\\r";
    } else if (character == '\t') {
      escaped += "\\t";
    } else if (value < 0x20 || value >= 0x7f) {
      escaped += "\\x" + to_hex(ByteView(&character, 1));
    } else {
      escaped += character;
    }
  }
  return escaped;
}

std::string quote_bytes(std::string_view bytes) {
  const auto is_printable = [](char byte) {
    return byte >= ' ' && byte <= '~' && byte != '"' && byte != '\\';
  };
  return std::ranges::all_of(bytes, is_printable) ? '"' + std::string(bytes) + '"' : "0x" + to_hex(bytes);
}

std::string quote_if_needed(std::string_view text) {
  if (!text.empty() && std::ranges::all_of(text, is_plain)) return std::string(text);
  return '"' + escape(text) + '"';
}

std::string lower_case(std::string_view text) {
  std::string lower(text);
  for (char& letter : lower)
    if (letter >= 'A' && letter <= 'Z') letter = static_cast<char>(letter - 'A' + 'a');
  return lower;
}

std::string closest(std::string_view word, std::span<const std::string> known) {
  constexpr std::size_t letters_max = 40;  // a longer text is not a misspelt word
  constexpr std::size_t slips_max = 2;
  std::string best;
  std::size_t best_slips = slips_max + 1;
  if (word.size() < 2 || word.size() > letters_max) return best;
  for (const std::string& candidate : known) {
    const std::size_t slips = candidate.starts_with(word) ? 1 : distance(word, candidate);
    // Two slips in a word of three letters could turn it into almost any other.
    if (slips >= best_slips || 2 * slips > word.size()) continue;
    best = candidate;
    best_slips = slips;
  }
  return best;
}

}  // namespace lekt
