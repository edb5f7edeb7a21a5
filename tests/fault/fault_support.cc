#include "tests/fault/fault_support.h"

#include "tests/integration/sqlite.h"

namespace lekt::test {

void FaultTest::expect_joins_again(const std::string& from, RawClient& observer) {
  EXPECT_TRUE(eventually([&] { return try_to_join(from).empty(); }, patience()));
  EXPECT_TRUE(
      eventually([&] { return observer.beat(), !observer.view().peers().contains(ip(from)); }, patience()));
}

std::vector<std::string> FaultTest::stored_peers() const { return stored_peers(database()); }

std::vector<std::string> FaultTest::stored_peers(const std::filesystem::path& database) const {
  return Operator(database).ask("SELECT address || ' ' || methods FROM clients");
}

void FaultTest::expect_holds_the_list(RawClient& client) { expect_holds_the_list(client, database()); }

void FaultTest::expect_holds_the_list(RawClient& client, const std::filesystem::path& database) {
  const bool holds = eventually(
      [&] {
        client.beat();
        return client.peers() == stored_peers(database);
      },
      patience());
  EXPECT_TRUE(holds);
  EXPECT_EQ(client.peers(), stored_peers(database));
}

}  // namespace lekt::test
