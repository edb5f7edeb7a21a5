#include "server/operators/settings_file.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <map>
#include <optional>
#include <system_error>
#include <utility>

#include "common/descriptor.h"
#include "common/printable.h"

namespace {

[[noreturn]] void give_up() { throw std::logic_error("the parser gives up"); }

}  // namespace

// The library as a part of this file, and of it no more than its parser. Where it recurses is bounded by
// expect_plain() below and by the depth given here. What it is certain of is thrown when it is wrong: no file
// may end the program, or make it guess; so it is compiled without NDEBUG, with which it lets the compiler
// take that for granted.
#define TOML_HEADER_ONLY 1
#define TOML_ENABLE_FORMATTERS 0
#define TOML_EXCEPTIONS 1
#define TOML_MAX_NESTED_VALUES 16
#define TOML_ASSERT(certain) ((certain) ? void() : give_up())
#pragma push_macro("NDEBUG")
#undef NDEBUG
#include <toml++/toml.h>
#pragma pop_macro("NDEBUG")

namespace lekt {

namespace {

constexpr std::string_view byte_order_mark = "\xef\xbb\xbf";
/// How deep brackets may lie in brackets. A setting needs one.
constexpr int nesting_max = 8;
constexpr std::size_t value_columns_max = 100;

/// Walks over TOML, just well enough to tell strings and comments from the rest, and keys from values.
class Scanner {
 public:
  Scanner(std::string_view text, const std::string& file) : text_(text), file_(file) {}

  /// Throws WrongSetting for what is no settings' file and what the library is better not given: it recurses
  /// for each dot in a key, trips over some headers of tables, and has undefined behaviour for some
  /// characters beyond ASCII outside strings, and where a string goes on in the next line.
  void expect_plain() {
    while (at_ < text_.size()) step();
  }

 private:
  void step() {
    const char c = text_[at_];
    if (c == '\0') fail("a NUL byte: this is not a text file");
    if (c == '#') return skip_until('\n');
    if (c == '"' || c == '\'') {
      if (!may_begin_a_value()) fail("this is not TOML: a quote in the midst of a value");
      return skip_string(c);
    }
    if (static_cast<unsigned char>(c) >= 0x80)
      fail("this is not TOML: a character beyond ASCII stands in a string in quotes, or in a comment");
    if (c == '{' || (!in_value_ && (c == '[' || c == '.')))
      fail("this makes a table; settings stand in none, each is a line KEY = VALUE");
    if (c == '=' && in_value_) fail("this is not TOML: a second '=' in a line");
    if (c == ',' && depth_ == 0) fail("this is not TOML: a comma outside a list");
    if (c == '[' && !may_begin_a_value()) fail("this is not TOML: a bracket in the midst of a value");
    if (c == '=') in_value_ = true;
    if (c == '[' && ++depth_ > nesting_max)
      fail("this is nested too deeply; lists of settings hold no lists");
    if (c == ']' && depth_ > 0) --depth_;
    next();
  }

  bool may_begin_a_value() const {
    return at_ == 0 || std::string_view(" \t\r\n=[,").find(text_[at_ - 1]) != std::string_view::npos;
  }

  void next() {
    if (text_[at_] == '\n') {
      ++line_;
      line_begin_ = at_ + 1;
      if (depth_ == 0) in_value_ = false;
    }
    ++at_;
  }

  void skip_until(char end) {
    while (at_ < text_.size() && text_[at_] != end) {
      if (text_[at_] == '\0') fail("a NUL byte: this is not a text file");
      ++at_;
    }
  }

  void skip_string(char quote) {
    if (text_.substr(at_).starts_with(std::string(3, quote)))
      fail("a string over several lines, which no setting has");
    for (++at_; at_ < text_.size() && text_[at_] != '\n'; ++at_) {
      if (text_[at_] == '\0') fail("a NUL byte: this is not a text file");
      if (text_[at_] == quote) {
        ++at_;
        return;
      }
      if (quote == '"' && text_[at_] == '\\') skip_backslash();
    }
    fail("this is not TOML: a string without the quote at its end");
  }

  /// Skips the backslash of an escape in a string, so that an escaped quote does not end the string.
  void skip_backslash() {
    const char escaped = at_ + 1 < text_.size() ? text_[at_ + 1] : '\n';
    if (static_cast<unsigned char>(escaped) >= 0x80) fail("this is not TOML: there is no such escape");
    if (escaped != '\n') ++at_;
  }

  [[noreturn]] void fail(const std::string& why) const {
    const auto column = static_cast<std::uint32_t>(at_ - line_begin_ + 1);
    throw WrongSetting(place_text(file_, line_, column) + ": " + why);
  }

  std::string_view text_;
  const std::string& file_;
  std::size_t at_ = 0;
  std::size_t line_begin_ = 0;
  std::uint32_t line_ = 1;
  int depth_ = 0;
  bool in_value_ = false;
};

FileValue::Kind kind_of(const toml::node& node) {
  if (node.is_string()) return FileValue::Kind::text;
  if (node.is_integer()) return FileValue::Kind::integer;
  if (node.is_boolean()) return FileValue::Kind::boolean;
  if (node.is_floating_point()) return FileValue::Kind::fraction;
  if (node.is_array()) return FileValue::Kind::list;
  return node.is_table() ? FileValue::Kind::table : FileValue::Kind::time;
}

FileValue value_without_elements(const toml::node& node) {
  FileValue value;
  value.kind = kind_of(node);
  value.line = node.source().begin.line;
  value.column = node.source().begin.column;
  if (const auto* text = node.as_string()) value.text = text->get();
  if (const auto* number = node.as_integer()) value.text = std::to_string(number->get());
  return value;
}

/// A NUL would end the value wherever the system reads it.
void expect_no_nul(const FileValue& value, const std::string& file) {
  if (value.text.find('\0') != value.text.npos)
    throw WrongSetting(place_text(file, value.line, value.column) +
                       ": no setting has a character of number 0 in it");
}

FileValue value_of(const toml::node& node, const std::string& file) {
  FileValue value = value_without_elements(node);
  if (const toml::array* list = node.as_array())
    for (const toml::node& element : *list) value.elements.push_back(value_without_elements(element));
  expect_no_nul(value, file);
  for (const FileValue& element : value.elements) expect_no_nul(element, file);
  return value;
}

/// The words of the library, as the end of a sentence.
std::string in_own_words(std::string_view description) {
  constexpr std::string_view beginning = "Error while parsing ";
  if (!description.starts_with(beginning)) return std::string(description);
  return "in " + std::string(description.substr(beginning.size()));
}

std::optional<std::string_view> kind_of_file(mode_t mode) {
  if (S_ISREG(mode)) return std::nullopt;
  if (S_ISDIR(mode))
    return "a directory; one that a container's engine has made, when there was no file to mount?";
  if (S_ISFIFO(mode)) return "a pipe, which could not be read again at a reload";
  return S_ISSOCK(mode) ? "a socket" : "a device";
}

[[noreturn]] void fail_to_read(const std::string& file, const std::string& why) {
  throw WrongSetting("cannot read the settings' file " + quote_value(file) + ": " + why);
}

std::string read_text(const std::filesystem::path& path) {
  const std::string file = path.string();
  // Opening a pipe would wait for its writer, without O_NONBLOCK.
  const Descriptor descriptor(open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY));
  if (!descriptor.is_open()) fail_to_read(file, std::generic_category().message(errno));
  struct stat found {};
  if (fstat(descriptor.value(), &found) != 0) fail_to_read(file, std::generic_category().message(errno));
  if (const auto kind = kind_of_file(found.st_mode)) fail_to_read(file, "it is " + std::string(*kind));
  std::string text;
  std::array<char, 16 * 1024> buffer;
  while (text.size() <= settings_bytes_max) {
    const ssize_t size = read(descriptor.value(), buffer.data(), buffer.size());
    if (size < 0 && errno == EINTR) continue;
    if (size < 0) fail_to_read(file, std::generic_category().message(errno));
    if (size == 0) return text;
    text.append(buffer.data(), static_cast<std::size_t>(size));
  }
  fail_to_read(file, "it has more than " + std::to_string(settings_bytes_max) +
                         " bytes, which is no file of settings");
}

}  // namespace

std::vector<FileSetting> parse_settings(std::string_view text, const std::string& file) {
  if (text.starts_with(byte_order_mark)) text.remove_prefix(byte_order_mark.size());
  Scanner(text, file).expect_plain();
  std::multimap<std::pair<std::uint32_t, std::uint32_t>, FileSetting>
      in_order;  // the library's is that of the names
  try {
    const toml::table table = toml::parse(text);
    for (auto&& [key, node] : table) {
      const auto [line, column] = key.source().begin;
      in_order.emplace(std::pair(line, column),
                       FileSetting{std::string(key.str()), line, column, value_of(node, file)});
    }
  } catch (const toml::parse_error& error) {
    throw WrongSetting(place_text(file, error.source().begin.line, error.source().begin.column) +
                       ": this is not TOML: " + printable(in_own_words(error.description())));
  } catch (const std::logic_error& error) {
    throw WrongSetting(place_text(file, 1, 1) + ": something in this file is not TOML: " + error.what());
  }
  std::vector<FileSetting> settings;
  for (auto& [place, setting] : in_order) settings.push_back(std::move(setting));
  return settings;
}

std::vector<FileSetting> read_settings_file(const std::filesystem::path& path) {
  return parse_settings(read_text(path), path.string());
}

std::string_view describe(FileValue::Kind kind) {
  constexpr std::array<std::string_view, 7> words = {
      "a string", "a whole number", "a boolean", "a number with a fraction", "a time", "a list", "a table"};
  return words.at(static_cast<std::size_t>(kind));
}

std::string place_text(const std::string& file, std::uint32_t line, std::uint32_t column) {
  return printable(file) + ":" + std::to_string(line) + ":" + std::to_string(column);
}

std::string quote_value(std::string_view value) {
  return "'" + cut(printable(value), value_columns_max) + "'";
}

}  // namespace lekt
