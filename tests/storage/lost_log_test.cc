// A database without the log that continues it: history begins anew. And with it, whatever has happened to
// server and machine: history goes on.
#include <SQLiteCpp/SQLiteCpp.h>

#include <optional>

#include "storage/backup.h"
#include "storage/database_files.h"
#include "storage/reader.h"
#include "storage/stopped_database.h"
#include "tests/disk/snapshot_reader.h"
#include "tests/storage/disk_fixture.h"

namespace lekt::storage {

namespace {

namespace fs = std::filesystem;
using test::DiskFault;
using testing::IsSubstring;

class LostLogTest : public StorageTest {
 protected:
  LostLogTest() : StorageTest(test::directory_in_memory()) { settings_.checkpoint_bytes = 32 * 1024; }

  /// A run of the server that is killed after some commits: its files are as they were at that moment.
  void run_and_kill(int commits) {
    const fs::path kept = directory_ / "kept";
    {
      Database database(settings_);
      EXPECT_EQ(database.lost_log(), "");
      for (int i = 0; i < commits; ++i) commit_next(database);
      for (const char* suffix : {"", "-wal"}) fs::copy(beside(path(), suffix), beside(kept, suffix));
    }
    for (const char* suffix : {"", "-wal"}) fs::rename(beside(kept, suffix), beside(path(), suffix));
    fs::remove(shared_memory_of(path()));
  }

  void run_and_stop(int commits) {
    Database database(settings_);
    for (int i = 0; i < commits; ++i) commit_next(database);
    database.note_stop(started);
  }

  /// The next start, ten seconds later, says why history begins anew.
  void expect_begins_anew(const std::string& why) {
    settings_.started = started + 10;
    {
      Database database(settings_);
      EXPECT_PRED_FORMAT2(IsSubstring, why, database.lost_log());
      EXPECT_EQ(database.state().history_begins, started + 11);
      EXPECT_EQ(database.state().second, started + 12);
      load_all(database);
      database.note_stop(started + 10);
    }
    Database database(settings_);
    EXPECT_EQ(database.lost_log(), "") << "told once";
    EXPECT_EQ(database.state().history_begins, started + 11);
  }

  void expect_goes_on(std::uint64_t sequence) {
    settings_.started = started + 10;
    Database database(settings_);
    EXPECT_EQ(database.lost_log(), "");
    EXPECT_EQ(database.state().history_begins, started);
    EXPECT_EQ(database.state().sequence, sequence);
    expect_whole(database);
  }
};

TEST_F(LostLogTest, that_was_deleted_after_a_kill_lets_history_begin_anew) {
  run_and_stop(1);
  run_and_kill(2);
  fs::remove(log_of(path()));
  expect_begins_anew("not stopped cleanly");
}

TEST_F(LostLogTest, that_was_emptied_after_a_kill_lets_history_begin_anew) {
  run_and_kill(2);
  fs::resize_file(log_of(path()), 0);
  expect_begins_anew("missing, empty or damaged");
}

TEST_F(LostLogTest, that_has_no_header_any_more_lets_history_begin_anew) {
  run_and_kill(2);
  write_file(log_of(path()), std::string(5000, 'x'));
  expect_begins_anew("missing, empty or damaged");
}

TEST_F(LostLogTest, that_has_half_of_a_new_header_is_none_when_the_file_has_all_of_it) {
  run_and_kill(0);
  std::string log = test::read_text(log_of(path()));
  log.replace(12, 4, "half");
  write_file(log_of(path()), log);
  expect_goes_on(0);
}

TEST_F(LostLogTest, that_has_half_of_a_header_and_more_than_the_file_lets_history_begin_anew) {
  settings_.checkpoint_bytes = 1024 * 1024;  // nothing of the second run is copied back
  run_and_stop(1);
  run_and_kill(1);
  std::string log = test::read_text(log_of(path()));
  log.replace(12, 4, "half");
  write_file(log_of(path()), log);
  expect_begins_anew("missing, empty or damaged");
}

TEST_F(LostLogTest, that_was_deleted_beside_its_index_lets_history_begin_anew) {
  run_and_kill(2);
  fs::copy(path(), directory_ / "other.db");
  write_file(shared_memory_of(path()), std::string(32768, 'x'));
  fs::remove(log_of(path()));
  expect_begins_anew("missing, empty or damaged");
}

TEST_F(LostLogTest, lets_history_begin_anew_also_when_an_operator_opens_the_database_first) {
  run_and_kill(2);
  fs::remove(log_of(path()));
  {
    StoppedDatabase stopped({.path = path(), .catalogue = &catalogue_, .now = started + 5});
    EXPECT_PRED_FORMAT2(IsSubstring, "not stopped cleanly", stopped.lost_log());
  }
  Database database(settings_);
  EXPECT_EQ(database.state().history_begins, started + 6);
}

TEST_F(LostLogTest, that_an_older_one_has_replaced_is_not_read_and_history_begins_anew) {
  run_and_kill(2);
  fs::copy(log_of(path()), directory_ / "older");
  run_and_kill(40);
  const std::string file = test::read_text(path());
  fs::rename(directory_ / "older", log_of(path()));
  settings_.started = started + 10;
  Database database(settings_);
  EXPECT_PRED_FORMAT2(IsSubstring, "is an older one, now ", database.lost_log());
  EXPECT_EQ(database.state().history_begins, started + 11);
  EXPECT_GT(database.state().sequence, 2 * known_batch) << "what the file itself has";
  EXPECT_TRUE(fs::exists(log_of(path()).string() + ".of-another-state-20260102T030410Z"));
}

TEST_F(LostLogTest, of_a_backup_that_was_copied_into_place_lets_history_begin_anew) {
  run_and_stop(1);
  back_up(path(), directory_ / "backup");
  run_and_stop(3);
  fs::copy(directory_ / "backup", path(), fs::copy_options::overwrite_existing);
  expect_begins_anew("not stopped cleanly");
}

TEST_F(LostLogTest, is_not_mixed_into_a_backup_that_was_copied_beside_it) {
  run_and_stop(1);
  back_up(path(), directory_ / "backup");
  run_and_kill(3);
  fs::copy(directory_ / "backup", path(), fs::copy_options::overwrite_existing);
  settings_.started = started + 10;
  Database database(settings_);
  EXPECT_PRED_FORMAT2(IsSubstring, "is not its own", database.lost_log());
  EXPECT_EQ(database.state().sequence, known_batch);
  EXPECT_EQ(database.state().history_begins, started + 11);
  expect_whole(database);
}

TEST_F(LostLogTest, begins_history_behind_what_was_told_when_the_clock_went_back) {
  run_and_kill(2);
  fs::remove(log_of(path()));
  settings_.started = started - 1000;
  Database database(settings_);
  EXPECT_NE(database.lost_log(), "");
  EXPECT_GT(database.state().history_begins, started + 1);
}

TEST_F(LostLogTest, is_none_after_kills_and_stops_and_operators_in_any_order) {
  test::Random random;
  std::uint64_t sequence = 0;
  for (int round = 0; round < 30 && !HasFailure(); ++round) {
    const auto commits = static_cast<int>(random.below(12));
    sequence += static_cast<std::uint64_t>(commits) * known_batch;
    random.below(2) == 0 ? run_and_kill(commits) : run_and_stop(commits);
    if (random.below(3) != 0) continue;
    StoppedDatabase stopped({.path = path(), .catalogue = &catalogue_, .now = started + 5});
    stopped.ban(Block(address_of("10.0.0.1")), "");
    if (random.below(2) == 0) stopped.compact();
  }
  expect_goes_on(sequence);
}

TEST_F(LostLogTest, is_none_when_a_restore_came_before) {
  run_and_stop(1);
  back_up(path(), directory_ / "backup");
  run_and_kill(3);
  restore(path(), directory_ / "backup", started + 5);
  Database database(settings_);
  EXPECT_EQ(database.lost_log(), "");
  EXPECT_EQ(database.state().history_begins, started + 6);
}

TEST_F(LostLogTest, is_none_when_a_new_database_was_filled_by_an_import) {
  StoppedDatabase(
      {.path = path(), .catalogue = &catalogue_, .now = started, .missing = StoppedDatabase::Missing::create})
      .import({}, {});
  run_and_stop(0);
  fs::remove(log_of(path()));
  expect_goes_on(0);
}

/// A server's life with all that empties or moves its log, ended at one operation of the disk after another.
class EndedLifeTest : public FaultyDiskTest {
 protected:
  void live(std::uint64_t& acknowledged) {
    Database database(settings_);
    EXPECT_EQ(database.lost_log(), "");
    for (int i = 0; i < 3 && commit_next(database) == CommitResult::done; ++i)
      acknowledged = database.state().sequence;
    database.compact();
    database.reopen();
    if (commit_next(database) == CommitResult::done) acknowledged = database.state().sequence;
    database.note_stop(started + 1);
  }

  /// False when the life was over before that many operations.
  bool expect_that_an_end_loses_no_log(std::uint64_t operation, bool with_power_loss,
                                       bool beside_a_reader = false) {
    SCOPED_TRACE(operation);
    std::optional<test::SnapshotReader> reader;
    if (beside_a_reader) reader.emplace(settings_.path);
    disk_.fail(DiskFault::stop, operation, true);
    try {
      live(acknowledged_);
    } catch (const CodedError& error) {
      EXPECT_TRUE(disk_.has_stopped()) << error.what();
    }
    const bool stopped = disk_.has_stopped();
    if (with_power_loss) reader.reset();
    with_power_loss ? disk_.lose_power(random_) : disk_.kill();
    disk_.heal();
    Database database(settings_);
    EXPECT_EQ(database.lost_log(), "");
    EXPECT_GE(database.state().sequence, acknowledged_);
    expect_whole(database);
    acknowledged_ = database.state().sequence;
    if (operation % 4 == 0) database.note_stop(started + 2);
    return stopped;
  }

  static constexpr std::uint64_t stride = test::sanitized ? 25 : 5;

 private:
  std::uint64_t acknowledged_ = 0;
};

TEST_F(EndedLifeTest, by_a_kill_at_any_operation_loses_no_log) {
  std::uint64_t operation = random_.below(stride);
  while (expect_that_an_end_loses_no_log(operation, false) && !HasFailure()) operation += stride;
}

TEST_F(EndedLifeTest, by_a_power_loss_at_any_operation_loses_no_log) {
  std::uint64_t operation = random_.below(stride);
  while (expect_that_an_end_loses_no_log(operation, true) && !HasFailure()) operation += stride;
}

TEST_F(EndedLifeTest, by_a_write_that_fails_at_any_operation_loses_no_log) {
  for (std::uint64_t operation = random_.below(stride); !HasFailure(); operation += stride) {
    SCOPED_TRACE(operation);
    const std::uint64_t failures = disk_.failures();
    disk_.fail(operation % 2 == 0 ? DiskFault::short_write : DiskFault::io_error, operation, false);
    std::uint64_t ignored = 0;
    try {
      live(ignored);
    } catch (const CodedError&) {
      // Whatever fails is told.
    }
    disk_.heal();
    const bool hit = disk_.failures() != failures;
    Database database(settings_);
    EXPECT_EQ(database.lost_log(), "");
    expect_whole(database);
    if (!hit) break;
  }
}

TEST_F(EndedLifeTest, by_a_kill_beside_a_reader_loses_no_log) {
  for (int round = 0; round < 40 && !HasFailure(); ++round)
    expect_that_an_end_loses_no_log(random_.below(600), round % 3 == 0, round % 2 == 0);
}

}  // namespace

}  // namespace lekt::storage
