// Every operation of the disk fails once, or from one on: while the database is opened, and while it is used.
//
// The writer's way through the same faults is tests/core/writer_disk_test.cc.
#include <optional>
#include <utility>

#include "tests/disk/snapshot_reader.h"
#include "tests/storage/disk_fixture.h"

namespace lekt::storage {

namespace {

using test::DiskTrouble;

/// Which operations are tried: all, or under a sanitizer one in seven, different ones in each run.
constexpr std::uint64_t stride = test::sanitized ? 7 : 1;

class FaultTest : public FaultyDiskTest, public testing::WithParamInterface<DiskTrouble> {
 protected:
  void begin_trouble(std::uint64_t operation) { disk_.fail(GetParam().fault, operation, GetParam().lasts); }

  /// Ends the trouble; false when it has hit nothing, so there is no further operation to fail.
  bool end_trouble() {
    disk_.heal();
    return disk_.failures() != std::exchange(failures_, disk_.failures());
  }

  /// Nothing when the database was opened; a failure of the test when it is told to be foreign, damaged or
  /// newer.
  void try_to_open() {
    try {
      Database database(settings_);
    } catch (const CodedError& error) {
      EXPECT_EQ(error.code(), ErrorCode::database_unusable) << error.what();
    }
  }

 private:
  std::uint64_t failures_ = 0;
};

TEST_P(FaultTest, in_the_first_start_is_told_and_leaves_no_file_behind) {
  bool hit = true;
  for (std::uint64_t operation = random_.below(stride); hit && !HasFailure(); operation += stride) {
    SCOPED_TRACE(operation);
    begin_anew(operation);
    begin_trouble(operation);
    bool opened = false;
    try {
      const Database database(settings_);
      opened = true;
    } catch (const CodedError& error) {
      EXPECT_EQ(error.code(), ErrorCode::database_unusable) << error.what();
    }
    hit = end_trouble();
    if (!opened) {
      EXPECT_EQ(files_in(directory_), std::vector<std::string>{});
    }
    Database database(settings_);
    EXPECT_EQ(database.state().second, started + 1);
    std::filesystem::remove(settings_.path);
    std::filesystem::remove(settings_.path.string() + "-wal");
    std::filesystem::remove(settings_.path.string() + "-shm");
    std::filesystem::remove(settings_.path.string() + ".lock");
  }
}

TEST_P(FaultTest, in_a_later_start_is_told_and_changes_nothing) {
  std::uint64_t acknowledged = 0;
  bool hit = true;
  for (std::uint64_t operation = random_.below(stride); hit && !HasFailure(); operation += stride) {
    SCOPED_TRACE(operation);
    {
      // What is in the log is read by the next start, or was copied back by a clean end.
      Database database(settings_);
      ASSERT_EQ(commit_next(database), CommitResult::done);
      acknowledged = database.state().sequence;
      if (operation % 2 == 0) disk_.kill();
    }
    begin_trouble(operation);
    try_to_open();
    hit = end_trouble();
    if (operation % 3 == 0) disk_.lose_power(random_);
    Database database(settings_);
    EXPECT_EQ(database.state().sequence, acknowledged);
    expect_whole(database);
  }
}

TEST_P(FaultTest, in_a_commit_or_checkpoint_loses_nothing_that_was_acknowledged) {
  std::uint64_t acknowledged = 0;
  bool hit = true;
  for (std::uint64_t operation = random_.below(stride); hit && !HasFailure(); operation += stride) {
    SCOPED_TRACE(operation);
    {
      Database database(settings_);
      begin_trouble(operation);
      try {
        for (int commits = 0; commits < 8; ++commits) {
          ASSERT_EQ(commit_next(database), CommitResult::done);
          acknowledged = database.state().sequence;
        }
      } catch (const CodedError& error) {
        EXPECT_EQ(error.code(), ErrorCode::commit_failed) << error.what();
      }
      hit = end_trouble();
      database.reopen();
      ASSERT_GE(database.state().sequence, acknowledged);
      ASSERT_LE(database.state().sequence, acknowledged + known_batch);
      expect_whole(database);
      if (operation % 2 == 0) {
        ASSERT_EQ(commit_next(database), CommitResult::done);
      }
      acknowledged = database.state().sequence;
      disk_.lose_power(random_);
    }
    Database database(settings_);
    EXPECT_EQ(database.state().sequence, acknowledged) << "what reopen() has read is safe";
    expect_whole(database);
  }
}

// While a reader keeps the log's index, nobody reads the log anew: a failed commit stands behind its end, and
// a part that was copied back is not copied again.
TEST_P(FaultTest, beside_a_reader_loses_nothing_and_brings_nothing_back) {
  std::uint64_t acknowledged = 0;
  const auto commit_some = [&](Database& database, int commits) {
    try {
      for (; commits > 0 && commit_next(database) == CommitResult::done; --commits)
        acknowledged = database.state().sequence;
    } catch (const CodedError&) {
      end_trouble();
      database.reopen();
      acknowledged = database.state().sequence;
    }
  };
  bool hit = true;
  for (std::uint64_t operation = random_.below(stride); hit && !HasFailure(); operation += stride) {
    SCOPED_TRACE(operation);
    begin_anew(operation);
    const std::uint64_t failures = disk_.failures();
    {
      Database database(settings_);
      commit_some(database, 4);
      std::optional<test::SnapshotReader> reader(settings_.path);
      begin_trouble(operation);
      commit_some(database, 4);
      if (operation % 2 == 0) reader.reset();
      commit_some(database, 8);
      hit = disk_.failures() != failures;
      end_trouble();
      reader.reset();
      if (operation % 3 == 0) commit_some(database, 4);
      disk_.lose_power(random_);
    }
    Database database(settings_);
    EXPECT_EQ(database.state().sequence, acknowledged);
    expect_whole(database);
  }
}

INSTANTIATE_TEST_SUITE_P(Each, FaultTest, testing::ValuesIn(test::disk_troubles),
                         [](const auto& trouble) { return trouble.param.name; });

}  // namespace

}  // namespace lekt::storage
