#include "common/method_words.h"

#include <algorithm>

#include "common/printable.h"
#include "common/text.h"
#include "common/utf8.h"

namespace lekt {

namespace {

constexpr std::string_view name_word = "name";

/// One character, or one escape, at the beginning of what stands in quotation marks; nothing if it is neither.
std::optional<Bytes> take_escaped(std::string_view& rest) {
  if (rest.front() != '\\') {
    const std::string_view bytes = rest.substr(0, first_character(rest).bytes);
    if (bytes == "\"" || !is_plain_text(bytes)) return std::nullopt;
    rest.remove_prefix(bytes.size());
    return Bytes(bytes);
  }
  if (rest.size() < 2) return std::nullopt;
  const char letter = rest[1];
  if (letter == 'x') {
    const auto byte = parse_hex(rest.substr(2, 2));
    if (!byte || byte->size() != 1) return std::nullopt;
    rest.remove_prefix(4);
    return byte;
  }
  constexpr std::string_view letters = "\"\\nrt";
  constexpr std::string_view meanings = "\"\\\n\r\t";
  const std::size_t place = letters.find(letter);
  if (place == letters.npos) return std::nullopt;
  rest.remove_prefix(2);
  return Bytes(1, meanings[place]);
}

}  // namespace

std::string text_word(std::string_view text) {
  if (quote_if_needed(text) == text) return std::string(text);
  return '"' + plain_text(text, "\"\\") + '"';
}

std::optional<Bytes> parse_text_word(std::string_view value) {
  if (!value.starts_with('"')) return Bytes(value);
  if (value.size() < 2 || !value.ends_with('"')) return std::nullopt;
  std::string_view rest = value.substr(1, value.size() - 2);
  Bytes text;
  while (!rest.empty()) {
    const auto taken = take_escaped(rest);
    if (!taken) return std::nullopt;
    text += *taken;
  }
  return text;
}

std::string_view first_word(std::string_view words) {
  bool quoted = false;
  for (std::size_t index = 0; index < words.size(); ++index) {
    if (words[index] == '"') quoted = !quoted;
    if (quoted && words[index] == '\\') ++index;
    if (!quoted && words[index] == ' ') return words.substr(0, index);
  }
  return words;
}

std::vector<std::string_view> split_words(std::string_view words) {
  std::vector<std::string_view> list;
  while (!words.empty()) {
    const std::string_view word = first_word(words);
    if (!word.empty()) list.push_back(word);
    words.remove_prefix(std::min(word.size() + 1, words.size()));
  }
  return list;
}

bool has_method(std::string_view words, std::string_view method) {
  return std::ranges::any_of(split_words(words), [method](std::string_view word) {
    return word.starts_with(method) && word.substr(method.size()).starts_with(':');
  });
}

std::vector<std::string> names_in_words(std::string_view words) {
  std::vector<std::string> names;
  for (const std::string_view word : split_words(words)) {
    if (!has_method(word, name_word)) continue;
    const std::string_view value = word.substr(name_word.size() + 1);
    // What was cut off still says how it begins.
    names.push_back(plain_text(parse_text_word(value).value_or(Bytes(value))));
  }
  return names;
}

std::string cut_words(std::string_view words, std::size_t bytes_max) {
  if (words.size() <= bytes_max) return std::string(words);
  std::size_t kept = 0;
  for (;;) {
    const std::size_t after = kept + first_word(words.substr(kept)).size() + 1;
    if (after > bytes_max + 1) break;
    kept = after;
  }
  return std::string(words.substr(0, kept)) + "...";
}

bool is_in_a_name(std::string_view part, const std::vector<std::string>& names) {
  const std::string wanted = lower_case(part);
  return std::ranges::any_of(
      names, [&](const std::string& name) { return lower_case(name).find(wanted) != std::string::npos; });
}

}  // namespace lekt
