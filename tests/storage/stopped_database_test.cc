// What an operator changes while no server runs is there at the next start, and counts as no start.
#include "storage/stopped_database.h"

#include <SQLiteCpp/SQLiteCpp.h>

#include "storage/check.h"
#include "storage/reader.h"
#include "tests/storage/support.h"

namespace lekt::storage {

namespace {

using Lines = std::vector<std::string>;

class StoppedDatabaseTest : public StorageTest {
 protected:
  StoppedDatabaseTest() : StorageTest(test::directory_in_memory()) {
    Database database(settings_);
    commit(database, {added(1, started + 1, "10.0.0.1"), added(2, started + 1, "10.0.0.2"),
                      removed(3, started + 2, "10.0.0.3")});
    database.note_stop(started + 5);
  }

  StoppedDatabase::Settings at(std::int64_t second) {
    return {.path = path(), .catalogue = &catalogue_, .program_version = "0.2.0", .now = second};
  }

  static Block block(const char* text) { return parse_block(text).value(); }

  Lines bans() {
    Lines lines;
    for (const Ban& ban : Reader(path()).bans())
      lines.push_back(to_string(ban.block) + " " + std::to_string(ban.second - started) + " " + ban.reason);
    return lines;
  }
};

TEST_F(StoppedDatabaseTest, keeps_bans) {
  StoppedDatabase database(at(started + 10));
  EXPECT_TRUE(database.ban(block("10.9.0.0/16"), "floods"));
  EXPECT_TRUE(database.ban(block("10.0.0.1"), ""));
  EXPECT_FALSE(database.ban(block("10.0.0.1"), "again")) << "it is there already, with another reason";
  EXPECT_EQ(bans(), (Lines{"10.0.0.1/32 10 again", "10.9.0.0/16 10 floods"}));
  EXPECT_TRUE(database.unban(block("10.9.0.0/16")));
  EXPECT_FALSE(database.unban(block("10.0.0.0/8"))) << "no ban of exactly this block";
  EXPECT_EQ(bans(), Lines{"10.0.0.1/32 10 again"});
}

TEST_F(StoppedDatabaseTest, takes_no_more_bans_than_a_server) {
  std::vector<Ban> many;
  for (std::uint32_t number = 1; number <= bans_max; ++number)
    many.push_back({Block(Address::v4(number)), started, ""});
  StoppedDatabase stopped(at(started + 10));
  stopped.import({}, many);
  const Block one_more = Block::v4(Address::v4(0x0a000000), 8).value();
  EXPECT_EQ(error_of([&] { stopped.ban(one_more, ""); }).code(), ErrorCode::control_refused);
  EXPECT_EQ(error_of([&] {
              stopped.import({}, {{one_more, started, ""}});
            }).code(),
            ErrorCode::control_refused);
  EXPECT_FALSE(stopped.ban(Block(Address::v4(7)), "again"));
  EXPECT_EQ(Reader(path()).bans().size(), bans_max);
}

TEST_F(StoppedDatabaseTest, counts_no_start) {
  { StoppedDatabase(at(started + 10)).ban(block("10.0.0.1"), ""); }
  const StoredServer server = Reader(path()).server();
  EXPECT_EQ(server.run, 1);
  EXPECT_EQ(server.version, "0.1.0");
  EXPECT_EQ(server.stopped, started + 5);
}

TEST_F(StoppedDatabaseTest, is_left_alone_while_a_server_runs) {
  Database running(settings_);
  const CodedError error = error_of([&] { StoppedDatabase database(at(started + 10)); });
  EXPECT_EQ(error.code(), ErrorCode::server_running);
  EXPECT_PRED_FORMAT2(testing::IsSubstring, "process " + std::to_string(getpid()), error.what());
}

TEST_F(StoppedDatabaseTest, keeps_a_server_from_starting) {
  const StoppedDatabase stopped(at(started + 10));
  EXPECT_EQ(error_of([&] { Database database(settings_); }).code(), ErrorCode::database_in_use);
}

TEST_F(StoppedDatabaseTest, is_not_made_by_accident) {
  auto settings = at(started);
  settings.path = directory_ / "other.db";
  const Lines before = files_in(directory_);
  EXPECT_EQ(error_of([&] { StoppedDatabase database(settings); }).code(), ErrorCode::database_unusable);
  EXPECT_EQ(files_in(directory_), before);
}

TEST_F(StoppedDatabaseTest, takes_an_import_of_which_the_clients_are_waited_for) {
  const std::vector<PortableClient> clients = {
      {address_of("10.0.0.1"), started - 50, started - 10, {{tcp_index, tcp_information(7890)}}},
      {address_of("10.0.0.2"), started - 50, started - 10, {{tcp_index, tcp_information(80)}}},
      {address_of("10.0.0.3"), started - 50, 0, {}},
      {address_of("10.0.0.4"), started + 1'000'000, 0, {}}};
  ImportResult result;
  {
    StoppedDatabase database(at(started + 10));
    result = database.import(clients, {{block("10.9.0.0/16"), started - 1, "floods"}});
  }
  EXPECT_EQ(result.unchanged, 1u);
  EXPECT_EQ(result.changed, 1u);
  EXPECT_EQ(result.added, 2u);
  EXPECT_EQ(result.bans, 1u);
  EXPECT_EQ(bans(), Lines{"10.9.0.0/16 -1 floods"});
  Reader reader(path());
  EXPECT_EQ(reader.client(address_of("10.0.0.2"))->since, started + 1) << "it stayed";
  EXPECT_EQ(reader.client(address_of("10.0.0.3"))->since, started - 50) << "from where it was";
  EXPECT_EQ(reader.client(address_of("10.0.0.4"))->since, started + 10) << "nobody is here since tomorrow";
  EXPECT_EQ(reader.client(address_of("10.0.0.4"))->status, ClientStatus::waiting);
  EXPECT_EQ(check(path()).findings, Lines{});
  Database database(settings_);
  EXPECT_EQ(describe(load_all(database)),
            (Lines{"1 A 10.0.0.1 tcp:7890 @1767323041", "4 A 10.0.0.2 tcp:80 @1767323050",
                   "5 A 10.0.0.3 @1767323050", "6 A 10.0.0.4 @1767323050"}));
}

TEST_F(StoppedDatabaseTest, stamps_an_import_after_everything_that_was_told_when_the_clock_went_back) {
  { StoppedDatabase(at(started - 1000)).import({{address_of("10.0.0.9"), started, 0, {}}}, {}); }
  Database database(settings_);
  EXPECT_EQ(load_all(database).back().second, database.state().second);
  EXPECT_EQ(database.state().second, started + 2);
}

TEST_F(StoppedDatabaseTest, is_made_for_an_import_when_that_is_wanted) {
  auto settings = at(started + 10);
  settings.path = directory_ / "other.db";
  settings.missing = StoppedDatabase::Missing::create;
  { StoppedDatabase(settings).import({{address_of("10.0.0.9"), started, 0, {}}}, {}); }
  EXPECT_EQ(check(settings.path).findings, Lines{});
  EXPECT_EQ(Reader(settings.path).server().stopped, started + 10);
  settings_.path = settings.path;
  Database database(settings_);
  EXPECT_EQ(load_all(database).size(), 1u);
}

TEST_F(StoppedDatabaseTest, keeps_its_identity_at_an_import_and_has_one_when_it_is_made_for_it) {
  const std::string before = Reader(path()).server().identity;
  const std::vector<PortableClient> clients = {{address_of("10.0.0.9"), started, 0, {}}};
  StoppedDatabase(at(started + 10)).import(clients, {});
  EXPECT_EQ(Reader(path()).server().identity, before);
  StoppedDatabase::Settings settings = at(started + 10);
  settings.path = directory_ / "new.db";
  settings.missing = StoppedDatabase::Missing::create;
  StoppedDatabase(settings).import(clients, {});
  const std::string made = Reader(settings.path).server().identity;
  EXPECT_EQ(made.size(), 32u);
  EXPECT_NE(made, before);
  settings_.path = settings.path;
  EXPECT_EQ(lekt::to_string(Database(settings_).identity()), made);
}

TEST_F(StoppedDatabaseTest, gives_free_pages_back) {
  {
    Database database(settings_);
    std::vector<Change> many;
    for (std::uint32_t i = 0; i < 5000; ++i)
      many.push_back(added(4 + i, started + 6, Address::v4(0x0b000001 + i), {{1, tcp_information(1)}}));
    commit(database, many);
    for (Change& change : many) {
      change.sequence += 5000;
      change.kind = UpdateKind::removed;
      change.methods.clear();
    }
    commit(database, many);
    Batch batch;
    batch.state = database.state();
    batch.state.second += 10;
    batch.state.history_begins = batch.state.second;
    batch.state.forgotten_sequence = batch.state.sequence;
    batch.forget_before = batch.state.second;
    ASSERT_EQ(database.commit(batch), CommitResult::done);
  }
  StoppedDatabase database(at(started + 10));
  const CompactResult result = database.compact();
  EXPECT_LT(result.bytes_after, result.bytes_before * 3 / 4);
  EXPECT_EQ(result.bytes_after, std::filesystem::file_size(path()));
  EXPECT_EQ(check(path()).findings, Lines{});
}

}  // namespace

}  // namespace lekt::storage
