#include "storage/database.h"

#include "tests/storage/support.h"

namespace lekt::storage {

namespace {

using Lines = std::vector<std::string>;
using DatabaseTest = StorageTest;

TEST_F(DatabaseTest, begins_a_new_history_at_the_second_after_the_start) {
  Database database(settings_);
  const LogState expected{
      .second = started + 1, .sequence = 0, .history_begins = started, .forgotten_sequence = 0};
  EXPECT_EQ(database.state(), expected);
  EXPECT_TRUE(load_all(database).empty());
}

TEST_F(DatabaseTest, gives_back_what_was_committed_after_it_was_closed) {
  const LogState state{
      .second = started + 20, .sequence = 9, .history_begins = started + 3, .forgotten_sequence = 2};
  {
    Database database(settings_);
    Batch batch;
    batch.state = state;
    const std::vector<Change> changes = {added(7, started + 5, "10.0.0.7"),
                                         added(8, started + 5, "255.255.255.255", 1),
                                         removed(9, started + 6, "0.0.0.1")};
    batch.changes = changes;
    EXPECT_EQ(database.commit(batch), CommitResult::done);
    EXPECT_EQ(database.state(), state);
  }
  settings_.started = started + 1000;
  Database database(settings_);
  EXPECT_EQ(database.state(), state);
  EXPECT_EQ(describe(load_all(database)),
            (Lines{"7 A 10.0.0.7 tcp:7890 @1767323045", "8 A 255.255.255.255 tcp:1 @1767323045",
                   "9 R 0.0.0.1 @1767323046"}));
}

TEST_F(DatabaseTest, keeps_methods_byte_for_byte_whether_the_catalogue_knows_them_or_not) {
  const Methods methods = {
      {1, tcp_information(7890)}, {1, tcp_information(7891)}, {9, Bytes("\0\0\0\1\xff\0\0\0", 8)}, {12, ""}};
  Database database(settings_);
  commit(database, {added(1, started + 1, address_of("10.0.0.7"), methods),
                    added(2, started + 1, address_of("10.0.0.8"), {})});
  const std::vector<Change> loaded = load_all(database);
  ASSERT_EQ(loaded.size(), 2u);
  EXPECT_EQ(loaded[0].methods, methods);
  EXPECT_EQ(loaded[1].methods, Methods{});
}

TEST_F(DatabaseTest, holds_the_newest_change_of_an_address_in_the_order_of_the_sequence) {
  Database database(settings_);
  commit(database, {added(1, started + 1, "10.0.0.1"), added(2, started + 1, "10.0.0.2"),
                    added(3, started + 2, "10.0.0.3")});
  commit(database, {added(4, started + 3, "10.0.0.1", 80), removed(5, started + 3, "10.0.0.3")});
  commit(database, {added(6, started + 4, "10.0.0.3")});
  EXPECT_EQ(describe(load_all(database)),
            (Lines{"2 A 10.0.0.2 tcp:7890 @1767323041", "4 A 10.0.0.1 tcp:80 @1767323043",
                   "6 A 10.0.0.3 tcp:7890 @1767323044"}));
}

TEST_F(DatabaseTest, forgets_removals_before_a_second_and_nothing_else) {
  Database database(settings_);
  commit(database, {added(1, started + 1, "10.0.0.1"), removed(2, started + 1, "10.0.0.2"),
                    removed(3, started + 2, "10.0.0.3"), removed(4, started + 3, "10.0.0.4")});
  Batch batch;
  batch.state = database.state();
  batch.state.history_begins = started + 3;
  batch.state.forgotten_sequence = 3;
  batch.forget_before = started + 3;
  EXPECT_EQ(database.commit(batch), CommitResult::done);
  EXPECT_EQ(describe(load_all(database)),
            (Lines{"1 A 10.0.0.1 tcp:7890 @1767323041", "4 R 10.0.0.4 @1767323043"}));
}

TEST_F(DatabaseTest, remembers_since_when_a_client_is_present) {
  Database database(settings_);
  const auto since = [&] { return shell(path(), "select since from clients"); };
  commit(database, {added(1, started + 10, "10.0.0.1")});
  commit(database, {added(2, started + 20, "10.0.0.1", 80)});
  EXPECT_NE(since().find("03:04:10"), std::string::npos) << "a change of methods is not a join: " << since();
  commit(database, {removed(3, started + 30, "10.0.0.1")});
  commit(database, {added(4, started + 40, "10.0.0.1")});
  EXPECT_NE(since().find("03:04:40"), std::string::npos) << since();
}

TEST_F(DatabaseTest, writes_presences_of_present_clients_only) {
  Database database(settings_);
  commit(database, {added(1, started + 1, "10.0.0.1"), removed(2, started + 1, "10.0.0.2")});
  commit(database, {},
         {{address_of("10.0.0.1"), 3, started + 9},
          {address_of("10.0.0.2"), 1, started + 9},
          {address_of("10.0.0.3"), 1, started + 9}});
  EXPECT_EQ(shell(path(), "select address, sessions, last_heard from clients"),
            "address   sessions  last_heard         \n"
            "--------  --------  -------------------\n"
            "10.0.0.1  3         2026-01-02 03:04:09\n");
  EXPECT_EQ(shell(path(), "select sum(sessions) as all_sessions from client_record"),
            "all_sessions\n------------\n3           \n");
  commit(database, {}, {{address_of("10.0.0.1"), 2, 0}});
  EXPECT_EQ(shell(path(), "select sessions, last_heard from clients"),
            "sessions  last_heard         \n"
            "--------  -------------------\n"
            "2         2026-01-02 03:04:09\n");
}

TEST_F(DatabaseTest, has_an_identity_of_its_own_for_ever) {
  LogIdentity first;
  {
    Database database(settings_);
    first = database.identity();
    commit_next(database);
    database.reopen();
    EXPECT_EQ(database.identity(), first);
  }
  EXPECT_EQ(Database(settings_).identity(), first);
  settings_.path = directory_ / "other.db";
  EXPECT_NE(Database(settings_).identity(), first);
}

TEST_F(DatabaseTest, makes_no_identity_that_it_does_not_keep) {
  settings_.make_identity = []() -> LogIdentity { throw std::runtime_error("no random bytes"); };
  EXPECT_THROW(Database{settings_}, std::runtime_error);
  EXPECT_FALSE(std::filesystem::exists(path()));
  settings_.make_identity = [] { return LogIdentity{0xab}; };
  EXPECT_EQ(lekt::to_string(Database(settings_).identity()), "ab000000000000000000000000000000");
}

TEST_F(DatabaseTest, goes_on_after_a_reopen) {
  Database database(settings_);
  commit(database, {added(1, started + 1, "10.0.0.1")});
  const LogState before = database.state();
  database.reopen();
  EXPECT_EQ(database.state(), before);
  commit(database, {added(2, started + 2, "10.0.0.2")});
  EXPECT_EQ(load_all(database).size(), 2u);
}

TEST_F(DatabaseTest, counts_a_start_but_not_a_reopen) {
  const auto run = [&] { return shell(path(), "select run from server_record"); };
  {
    Database database(settings_);
    database.reopen();
    EXPECT_EQ(run(), "run\n---\n1  \n");
  }
  const Database database(settings_);
  EXPECT_EQ(run(), "run\n---\n2  \n");
}

TEST_F(DatabaseTest, passes_on_what_the_taker_throws_and_can_be_loaded_again) {
  Database database(settings_);
  commit(database, {added(1, started + 1, "10.0.0.1")});
  EXPECT_THROW(database.load([](Change&&) { throw std::bad_alloc(); }), std::bad_alloc);
  EXPECT_EQ(load_all(database).size(), 1u);
}

TEST_F(DatabaseTest, takes_a_relative_path_as_of_the_moment_it_is_opened) {
  const std::filesystem::path before = std::filesystem::current_path();
  std::filesystem::current_path(directory_);
  settings_.path = "here.db";
  {
    Database database(settings_);
    std::filesystem::current_path(before);
    database.reopen();
    commit(database, {added(1, started + 1, "10.0.0.1")});
  }
  EXPECT_TRUE(std::filesystem::exists(directory_ / "here.db"));
}

TEST_F(DatabaseTest, is_hidden_from_the_world_and_keeps_its_log_after_a_clean_stop) {
  {
    Database database(settings_);
    database.note_stop(started);
  }
  EXPECT_EQ(files_in(directory_), (Lines{"lekt.db", "lekt.db-shm", "lekt.db-wal"}));
  for (const std::string& name : files_in(directory_)) {
    const auto permissions = std::filesystem::status(directory_ / name).permissions();
    EXPECT_EQ(permissions & std::filesystem::perms::others_all, std::filesystem::perms::none) << name;
  }
  EXPECT_EQ(std::filesystem::file_size(path().string() + "-wal"), 0u);
}

}  // namespace

}  // namespace lekt::storage
