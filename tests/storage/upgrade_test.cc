// Databases of older programs: taken up by this one with all that they hold. Those of newer programs: left
// alone.
//
// fixtures/schema-N.sql is what a real lektd of that schema left behind (fixtures/record makes them).
#include <SQLiteCpp/SQLiteCpp.h>

#include <utility>

#include "storage/migrations.h"
#include "tests/storage/support.h"
#include "tests/support/paths.h"

namespace lekt::storage {

namespace {

using Lines = std::vector<std::string>;

int newest_version() { return static_cast<int>(split_migrations(schema_text).size()); }

std::string fixture_path(int version) {
  return test::source_file("tests/storage/fixtures/schema-") + std::to_string(version) + ".sql";
}

/// Rows of a query, columns separated by '|'.
Lines rows(SQLite::Database& database, const std::string& sql) {
  Lines lines;
  for (SQLite::Statement query(database, sql); query.executeStep();) {
    std::string line;
    for (int column = 0; column < query.getColumnCount(); ++column)
      line += (column == 0 ? "" : "|") + query.getColumn(column).getString();
    lines.push_back(line);
  }
  return lines;
}

using RefusalOfADowngrade = StorageTest;

class UpgradeTest : public StorageTest, public testing::WithParamInterface<int> {
 protected:
  UpgradeTest() {
    EXPECT_FALSE(catalogue_.add("2:chat:sized"));
    EXPECT_FALSE(catalogue_.add("3:key:fixed:6"));
    settings_.started = 2'000'000'000;  // later than any fixture
  }

  /// The fixture's server was killed; all that its log held is in the file.
  void restore_fixture() {
    open_shell().exec(test::read_text(fixture_path(GetParam())));
    open_shell().exec("UPDATE server_record SET stopped = second");
  }

  /// As somebody opens it who may write.
  SQLite::Database open_shell() const {
    return {path().string(), SQLite::OPEN_READWRITE | SQLite::OPEN_CREATE};
  }

  Lines ask(const std::string& sql) const {
    SQLite::Database database = open_shell();
    return rows(database, sql);
  }

  /// A query for each table, in the columns that it has now. A start counts itself in server_record, and
  /// empties warning_record and device_session_record.
  Lines row_queries() const {
    return ask(
        "SELECT 'SELECT ' || (SELECT group_concat(name, ', ') FROM pragma_table_info(tables.name)) || "
        "' FROM ' || name || ' ORDER BY 1' FROM sqlite_schema AS tables WHERE type = 'table' "
        "AND name NOT IN ('server_record', 'warning_record', 'device_session_record')");
  }
};

INSTANTIATE_TEST_SUITE_P(EachVersion, UpgradeTest, testing::Range(1, newest_version()),
                         [](const auto& version) { return "from_" + std::to_string(version.param); });

TEST(Upgrades, every_version_before_the_newest_has_a_fixture) {
  for (int version = 1; version < newest_version(); ++version)
    EXPECT_TRUE(std::filesystem::exists(fixture_path(version)))
        << fixture_path(version) << ": make it with fixtures/record before schema.sql gets a new section";
}

TEST_P(UpgradeTest, begins_at_the_schema_that_was_released) {
  const std::string schema = "SELECT type, name, sql FROM sqlite_schema ORDER BY type, name";
  restore_fixture();
  SQLite::Database released(":memory:", SQLite::OPEN_READWRITE | SQLite::OPEN_CREATE);
  std::vector<std::string_view> sections = split_migrations(schema_text);
  sections.resize(static_cast<std::size_t>(GetParam()));
  migrate(released, sections);
  EXPECT_EQ(rows(released, schema), ask(schema)) << "a released section of schema.sql was edited";
  EXPECT_EQ(ask("PRAGMA user_version"), Lines{std::to_string(GetParam())});
}

TEST_P(UpgradeTest, keeps_every_row) {
  restore_fixture();
  std::vector<std::pair<std::string, Lines>> kept;
  for (const std::string& query : row_queries()) kept.emplace_back(query, ask(query));
  ASSERT_GE(kept.size(), 2u);
  { const Database database(settings_); }
  EXPECT_EQ(ask("PRAGMA user_version"), Lines{std::to_string(newest_version())});
  EXPECT_EQ(ask("PRAGMA integrity_check"), Lines{"ok"});
  for (const auto& [query, before] : kept) {
    EXPECT_FALSE(before.empty()) << "the fixture shows nothing with " << query;
    EXPECT_EQ(ask(query), before) << query;
  }
}

TEST_P(UpgradeTest, reads_clients_and_state_back_as_they_were) {
  restore_fixture();
  const Lines clients =
      ask("SELECT sequence, second, iif(present, 'A', 'R'), address, iif(present, methods, '') "
          "FROM client_record ORDER BY sequence");
  const Lines state = ask("SELECT second, sequence, history_begins, forgotten_sequence FROM server_record");
  Database database(settings_);
  Lines read;
  for (const Change& change : load_all(database))
    read.push_back(std::to_string(change.sequence) + "|" + std::to_string(change.second) + "|" +
                   static_cast<char>(change.kind) + "|" + std::to_string(change.address.as_v4()) + "|" +
                   catalogue_.describe(change.methods));
  EXPECT_EQ(read, clients);
  const LogState& log = database.state();
  EXPECT_EQ(std::to_string(log.second) + "|" + std::to_string(log.sequence) + "|" +
                std::to_string(log.history_begins) + "|" + std::to_string(log.forgotten_sequence),
            state.at(0));
}

TEST_P(UpgradeTest, gives_operators_the_views_of_today) {
  restore_fixture();
  { const Database database(settings_); }
  const Lines views = ask("SELECT name FROM sqlite_schema WHERE type = 'view'");
  EXPECT_GE(views.size(), 8u);
  for (const std::string& view : views) EXPECT_NO_THROW(ask("SELECT * FROM " + view)) << view;
  EXPECT_EQ(ask("SELECT methods, status FROM clients WHERE address = '127.0.0.3'"),
            Lines{"tcp:7003 chat:68656c6c6f|waiting"});
  EXPECT_EQ(ask("SELECT last_methods FROM removed WHERE address = '127.0.0.7'"), Lines{"tcp:7007"});
  EXPECT_EQ(ask("SELECT kind FROM changes WHERE address = '127.0.0.6'"), (Lines{"changed", "added"}));
}

TEST_P(UpgradeTest, gives_the_log_an_identity_once) {
  restore_fixture();
  settings_.make_identity = [] { return LogIdentity{1, 2, 3}; };
  {
    const Database database(settings_);
    EXPECT_EQ(database.identity(), (LogIdentity{1, 2, 3}));
  }
  settings_.make_identity = [] { return LogIdentity{4, 5, 6}; };
  EXPECT_EQ(Database(settings_).identity(), (LogIdentity{1, 2, 3}));
}

TEST_P(UpgradeTest, makes_a_database_that_takes_what_comes_next) {
  restore_fixture();
  std::uint64_t next = 0;
  {
    Database database(settings_);
    next = database.state().sequence + 1;
    EXPECT_EQ(commit(database, {added(next, settings_.started + 1, "10.0.0.1")}), CommitResult::done);
  }
  Database database(settings_);
  EXPECT_EQ(describe(load_all(database).back()), describe(added(next, settings_.started + 1, "10.0.0.1")));
}

// A server of the next schema has run with this database, and the operator goes back to this program.
TEST_F(RefusalOfADowngrade, says_both_versions_and_changes_no_byte) {
  const std::string known = std::to_string(newest_version());
  const std::string newer = std::to_string(newest_version() + 1);
  {
    Database database(settings_);
    commit_next(database);
  }
  SQLite::Database(path().string(), SQLite::OPEN_READWRITE)
      .exec(
          "CREATE TABLE next_record (x INTEGER) STRICT; INSERT INTO next_record VALUES (7); PRAGMA "
          "user_version = " +
          newer);
  const std::string before = test::read_text(path());
  const CodedError error = error_of([&] { const Database database(settings_); });
  EXPECT_EQ(error.code(), ErrorCode::database_newer);
  EXPECT_NE(std::string(error.what()).find("schema version " + newer + ", this program knows up to " + known),
            std::string::npos)
      << error.what();
  EXPECT_EQ(test::read_text(path()), before);
  EXPECT_EQ(files_in(directory_), Lines{"lekt.db"});
}

}  // namespace

}  // namespace lekt::storage
