// The faulty disk itself: what a power loss may take, and what it may not.
#include "tests/disk/disk.h"

#include <filesystem>
#include <set>

namespace lekt::test {
namespace {

Bytes sectors(std::string_view letters) {
  Bytes bytes;
  for (const char letter : letters) bytes.append(DiskFile::sector_bytes, letter);
  return bytes;
}

/// One letter a sector, "." for one of zeros.
std::string letters(const Bytes& bytes) {
  std::string result;
  for (std::size_t offset = 0; offset < bytes.size(); offset += DiskFile::sector_bytes)
    result.push_back(bytes[offset] == '\0' ? '.' : bytes[offset]);
  return result;
}

/// Everything that many power losses leave.
std::set<std::string> left_of(const DiskFile& file) {
  Random random(1);
  std::set<std::string> left;
  for (int round = 0; round < 2000; ++round)
    left.insert(letters(file.after_power_loss(random, static_cast<unsigned>(random.below(101)))));
  return left;
}

TEST(DiskFile, a_power_loss_leaves_any_part_of_what_was_not_synced) {
  DiskFile file(sectors("ab"));
  file.write(0, sectors("xy"));
  EXPECT_EQ(letters(file.seen()), "xy");
  EXPECT_EQ(left_of(file), (std::set<std::string>{"ab", "ay", "xb", "xy"}));
}

TEST(DiskFile, what_was_synced_stays) {
  DiskFile file(sectors("ab"));
  file.write(0, sectors("xyz"));
  file.sync();
  EXPECT_EQ(left_of(file), std::set<std::string>{"xyz"});
}

TEST(DiskFile, a_sector_that_was_written_twice_may_hold_any_of_its_contents) {
  DiskFile file(sectors("a"));
  file.write(0, sectors("x"));
  file.write(0, sectors("y"));
  EXPECT_EQ(left_of(file), (std::set<std::string>{"a", "x", "y"}));
}

TEST(DiskFile, a_file_that_has_grown_may_be_short_or_hold_zeros) {
  DiskFile file(sectors("a"));
  file.write(DiskFile::sector_bytes, sectors("x"));
  EXPECT_EQ(left_of(file), (std::set<std::string>{"a", "a.", "ax"}));
}

TEST(DiskFile, a_file_that_was_cut_is_so_or_as_it_was) {
  DiskFile file(sectors("abc"));
  file.truncate(DiskFile::sector_bytes);
  EXPECT_EQ(left_of(file), (std::set<std::string>{"a", "abc"}));
  file.write(0, sectors("x"));
  EXPECT_EQ(left_of(file), (std::set<std::string>{"a", "x", "abc"}));
  file.sync();
  EXPECT_EQ(left_of(file), std::set<std::string>{"x"});
}

TEST(DiskFile, after_a_failed_sync_the_next_one_does_not_save_what_reads_see) {
  DiskFile file(sectors("ab"));
  file.write(0, sectors("x"));
  file.fail_sync();
  file.sync();
  EXPECT_EQ(letters(file.seen()), "xb");
  EXPECT_EQ(left_of(file), (std::set<std::string>{"ab", "xb"}));
  file.write(0, sectors("x"));
  file.sync();
  EXPECT_EQ(left_of(file), std::set<std::string>{"xb"}) << "written again, it is";
}

class DiskTest : public testing::Test {
 protected:
  ~DiskTest() override { close(); }

  void open() { ASSERT_EQ(sqlite3_open(path().c_str(), &connection_), SQLITE_OK); }
  void close() {
    sqlite3_close(connection_);
    connection_ = nullptr;
  }
  int execute(const char* sql) { return sqlite3_exec(connection_, sql, nullptr, nullptr, nullptr); }
  int survivors(const char* synchronous);
  std::string path() const { return directory_.path() / "test.db"; }

  TempDirectory directory_{directory_in_memory()};
  Random random_{7};
  Disk disk_{7};
  sqlite3* connection_ = nullptr;
};

TEST_F(DiskTest, the_operation_that_a_test_names_fails_once_or_from_then_on) {
  open();
  ASSERT_EQ(execute("CREATE TABLE t (a)"), SQLITE_OK);
  disk_.fail(DiskFault::full, 1, false);
  EXPECT_EQ(execute("INSERT INTO t VALUES (1)"), SQLITE_FULL);
  EXPECT_EQ(execute("INSERT INTO t VALUES (1)"), SQLITE_OK);
  EXPECT_EQ(disk_.failures(), 1u);
  disk_.fail(DiskFault::io_error, 0, true);
  EXPECT_EQ(execute("INSERT INTO t VALUES (1)"), SQLITE_IOERR);
  EXPECT_EQ(execute("INSERT INTO t VALUES (1)"), SQLITE_IOERR);
  disk_.heal();
  EXPECT_EQ(execute("INSERT INTO t VALUES (1)"), SQLITE_OK);
}

TEST_F(DiskTest, what_was_open_when_the_power_went_is_of_no_use) {
  open();
  disk_.lose_power(random_);
  EXPECT_EQ(execute("CREATE TABLE t (a)"), SQLITE_IOERR);
  close();
  open();
  EXPECT_EQ(execute("CREATE TABLE t (a)"), SQLITE_OK);
}

/// How many of 50 commits in a write-ahead log are there, if the power goes after each.
int DiskTest::survivors(const char* synchronous) {
  int survivors = 0;
  for (int round = 0; round < 50; ++round) {
    for (const char* suffix : {"", "-wal", "-shm", "-journal"}) std::filesystem::remove(path() + suffix);
    open();
    EXPECT_EQ(execute("PRAGMA journal_mode = WAL"), SQLITE_OK);
    EXPECT_EQ(execute(synchronous), SQLITE_OK);
    EXPECT_EQ(execute("CREATE TABLE t (a)"), SQLITE_OK);
    disk_.lose_power(random_);
    close();
    open();
    survivors += execute("SELECT * FROM t") == SQLITE_OK;
    close();
  }
  return survivors;
}

TEST_F(DiskTest, a_commit_that_is_not_synced_may_be_lost_and_one_that_is_may_not) {
  const int survivors_unsynced = survivors("PRAGMA synchronous = OFF");
  EXPECT_GT(survivors_unsynced, 5);
  EXPECT_LT(survivors_unsynced, 45);
  EXPECT_EQ(survivors("PRAGMA synchronous = FULL"), 50);
}

}  // namespace
}  // namespace lekt::test
