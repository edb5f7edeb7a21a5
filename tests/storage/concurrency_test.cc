// Operators' programs at the same file: readers never stop a commit, and a writer delays it for a bounded
// time.
#include <SQLiteCpp/SQLiteCpp.h>
#include <fcntl.h>
#include <unistd.h>

#include <chrono>

#include "common/descriptor.h"
#include "tests/storage/support.h"

namespace lekt::storage {

namespace {

namespace fs = std::filesystem;

class ConcurrencyTest : public StorageTest {
 protected:
  ConcurrencyTest() {
    settings_.durable = false;
    settings_.checkpoint_bytes = 64 * 1024;
  }

  SQLite::Database reader() const { return SQLite::Database(path().string(), SQLite::OPEN_READONLY); }
  std::uintmax_t wal_size() const { return fs::file_size(path().string() + "-wal"); }

  /// So many commits of one change each, to the same few addresses.
  void commit_some(Database& database, int count) {
    for (int i = 0; i < count; ++i) {
      const std::uint64_t sequence = database.state().sequence + 1;
      const Address address = Address::v4(0x0a000001u + static_cast<std::uint32_t>(sequence % 10));
      ASSERT_EQ(
          commit(database, {added(sequence, started + 1, address, {{tcp_index, tcp_information(7890)}})}),
          CommitResult::done);
    }
  }
};

TEST_F(ConcurrencyTest, a_foreign_write_lock_means_busy_and_nothing_written) {
  settings_.busy_wait = std::chrono::milliseconds(20);
  Database database(settings_);
  SQLite::Database other(path().string(), SQLite::OPEN_READWRITE);
  other.exec("BEGIN IMMEDIATE");
  const LogState before = database.state();
  const auto begin = std::chrono::steady_clock::now();
  EXPECT_EQ(commit(database, {added(1, started + 1, "10.0.0.1")}), CommitResult::busy);
  EXPECT_GE(std::chrono::steady_clock::now() - begin, settings_.busy_wait);
  EXPECT_EQ(database.state(), before);
  EXPECT_TRUE(load_all(database).empty());
  other.exec("ROLLBACK");
  EXPECT_EQ(commit(database, {added(1, started + 1, "10.0.0.1")}), CommitResult::done);
  EXPECT_EQ(load_all(database).size(), 1u);
}

TEST_F(ConcurrencyTest, a_foreign_write_lock_at_the_start_is_named) {
  { Database database(settings_); }
  SQLite::Database other(path().string(), SQLite::OPEN_READWRITE);
  other.exec("BEGIN IMMEDIATE");
  settings_.busy_wait = std::chrono::milliseconds(20);
  const CodedError error = error_of([&] { Database database(settings_); });
  EXPECT_EQ(error.code(), ErrorCode::database_unusable) << error.what();
  EXPECT_NE(std::string(error.what()).find("write lock"), std::string::npos) << error.what();
}

TEST_F(ConcurrencyTest, a_reader_stops_no_commit_and_what_he_holds_back_is_told) {
  Database database(settings_);
  commit_some(database, 1);
  SQLite::Database other = reader();
  other.exec("BEGIN");
  EXPECT_EQ(other.execAndGet("SELECT count(*) FROM clients").getInt(), 1);
  commit_some(database, 200);
  const std::size_t held = database.wal_bytes_held();
  EXPECT_GT(held, settings_.checkpoint_bytes);
  EXPECT_GE(wal_size(), held);
  commit_some(database, 200);
  EXPECT_GT(database.wal_bytes_held(), held);
  EXPECT_EQ(other.execAndGet("SELECT count(*) FROM clients").getInt(), 1) << "the reader keeps his view";

  other.exec("ROLLBACK");
  commit_some(database, 3);
  EXPECT_EQ(database.wal_bytes_held(), 0u);
  EXPECT_LE(wal_size(), 2 * settings_.checkpoint_bytes) << "the log has started over and is small again";
}

TEST_F(ConcurrencyTest, a_log_that_overlapping_readers_keep_from_starting_over_is_told) {
  Database database(settings_);
  commit_some(database, 1);
  SQLite::Database one = reader();
  SQLite::Database two = reader();
  const auto look = [](SQLite::Database& other) {
    other.exec("BEGIN");
    other.execAndGet("SELECT count(*) FROM clients");
  };
  look(one);
  for (int turn = 0; turn < 10; ++turn) {
    commit_some(database, 10);
    look(two);
    one.exec("ROLLBACK");
    commit_some(database, 10);
    look(one);
    two.exec("ROLLBACK");
  }
  EXPECT_GT(wal_size(), 4 * settings_.checkpoint_bytes);
  EXPECT_GT(database.wal_bytes_held(), 4 * settings_.checkpoint_bytes);

  one.exec("ROLLBACK");
  commit_some(database, 3);
  EXPECT_EQ(database.wal_bytes_held(), 0u);
  EXPECT_LE(wal_size(), 2 * settings_.checkpoint_bytes);
}

TEST_F(ConcurrencyTest, a_reader_does_not_keep_the_database_from_closing_or_opening) {
  {
    Database database(settings_);
    commit_some(database, 1);
  }
  Child child([&](int output) {
    SQLite::Database other = reader();
    SQLite::Statement statement(other, "SELECT * FROM clients");
    statement.executeStep();
    send_number(output, 1);
    pause();
  });
  std::uint64_t reading = 0;
  ASSERT_TRUE(child.read(reading));
  {
    Database database(settings_);
    commit_some(database, 100);
    EXPECT_GT(database.wal_bytes_held(), 0u) << "the reader is there";
  }
  Database database(settings_);
  EXPECT_EQ(database.state().sequence, 101u);
  database.reopen();
  EXPECT_EQ(database.state().sequence, 101u);
  EXPECT_EQ(load_all(database).size(), 10u);
}

// Without them the shell of an operator would be the last user of the database, and would delete its log.
TEST_F(ConcurrencyTest, a_reopen_beside_a_reader_in_the_server_loses_no_locks) {
  Database database(settings_);
  commit_some(database, 1);
  SQLite::Database within_the_server = reader();
  EXPECT_EQ(within_the_server.execAndGet("SELECT count(*) FROM clients").getInt(), 1);
  database.reopen();
  Child other([&](int output) {
    constexpr off_t shared_first = 0x40000002;  // https://sqlite.org/src, os.h: SHARED_FIRST and SHARED_SIZE
    constexpr off_t shared_size = 510;
    const Descriptor file(open(path().c_str(), O_RDWR | O_CLOEXEC));
    struct flock wanted {};
    wanted.l_type = F_WRLCK;
    wanted.l_start = shared_first;
    wanted.l_len = shared_size;
    if (fcntl(file.value(), F_GETLK, &wanted) != 0) return;
    send_number(output, wanted.l_type == F_RDLCK ? 1 : 0);
  });
  std::uint64_t is_held = 0;
  ASSERT_TRUE(other.read(is_held));
  EXPECT_EQ(is_held, 1u);
}

TEST_F(ConcurrencyTest, a_reader_of_a_stopped_database_does_not_take_its_log_away) {
  { Database database(settings_); }
  EXPECT_NE(shell(path(), "select * from server").find("0.1.0"), std::string::npos);
  EXPECT_TRUE(fs::exists(path().string() + "-wal"));
  EXPECT_TRUE(fs::exists(path().string() + "-shm"));
}

}  // namespace

}  // namespace lekt::storage
