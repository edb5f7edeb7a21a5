// The size on disk follows clients, remembered removals and a bounded history, however much has happened.
#include "storage/tables.h"
#include "tests/storage/support.h"

namespace lekt::storage {

namespace {

namespace fs = std::filesystem;

class GrowthTest : public StorageTest {
 protected:
  GrowthTest() {
    settings_.durable = false;
    settings_.checkpoint_bytes = 256 * 1024;
  }

  /// Joins, changes and leaves of a thousand addresses, a hundred a commit, one commit a second.
  void live(Database& database, int changes) {
    std::vector<Change> batch;
    for (int i = 0; i < changes / 100; ++i) {
      batch.clear();
      const std::uint64_t first = database.state().sequence + 1;
      const std::int64_t second = database.state().second + 1;
      for (std::uint64_t sequence = first; sequence < first + 100; ++sequence) {
        const Address address = Address::v4(0x0a000001u + static_cast<std::uint32_t>(sequence * 37 % 1000));
        if (sequence % 3 == 0)
          batch.push_back({sequence, second, UpdateKind::removed, address, {}});
        else
          batch.push_back(added(sequence, second, address, {{tcp_index, tcp_information(7890)}}));
      }
      ASSERT_EQ(commit(database, batch), CommitResult::done);
      largest_log_ = std::max(largest_log_, fs::file_size(path().string() + "-wal"));
    }
  }

  std::uintmax_t largest_log_ = 0;
};

TEST_F(GrowthTest, three_hundred_thousand_changes_do_not_grow_the_files) {
  Database database(settings_);
  live(database, 20'000);
  const std::uintmax_t early = fs::file_size(path());
  live(database, 280'000);
  EXPECT_LE(fs::file_size(path()), early + early / 4);
  EXPECT_LE(fs::file_size(path()), 2u * 1024 * 1024);
  EXPECT_LE(largest_log_, 2 * settings_.checkpoint_bytes + 256 * 1024)
      << "the limit, and the last transaction";
  EXPECT_EQ(
      shell(path(), "select count(*) as kept, max(sequence) - min(sequence) as span from change_record"),
      "kept   span\n-----  ----\n10000  9999\n");
  EXPECT_EQ(load_all(database).size(), 1000u);
}

TEST_F(GrowthTest, a_batch_larger_than_the_history_leaves_its_newest_part) {
  Database database(settings_);
  std::vector<Change> changes;
  for (std::uint32_t i = 1; i <= 20'000; ++i) changes.push_back(added(i, started + 1, Address::v4(i), {}));
  EXPECT_EQ(commit(database, changes), CommitResult::done);
  EXPECT_EQ(load_all(database).size(), 20'000u);
  EXPECT_EQ(shell(path(), "select count(*) as kept, min(sequence) as oldest from change_record"),
            "kept   oldest\n-----  ------\n10000  10001 \n");
}

}  // namespace

}  // namespace lekt::storage
