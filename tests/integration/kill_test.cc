// kill -9 while clients join: every client that was told that it has joined is in the database, and listed after
// the restart.
#include <atomic>
#include <csignal>
#include <mutex>
#include <set>
#include <system_error>
#include <thread>

#include "tests/integration/daemon.h"
#include "tests/integration/raw_client.h"
#include "tests/integration/sqlite.h"

namespace lekt::test {

namespace {

using namespace std::chrono_literals;

constexpr int rounds = 20;
constexpr std::size_t joiners = 4;
constexpr std::size_t joins_max = 60;  ///< of each joiner in each round

/// Threads that join one client after the other until the server dies, and note which of them were told that they
/// have joined.
class Joiners {
 public:
  Joiners(std::uint16_t port, int round) {
    for (std::size_t joiner = 0; joiner < joiners; ++joiner)
      threads_.emplace_back([=, this] {
        const std::size_t first = (static_cast<std::size_t>(round) * joiners + joiner) * joins_max;
        for (std::size_t number = first; number < first + joins_max; ++number)
          if (!join(port, address_number(number))) return;
      });
  }
  ~Joiners() {
    for (std::thread& thread : threads_)
      if (thread.joinable()) thread.join();
  }

  std::size_t acknowledged_so_far() const { return count_; }

  /// The clients that were told, once the server has ended.
  std::set<std::string> acknowledged() {
    for (std::thread& thread : threads_) thread.join();
    return acknowledged_;
  }

 private:
  bool join(std::uint16_t port, const std::string& address) {
    try {
      RawClient client = joined(port, address);
      const std::lock_guard lock(mutex_);
      acknowledged_.insert(address);
      clients_.push_back(std::move(client));  // a connection that closes would leave
      ++count_;
      return true;
    } catch (const UnexpectedInput&) {
      return false;
    } catch (const std::system_error&) {
      return false;
    }
  }

  std::mutex mutex_;
  std::set<std::string> acknowledged_;
  std::vector<RawClient> clients_;
  std::atomic<std::size_t> count_ = 0;
  std::vector<std::thread> threads_;
};

std::set<std::string> without(std::set<std::string> all, const std::vector<std::string>& found) {
  for (const std::string& address : found) all.erase(address);
  return all;
}

}  // namespace

class KillTest : public DaemonTest {};

TEST_F(KillTest, loses_no_join_that_was_acknowledged) {
  Random random;
  const Flags flags = {"--restart-grace", "7d"};
  std::set<std::string> acknowledged;
  for (int round = 0; round < rounds; ++round) {
    SCOPED_TRACE("round " + std::to_string(round));
    Joiners joining(start(flags).port(), round);
    const std::size_t enough = random.below(joiners * joins_max / 2);
    ASSERT_TRUE(eventually([&] { return joining.acknowledged_so_far() >= enough; }, patience()));
    std::this_thread::sleep_for(std::chrono::microseconds(random.below(2000)));
    daemon().kill();
    acknowledged.merge(joining.acknowledged());

    Operator reader(database());
    EXPECT_EQ(reader.ask_one("PRAGMA quick_check"), "ok");
    ASSERT_EQ(without(acknowledged, listed(database())), std::set<std::string>());
  }
  RawClient client = joined(start(flags).port(), "127.0.0.2");
  std::vector<std::string> addresses;
  for (const Address address : client.beat().added) addresses.push_back(to_string(address));
  EXPECT_EQ(without(acknowledged, addresses), std::set<std::string>());
}

TEST_F(KillTest, keeps_what_clients_learned_true) {
  RawClient observer = joined(start({"--restart-grace", "1h"}).port(), "127.0.0.2");
  RawClient other = joined(daemon().port(), "127.0.0.3");
  observer.beat();
  daemon().kill();
  RawClient back = joined(start({"--restart-grace", "1h"}).port(), "127.0.0.2");
  back.continue_from(observer);
  const Answer answer = back.beat();
  EXPECT_FALSE(answer.is_reset());
  EXPECT_TRUE(answer.changes.empty());
}

}  // namespace lekt::test
