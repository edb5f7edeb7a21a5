// The fixture of tests that do something to a running server and look at who notices.
#pragma once

#include <string>
#include <vector>

#include "tests/integration/daemon.h"
#include "tests/integration/raw_client.h"

namespace lekt::test {

class FaultTest : public DaemonTest {
 protected:
  /// Waits until the address can join again, and the observer has heard that it has left then.
  void expect_joins_again(const std::string& from, RawClient& observer);

  /// What the database lists, in the words of RawClient::peers().
  std::vector<std::string> stored_peers() const;
  std::vector<std::string> stored_peers(const std::filesystem::path& database) const;

  /// Waits until the client holds exactly what the database lists.
  void expect_holds_the_list(RawClient& client);
  void expect_holds_the_list(RawClient& client, const std::filesystem::path& database);
};

}  // namespace lekt::test
