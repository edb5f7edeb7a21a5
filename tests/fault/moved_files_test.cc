// The database deleted, moved away or replaced under the running server, as a hand at three in the morning
// does it. What is written into a file without a name is gone with the process: so nobody is told of it,
// joins are refused with a code, heartbeats go on, and when the file is back so is the server.
#include <csignal>
#include <ctime>
#include <fstream>
#include <optional>
#include <string>
#include <vector>

#include "tests/fault/fault_support.h"
#include "tests/integration/sqlite.h"
#include "tests/support/paths.h"

namespace lekt::test {

namespace {

using testing::IsSubstring;
namespace fs = std::filesystem;

class MovedFilesTest : public FaultTest {
 protected:
  void SetUp() override {
    start({"--restart-grace", "1h"});
    observer_.emplace(joined(daemon().port(), "127.0.0.2"));
    observer_->beat();
    fs::create_directory(directory_.path() / "away");
  }

  fs::path file(const std::string& suffix) const { return database().string() + suffix; }
  fs::path away(const std::string& suffix) const { return directory_.path() / "away" / ("lekt.db" + suffix); }
  void move_away(const std::string& suffix) const { fs::rename(file(suffix), away(suffix)); }
  void put_back(const std::string& suffix) const { fs::rename(away(suffix), file(suffix)); }

  void expect_only_joins_suffer() {
    const std::string refusal = try_to_join("127.0.0.3");
    EXPECT_PRED_FORMAT2(IsSubstring, "E403 the server's database cannot be written at the moment", refusal);
    EXPECT_TRUE(daemon().logs("under the running server; put it back, or restart"));
    const std::vector<std::string> before = observer_->peers();
    for (int heartbeat = 0; heartbeat < 100; ++heartbeat) observer_->beat();
    EXPECT_EQ(observer_->peers(), before);
  }

  void expect_recovers() {
    expect_joins_again("127.0.0.4", *observer_);
    EXPECT_TRUE(daemon().logs("event=storage_recovered"));
    RawClient last = joined(daemon().port(), "127.0.0.5");
    expect_holds_the_list(*observer_);
    daemon().kill();
    EXPECT_EQ(observer_->peers(), stored_peers()) << "all that was told is in the file of that name";
    EXPECT_EQ(Operator(database()).ask_one("PRAGMA quick_check"), "ok");
  }

  std::optional<RawClient> observer_;
};

const std::vector<std::string> all_files = {"", "-wal", "-shm", ".lock"};

}  // namespace

TEST_F(MovedFilesTest, the_database_moved_away_and_back) {
  move_away("");
  expect_only_joins_suffer();
  put_back("");
  expect_recovers();
}

TEST_F(MovedFilesTest, all_files_moved_away_and_back) {
  for (const std::string& suffix : all_files) move_away(suffix);
  expect_only_joins_suffer();
  for (const std::string& suffix : all_files) put_back(suffix);
  expect_recovers();
}

TEST_F(MovedFilesTest, a_log_that_is_deleted_is_saved_from_memory_that_is_still_open) {
  fs::remove(file("-wal"));
  expect_recovers();
}

TEST_F(MovedFilesTest, shared_memory_that_is_deleted_is_made_anew) {
  fs::remove(file("-shm"));
  expect_recovers();
}

TEST_F(MovedFilesTest, log_and_shared_memory_that_are_deleted_lose_nothing) {
  fs::remove(file("-wal"));
  fs::remove(file("-shm"));
  expect_recovers();
}

TEST_F(MovedFilesTest, a_lock_that_is_deleted_is_taken_again) {
  fs::remove(file(".lock"));
  expect_joins_again("127.0.0.4", *observer_);
  const Outcome second =
      run(program_file("lektd"), {"--listen", "127.0.0.1:0", "--database", database().string()});
  EXPECT_EQ(second.status, 1);
  EXPECT_PRED_FORMAT2(IsSubstring, "E504", second.errors);
  expect_recovers();
}

TEST_F(MovedFilesTest, a_lock_that_another_server_has_taken_is_left_to_it) {
  fs::remove(file(".lock"));
  Daemon second(directory_.path(), {"--restart-grace", "1h", "--control-socket", "none"});
  RawClient elsewhere = joined(second.port(), "127.0.0.6");
  expect_only_joins_suffer();
  EXPECT_EQ(daemon().stop(SIGTERM), 0);
  EXPECT_TRUE(fs::exists(file(".lock")));
  EXPECT_EQ(elsewhere.beat().added.size(), 2u);
  EXPECT_EQ(second.stop(SIGTERM), 0);
  EXPECT_EQ(Operator(database()).ask_one("PRAGMA quick_check"), "ok");
  EXPECT_EQ(listed(database()), (std::vector<std::string>{"127.0.0.2", "127.0.0.6"}));
}

// The old log must not be mixed into the new file: an operator who restores a backup in this way has done it
// wrong, and it works all the same.
TEST_F(MovedFilesTest, a_backup_over_the_database_is_used_from_the_next_start_on) {
  Operator(database()).ask("VACUUM INTO '" + away("").string() + "'");
  RawClient later = joined(daemon().port(), "127.0.0.7");
  expect_holds_the_list(*observer_);
  put_back("");
  expect_only_joins_suffer();
  EXPECT_EQ(count(daemon().log(), "event=storage_recovered"), 0u);
  EXPECT_EQ(daemon().stop(SIGTERM), 0);
  start({"--restart-grace", "1h"});
  EXPECT_EQ(Operator(database()).ask_one("PRAGMA quick_check"), "ok");
  EXPECT_EQ(listed(database()), std::vector<std::string>{"127.0.0.2"});
}

TEST_F(MovedFilesTest, the_database_deleted_for_good_is_made_anew_at_the_next_start) {
  for (const std::string& suffix : all_files) fs::remove(file(suffix));
  expect_only_joins_suffer();
  EXPECT_EQ(daemon().stop(SIGTERM), 0);
  // A database that is younger than two seconds can give out the same timestamps as its successor.
  ASSERT_TRUE(eventually([&] { return std::time(nullptr) > observer_->view().next_timestamp() + 1; }));
  start();
  RawClient back = joined(daemon().port(), "127.0.0.2");
  back.continue_from(*observer_);
  EXPECT_TRUE(back.beat().is_reset());
  expect_holds_the_list(back);
}

TEST_F(MovedFilesTest, a_log_that_another_program_has_made_meanwhile_is_not_mixed_in) {
  fs::remove(file("-wal"));
  fs::remove(file("-shm"));
  std::ofstream(file("-wal")) << "somebody else's";
  expect_only_joins_suffer();
  fs::remove(file("-wal"));
  expect_recovers();
}

}  // namespace lekt::test
