// Disks that are full, that fail, or that can be read only: joins are refused with a code, heartbeats go on,
// and when the disk works again so does the server, by itself.
#include <chrono>
#include <optional>
#include <string>
#include <thread>

#include "tests/fault/fault_support.h"
#include "tests/fault/machine.h"
#include "tests/fault/strace.h"
#include "tests/integration/sqlite.h"
#include "tests/support/paths.h"

namespace lekt::test {

namespace {

using namespace std::chrono_literals;
using testing::IsSubstring;
namespace fs = std::filesystem;

class DiskTest : public FaultTest {
 protected:
  /// One client stays, and one leaves while nothing can be written.
  void start_with_clients(const fs::path& database) {
    start({"--restart-grace", "1h", "--database", database.string()});
    observer_.emplace(joined(daemon().port(), "127.0.0.2"));
    leaving_.emplace(joined(daemon().port(), "127.0.0.3"));
    ASSERT_TRUE(eventually(
        [&] { return observer_->beat(), observer_->view().peers().contains(ip("127.0.0.3")); }, patience()));
  }

  /// While nothing can be written.
  void expect_only_joins_suffer() {
    // What is on its way to the disk at that moment may still get there.
    std::string refusal;
    ASSERT_TRUE(eventually([&] { return !(refusal = try_to_join("127.0.0.4")).empty(); }, patience()));
    EXPECT_PRED_FORMAT2(IsSubstring, "E403 the server's database cannot be written at the moment", refusal);
    EXPECT_TRUE(daemon().logs("event=storage_trouble"));
    leaving_->close();
    ASSERT_TRUE(daemon().logs("event=leave address=127.0.0.3"));
    for (int heartbeat = 0; heartbeat < 100; ++heartbeat) observer_->beat();
    EXPECT_TRUE(observer_->view().peers().contains(ip("127.0.0.3"))) << "what is not stored is not told";
  }

  /// After it can be written again.
  void expect_recovers(const fs::path& database) {
    EXPECT_TRUE(daemon().logs("event=storage_recovered"));
    expect_joins_again("127.0.0.5", *observer_);
    EXPECT_TRUE(eventually(
        [&] { return observer_->beat(), !observer_->view().peers().contains(ip("127.0.0.3")); }, patience()));
    RawClient last = joined(daemon().port(), "127.0.0.6");
    expect_holds_the_list(*observer_, database);
    daemon().kill();
    Operator reader(database);
    EXPECT_EQ(reader.ask_one("PRAGMA quick_check"), "ok");
    EXPECT_EQ(observer_->peers(), stored_peers(database)) << "all that was told is on the disk";
  }

  std::optional<RawClient> observer_;
  std::optional<RawClient> leaving_;
};

}  // namespace

TEST_F(DiskTest, that_is_full_refuses_joins_until_there_is_space) {
  const std::string reason = SmallDisk::cannot_mount();
  if (!reason.empty()) GTEST_SKIP() << reason;
  SmallDisk disk(directory_.path() / "disk", 2 * 1024 * 1024);
  const fs::path database = directory_.path() / "disk" / "lekt.db";
  for (int turn = 0; turn < 2; ++turn) {
    start_with_clients(database);
    disk.fill();
    expect_only_joins_suffer();
    disk.make_space();
    expect_recovers(database);
  }
}

TEST_F(DiskTest, that_hangs_holds_up_no_heartbeat_and_makes_the_server_ill) {
  const std::string reason = cannot_trace();
  if (!reason.empty()) GTEST_SKIP() << reason;
  ASSERT_NO_FATAL_FAILURE(start_with_clients(database()));
  const auto health = [&] {
    return run(program_file("lektctl"), {"--database", database().string(), "health"});
  };
  EXPECT_EQ(health().status, 0);
  const Strace strace(daemon().id(), {{"fdatasync"}, {}, "fdatasync:delay_enter=300000000"},
                      directory_.path());
  leaving_->close();
  std::this_thread::sleep_for(10s);
  EXPECT_EQ(health().status, 0) << "a slow disk is no illness";
  Outcome ill;
  EXPECT_TRUE(eventually([&] { return observer_->beat(), (ill = health()).status != 0; }, 40s + patience()));
  EXPECT_EQ(ill.status, 1);
  EXPECT_PRED_FORMAT2(IsSubstring, "E620 the thread \"writer\" has made no progress for 3", ill.errors);
  EXPECT_TRUE(daemon().logs("event=thread_hangs thread=writer message=\"E620 "));
  const Outcome status = run(program_file("lektctl"), {"--database", database().string(), "status"});
  EXPECT_PRED_FORMAT2(IsSubstring, "threads that make no progress: writer", status.output);
  for (int heartbeat = 0; heartbeat < 100; ++heartbeat) observer_->beat();
}

struct Failure {
  const char* name;
  const char* what;  ///< to strace

  friend void PrintTo(const Failure& failure, std::ostream* out) { *out << failure.what; }
};

class FailingDiskTest : public DiskTest, public testing::WithParamInterface<Failure> {};

// A file system that finds an error makes itself read-only, also for files that are open; `mount -o
// remount,ro` is refused by the kernel while there are any.
INSTANTIATE_TEST_SUITE_P(Calls, FailingDiskTest,
                         testing::Values(Failure{"read_only", "pwrite64,ftruncate,openat,unlink:error=EROFS"},
                                         Failure{"unwritable", "pwrite64:error=EIO"},
                                         Failure{"unsyncable", "fdatasync:error=EIO"},
                                         Failure{"unreadable", "pread64,pwrite64,openat:error=EIO"},
                                         Failure{"over_quota", "pwrite64:error=EDQUOT"}),
                         [](const auto& failure) { return std::string(failure.param.name); });

TEST_P(FailingDiskTest, refuses_joins_until_it_works_again) {
  const std::string reason = cannot_trace();
  if (!reason.empty()) GTEST_SKIP() << reason;
  ASSERT_NO_FATAL_FAILURE(start_with_clients(database()));
  const fs::path file = database();
  {
    const Strace strace(daemon().id(),
                        {{"pread64", "pwrite64", "fdatasync", "ftruncate", "openat", "unlink"},
                         {file, file.string() + "-wal", file.string() + "-shm"},
                         GetParam().what},
                        directory_.path());
    expect_only_joins_suffer();
  }
  expect_recovers(file);
}

}  // namespace lekt::test
