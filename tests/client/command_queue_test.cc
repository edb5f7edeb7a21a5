#include "client/command/command_queue.h"

#include <gtest/gtest.h>

#include <fstream>

#include "tests/support/support.h"

namespace lekt::command {
namespace {

CommandRun numbered(int number) { return {std::to_string(number), {"NUMBER=" + std::to_string(number)}}; }

TEST(CommandQueue, runs_every_command_in_order) {
  const test::TempDirectory directory;
  const auto path = directory.path() / "out";
  CommandQueue queue("echo $NUMBER >> " + path.string());
  for (int number = 1; number <= 5; ++number) queue.add(numbered(number));
  queue.finish();
  EXPECT_EQ(test::read_text(path), "1\n2\n3\n4\n5\n");
}

TEST(CommandQueue, replaces_inherited_variables_and_keeps_the_others) {
  const test::TempDirectory directory;
  const auto path = directory.path() / "out";
  ASSERT_EQ(::setenv("NUMBER", "inherited", 1), 0);
  ASSERT_EQ(::setenv("LEKT_TEST_OTHER", "kept", 1), 0);
  CommandQueue queue("echo $NUMBER $LEKT_TEST_OTHER $(env | grep -c ^NUMBER=) > " + path.string());
  queue.add(numbered(1));
  queue.finish();
  EXPECT_EQ(test::read_text(path), "1 kept 1\n");
}

TEST(CommandQueue, a_failure_is_reported_and_ends_nothing) {
  const test::TempDirectory directory;
  const auto path = directory.path() / "out";
  testing::internal::CaptureStderr();
  {
    CommandQueue queue("echo $NUMBER >> " + path.string() + "; test $NUMBER = 2 || exit 3; kill -9 $$");
    for (int number = 1; number <= 2; ++number) queue.add(numbered(number));
    queue.finish();
  }
  EXPECT_EQ(testing::internal::GetCapturedStderr(),
            "lekt: E706 the command for '1' ended with exit code 3\n"
            "lekt: E706 the command for '2' was ended by signal 9\n");
  EXPECT_EQ(test::read_text(path), "1\n2\n");
}

TEST(CommandQueue, has_no_input_and_no_other_descriptors) {
  const test::TempDirectory directory;
  const auto path = directory.path() / "out";
  const std::ofstream held(directory.path() / "held");
  CommandQueue queue("cat; ls /proc/self/fd | wc -l > " + path.string());
  queue.add(numbered(1));
  queue.finish();
  EXPECT_EQ(test::read_text(path), "4\n");  // 0, 1, 2 and the directory that ls reads
}

TEST(CommandQueue, its_end_waits_for_the_running_command) {
  const test::TempDirectory directory;
  const auto started = directory.path() / "started";
  const auto path = directory.path() / "out";
  {
    CommandQueue queue("touch " + started.string() + "; sleep 0.1; echo $NUMBER >> " + path.string());
    for (int number = 1; number <= 100; ++number) queue.add(numbered(number));
    ASSERT_TRUE(test::eventually([&] { return std::filesystem::exists(started); }));
  }
  EXPECT_TRUE(test::read_text(path).starts_with("1\n"));
}

}  // namespace
}  // namespace lekt::command
