// Signals that come before the server is ready: none is lost, and none does what it would do by default.
#include <csignal>
#include <filesystem>
#include <string>

#include "tests/integration/daemon.h"
#include "tests/integration/raw_client.h"
#include "tests/integration/sqlite.h"
#include "tests/support/paths.h"

namespace lekt::test {

namespace {

class StartSignalsTest : public DaemonTest {
 protected:
  /// lektd with this signal waiting for it from its first moment: blocked signals stay so, and waiting, when
  /// a program becomes another one.
  Process start_with(const std::string& signal) {
    return {"/usr/bin/env",
            {"python3", "-c",
             "import os, signal, sys\n"
             "signal.pthread_sigmask(signal.SIG_BLOCK, [signal." +
                 signal +
                 "])\n"
                 "os.kill(os.getpid(), signal." +
                 signal +
                 ")\n"
                 "os.execv(sys.argv[1], sys.argv[1:])",
             program_file("lektd"), "--listen", "127.0.0.1:0", "--database", database().string()},
            directory_.path()};
  }
};

}  // namespace

TEST_F(StartSignalsTest, that_end_it_end_it_at_once) {
  EXPECT_EQ(start_with("SIGTERM").wait(), 128 + SIGTERM);
  EXPECT_EQ(start_with("SIGINT").wait(), 128 + SIGINT);
  EXPECT_FALSE(std::filesystem::exists(database()));
}

TEST_F(StartSignalsTest, that_end_it_while_the_database_is_read_end_it_in_order) {
  joined(start().port(), "127.0.0.2").beat();
  daemon().stop(SIGTERM);
  const std::string lock = database().string() + ".lock";
  for (const int signal : {SIGTERM, SIGINT}) {
    Operator holder(database(), Operator::Access::read_write);
    holder.ask("BEGIN IMMEDIATE");
    Process process(program_file("lektd"), {"--listen", "127.0.0.1:0", "--database", database().string()},
                    directory_.path());
    ASSERT_TRUE(eventually([&] { return std::filesystem::exists(lock); }, patience()));
    process.send_signal(signal);
    holder.ask("COMMIT");
    EXPECT_EQ(process.wait(), 0);
    EXPECT_EQ(count(process.errors(), "event=stopped message=\"the start was ended by a signal\""), 1u)
        << process.errors();
    EXPECT_EQ(count(process.errors(), "event=started"), 0u);
    EXPECT_FALSE(std::filesystem::exists(lock));
  }
}

TEST_F(StartSignalsTest, that_reload_wait_until_there_is_something_to_reload) {
  Process process = start_with("SIGHUP");
  EXPECT_TRUE(eventually([&] { return count(process.errors(), "event=reloaded") == 1; }, patience()))
      << process.errors();
  process.send_signal(SIGTERM);
  EXPECT_EQ(process.wait(), 0);
}

}  // namespace lekt::test
