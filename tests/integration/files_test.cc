// Database files that the server must not use: refused with a code, and left byte for byte as they were.
#include <csignal>
#include <fstream>
#include <string>

#include "tests/integration/daemon.h"
#include "tests/integration/raw_client.h"
#include "tests/integration/sqlite.h"
#include "tests/support/paths.h"

namespace lekt::test {

namespace {

using testing::IsSubstring;

class FilesTest : public DaemonTest {
 protected:
  /// A database with a client in it, as a clean stop leaves it, without its write-ahead log.
  void make_database() {
    RawClient client = joined(start().port(), "127.0.0.2");
    ASSERT_EQ(daemon().stop(SIGTERM), 0);
  }

  void expect_refused(const std::string& code) {
    const std::string before = read_text(database());
    Process process(program_file("lektd"), {"--listen", "127.0.0.1:0", "--database", database().string()},
                    directory_.path());
    EXPECT_EQ(process.wait(), 1);
    EXPECT_PRED_FORMAT2(IsSubstring, "lektd: " + code + " ", process.errors());
    EXPECT_PRED_FORMAT2(IsSubstring, database().filename().string(), process.errors());
    EXPECT_TRUE(read_text(database()) == before) << "the file was changed";
  }

  void overwrite(std::size_t offset, const std::string& bytes) const {
    std::fstream file(database(), std::ios::in | std::ios::out | std::ios::binary);
    file.seekp(static_cast<std::streamoff>(offset));
    file << bytes;
  }
};

}  // namespace

TEST_F(FilesTest, a_text_is_foreign) {
  std::ofstream(database()) << "Dear diary, today I did not write a database.\n";
  expect_refused("E505");
}

TEST_F(FilesTest, another_programs_database_is_foreign) {
  std::ofstream(database()).flush();
  Operator(database(), Operator::Access::read_write)
      .ask("CREATE TABLE recipes (name TEXT); PRAGMA user_version = 1");
  expect_refused("E505");
}

TEST_F(FilesTest, a_newer_version_is_refused) {
  make_database();
  Operator(database(), Operator::Access::read_write)
      .ask("PRAGMA journal_mode = DELETE; PRAGMA user_version = 1000000");
  expect_refused("E507");
}

TEST_F(FilesTest, a_corrupt_file_is_refused) {
  make_database();
  Operator(database(), Operator::Access::read_write).ask("PRAGMA journal_mode = DELETE");
  overwrite(4096 + 8, std::string(3000, '\x55'));
  expect_refused("E506");
}

TEST_F(FilesTest, a_truncated_file_is_refused) {
  make_database();
  Operator(database(), Operator::Access::read_write).ask("PRAGMA journal_mode = DELETE");
  std::filesystem::resize_file(database(), 4096 + 512);
  expect_refused("E506");
}

TEST_F(FilesTest, a_directory_that_does_not_exist_is_named) {
  const Outcome outcome =
      run(program_file("lektd"), {"--database", "/nowhere/lekt.db", "--listen", "127.0.0.1:0"});
  EXPECT_EQ(outcome.status, 1);
  EXPECT_PRED_FORMAT2(IsSubstring, "E503 the directory /nowhere does not exist", outcome.errors);
}

TEST_F(FilesTest, a_database_whose_log_was_lost_after_a_kill_begins_its_history_anew) {
  RawClient follower = joined(start().port(), "127.0.0.2");
  follower.beat();
  daemon().stop(SIGTERM);
  start();
  RawClient again = joined(daemon().port(), "127.0.0.2");
  again.continue_from(follower);
  RawClient unstored = joined(daemon().port(), "127.0.0.3");
  ASSERT_TRUE(eventually([&] { return again.beat(), again.peers().size() == 2; }, patience()));
  daemon().kill();
  std::filesystem::remove(database().string() + "-wal");

  start();
  EXPECT_TRUE(daemon().logs("event=history_begins_anew"));
  EXPECT_PRED_FORMAT2(IsSubstring, "E619", daemon().log());
  RawClient last = joined(daemon().port(), "127.0.0.2");
  last.continue_from(again);
  EXPECT_TRUE(last.beat().is_reset());
  EXPECT_EQ(last.peers().size(), 1u);
  EXPECT_TRUE(eventually([&] { return Operator(database()).ask("SELECT code FROM warnings").size() == 1; },
                         patience()));
}

TEST_F(FilesTest, a_database_whose_log_is_there_after_a_kill_goes_on) {
  RawClient follower = joined(start().port(), "127.0.0.2");
  follower.beat();
  daemon().kill();
  start();
  RawClient again = joined(daemon().port(), "127.0.0.2");
  again.continue_from(follower);
  EXPECT_FALSE(again.beat().is_reset());
  EXPECT_EQ(count(daemon().log(), "event=history_begins_anew"), 0u);
}

TEST_F(FilesTest, a_second_name_of_a_database_is_refused) {
  make_database();
  std::filesystem::create_hard_link(database(), directory_.path() / "second.db");
  expect_refused("E513");
}

TEST_F(FilesTest, an_empty_file_is_as_good_as_none) {
  std::ofstream(database()).flush();
  joined(start().port(), "127.0.0.2").beat();
}

}  // namespace lekt::test
