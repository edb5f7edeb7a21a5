// What operators see through the Reader: the rows, whatever the server is doing.
#include "storage/reader.h"

#include <SQLiteCpp/SQLiteCpp.h>
#include <sqlite3.h>

#include <algorithm>

#include "storage/migrations.h"
#include "storage/read_only.h"
#include "tests/storage/support.h"

namespace lekt::storage {

namespace {

using Lines = std::vector<std::string>;

class ReaderTest : public StorageTest {
 protected:
  ReaderTest() : StorageTest(test::directory_in_memory()) {}

  /// 10.0.0.1 to 10.0.0.3 and 10.0.1.1; 10.0.0.2 has gone.
  void commit_four(Database& database) {
    commit(database, {added(1, started + 1, "10.0.0.1"), added(2, started + 2, "10.0.0.2"),
                      added(3, started + 3, address_of("10.0.0.3"), {{9, Bytes("\0\0\0\1", 4)}}),
                      added(4, started + 4, "10.0.1.1", 80)});
    commit(database, {removed(5, started + 5, "10.0.0.2", LeaveReason::lost)});
  }

  /// A database as a program of this schema has left it.
  void make_older(std::size_t version, const std::string& rows) {
    SQLite::Database old(path().string(), SQLite::OPEN_READWRITE | SQLite::OPEN_CREATE);
    old.exec("PRAGMA application_id = 1279609684");
    std::vector<std::string_view> sections = split_migrations(schema_text);
    sections.resize(version);
    migrate(old, sections);
    old.exec("INSERT INTO server_record VALUES (1, 9, 1, 8, 0, '0.1.0', 8, 8, NULL, 1)");
    old.exec(rows);
  }

  static Lines addresses(const std::vector<StoredClient>& clients) {
    Lines lines;
    for (const StoredClient& client : clients) lines.push_back(to_string(client.address));
    return lines;
  }

  Lines ask(const ClientQuery& query) { return addresses(Reader(path()).clients(query)); }

  static Lines kinds(const std::vector<StoredChange>& changes) {
    Lines lines;
    for (const StoredChange& change : changes)
      lines.push_back(std::to_string(change.sequence) + " " + std::string(to_string(change.kind)) + " " +
                      to_string(change.address) + " " + change.methods + change.reason);
    return lines;
  }
};

TEST(Retried, tries_again_what_passes_and_nothing_else_and_not_for_ever) {
  const auto tries_of = [](int code, int failures) {
    int tries = 0;
    try {
      retried([&] {
        if (++tries <= failures) throw SQLite::Exception("attempt to write a readonly database", code);
        return tries;
      });
    } catch (const SQLite::Exception&) {
      return -tries;
    }
    return tries;
  };
  EXPECT_EQ(tries_of(SQLITE_READONLY_RECOVERY, 3), 4);
  EXPECT_EQ(tries_of(SQLITE_READONLY, 1), 2);
  EXPECT_EQ(tries_of(SQLITE_CORRUPT, 1), -1);
  EXPECT_EQ(tries_of(SQLITE_READONLY_CANTINIT, 1'000'000), -12);
}

TEST_F(ReaderTest, cannot_make_the_server_write_through_shared_memory_that_was_deleted) {
  Database database(settings_);
  commit_four(database);
  {
    Reader within_the_server(path());
    EXPECT_EQ(within_the_server.clients({}).size(), 3u);
    std::filesystem::remove(path().string() + "-shm");
    EXPECT_THROW(commit(database, {added(6, started + 6, "10.0.0.6")}), CodedError);
    database.reopen();  // SQLite shares the deleted one between the connections of a process
    EXPECT_THROW(commit(database, {added(6, started + 6, "10.0.0.6")}), CodedError);
  }
  database.reopen();
  EXPECT_EQ(commit(database, {added(6, started + 6, "10.0.0.6")}), CommitResult::done);
  EXPECT_TRUE(std::filesystem::exists(path().string() + "-shm"));
  EXPECT_EQ(ask({}).size(), 4u);
}

TEST_F(ReaderTest, sees_a_client_as_it_is_stored) {
  Database database(settings_);
  commit(database, {added(1, started + 1, "10.0.0.1")},
         {{.address = address_of("10.0.0.1"), .sessions = 2, .heard = started + 9}});
  const auto client = Reader(path()).client(address_of("10.0.0.1"));
  ASSERT_TRUE(client);
  EXPECT_EQ(client->status, ClientStatus::connected);
  EXPECT_EQ(client->methods, "tcp:7890");
  EXPECT_EQ(client->sessions, 2u);
  EXPECT_EQ(client->since, started + 1);
  EXPECT_EQ(client->heard, started + 9);
  EXPECT_FALSE(Reader(path()).client(address_of("10.0.0.2")));
}

TEST_F(ReaderTest, sees_the_same_after_a_clean_stop_but_nobody_connected) {
  {
    Database database(settings_);
    commit_four(database);
    EXPECT_EQ(Reader(path()).server().connected, 3u);
    database.note_stop(started + 10);
  }
  Reader reader(path());
  EXPECT_EQ(reader.server().stopped, started + 10);
  EXPECT_EQ(reader.server().clients, 3u);
  EXPECT_EQ(reader.server().connected, 0u);
  EXPECT_EQ(reader.client(address_of("10.0.0.1"))->status, ClientStatus::waiting);
  EXPECT_EQ(reader.client(address_of("10.0.0.2"))->status, ClientStatus::removed);
}

TEST_F(ReaderTest, sees_what_is_only_in_the_log_after_a_kill) {
  Child child([&](int output) {
    Database database(settings_);
    for (int i = 0; i < 5; ++i) commit_next(database);
    send_number(output, 5);
    pause();
  });
  std::uint64_t number = 0;
  ASSERT_TRUE(child.read(number));
  child.kill();
  EXPECT_EQ(Reader(path()).server().log.sequence, 5 * known_batch);
  EXPECT_EQ(Reader(path()).server().stopped, std::nullopt);
}

TEST_F(ReaderTest, leaves_every_file_as_it_was) {
  {
    Database database(settings_);
    commit_four(database);
  }
  const auto before = files_in(directory_);
  const auto written = std::filesystem::last_write_time(path());
  { Reader(path()).server(); }
  EXPECT_EQ(files_in(directory_), before);
  EXPECT_EQ(std::filesystem::last_write_time(path()), written);
  Database database(settings_);
  EXPECT_EQ(database.state().sequence, 5u);
}

TEST_F(ReaderTest, finds_clients_by_block_method_and_status) {
  Database database(settings_);
  commit_four(database);
  EXPECT_EQ(ask({}), (Lines{"10.0.0.1", "10.0.0.3", "10.0.1.1"}));
  EXPECT_EQ(ask({.block = parse_block("10.0.0.0/24").value()}), (Lines{"10.0.0.1", "10.0.0.3"}));
  EXPECT_EQ(ask({.block = parse_block("10.0.1.1").value()}), Lines{"10.0.1.1"});
  EXPECT_EQ(ask({.method = "tcp"}), (Lines{"10.0.0.1", "10.0.1.1"}));
  EXPECT_EQ(ask({.method = "?9"}), Lines{"10.0.0.3"});
  EXPECT_EQ(ask({.method = "cp"}), Lines{});
  EXPECT_EQ(ask({.method = "tcp:80"}), Lines{}) << "a name and not its beginning";
  EXPECT_EQ(ask({.method = "%"}), Lines{});
  EXPECT_EQ(ask({.status = ClientStatus::removed}), Lines{"10.0.0.2"});
  EXPECT_EQ(ask({.status = ClientStatus::waiting}), Lines{});
}

TEST_F(ReaderTest, sorts_clients_and_gives_them_page_by_page) {
  Database database(settings_);
  commit_four(database);
  commit(database, {},
         {{.address = address_of("10.0.1.1"), .sessions = 1, .heard = started + 2},
          {.address = address_of("10.0.0.1"), .sessions = 1, .heard = started + 20}});
  EXPECT_EQ(ask({.order = ClientQuery::Order::since}), (Lines{"10.0.1.1", "10.0.0.3", "10.0.0.1"}));
  EXPECT_EQ(ask({.order = ClientQuery::Order::heard}), (Lines{"10.0.0.3", "10.0.1.1", "10.0.0.1"}));
  EXPECT_EQ(ask({.count_max = 2}), (Lines{"10.0.0.1", "10.0.0.3"}));
  EXPECT_EQ(ask({.after = address_of("10.0.0.3"), .count_max = 2}), Lines{"10.0.1.1"});
  EXPECT_EQ(ask({.after = address_of("255.255.255.255")}), Lines{});
}

TEST_F(ReaderTest, gives_changes_after_a_sequence_or_a_second) {
  Database database(settings_);
  commit_four(database);
  commit(database, {added(6, started + 6, "10.0.0.1", 81)});
  Reader reader(path());
  EXPECT_EQ(kinds(reader.changes({.after = 3})),
            (Lines{"4 added 10.0.1.1 tcp:80", "5 removed 10.0.0.2 lost", "6 changed 10.0.0.1 tcp:81"}));
  EXPECT_EQ(reader.changes({.since = started + 5}).size(), 2u);
  EXPECT_EQ(kinds(reader.changes({.count_max = 1})), Lines{"6 changed 10.0.0.1 tcp:81"}) << "the newest";
  EXPECT_EQ(kinds(reader.changes({.block = parse_block("10.0.0.2").value()})),
            (Lines{"2 added 10.0.0.2 tcp:7890", "5 removed 10.0.0.2 lost"}));
}

TEST_F(ReaderTest, gives_all_that_another_database_needs) {
  Database database(settings_);
  commit_four(database);
  std::vector<PortableClient> clients;
  Reader(path()).portable_clients([&](PortableClient&& client) { clients.push_back(std::move(client)); });
  ASSERT_EQ(clients.size(), 3u);
  EXPECT_EQ(clients[1].address, address_of("10.0.0.3"));
  EXPECT_EQ(clients[1].since, started + 3);
  EXPECT_EQ(clients[1].methods, (Methods{{9, Bytes("\0\0\0\1", 4)}}));
}

TEST_F(ReaderTest, gives_codes_and_warnings_the_latest_first) {
  Database database(settings_);
  const std::vector<CodeCount> codes = {{ErrorCode::not_lekt, 2, started + 1},
                                        {ErrorCode::server_full, 7, started + 3}};
  const std::vector<Warning> warnings = {{ErrorCode::wal_growing, started + 2, "it grows"}};
  Batch batch;
  batch.state = database.state();
  batch.codes = codes;
  batch.warnings = &warnings;
  ASSERT_EQ(database.commit(batch), CommitResult::done);
  Reader reader(path());
  ASSERT_EQ(reader.codes().size(), 2u);
  EXPECT_EQ(reader.codes().front().code, ErrorCode::server_full);
  EXPECT_EQ(reader.codes().front().count, 7u);
  ASSERT_EQ(reader.warnings().size(), 1u);
  EXPECT_EQ(reader.warnings().front().message, "it grows");
}

TEST_F(ReaderTest, reads_an_older_schema_that_has_fewer_tables) {
  make_older(1, "");
  Reader reader(path());
  EXPECT_EQ(reader.server().schema_version, 1);
  EXPECT_EQ(reader.server().identity, "");
  EXPECT_TRUE(reader.codes().empty());
  EXPECT_TRUE(reader.warnings().empty());
  EXPECT_TRUE(reader.bans().empty());
  EXPECT_TRUE(reader.devices().empty());
  EXPECT_TRUE(reader.device_sessions().empty());
  EXPECT_TRUE(reader.device_alerts().empty());
}

TEST_F(ReaderTest, reads_an_older_schema_without_reasons_and_ends_of_bans) {
  make_older(3,
             "INSERT INTO client_record VALUES (1, 167772161, 0, 9, 8, 'tcp:1', x'', 0, 1, 0);"
             "INSERT INTO change_record VALUES (1, 9, 'removed', 167772161, '');"
             "INSERT INTO ban_record VALUES (167772160, 8, 5, 'floods')");
  Reader reader(path());
  EXPECT_EQ(reader.client(address_of("10.0.0.1"))->reason, "");
  EXPECT_EQ(kinds(reader.changes({})), Lines{"1 removed 10.0.0.1 "});
  ASSERT_EQ(reader.bans().size(), 1u);
  EXPECT_EQ(reader.bans().front().until, std::nullopt);
}

TEST_F(ReaderTest, tells_why_a_client_was_removed_and_until_when_a_ban_holds) {
  Database database(settings_);
  commit_four(database);
  const std::vector<BanChange> bans = {
      {make_ban(parse_block("10.0.0.0/8").value(), "", started, std::chrono::seconds(60))}};
  Batch batch;
  batch.state = database.state();
  batch.bans = bans;
  database.commit(batch);
  Reader reader(path());
  EXPECT_EQ(reader.client(address_of("10.0.0.2"))->reason, "lost");
  EXPECT_EQ(reader.client(address_of("10.0.0.1"))->reason, "");
  EXPECT_EQ(reader.bans().front().until, started + 60);
  EXPECT_EQ(database.bans().front().until, started + 60);
}

TEST_F(ReaderTest, refuses_what_is_not_there_not_ours_or_too_new) {
  const auto refusal = [&] { return error_of([&] { Reader reader(path()); }).code(); };
  EXPECT_EQ(refusal(), ErrorCode::database_unusable);
  EXPECT_TRUE(files_in(directory_).empty());
  write_file(path(), std::string(5000, 'x'));
  EXPECT_EQ(refusal(), ErrorCode::database_corrupt);
  std::filesystem::remove(path());
  SQLite::Database foreign(path().string(), SQLite::OPEN_READWRITE | SQLite::OPEN_CREATE);
  foreign.exec("CREATE TABLE recipe (name TEXT)");
  EXPECT_EQ(refusal(), ErrorCode::database_foreign);
  foreign.exec("PRAGMA application_id = 1279609684; PRAGMA user_version = 1000");
  EXPECT_EQ(refusal(), ErrorCode::database_newer);
}

}  // namespace

}  // namespace lekt::storage
