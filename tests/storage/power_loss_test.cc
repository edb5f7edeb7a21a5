// The power goes at any operation of the disk, and takes any part of what was not synced: what was
// acknowledged is there, and at most the batch that was in flight besides.
//
// LEKT_TEST_ROUNDS multiplies the rounds (1).
#include <SQLiteCpp/SQLiteCpp.h>

#include <cstdlib>
#include <set>

#include "storage/file_creation.h"
#include "storage/migrations.h"
#include "tests/storage/disk_fixture.h"

namespace lekt::storage {

namespace {

using test::DiskFault;
using test::sanitized;

std::uint64_t rounds(std::uint64_t usual) {
  const char* given = std::getenv("LEKT_TEST_ROUNDS");
  return given == nullptr ? usual : usual * std::strtoull(given, nullptr, 10);
}

class PowerLossTest : public FaultyDiskTest {
 protected:
  /// Opens the database, and commits until the power goes after `operations`. Returns the newest acknowledged
  /// sequence.
  std::uint64_t commit_until_power_goes(std::uint64_t operations, std::uint64_t acknowledged) {
    disk_.fail(DiskFault::stop, operations, true);
    try {
      Database database(settings_);
      while (commit_next(database) == CommitResult::done) acknowledged = database.state().sequence;
    } catch (const CodedError& error) {
      EXPECT_TRUE(disk_.has_stopped()) << error.what();
    }
    disk_.lose_power(random_);
    return acknowledged;
  }
};

TEST_F(PowerLossTest, takes_nothing_that_was_acknowledged) {
  std::uint64_t acknowledged = 0;
  for (std::uint64_t round = 0; round < rounds(sanitized ? 40 : 300) && !HasFailure(); ++round) {
    SCOPED_TRACE(round);
    if (round % 20 == 0) {
      begin_anew(round);
      acknowledged = 0;
    }
    acknowledged = commit_until_power_goes(random_.below(400), acknowledged);
    Database database(settings_);
    ASSERT_EQ(database.lost_log(), "");
    ASSERT_GE(database.state().sequence, acknowledged);
    ASSERT_LE(database.state().sequence, acknowledged + known_batch);
    expect_whole(database);
    acknowledged = database.state().sequence;
  }
}

TEST_F(PowerLossTest, at_any_operation_of_the_first_start_leaves_what_the_next_start_takes_up) {
  bool stopped = true;
  for (std::uint64_t operation = 0; stopped && !HasFailure(); ++operation) {
    SCOPED_TRACE(operation);
    for (std::uint64_t round = 0; round < rounds(sanitized ? 1 : 2); ++round) {
      begin_anew(operation * 1'000'000 + round);
      disk_.fail(DiskFault::stop, operation, true);
      try {
        Database database(settings_);
      } catch (const CodedError& error) {
        ASSERT_EQ(error.code(), ErrorCode::database_unusable) << error.what();
      }
      stopped = disk_.has_stopped();
      disk_.lose_power(random_);
      Database database(settings_);
      ASSERT_EQ(database.state().second, started + 1);
      ASSERT_EQ(commit_next(database), CommitResult::done);
    }
  }
}

// The file itself is made without SQLite, so the disk does not see it.
TEST_F(PowerLossTest, while_the_file_is_made_leaves_what_the_next_start_takes_up) {
  create_database_file(settings_.path, FileState::missing);
  test::DiskFile file{Bytes()};
  file.write(0, test::read_text(settings_.path));
  std::set<Bytes> left;
  for (int round = 0; round < 50; ++round) left.insert(file.after_power_loss(random_, 50));
  EXPECT_EQ(left.size(), 3u) << "nothing, zeros, everything";
  for (const Bytes& content : left) {
    std::filesystem::remove(settings_.path.string() + "-wal");
    write_file(settings_.path, content);
    Database database(settings_);
    EXPECT_EQ(commit_next(database), CommitResult::done);
  }
}

// The log has its name already, so SQLite does not sync the directory with it.
TEST_F(PowerLossTest, takes_nothing_from_a_new_database_beside_the_empty_log_of_an_old_one) {
  for (std::uint64_t round = 0; round < rounds(30); ++round) {
    {
      Database database(settings_);
      database.note_stop(started);
    }
    ASSERT_TRUE(std::filesystem::exists(settings_.path.string() + "-wal"));
    std::filesystem::remove(settings_.path);
    {
      Database database(settings_);
      ASSERT_EQ(commit_next(database), CommitResult::done);
    }
    disk_.lose_power(random_);
    Database database(settings_);
    ASSERT_EQ(database.state().sequence, known_batch);
  }
}

TEST_F(PowerLossTest, leaves_a_migration_done_or_not_begun) {
  const std::vector<std::string_view> first = {"CREATE TABLE old (a); INSERT INTO old VALUES (7)"};
  std::vector<std::string_view> both = first;
  both.push_back("CREATE TABLE new (a); INSERT INTO new SELECT a + 1 FROM old; DROP TABLE old");
  const auto open = [&] {
    SQLite::Database database(settings_.path.string(), SQLite::OPEN_READWRITE | SQLite::OPEN_CREATE);
    database.exec("PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL");
    return database;
  };
  bool stopped = true;
  std::set<int> versions;
  for (std::uint64_t operation = 0; stopped; ++operation) {
    SCOPED_TRACE(operation);
    begin_anew(operation);
    {
      SQLite::Database database = open();
      migrate(database, first);
    }
    disk_.fail(DiskFault::stop, operation, true);
    try {
      SQLite::Database database = open();
      migrate(database, both);
    } catch (const SQLite::Exception&) {
      ASSERT_TRUE(disk_.has_stopped());
    }
    stopped = disk_.has_stopped();
    disk_.lose_power(random_);
    SQLite::Database database = open();
    const int version = database.execAndGet("PRAGMA user_version").getInt();
    versions.insert(version);
    ASSERT_TRUE(stopped || version == 2);
    ASSERT_EQ(database.execAndGet(version == 1 ? "SELECT a FROM old" : "SELECT a FROM new").getInt(),
              version == 1 ? 7 : 8);
    ASSERT_EQ(database.execAndGet("SELECT count(*) FROM sqlite_schema").getInt(), 1);
  }
  EXPECT_EQ(versions, (std::set<int>{1, 2}));
}

}  // namespace

}  // namespace lekt::storage
