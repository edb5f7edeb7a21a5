// The machine has no more: descriptors while the server runs, and descriptors, memory or threads at its
// start.
#include <algorithm>
#include <csignal>
#include <deque>
#include <set>
#include <string>

#include "tests/fault/fault_support.h"
#include "tests/fault/machine.h"
#include "tests/fault/strace.h"
#include "tests/support/paths.h"

namespace lekt::test {

namespace {

using namespace std::chrono_literals;
using testing::IsSubstring;
namespace fs = std::filesystem;

class LimitsTest : public FaultTest {
 protected:
  /// The soft limit with which so many more files can be opened: descriptors below it that are free.
  rlim_t limit_for_more(int more) {
    std::set<int> open;
    for (const auto& entry : fs::directory_iterator("/proc/" + std::to_string(daemon().id()) + "/fd"))
      open.insert(std::stoi(entry.path().filename()));
    int limit = 0;
    for (int free = 0; free < more; ++limit)
      if (!open.contains(limit)) ++free;
    return static_cast<rlim_t>(limit);
  }

  /// Starts a server through another program that limits it or injects faults. True when it has come up;
  /// otherwise it has ended with a message and without a core.
  bool comes_up(const std::string& program, const std::vector<std::string>& limit) {
    std::vector<std::string> arguments = limit;
    arguments.insert(arguments.end(), {program_file("lektd"), "--listen", "127.0.0.1:0", "--threads", "4",
                                       "--database", database().string()});
    Process process(program, arguments, directory_.path());
    const auto started = [&] { return process.errors().find("event=started") != std::string::npos; };
    EXPECT_TRUE(eventually([&] { return process.has_ended() || started(); }, patience()));
    if (started()) return true;
    const int status = process.wait();
    EXPECT_TRUE((status == 1 && count(process.errors(), "lektd: E5") == 1) || never_begins(program, limit))
        << status << "\n"
        << process.errors();
    messages_ += process.errors();
    return false;
  }

  /// Under that limit not even main() is reached: the loader gives up, or what a library does at its
  /// beginning, whose exceptions nobody can catch.
  bool never_begins(const std::string& program, std::vector<std::string> limit) {
    limit.insert(limit.end(), {program_file("lektd"), "--version"});
    Process process(program, limit, directory_.path());
    const int status = process.wait();
    return status == 127 || status == -SIGABRT;
  }

  std::string messages_;
};

}  // namespace

TEST_F(LimitsTest, without_descriptors_it_does_not_spin_and_serves_whom_it_has) {
  constexpr int connections_left = 3;
  constexpr int newcomers = 20;
  start({"--threads", "1", "--handshake-timeout", "1h"});
  std::deque<RawClient> established;
  for (std::size_t number = 0; number < 5; ++number)
    established.push_back(joined(daemon().port(), address_number(number)));
  set_limit(daemon().id(), RLIMIT_NOFILE, limit_for_more(connections_left));

  // The kernel takes their connections and their bytes; the server does not know of most of them.
  std::deque<RawClient> waiting;
  for (std::size_t number = 0; number < newcomers; ++number) {
    waiting.emplace_back(daemon().port(), address_number(100 + number));
    waiting.back().send(setup_bytes(tcp(7890)));
  }
  ASSERT_TRUE(daemon().logs("E604 no file descriptor is left"));
  const auto before = processor_time(daemon().id());
  EXPECT_FALSE(waiting.back().receives_within(1s));
  EXPECT_LE(processor_time(daemon().id()) - before, slowed(200ms)) << "in a second";
  for (RawClient& client : established) client.beat();
  EXPECT_EQ(count(daemon().log(), "E604"), 1u) << "one line, however often it tries";

  // One goes, and the next is let in; then the limit is raised, and all are.
  const auto accepted = [&] {
    return std::ranges::count_if(waiting, [](RawClient& client) { return client.receives_within(0ms); });
  };
  ASSERT_TRUE(eventually([&] { return accepted() == connections_left; }, patience()));
  established.pop_back();
  EXPECT_TRUE(eventually([&] { return accepted() == connections_left + 1; }, patience()));
  set_limit(daemon().id(), RLIMIT_NOFILE, limit_for_more(newcomers));
  for (RawClient& client : waiting) {
    client.expect<AcceptPacket>();
    EXPECT_EQ(client.expect<RequestPacket>().index, tcp_index);
    EXPECT_EQ(client.expect<RequestPacket>().index, 0u);
  }
  expect_holds_the_list(established.front());
  EXPECT_EQ(established.front().peers().size(), established.size() + newcomers);
}

// Whatever it lacks at its start, it says so and ends with status 1, and not with a core.
TEST_F(LimitsTest, without_descriptors_at_the_start_it_says_so) {
  int files = 3;
  for (; !comes_up("/usr/bin/prlimit", {"--nofile=" + std::to_string(files)}); ++files) ASSERT_LT(files, 64);
  EXPECT_GT(files, 8);
  EXPECT_PRED_FORMAT2(IsSubstring, "Too many open files", messages_);
}

TEST_F(LimitsTest, the_connections_of_devices_to_hosts_are_set_aside) {
  const auto connections_allowed = [&](const std::vector<std::string>& more) {
    std::vector<std::string> arguments = {
        "--nofile=20000",    program_file("lektd"), "--listen",     "127.0.0.1:0",    "--database",
        database().string(), "--device-listen",     "127.42.7.1:0", "--device-ports", "5000-5001"};
    arguments.insert(arguments.end(), more.begin(), more.end());
    const Process process("/usr/bin/prlimit", arguments, directory_.path());
    const std::string name = " connections_max=";
    EXPECT_TRUE(eventually([&] { return process.errors().find(name) != std::string::npos; }, patience()));
    const std::string log = process.errors();
    return std::stoul(log.substr(log.find(name) + name.size()));
  };
  const std::vector<std::string> limit = {"--max-device-sessions", "3000"};
  std::vector<std::string> with_host = limit;
  with_host.insert(with_host.end(), {"--device-host", "wms=127.0.0.1:23"});
  EXPECT_EQ(connections_allowed(limit), connections_allowed(with_host) + 3000);
}

TEST_F(LimitsTest, without_memory_at_the_start_it_says_so) {
  // In small steps until it gets as far as to its threads, whose stacks are large.
  int kilobytes = 8000;
  while (!comes_up("/usr/bin/prlimit", {"--as=" + std::to_string(kilobytes * 1000)})) {
    kilobytes += count(messages_, "cannot start 5 threads") == 0 ? 200 : 4000;
    ASSERT_LT(kilobytes, 500'000);
  }
  EXPECT_PRED_FORMAT2(IsSubstring, "memory", messages_);
  EXPECT_PRED_FORMAT2(IsSubstring, "E509 cannot start 5 threads", messages_);
}

TEST_F(LimitsTest, without_threads_at_the_start_it_says_so) {
  const std::string reason = cannot_trace();
  if (!reason.empty()) GTEST_SKIP() << reason;
  const auto fails_at = [&](int thread) {
    const Injection injection{
        {"clone", "clone3"}, {}, "clone,clone3:error=EAGAIN:when=" + std::to_string(thread)};
    messages_.clear();
    return !comes_up(STRACE_PROGRAM, Strace::arguments(injection, directory_.path() / "trace", {}));
  };
  std::set<std::string> lacking;
  for (int thread = 1; fails_at(thread); ++thread) {
    ASSERT_LT(thread, 20);
    const auto begin = messages_.find("E509 cannot start ");
    const auto end = messages_.find(": Resource temporarily unavailable; raise the limits", begin);
    ASSERT_NE(end, messages_.npos) << messages_;
    lacking.insert(messages_.substr(begin + 18, end - begin - 18));
  }
  EXPECT_EQ(lacking, (std::set<std::string>{"5 threads", "the thread of the log",
                                            "the threads of the control socket"}));
}

}  // namespace lekt::test
