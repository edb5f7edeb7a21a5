// kill -9 right before each system call that touches the database or a socket: whoever was told that he has
// joined is listed afterwards, and who was told of a change goes on from it.
//
// A scripted run of joins, leaves, re-joins and a checkpoint is watched first, then repeated for each of its
// calls with a server that dies there. CI takes a sample, by a printed seed; all of them take some minutes:
//     LEKT_KILL_EVERYWHERE=1 fault_test --gtest_filter='KillPoints*'
#include <algorithm>
#include <csignal>
#include <cstdlib>
#include <iostream>
#include <map>
#include <optional>
#include <set>
#include <system_error>

#include "tests/fault/strace.h"
#include "tests/integration/daemon.h"
#include "tests/integration/raw_client.h"
#include "tests/integration/sqlite.h"
#include "tests/support/paths.h"

namespace lekt::test {

namespace {

using namespace std::chrono_literals;
namespace fs = std::filesystem;

constexpr std::size_t points_sampled = 20;
// A stop takes half a second, in which its clients may still read.
constexpr std::size_t stops_sampled = 10;

// What a checkpoint waits for (DatabaseSettings::checkpoint_bytes), and some more.
constexpr std::uintmax_t log_bytes_due = 4 * 1024 * 1024 + 128 * 1024;

// fcntl is how SQLite locks; the shared memory is mapped, so it is written without calls.
const SystemCalls storage_calls = {"pwrite64", "pread64", "fdatasync", "fsync", "ftruncate",
                                   "openat",   "close",   "unlink",    "fcntl"};
const SystemCalls all_calls = {"pwrite64", "pread64", "fdatasync", "fsync",   "ftruncate", "openat",
                               "close",    "unlink",  "fcntl",     "accept4", "recvfrom",  "recvmsg",
                               "sendto",   "sendmsg", "shutdown",  "read"};

const Flags flags = {"--threads", "1", "--restart-grace", "1h", "--max-connection-rate-per-address",
                     "100000"};

struct KillPoint {
  std::string call;
  std::size_t number;
};

/// What the server has acknowledged, as the clients know it.
class Told {
 public:
  /// "127.0.0.2" has joined with this port, and does not mean to leave.
  void joined(const std::string& address, std::uint16_t port) { ports_[address].insert(port); }
  /// From now on nobody knows whether it is listed, until it has joined again.
  void leaves(const std::string& address) { ports_.erase(address); }

  bool is_present(const std::string& address) const { return ports_.contains(address); }

  /// Everybody in the lines "address methods" of a list; a client has its methods at least.
  void expect_in(const std::vector<std::string>& list) const {
    for (const auto& [address, ports] : ports_) {
      const auto line = std::ranges::find_if(
          list, [&](const std::string& entry) { return entry.starts_with(address + " "); });
      if (line == list.end()) {
        ADD_FAILURE() << address << " was told that it has joined, and is not listed";
        continue;
      }
      for (const std::uint16_t port : ports)
        EXPECT_NE((*line + " ").find(" tcp:" + std::to_string(port) + " "), std::string::npos) << *line;
    }
  }

 private:
  std::map<std::string, std::set<std::uint16_t>> ports_;
};

/// Clients that join, leave, come back and ask, one after the other. When the server dies, what they have
/// been told until then is what counts.
class Script {
 public:
  Script(std::uint16_t port, const Told& told) : port_(port), told_(told) {}

  /// False when the server has died on the way.
  bool play() {
    try {
      play_through();
      return true;
    } catch (const UnexpectedInput&) {
    } catch (const std::system_error&) {
    }
    return false;
  }

  const Told& told() const { return told_; }
  const RawClient* observer() const { return observer_ ? &*observer_ : nullptr; }

 private:
  void play_through() {
    observer_.emplace(port_, "127.0.0.2");
    observer_->join(tcp(1));
    told_.joined("127.0.0.2", 1);
    observer_->beat();
    for (const char* address : {"127.0.0.10", "127.0.0.11", "127.0.0.12"}) join(address, 1);
    observer_->beat_until_news();
    leave("127.0.0.11");
    join("127.0.0.11", 2);  // comes back with another port
    join("127.0.0.12", 3);  // a second session
    observer_->beat_until_news();
    leave("127.0.0.10");
    observer_->beat();
  }

  void join(const std::string& address, std::uint16_t method) {
    RawClient& client = clients_.emplace(address, RawClient(port_, address))->second;
    client.join(tcp(method));
    told_.joined(address, method);
  }

  void leave(const std::string& address) {
    told_.leaves(address);
    clients_.find(address)->second.close();
    eventually([&] { return observer_->beat(), !observer_->view().peers().contains(ip(address)); },
               patience());
  }

  std::uint16_t port_;
  std::optional<RawClient> observer_;
  std::multimap<std::string, RawClient> clients_;
  Told told_;
};

class KillPointsTest : public testing::Test {
 protected:
  void SetUp() override {
    const std::string reason = cannot_trace();
    if (!reason.empty()) GTEST_SKIP() << reason;
  }

  /// A database with one client, whose write-ahead log is due to be copied back with the next commit.
  void make_database() {
    Daemon daemon(original_.path(), flags);
    const fs::path database = original_.path() / "lekt.db";
    Operator reader(database);
    reader.ask("BEGIN");
    ASSERT_EQ(reader.ask("SELECT address FROM clients").size(), 0u);
    std::optional<RawClient> client;
    for (std::size_t turn = 1; fs::file_size(database.string() + "-wal") < log_bytes_due; ++turn) {
      ASSERT_LT(turn, 2000u);
      // Many in turn, since the changes of one address have a rate.
      original_told_.leaves(address_number(turn - 1));
      client.emplace(daemon.port(), address_number(turn));
      client->join(tcp(1));
      original_told_.joined(address_number(turn), 1);
    }
    daemon.kill();
  }

  /// An attempt's directory, with a copy of the files of original_.
  void copy_original_to(const fs::path& directory) {
    for (const char* name : {"lekt.db", "lekt.db-wal"})
      if (fs::exists(original_.path() / name)) fs::copy_file(original_.path() / name, directory / name);
  }

  /// All points of a run whose calls were traced, or a sample of them.
  std::vector<KillPoint> points_of(const fs::path& trace, std::size_t sample) {
    std::vector<KillPoint> points;
    for (const auto& [call, count] : most_calls(trace))
      for (std::size_t number = 1; number <= count; ++number) points.push_back({call, number});
    const std::size_t all = points.size();
    if (std::getenv("LEKT_KILL_EVERYWHERE") == nullptr) {
      std::ranges::shuffle(points, random_.engine());
      points.resize(std::min(points.size(), sample));
    }
    std::cout << "killing at " << points.size() << " of " << all << " system calls\n";
    EXPECT_GT(all, 0u);
    return points;
  }

  /// The last few of a call may not come again: how often an observer asks depends on the moment.
  static void expect_most(std::size_t killed, std::size_t points) { EXPECT_GE(killed * 10, points * 8); }

  /// A server that died here starts again, and everybody still has what he was told.
  void expect_nothing_lost(const fs::path& directory, const Told& told, const RawClient* observer) {
    Daemon daemon(directory, flags);
    Operator reader(directory / "lekt.db");
    EXPECT_EQ(reader.ask_one("PRAGMA quick_check"), "ok");
    told.expect_in(reader.ask("SELECT address || ' ' || methods FROM clients"));
    if (observer == nullptr) return;
    RawClient back = test::joined(daemon.port(), "127.0.0.2", tcp(1));
    back.continue_from(*observer);
    const Answer answer = back.beat();
    EXPECT_TRUE(observer->view().next_timestamp() == 0 || !answer.is_reset());
    for (const Address removed : answer.removed)
      EXPECT_FALSE(told.is_present(to_string(removed))) << to_string(removed) << " was removed";
    EXPECT_EQ(back.peers(), reader.ask("SELECT address || ' ' || methods FROM clients"));
  }

  Random random_;
  TempDirectory original_;
  Told original_told_;
};

}  // namespace

TEST_F(KillPointsTest, no_join_and_no_change_is_lost_while_the_server_serves) {
  ASSERT_NO_FATAL_FAILURE(make_database());
  // Yields whether the server was killed.
  const auto attempt = [&](const std::string& what, std::vector<KillPoint>* points) {
    const TempDirectory directory;
    copy_original_to(directory.path());
    Daemon daemon(directory.path(), flags);
    Strace strace(daemon.id(), {all_calls, {}, what}, directory.path());
    Script script(daemon.port(), original_told_);
    const bool finished = script.play();
    if (finished) daemon.kill();
    strace.wait();
    if (points != nullptr) *points = points_of(strace.trace(), points_sampled);
    const int status = daemon.stop(0);  // no signal: it has ended
    EXPECT_EQ(status, -SIGKILL) << daemon.log();
    expect_nothing_lost(directory.path(), script.told(), script.observer());
    return !finished;
  };
  std::vector<KillPoint> points;
  ASSERT_FALSE(attempt("", &points));
  std::size_t killed = 0;
  for (const KillPoint& point : points) {
    SCOPED_TRACE("killed before the " + std::to_string(point.number) + "th " + point.call);
    killed += attempt(Injection::kill_before(point.call, point.number), nullptr) ? 1 : 0;
    if (HasFailure()) return;
  }
  expect_most(killed, points.size());
}

TEST_F(KillPointsTest, no_client_is_lost_while_the_server_stops) {
  ASSERT_NO_FATAL_FAILURE(make_database());
  const auto attempt = [&](const std::string& what, std::vector<KillPoint>* points) {
    const TempDirectory directory;
    copy_original_to(directory.path());
    Daemon daemon(directory.path(), flags);
    Script script(daemon.port(), original_told_);
    EXPECT_TRUE(script.play());
    Strace strace(daemon.id(), {all_calls, {}, what}, directory.path());
    const int status = daemon.stop(SIGTERM);
    strace.wait();
    if (points != nullptr) *points = points_of(strace.trace(), stops_sampled);
    expect_nothing_lost(directory.path(), script.told(), script.observer());
    return status;
  };
  std::vector<KillPoint> points;
  ASSERT_EQ(attempt("", &points), 0);
  for (const KillPoint& point : points) {
    SCOPED_TRACE("killed before the " + std::to_string(point.number) + "th " + point.call);
    attempt(Injection::kill_before(point.call, point.number), nullptr);
    if (HasFailure()) return;
  }
}

class KillPointsAtTheStartTest : public KillPointsTest {
 protected:
  /// Starts a server that is killed, or stopped once it serves; yields its status.
  int start_and_stop(const fs::path& directory, const std::string& what) {
    const fs::path database = directory / "lekt.db";
    const Injection injection{storage_calls,
                              {database, database.string() + "-wal", database.string() + "-shm",
                               database.string() + "-journal", database.string() + ".lock", directory},
                              what};
    std::vector<std::string> command = {program_file("lektd"), "--listen", "127.0.0.1:0", "--database",
                                        database};
    command.insert(command.end(), flags.begin(), flags.end());
    Process process(STRACE_PROGRAM, Strace::arguments(injection, directory / "trace", command), directory);
    EXPECT_TRUE(eventually(
        [&] { return process.has_ended() || process.errors().find("started") != std::string::npos; },
        patience()));
    process.send_signal(SIGTERM);
    const int status = process.wait();
    // strace itself, which nobody waits for.
    EXPECT_TRUE(eventually([&] { return read_text(directory / "trace").find("+++") != std::string::npos; },
                           patience()));
    return status;
  }

  void kill_everywhere() {
    std::vector<KillPoint> points;
    {
      const TempDirectory directory;
      copy_original_to(directory.path());
      ASSERT_EQ(start_and_stop(directory.path(), ""), 0);
      points = points_of(directory.path() / "trace", points_sampled);
    }
    std::size_t killed = 0;
    for (const KillPoint& point : points) {
      SCOPED_TRACE("killed before the " + std::to_string(point.number) + "th " + point.call);
      const TempDirectory directory;
      copy_original_to(directory.path());
      const int status = start_and_stop(directory.path(), Injection::kill_before(point.call, point.number));
      EXPECT_TRUE(status == -SIGKILL || status == 0) << status;
      killed += status == 0 ? 0 : 1;
      expect_nothing_lost(directory.path(), original_told_, nullptr);
      if (HasFailure()) return;
    }
    expect_most(killed, points.size());
  }
};

TEST_F(KillPointsAtTheStartTest, a_database_that_is_half_made_is_made_at_the_next_start) {
  kill_everywhere();
}

TEST_F(KillPointsAtTheStartTest, a_log_that_is_half_read_is_read_at_the_next_start) {
  ASSERT_NO_FATAL_FAILURE(make_database());
  kill_everywhere();
}

}  // namespace lekt::test
