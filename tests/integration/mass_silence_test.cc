// Most clients fall silent at once, and do not close: the server doubts its network before it removes them.
#include <vector>

#include "tests/integration/daemon.h"
#include "tests/integration/raw_client.h"
#include "tests/integration/sqlite.h"

namespace lekt::test {

namespace {

using namespace std::chrono_literals;

constexpr std::size_t silent_clients = 60;  // of 61, ten of which may fall silent in any case

class MassSilenceTest : public DaemonTest {
 protected:
  MassSilenceTest() {
    start({"--heartbeat-timeout", duration_flag(1s), "--silence-patience", duration_flag(4s)});
    observer_.emplace(joined(daemon().port(), "127.0.0.2"));
    for (std::size_t number = 0; number < silent_clients; ++number)
      silent_.push_back(joined(daemon().port(), address_number(number)));
    observer_->beat();
  }

  /// Looks at the list until there are so few.
  bool is_left(std::size_t clients) {
    const auto asked = [&] { return observer_->beat(), observer_->peers().size() <= clients; };
    return eventually(asked, patience());
  }
  std::string warning() { return Operator(database()).ask_one("SELECT code FROM warnings"); }

  std::optional<RawClient> observer_;
  std::vector<RawClient> silent_;
};

}  // namespace

TEST_F(MassSilenceTest, keeps_those_who_come_back_and_removes_the_others_in_the_end) {
  ASSERT_TRUE(is_left(silent_clients + 1 - 10));
  ASSERT_TRUE(daemon().logs("warning event=mass_silence message=\"E605"));
  EXPECT_TRUE(eventually(
      [&] {
        observer_->beat();
        return warning() == "E605";
      },
      patience()));
  EXPECT_EQ(observer_->peers().size(), silent_clients + 1 - 10) << "more than the share is removed";
  // Half of them were only cut off: they go on over the same connections, and nobody hears of it.
  std::size_t back = 0;
  const auto beat = [&](RawClient& client) {
    try {
      client.beat();
      return true;
    } catch (const std::exception&) {
      return false;
    }
  };
  std::vector<RawClient*> returned;
  for (RawClient& client : silent_)
    if (++back % 2 == 0 && beat(client)) returned.push_back(&client);
  ASSERT_GE(returned.size(), silent_clients / 2 - 10);
  const auto only_they_are_left = [&] {
    for (RawClient* client : returned) client->beat();
    observer_->beat();
    return observer_->peers().size() == returned.size() + 1;
  };
  EXPECT_TRUE(eventually(only_they_are_left, patience()));
  const auto is_over = [&] {
    for (RawClient* client : returned) client->beat();
    observer_->beat();
    return count(daemon().log(), "event=mass_silence_over") == 1 && warning().empty();
  };
  EXPECT_TRUE(eventually(is_over, patience()));
  for (RawClient* client : returned) client->beat();
}

TEST_F(MassSilenceTest, removes_at_once_who_closes) {
  for (RawClient& client : silent_) client.close();
  EXPECT_TRUE(is_left(1));
  EXPECT_EQ(count(daemon().log(), "mass_silence"), 0u);
}

}  // namespace lekt::test
