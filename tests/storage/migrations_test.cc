#include "storage/migrations.h"

#include <SQLiteCpp/SQLiteCpp.h>
#include <gtest/gtest.h>

namespace lekt::storage {

namespace {

class MigrationsTest : public testing::Test {
 protected:
  int version() { return database_.execAndGet("PRAGMA user_version").getInt(); }

  SQLite::Database database_{":memory:", SQLite::OPEN_READWRITE | SQLite::OPEN_CREATE};
};

TEST(SplitMigrations, takes_sections_by_their_number) {
  const auto sections = split_migrations("-- head\n\n-- migration 1: a\nA;\n-- migration 2: b\nB;\n");
  ASSERT_EQ(sections.size(), 2u);
  EXPECT_EQ(sections[0], "\n-- migration 1: a\nA;");
  EXPECT_EQ(sections[1], "\n-- migration 2: b\nB;\n");
}

TEST(SplitMigrations, finds_every_section_of_the_schema) {
  std::size_t markers = 0;
  for (std::size_t at = schema_text.find("\n-- migration "); at != schema_text.npos; ++markers)
    at = schema_text.find("\n-- migration ", at + 1);
  EXPECT_GE(markers, 1u);
  EXPECT_EQ(split_migrations(schema_text).size(), markers) << "sections are numbered 1, 2, 3 ...";
}

TEST_F(MigrationsTest, bring_an_older_database_up_and_keep_its_rows) {
  migrate(database_, {"CREATE TABLE a (x); INSERT INTO a VALUES (7);"});
  EXPECT_EQ(version(), 1);
  migrate(database_, {"not looked at", "ALTER TABLE a ADD COLUMN y DEFAULT 8;", "CREATE TABLE b (z);"});
  EXPECT_EQ(version(), 3);
  EXPECT_EQ(database_.execAndGet("SELECT x + y FROM a").getInt(), 15);
}

TEST_F(MigrationsTest, are_applied_wholly_or_not_at_all) {
  EXPECT_THROW(migrate(database_, {"CREATE TABLE a (x);", "CREATE TABLE b (x); CREATE TABLE a (x);"}),
               SQLite::Exception);
  EXPECT_EQ(version(), 1);
  EXPECT_FALSE(database_.tableExists("b"));
}

}  // namespace

}  // namespace lekt::storage
