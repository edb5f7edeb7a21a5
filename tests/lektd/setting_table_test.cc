// Every setting of the table, whatever it is: it can be given in each way, is read again as the table says, and
// is in the manual with its default.
#include "lektd/setting_table.h"

#include <gtest/gtest.h>

#include <map>
#include <sstream>

#include "lektd/reload.h"
#include "tests/lektd/configuration_support.h"
#include "tests/support/paths.h"

namespace lekt {
namespace {

using namespace test;
using Names = std::vector<std::string>;

/// Another value than the default, as show() has it.
std::string other_value(const Setting& setting) {
  static const std::map<std::string, std::string> others = {
      {"ADDRESS:PORT", "127.0.0.1:7"},
      {"FILE", "x"},
      {"PATH", "x"},
      {"LIST", "none"},
      {"CIDR", "10.0.0.0/9"},
      {"NAME", "x.example"},
      {"INDEX:NAME:FORM", "2:chat:sized"},
      {"FIRST-LAST", "7000-7001"},
      {"DIRECTORY", "x"},
      {"NAME=HOST:PORT[;term=TYPE]", "x=127.0.0.1:23;term=ansi"},
      {"NAME[;KEY=VALUE...]", "x;from=10.0.0.0/9;hosts=x"}};
  const Names shown = setting.show(Configuration());
  if (setting.form == Setting::Form::number) return std::to_string(std::stoul(shown.at(0)) + 1);
  if (setting.placeholder == "DURATION")
    return std::to_string(std::stoul(shown.at(0)) + 1) + shown.at(0).back();
  if (others.contains(setting.placeholder)) return others.at(setting.placeholder);
  const std::size_t bar = setting.placeholder.find('|');
  const std::string first = setting.placeholder.substr(0, bar);
  return first != shown.at(0) ? first : setting.placeholder.substr(setting.placeholder.rfind('|') + 1);
}

void expect_all_given(const Arguments& arguments) {
  const Configuration configuration = settings(arguments);
  for (const Setting& setting : all_settings())
    EXPECT_EQ(setting.show(configuration), Names{other_value(setting)}) << setting.name;
}

struct Row {
  std::string fallback;
  std::string applies;
};

/// The rows "| `--name VALUE`, `--other` | default | when | ... |" of the manual, by name.
std::map<std::string, Row> manual() {
  std::map<std::string, Row> rows;
  std::istringstream text(read_text(source_file("docs/operations.md")));
  for (std::string line; std::getline(text, line);) {
    if (!line.starts_with("| `--")) continue;
    std::erase(line, '`');
    std::istringstream cells(line);
    std::string names, fallback, applies;
    std::getline(std::getline(std::getline(std::getline(cells, names, '|'), names, '|'), fallback, '|'),
                 applies, '|');
    const auto trim = [](const std::string& cell) {
      const auto end = cell.find_last_not_of(' ');
      return end == cell.npos ? "" : cell.substr(1, end);
    };
    std::istringstream words(names);
    for (std::string word; words >> word;)
      if (word.starts_with("--")) rows[word.substr(2)] = {trim(fallback), trim(applies)};
  }
  return rows;
}

TEST(SettingTable, has_settings_that_can_be_flags_variables_and_keys_of_the_file) {
  Arguments flags;
  std::vector<std::unique_ptr<Variable>> variables;
  std::string file;
  for (const Setting& setting : all_settings()) {
    const std::string value = other_value(setting);
    flags.push_back(setting.flag() + "=" + value);
    file += setting.name + " = " + (setting.form == Setting::Form::number ? value : "'" + value + "'") + "\n";
  }
  expect_all_given(flags);
  expect_all_given({SettingsFile(file).flag()});
  for (const Setting& setting : all_settings())
    variables.push_back(std::make_unique<Variable>(setting.variable(), other_value(setting)));
  expect_all_given({});
}

TEST(SettingTable, says_what_a_reload_takes_and_what_it_leaves) {
  const Configuration running;
  for (const Setting& setting : all_settings()) {
    SCOPED_TRACE(setting.name);
    Configuration wanted;
    setting.take(wanted, other_value(setting));
    EXPECT_FALSE(setting.is_same(running, wanted));
    const Reload reload = plan_reload(running, wanted);
    const bool at_once = setting.apply == Setting::Apply::at_once;
    EXPECT_EQ(at_once ? reload.changed : reload.needs_restart, Names{setting.name});
    EXPECT_EQ(at_once ? reload.needs_restart : reload.changed, Names{});
    EXPECT_TRUE(setting.is_same(reload.configuration, at_once ? wanted : running));
  }
}

TEST(SettingTable, is_the_one_of_the_manual) {
  const auto rows = manual();
  EXPECT_EQ(rows.size(), all_settings().size());
  for (const Setting& setting : all_settings()) {
    ASSERT_TRUE(rows.contains(setting.name)) << setting.name;
    const Row& row = rows.at(setting.name);
    EXPECT_EQ(row.fallback, setting.fallback()) << setting.name;
    EXPECT_EQ(row.applies, setting.apply == Setting::Apply::at_once ? "at once" : "restart") << setting.name;
  }
}

TEST(SettingTable, is_what_help_shows) {
  const std::string help = exit_of({"--help"}).text;
  for (const Setting& setting : all_settings()) {
    EXPECT_NE(help.find("  " + setting.flag() + " " + setting.placeholder), help.npos) << setting.name;
    EXPECT_NE(help.find("(Env:" + setting.variable() + ")"), help.npos) << setting.name;
  }
}

}  // namespace
}  // namespace lekt
