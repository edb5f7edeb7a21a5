#include "server/operators/settings_file.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include <fstream>

#include "tests/support/support.h"

namespace lekt {
namespace {

using Kind = FileValue::Kind;

/// What is said about a text that is refused; empty when it is not.
std::string refusal_of(std::string_view text) {
  try {
    parse_settings(text, "f.toml");
  } catch (const WrongSetting& wrong) {
    return wrong.what();
  }
  return {};
}

void expect_refusal(std::string_view text, std::string_view beginning, std::string_view word = {}) {
  const std::string refusal = refusal_of(text);
  EXPECT_TRUE(refusal.starts_with(beginning)) << refusal << "\nis said of " << text;
  EXPECT_NE(refusal.find(word), refusal.npos) << refusal;
}

std::string refusal_of_path(const std::filesystem::path& path) {
  try {
    read_settings_file(path);
  } catch (const WrongSetting& wrong) {
    return wrong.what();
  }
  return {};
}

TEST(SettingsFileText, is_read_with_the_place_of_each_value) {
  const auto settings = parse_settings("# first\nthreads = 3\n  deny = [\n \"10.0.0.1\", # one\n]\n", "f");
  ASSERT_EQ(settings.size(), 2u);
  EXPECT_EQ(settings[0].name, "threads");
  EXPECT_EQ(settings[0].value.kind, Kind::integer);
  EXPECT_EQ(settings[0].value.text, "3");
  EXPECT_EQ(settings[0].line, 2u);
  EXPECT_EQ(settings[0].value.column, 11u);
  EXPECT_EQ(settings[1].name, "deny");
  EXPECT_EQ(settings[1].column, 3u);
  ASSERT_EQ(settings[1].value.elements.size(), 1u);
  EXPECT_EQ(settings[1].value.elements[0].text, "10.0.0.1");
  EXPECT_EQ(settings[1].value.elements[0].line, 4u);
}

TEST(SettingsFileText, may_have_whatever_toml_allows_around_values) {
  const struct {
    const char* text;
    const char* value;
  } cases[] = {{"a = \"/srv/a#b/lekt.db\"", "/srv/a#b/lekt.db"},
               {"a = '/srv/a\"b' # \"", "/srv/a\"b"},
               {"\xef\xbb\xbf"
                "a = \"1\"\r\n# \xc3\xbc\r\n",
                "1"},
               {"\"a\" = \"\\u00fc\"", "\xc3\xbc"},
               {"a = \"\xc3\xbc\"", "\xc3\xbc"},
               {"a = 0x10", "16"},
               {"a = 1_000", "1000"}};
  for (const auto& one : cases) {
    SCOPED_TRACE(one.text);
    ASSERT_EQ(refusal_of(one.text), "");
    const auto settings = parse_settings(one.text, "f");
    ASSERT_EQ(settings.size(), 1u);
    EXPECT_EQ(settings[0].name, "a");
    EXPECT_EQ(settings[0].value.text, one.value);
  }
  for (const char* list : {"a = []", "a = [\n]", "a = [ # none\n]\n", "a\t=\t[]\n\n"})
    EXPECT_EQ(parse_settings(list, "f").at(0).value.kind, Kind::list) << list;
  for (const char* nothing : {"", "\n", "# only a comment", "\xef\xbb\xbf", "\r\n \t\n"})
    EXPECT_TRUE(parse_settings(nothing, "f").empty());
}

TEST(SettingsFileText, that_is_not_toml_is_refused_with_line_and_column) {
  expect_refusal("deny = [\"10.0.0.1\"]\nthreads = 7\ndeny = [\"10.0.0.2\"]\n",
                 "f.toml:3:", "cannot redefine existing array 'deny'");
  expect_refusal("a = \"no end\nb = 1\n", "f.toml:1:12: ", "a string without the quote at its end");
  expect_refusal("a = \"no end", "f.toml:1:", "a string without the quote at its end");
  expect_refusal("a = \"no end\\\"", "f.toml:1:", "a string without the quote at its end");
  expect_refusal("a = 1\"x\"\n", "f.toml:1:6: ", "a quote in the midst");
  expect_refusal("a = 1[2]\n", "f.toml:1:6: ", "a bracket in the midst");
  expect_refusal("a = 1 = 2\n", "f.toml:1:7: ", "a second '='");
  expect_refusal("a = 1, 2\n", "f.toml:1:6: ", "a comma outside a list");
  expect_refusal("a = [1, 2\n", "f.toml:1:", "not TOML");
  expect_refusal("\na = 1 b = 2\n", "f.toml:2:9: ", "a second '='");
  expect_refusal("\na = 1 b\n", "f.toml:2:7: ", "not TOML");
  expect_refusal("a = \"\"\"\nb\"\"\"", "f.toml:1:5: ", "over several lines");
  expect_refusal("a = '''b'''", "f.toml:1:5: ", "over several lines");
  expect_refusal("a = \"\\\xc3\xbc\"", "f.toml:1:6: ", "no such escape");
  expect_refusal("a = 010\n", "f.toml:1:", "leading zeroes");
  expect_refusal("a = 99999999999999999999\n", "f.toml:1:", "64 bits");
  expect_refusal("a 1\n", "f.toml:1:3: ", "'='");
  expect_refusal("a = yes\n", "f.toml:1:", "not TOML");
  expect_refusal("a = 10.0.0.1\n", "f.toml:1:", "not TOML");
  expect_refusal("= 1\n", "f.toml:1:1: ", "not TOML");
  expect_refusal("a = \"\xff\"\n", "f.toml:1:", "utf-8");
  expect_refusal("a = \"\x1b[31m\"\n", "f.toml:1:", "not TOML");
  expect_refusal("a = 1\n\xff\xfe", "f.toml:2:1: ", "beyond ASCII");
}

TEST(SettingsFileText, with_a_nul_is_refused_wherever_that_is) {
  using namespace std::string_view_literals;
  expect_refusal("a = 1\n\0"sv, "f.toml:2:1: ", "NUL");
  expect_refusal("a = \"\0\""sv, "f.toml:1:6: ", "NUL");
  expect_refusal("# \0"sv, "f.toml:1:3: ", "NUL");
  expect_refusal("a = \"x\\u0000y\"", "f.toml:1:5: ", "number 0");
  expect_refusal("a = [\"\", \"x\\u0000y\"]", "f.toml:1:10: ", "number 0");
}

TEST(SettingsFileText, with_a_table_is_refused) {
  const struct {
    const char* text;
    const char* place;
  } cases[] = {{"threads = 1\n[server]\nthreads = 2\n", "f.toml:2:1: "},
               {"a = [\n]\n  [[method]]\n", "f.toml:3:3: "},
               {"a = {b = 1}\n", "f.toml:1:5: "},
               {"a = [{b = 1}]\n", "f.toml:1:6: "},
               {"a.b = 1\n", "f.toml:1:2: "},
               {"'a'.b = 1\n", "f.toml:1:4: "},
               {"[=0\n[[x]]\n", "f.toml:1:1: "}};
  for (const auto& one : cases) expect_refusal(one.text, one.place, "makes a table");
}

TEST(SettingsFileText, that_is_nested_deeply_is_refused_before_it_costs_a_stack) {
  const std::size_t depth = 300'000;
  expect_refusal("a = " + std::string(depth, '['), "f.toml:1:13: ", "nested too deeply");
  expect_refusal("a = " + std::string(depth, '[') + std::string(depth, ']'),
                 "f.toml:1:13: ", "nested too deeply");
  std::string dotted = "a";
  for (std::size_t level = 1; level < depth; ++level) dotted += ".a";
  expect_refusal(dotted + " = 1", "f.toml:1:2: ", "makes a table");
}

TEST(SettingsFileText, that_the_parser_is_better_not_given_is_refused) {
  // For such characters outside strings the parser has undefined behaviour.
  expect_refusal("deny = [\"10.0.0.1\",\xef\xbb\xb2\"]\n", "f.toml:1:20: ", "beyond ASCII");
  for (char32_t character = 0x80; character < 0x10000; character += 0x3f) {
    const std::string utf8 = {static_cast<char>(0xe0 | (character >> 12)),
                              static_cast<char>(0x80 | ((character >> 6) & 0x3f)),
                              static_cast<char>(0x80 | (character & 0x3f))};
    EXPECT_NE(refusal_of("a = 1" + utf8), "");
  }
}

TEST(SettingsFileText, shows_no_control_characters_of_a_file) {
  for (const char* text : {"a = \x1b]0;title\x07", "\"\\u001b[2J\" = [[1]]\n[x]", "a = '\x1b'"}) {
    const std::string refusal = refusal_of(text);
    EXPECT_NE(refusal, "");
    for (const char c : refusal) EXPECT_GE(static_cast<unsigned char>(c), 0x20) << refusal;
  }
}

TEST(SettingsFileText, shows_values_that_a_terminal_would_obey_as_bytes) {
  EXPECT_EQ(quote_value("\xc3\xbc\xc2\x9b[2J"), "'\xc3\xbc\\xc2\\x9b[2J'")
      << "a control sequence in one character";
  EXPECT_EQ(quote_value("a\xe2\x80\xae"
                        "b"),
            "'a\\xe2\\x80\\xae"
            "b'")
      << "text that runs backwards";
  EXPECT_EQ(quote_value(std::string(200, 'a')), "'" + std::string(97, 'a') + "...'");
}

TEST(SettingsFilePath, that_is_no_file_is_refused_as_what_it_is) {
  const test::TempDirectory directory;
  const auto pipe = directory.path() / "pipe";
  ASSERT_EQ(mkfifo(pipe.c_str(), 0600), 0);
  const struct {
    std::filesystem::path path;
    const char* word;
  } cases[] = {{directory.path(), "it is a directory"},
               {pipe, "it is a pipe"},
               {"/dev/null", "it is a device"},
               {directory.path() / "nothing", "No such file"},
               {directory.path() / "pipe/below", "Not a directory"},
               {"", "No such file"}};
  for (const auto& one : cases) {
    const std::string refusal = refusal_of_path(one.path);
    EXPECT_NE(refusal.find("cannot read the settings' file '" + one.path.string() + "'"), refusal.npos);
    EXPECT_NE(refusal.find(one.word), refusal.npos) << refusal;
  }
}

TEST(SettingsFilePath, that_may_not_be_read_or_is_far_too_large_is_refused) {
  const test::TempDirectory directory;
  const auto path = directory.path() / "lektd.toml";
  std::ofstream(path) << std::string(settings_bytes_max + 1, '#');
  EXPECT_NE(refusal_of_path(path).find("more than 1048576 bytes"), std::string::npos);
  std::ofstream(path) << std::string(settings_bytes_max, '#');
  EXPECT_EQ(refusal_of_path(path), "");
  if (geteuid() == 0) return;  // who may read everything
  chmod(path.c_str(), 0);
  EXPECT_NE(refusal_of_path(path).find("Permission denied"), std::string::npos);
}

}  // namespace
}  // namespace lekt
