// Death in the middle: what was acknowledged is there. And a full disk, after which the database goes on.
#include <sys/mount.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>

#include "storage/backup.h"
#include "tests/storage/support.h"

namespace lekt::storage {

namespace {

class CrashTest : public StorageTest {
 protected:
  CrashTest() { settings_.checkpoint_bytes = 32 * 1024; }
};

TEST_F(CrashTest, a_killed_process_loses_nothing_that_it_has_acknowledged) {
  test::Random random;
  for (int round = 0; round < 20; ++round) {
    Child child([&](int output) {
      Database database(settings_);
      while (commit_next(database) == CommitResult::done) send_number(output, database.state().sequence);
    });
    std::uint64_t acknowledged = 0;
    for (std::uint64_t reads = 1 + random.below(100); reads > 0; --reads)
      ASSERT_TRUE(child.read(acknowledged));
    child.kill();
    while (child.read(acknowledged)) continue;

    Database database(settings_);
    EXPECT_GE(database.state().sequence, acknowledged);
    EXPECT_LE(database.state().sequence, acknowledged + known_batch)
        << "at most the batch that was in flight";
    expect_whole(database);
  }
}

TEST_F(CrashTest, a_first_start_that_is_killed_at_any_moment_is_taken_up_by_the_next) {
  test::Random random;
  for (int round = 0; round < 40; ++round) {
    settings_.path = directory_ / ("round" + std::to_string(round) + ".db");
    {
      Child child([&](int output) {
        send_number(output, 1);
        Database database(settings_);
        pause();
      });
      std::uint64_t begun = 0;
      ASSERT_TRUE(child.read(begun));
      usleep(static_cast<useconds_t>(random.below(30'000)));  // a first start takes 1 to 50 ms
    }
    Database database(settings_);
    EXPECT_EQ(database.state().second, started + 1);
    EXPECT_EQ(commit_next(database), CommitResult::done);
  }
}

class FullDiskTest : public CrashTest {
 protected:
  void SetUp() override {
    if (mount("lekt-test", directory_.c_str(), "tmpfs", 0, "size=512k") != 0)
      GTEST_SKIP() << "needs a small file system, and mount says: " << std::strerror(errno);
    mounted_ = true;
  }
  ~FullDiskTest() override {
    if (mounted_) umount2(directory_.c_str(), MNT_DETACH);
  }

  bool mounted_ = false;
};

TEST_F(FullDiskTest, refuses_a_commit_and_goes_on_when_there_is_space) {
  settings_.checkpoint_bytes = 64 * 1024 * 1024;  // never, so that the log fills the disk
  Database database(settings_);
  CodedError error(ErrorCode::start_failed, "");
  for (int i = 0; i < 10'000 && error.code() != ErrorCode::commit_failed; ++i) {
    try {
      ASSERT_EQ(commit_next(database), CommitResult::done);
    } catch (const CodedError& thrown) {
      error = thrown;
    }
  }
  ASSERT_EQ(error.code(), ErrorCode::commit_failed);
  EXPECT_NE(std::string(error.what()).find("full"), std::string::npos) << error.what();

  const std::uint64_t acknowledged = database.state().sequence;
  ASSERT_GT(acknowledged, 0u);
  // Whether it opens depends on whether the log has room for the one page that the opening writes.
  try {
    database.reopen();
  } catch (const CodedError& thrown) {
    EXPECT_EQ(thrown.code(), ErrorCode::database_unusable) << thrown.what();
  }

  ASSERT_EQ(mount("lekt-test", directory_.c_str(), "tmpfs", MS_REMOUNT, "size=16m"), 0);
  database.reopen();
  EXPECT_EQ(database.state().sequence, acknowledged);
  expect_whole(database);
  EXPECT_EQ(commit_next(database), CommitResult::done);
  EXPECT_EQ(database.state().sequence, acknowledged + known_batch);
  expect_whole(database);
}

TEST_F(FullDiskTest, takes_no_backup_and_names_the_file_that_has_no_space) {
  const test::TempDirectory elsewhere;
  settings_.path = elsewhere.path() / "lekt.db";
  Database database(settings_);
  commit_next(database);
  write_file(directory_ / "filler", std::string(496 * 1024, 'x'));
  const CodedError error = error_of([&] { back_up(settings_.path, directory_ / "copy.db"); });
  EXPECT_EQ(error.code(), ErrorCode::database_unusable);
  EXPECT_PRED_FORMAT2(testing::IsSubstring, "cannot use " + (directory_ / "copy.db").string() + ": ",
                      error.what());
  EXPECT_PRED_FORMAT2(testing::IsSubstring, "full (SQLite error 13)", error.what());
  EXPECT_EQ(files_in(directory_), std::vector<std::string>{"filler"});
}

TEST_F(FullDiskTest, leaves_no_file_behind_when_there_is_no_space_for_the_first_one) {
  write_file(directory_ / "filler", std::string(1024 * 1024, 'x'));
  const CodedError error = error_of([&] { Database database(settings_); });
  EXPECT_EQ(error.code(), ErrorCode::database_unusable) << error.what();
  EXPECT_EQ(files_in(directory_), std::vector<std::string>{"filler"});
}

}  // namespace

}  // namespace lekt::storage
