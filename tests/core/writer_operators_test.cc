// What operators ask of the writer: bans, clients that are no longer waited for, a smaller file.
#include "tests/core/writer_support.h"

namespace lekt {
namespace {

using namespace std::chrono_literals;
using namespace test;

const Block block = Block::v4(address("10.0.0.0"), 24).value();

Lines describe(const std::vector<storage::Ban>& bans) {
  Lines lines;
  for (const storage::Ban& ban : bans)
    lines.push_back(to_string(ban.block) + " " + std::to_string(ban.second) + " " + ban.reason);
  return lines;
}

TEST_F(WriterTest, a_ban_is_stored_with_the_next_commit_and_survives_a_restart) {
  start();
  writer_->side_rows().ban({block, started, "noisy"});
  EXPECT_FALSE(writer_->wishes_are_stored());
  EXPECT_TRUE(turn().committed);
  EXPECT_TRUE(writer_->wishes_are_stored());
  start();
  EXPECT_EQ(describe(database_->bans()), Lines{"10.0.0.0/24 1700000000 noisy"});
  writer_->side_rows().unban(block);
  turn();
  start();
  EXPECT_EQ(describe(database_->bans()), Lines{});
}

TEST_F(WriterTest, bans_that_replace_each_other_are_stored_in_their_order) {
  start();
  writer_->side_rows().ban({block, started, "first"});
  writer_->side_rows().unban(block);
  writer_->side_rows().ban({block, started + 1, "second"});
  writer_->side_rows().ban({Block(address("10.0.0.7")), started, "one"});
  turn();
  EXPECT_EQ(describe(database_->bans()),
            (Lines{"10.0.0.7/32 1700000000 one", "10.0.0.0/24 1700000001 second"}));
}

TEST_F(WriterTest, a_ban_waits_until_the_database_can_be_written) {
  start();
  SQLite::Database other = operator_connection();
  other.exec("BEGIN IMMEDIATE");
  writer_->side_rows().ban({block, started, ""});
  EXPECT_EQ(turn().trouble, StorageState::busy);
  EXPECT_FALSE(writer_->wishes_are_stored());
  other.exec("ROLLBACK");
  turn();
  EXPECT_TRUE(writer_->wishes_are_stored());
  EXPECT_EQ(database_->bans().size(), 1u);
}

TEST_F(WriterTest, a_client_that_is_waited_for_can_be_dismissed) {
  start();
  join(1, "10.0.0.7");
  join(2, "10.0.0.8");
  turn();
  start();
  EXPECT_EQ(writer_->dismiss(Block(address("10.0.0.9")), leave_reason(ErrorCode::ended_by_operator)), 0u);
  EXPECT_EQ(writer_->dismiss(Block(address("10.0.0.7")), leave_reason(ErrorCode::ended_by_operator)), 1u);
  EXPECT_EQ(writer_->dismiss(Block(address("10.0.0.7")), leave_reason(ErrorCode::ended_by_operator)), 0u);
  EXPECT_EQ(words(turn().changes), Lines{"- 10.0.0.7"});
  EXPECT_EQ(told(), (List{{"10.0.0.8", "tcp:7890"}}));
}

TEST_F(WriterTest, a_client_with_a_session_is_not_dismissed) {
  start();
  join(1, "10.0.0.7");
  turn();
  EXPECT_EQ(writer_->dismiss(Block(address("10.0.0.7")), leave_reason(ErrorCode::ended_by_operator)), 0u);
  EXPECT_EQ(words(turn().changes), Lines{});
}

TEST_F(WriterTest, compacting_gives_space_back_and_loses_nothing) {
  settings_.limits.clients_max = 3000;
  start();
  for (std::uint32_t number = 1; number <= 3000; ++number)
    writer_->join(number, numbered(number), tcp(80), now_);
  turn();
  for (std::uint32_t number = 2; number <= 3000; ++number)
    writer_->leave(number, numbered(number), LeaveReason::closed);
  turn();
  settings_.retention = 1s;
  start();
  join(1, "10.0.0.7");
  turns(30);
  const auto before = std::filesystem::file_size(path());
  writer_->compact({});
  EXPECT_LT(std::filesystem::file_size(path()), before);
  EXPECT_EQ(stored(), told());
  join(9, "10.0.0.9");
  EXPECT_EQ(words(turn().completions), Lines{"9 joined"});
  start();
  EXPECT_EQ(told().size(), stored().size());
}

TEST_F(WriterTest, compacting_under_a_foreign_lock_is_refused_and_changes_nothing) {
  start();
  SQLite::Database other = operator_connection();
  other.exec("BEGIN IMMEDIATE");
  EXPECT_THROW(writer_->compact({}), CodedError);
  other.exec("ROLLBACK");
  join(1, "10.0.0.7");
  EXPECT_EQ(words(turn().completions), Lines{"1 joined"});
}

TEST_F(WriterTest, a_compaction_that_fails_is_trouble_that_is_told_and_ends) {
  start();
  const std::filesystem::path away = path().string() + ".away";
  std::filesystem::rename(path(), away);
  EXPECT_THROW(writer_->compact({}), CodedError);
  const Writer::Turn failed = turn();
  EXPECT_EQ(failed.trouble, StorageState::failed);
  EXPECT_EQ(failed.message.substr(0, 5), "E601 ");
  pass(2s);
  EXPECT_EQ(turn().trouble, StorageState::failed) << "it is still away";
  std::filesystem::rename(away, path());
  pass(2s);
  const Writer::Turn good = turn();
  EXPECT_EQ(good.trouble, StorageState::usable);
  EXPECT_NE(good.message, "");
  EXPECT_TRUE(good.recovered);
}

TEST_F(WriterTest, a_compaction_says_often_that_it_goes_on) {
  settings_.limits.clients_max = 3000;
  start();
  for (std::uint32_t number = 1; number <= 3000; ++number)
    writer_->join(number, numbered(number), tcp(80), now_);
  turn();
  int calls = 0;
  writer_->compact([&] { ++calls; });
  EXPECT_GE(calls, 1);
}

TEST_F(WriterTest, other_limits_hold_for_those_who_join_from_now_on) {
  start();
  join(1, "10.0.0.7");
  turn();
  settings_.limits.clients_max = 1;
  MethodCatalogue other;
  writer_->use(settings_, other);
  join(2, "10.0.0.8");
  EXPECT_EQ(words(turn().completions), Lines{"2 E401"});
  settings_.limits.clients_max = 2;
  writer_->use(settings_, other);
  join(3, "10.0.0.8");
  EXPECT_EQ(words(turn().completions), Lines{"3 joined"});
}

}  // namespace
}  // namespace lekt
