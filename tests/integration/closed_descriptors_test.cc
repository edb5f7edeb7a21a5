// Programs whose standard input, output or error is closed: nothing that they open takes its place.
#include <sys/stat.h>

#include <csignal>
#include <string>

#include "tests/integration/daemon.h"
#include "tests/integration/raw_client.h"
#include "tests/integration/sqlite.h"
#include "tests/support/paths.h"

namespace lekt::test {

namespace {

namespace fs = std::filesystem;
using testing::IsSubstring;

/// Bit 0 is standard input, bit 1 output, bit 2 error.
class ClosedDescriptorsTest : public DaemonTest, public testing::WithParamInterface<int> {
 protected:
  /// A shell that closes them and becomes the program.
  Flags closing(const std::string& program, const Flags& arguments) const {
    std::string command = "exec \"$0\" \"$@\"";
    if ((GetParam() & 1) != 0) command += " 0<&-";
    if ((GetParam() & 2) != 0) command += " 1>&-";
    if ((GetParam() & 4) != 0) command += " 2>&-";
    Flags all = {"-c", command, program};
    all.insert(all.end(), arguments.begin(), arguments.end());
    return all;
  }

  bool is_closed(int number) const { return (GetParam() >> number & 1) != 0; }

  std::string file_behind(pid_t process, int number) const {
    std::error_code ignored;
    return fs::read_symlink("/proc/" + std::to_string(process) + "/fd/" + std::to_string(number), ignored);
  }
};

INSTANTIATE_TEST_SUITE_P(EachCombination, ClosedDescriptorsTest, testing::Range(1, 8));

/// Programs that run until they are ended, and so need their output.
class ClosedInputAndErrorTest : public ClosedDescriptorsTest {
 protected:
  /// Expects that what is closed leads nowhere, soon after the program has begun.
  void expect_nowhere(const std::string& program, const Flags& arguments) {
    const fs::path elsewhere = directory_.path() / "elsewhere";
    fs::create_directory(elsewhere);
    Process running("/bin/sh", closing(program, arguments), elsewhere);
    for (int number = 0; number <= 2; ++number)
      if (is_closed(number)) {
        EXPECT_TRUE(eventually([&] { return file_behind(running.id(), number) == "/dev/null"; }, patience()))
            << number << " is " << file_behind(running.id(), number);
      }
    running.send_signal(SIGKILL);
    running.wait();
  }
};

INSTANTIATE_TEST_SUITE_P(EachCombination, ClosedInputAndErrorTest, testing::Values(1, 4, 5));

}  // namespace

TEST_P(ClosedDescriptorsTest, of_the_server_lead_nowhere_and_not_into_its_files) {
  Process server("/bin/sh",
                 closing(program_file("lektd"), {"--listen", "127.0.0.1:0", "--threads", "1", "--log-level",
                                                 "debug", "--database", database().string()}),
                 directory_.path());
  const fs::path socket = database().string() + ".sock";
  ASSERT_TRUE(eventually([&] { return fs::exists(socket); }, patience()));
  for (int number = 0; number <= 2; ++number)
    if (is_closed(number)) {
      EXPECT_EQ(file_behind(server.id(), number), "/dev/null") << number;
    }
  server.send_signal(SIGKILL);
  server.wait();
  EXPECT_EQ(read_text(database().string() + ".lock"), std::to_string(server.id()) + "\n");
  start();
  EXPECT_EQ(daemon().stop(SIGTERM), 0);
}

TEST_P(ClosedDescriptorsTest, of_the_client_take_no_output_for_written) {
  joined(start().port(), "127.0.0.2").beat();
  const fs::path elsewhere = directory_.path() / "elsewhere";
  fs::create_directory(elsewhere);
  Process client(
      "/bin/sh",
      closing(program_file("lekt"), {"peers", "--server", "127.0.0.1:" + std::to_string(daemon().port())}),
      elsewhere);
  EXPECT_EQ(client.wait(), is_closed(1) ? 1 : 0);
  if (is_closed(1) && !is_closed(2)) {
    EXPECT_PRED_FORMAT2(IsSubstring, "E706", client.errors());
  }
}

TEST_P(ClosedDescriptorsTest, of_the_operators_command_take_no_output_for_written) {
  joined(start().port(), "127.0.0.2").beat();
  const fs::path elsewhere = directory_.path() / "elsewhere";
  fs::create_directory(elsewhere);
  Process command("/bin/sh", closing(program_file("lektctl"), {"--database", database().string(), "export"}),
                  elsewhere);
  EXPECT_EQ(command.wait(), is_closed(1) ? 1 : 0);
  if (is_closed(1) && !is_closed(2)) {
    EXPECT_PRED_FORMAT2(IsSubstring, "E706", command.errors());
  }
}

TEST_P(ClosedInputAndErrorTest, of_a_client_lead_nowhere) {
  expect_nowhere(program_file("lekt"), {"join", "--server", "127.0.0.1:" + std::to_string(start().port())});
}

TEST_P(ClosedInputAndErrorTest, of_the_operators_command_lead_nowhere) {
  start();
  expect_nowhere(program_file("lektctl"), {"--database", database().string(), "changes", "--follow"});
}

}  // namespace lekt::test
