// The lektd of today serves from the databases that older ones have left behind (tests/storage/fixtures).
#include <gtest/gtest.h>

#include <csignal>
#include <filesystem>
#include <regex>

#include "tests/integration/daemon.h"
#include "tests/integration/sqlite.h"
#include "tests/support/paths.h"

namespace lekt::test {
namespace {

using Lines = std::vector<std::string>;

std::string fixture_path(int version) {
  return source_file("tests/storage/fixtures/schema-") + std::to_string(version) + ".sql";
}

/// All that there are: tests/storage/upgrade_test.cc sees to it that none is missing.
std::vector<int> versions() {
  std::vector<int> found;
  while (std::filesystem::exists(fixture_path(static_cast<int>(found.size()) + 1)))
    found.push_back(static_cast<int>(found.size()) + 1);
  return found;
}

class ServedUpgradeTest : public DaemonTest, public testing::WithParamInterface<int> {};

INSTANTIATE_TEST_SUITE_P(EachVersion, ServedUpgradeTest, testing::ValuesIn(versions()),
                         [](const auto& version) { return "from_" + std::to_string(version.param); });

TEST_P(ServedUpgradeTest, lists_everybody_whom_the_older_program_had_listed) {
  const Outcome restored =
      run(SQLITE3_SHELL, {database().string(), ".read '" + fixture_path(GetParam()) + "'"});
  ASSERT_EQ(restored.status, 0) << restored.errors;
  // The view `clients` cuts long methods.
  const std::string here =
      "SELECT (address >> 24) || '.' || (address >> 16 & 255) || '.' || (address >> 8 & 255) || '.' || "
      "(address & 255) || '  ' || iif(methods = '', '-', methods) FROM client_record WHERE present = 1";
  const Lines before = Operator(database()).ask(here);
  ASSERT_GE(before.size(), 6u);
  start({"--restart-grace", "1h", "--method", "2:chat:sized", "--method", "3:key:fixed:6"});
  const Outcome peers =
      run(program_file("lekt"), {"peers", "--server", "127.0.0.1:" + std::to_string(daemon().port()),
                                 "--catalogue", "2:chat:sized", "--catalogue", "3:key:fixed:6"});
  EXPECT_EQ(peers.status, 0) << peers.errors;
  EXPECT_EQ(count(peers.output, "\n"), before.size() + 2) << "the title, they, and who asks";
  const std::string table = std::regex_replace(peers.output, std::regex(" {2,}"), "  ");
  for (const std::string& line : before) EXPECT_EQ(count(table, line + "\n"), 1u) << line << "\n" << table;
  EXPECT_EQ(daemon().stop(SIGTERM), 0);
}

}  // namespace
}  // namespace lekt::test
