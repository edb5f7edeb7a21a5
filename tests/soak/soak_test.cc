// The server in the long run: good clients come and go, hostile ones do what they can, and the server is
// killed, stopped and paused. At the end every good client holds the server's list, nobody was told that a
// steady one had gone, and the server takes no more memory, descriptors and threads than before.
//
// It takes about 15 s. For the real thing: LEKT_SOAK_SECONDS=660 build/bin/soak_test
#include <chrono>
#include <csignal>
#include <cstdlib>
#include <fstream>
#include <iostream>
#include <thread>

#include "tests/integration/daemon.h"
#include "tests/integration/raw_client.h"
#include "tests/soak/attackers.h"
#include "tests/soak/members.h"

namespace lekt::test {

namespace {

using namespace std::chrono_literals;
using std::chrono::milliseconds;

constexpr std::size_t steady = 12;
constexpr std::size_t others = 40;

milliseconds duration_of_soak() {
  const char* seconds = std::getenv("LEKT_SOAK_SECONDS");
  return seconds == nullptr ? milliseconds(9s) : milliseconds(std::chrono::seconds(std::stoul(seconds)));
}

/// What the server takes.
struct Usage {
  std::size_t memory_kilobytes = 0;
  std::size_t descriptors = 0;
  std::size_t threads = 0;
};

Usage usage_of(pid_t process) {
  const std::filesystem::path directory = "/proc/" + std::to_string(process);
  Usage usage;
  std::ifstream status(directory / "status");
  for (std::string word; status >> word;) {
    if (word == "VmRSS:") status >> usage.memory_kilobytes;
    if (word == "Threads:") status >> usage.threads;
  }
  for ([[maybe_unused]] const auto& entry : std::filesystem::directory_iterator(directory / "fd"))
    ++usage.descriptors;
  return usage;
}

class SoakTest : public DaemonTest {
 protected:
  void start_again() {
    start({"--listen", "127.0.0.1:" + std::to_string(port_), "--method", "2:chat:sized", "--method",
           "3:key:fixed:6", "--heartbeat-timeout", duration_flag(6s), "--handshake-timeout",
           duration_flag(2s), "--restart-grace", duration_flag(4s)});
    port_ = daemon().port();
  }

  /// What happens to a server.
  void trouble(Random& random) {
    switch (random.below(3)) {
      case 0:
        daemon().kill();
        break;
      case 1:
        EXPECT_EQ(daemon().stop(SIGTERM), 0);
        break;
      default:
        daemon().pause();
        std::this_thread::sleep_for(300ms);
        return daemon().resume();
    }
    ++restarts_;
    std::this_thread::sleep_for(milliseconds(random.below(500)));
    start_again();
  }

  /// Everybody rests. Every good client comes to hold what the server tells a new one, which is who is there;
  /// then the server's usage is looked at.
  Usage rest(Members& members, Attackers& attackers) {
    members.set_restless(false);
    attackers.set_active(false);
    RawClient observer = joined(port_, "127.0.0.9");
    const auto agreed = [&] {
      observer.beat(0);
      std::vector<std::string> expected = {"127.0.0.9 tcp:7890"};
      for (const std::string& line : members.present()) expected.push_back(line);
      return observer.peers() == expected && members.all_hold(expected);
    };
    EXPECT_TRUE(eventually(agreed, patience())) << observer.peers().size() << " clients are listed";
    Usage usage;
    const std::size_t clients = members.present().size() + 1;
    const auto nothing_is_left_over = [&] {
      usage = usage_of(daemon().id());
      return usage.descriptors == idle_.descriptors + clients;
    };
    EXPECT_TRUE(eventually(nothing_is_left_over, patience()))
        << usage.descriptors << " descriptors for " << clients << " clients";
    members.set_restless(true);
    attackers.set_active(true);
    return usage;
  }

  std::uint16_t port_ = 0;
  Usage idle_;  ///< before the first client
  int restarts_ = 0;
};

void print(const char* when, const Usage& usage) {
  std::cout << when << ": " << usage.memory_kilobytes << " KiB, " << usage.descriptors << " descriptors, "
            << usage.threads << " threads" << std::endl;
}

}  // namespace

TEST_F(SoakTest, after_all_that_happens_everybody_agrees_and_nothing_has_grown) {
  const milliseconds duration = duration_of_soak();
  Random random;
  start_again();
  idle_ = usage_of(daemon().id());
  Members members(port_, steady, others, random.next());
  Attackers attackers(port_, random.next());

  // The first half: the server comes and goes. The second: one life of it, measured after its first third.
  const milliseconds between_troubles = std::clamp<milliseconds>(duration / 12, 1s, 10s);
  for (const Deadline half(duration / 2); !half.over(); std::this_thread::sleep_for(between_troubles))
    trouble(random);
  rest(members, attackers);
  std::this_thread::sleep_for(duration / 6);
  const Usage before = rest(members, attackers);
  std::this_thread::sleep_for(duration / 3);
  const Usage after = rest(members, attackers);

  const MemberFigures figures = members.figures();
  print("idle", idle_);
  print("before", before);
  print("after", after);
  std::cout << restarts_ << " restarts, " << attackers.attacks() << " attacks, " << figures.starts
            << " clients started, " << figures.joins << " joins, " << figures.answers << " answers, "
            << figures.disconnections << " disconnections" << std::endl;
  EXPECT_EQ(figures.false_removals, 0u);
  EXPECT_EQ(after.threads, before.threads);
  // A sanitizer keeps what is freed, to see it used.
  if (!sanitized) {
    EXPECT_LE(after.memory_kilobytes, before.memory_kilobytes * 5 / 4);
  }
  EXPECT_EQ(count(daemon().log(), " error "), 0u) << daemon().log();
}

}  // namespace lekt::test
