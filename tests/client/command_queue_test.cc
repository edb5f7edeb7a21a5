#include "client/command/command_queue.h"

#include <gtest/gtest.h>
#include <signal.h>
#include <unistd.h>

#include <fstream>

#include "tests/client/fake_server.h"
#include "tests/support/support.h"

namespace lekt::command {
namespace {

using namespace std::chrono_literals;
using test::tcp;

const MethodCatalogue plain_catalogue;

/// The peer 10.0.0.NUMBER comes, with this port.
PeerChange arrival(std::uint32_t number, std::uint16_t port = 1) {
  return {PeerChange::Kind::added, Address::v4(0x0a000000 + number), {}, {tcp(port), {}}};
}

class CommandQueueTest : public testing::Test {
 protected:
  std::string at(const std::string& name) const { return (directory_.path() / name).string(); }
  /// Empty until the file is there.
  std::string text(const std::string& name) const {
    return std::filesystem::exists(at(name)) ? test::read_text(at(name)) : "";
  }

  /// Runs the command for these peers, one after the other, and yields what it has said on standard error.
  static std::string run(CommandQueue::Options options, std::vector<RunReason> reasons) {
    testing::internal::CaptureStderr();
    {
      CommandQueue queue(std::move(options), plain_catalogue);
      queue.add(std::move(reasons), 0);
      EXPECT_TRUE(queue.finish(20s));
    }
    return testing::internal::GetCapturedStderr();
  }

  const test::TempDirectory directory_;
};

TEST_F(CommandQueueTest, runs_the_command_for_each_peer_in_order) {
  EXPECT_EQ(run({.command = "echo $LEKT_EVENT $LEKT_ADDRESS $LEKT_TCP_PORT >> " + at("out")},
                {arrival(1), arrival(3), arrival(2)}),
            "");
  EXPECT_EQ(text("out"), "added 10.0.0.1 1\nadded 10.0.0.3 1\nadded 10.0.0.2 1\n");
}

TEST_F(CommandQueueTest, the_command_has_the_name_without_quotation_marks) {
  PeerChange change = arrival(1);
  for (const char* name : {"kitchen \"pi\"", "other"})
    change.now.methods.push_back({name_index, MethodCatalogue::wrap({MethodForm::Kind::text, 0}, name)});
  run({.command = "printf '%s|%s' \"$LEKT_NAME\" \"$LEKT_METHODS\" > " + at("out")}, {change});
  EXPECT_EQ(text("out"), R"(kitchen "pi"|tcp:1 name:"kitchen \"pi\"" name:other)");
}

TEST_F(CommandQueueTest, its_input_is_the_event_as_json) {
  run({.command = "cat >> " + at("out")}, {arrival(1)});
  EXPECT_EQ(text("out"),
            R"({"event":"added","address":"10.0.0.1","methods":[{"index":1,"name":"tcp","port":1}]})"
            "\n");
}

TEST_F(CommandQueueTest, a_batch_is_run_once_for_all_that_waits) {
  std::vector<RunReason> reasons;
  for (std::uint32_t number = 1; number <= 3000; ++number) reasons.emplace_back(arrival(number));
  run({.command = "echo $LEKT_EVENT $LEKT_EVENTS $(grep -c added) >> " + at("out"), .batch = true},
      std::move(reasons));
  EXPECT_EQ(text("out"), "batch 3000 3000\n");
}

TEST_F(CommandQueueTest, replaces_inherited_variables_and_keeps_the_others) {
  ASSERT_EQ(::setenv("LEKT_EVENT", "inherited", 1), 0);
  ASSERT_EQ(::setenv("LEKT_TEST_OTHER", "kept", 1), 0);
  run({.command = "echo $LEKT_EVENT $LEKT_TEST_OTHER $(env | grep -c ^LEKT_EVENT=) > " + at("out")},
      {arrival(1)});
  ::unsetenv("LEKT_EVENT");
  EXPECT_EQ(text("out"), "added kept 1\n");
}

TEST_F(CommandQueueTest, a_failure_is_reported_and_ends_nothing) {
  EXPECT_EQ(run({.command = "test $LEKT_ADDRESS = 10.0.0.2 || exit 3; kill -9 $$"}, {arrival(1), arrival(2)}),
            "lekt: E706 the command for '+ 10.0.0.1 tcp:1' ended with exit code 3\n"
            "lekt: E706 the command for '+ 10.0.0.2 tcp:1' was ended by signal 9\n");
}

TEST_F(CommandQueueTest, methods_that_are_too_long_for_a_variable_are_whole_in_the_input) {
  PeerChange change = arrival(1, 7890);
  change.now.unknown = Bytes("\0\0\0\x09", 4) + Bytes(80'000, 'x');
  const std::string said =
      run({.command = "cat > " + at("in") + "; printf '%s' \"$LEKT_METHODS\" > " + at("out") + "; exit 1"},
          {change});
  EXPECT_EQ(text("out"), "tcp:7890 ...");
  EXPECT_GT(text("in").size(), 160'000u);
  EXPECT_EQ(said, "lekt: E706 the command for '+ 10.0.0.1 tcp:7890 ...' ended with exit code 1\n");
}

TEST_F(CommandQueueTest, inherits_no_descriptors_and_no_blocked_or_ignored_signals) {
  const std::ofstream held(at("held"));
  sigset_t all;
  sigset_t before;
  sigfillset(&all);
  ::pthread_sigmask(SIG_BLOCK, &all, &before);
  const auto old = ::signal(SIGPIPE, SIG_IGN);
  // The kernel's masks are hexadecimal; what is above 31 is the C library's own.
  run({.command = "ls /proc/self/fd | wc -l > " + at("out") +
                  "; for kind in SigBlk SigIgn; do"
                  "   mask=$(grep $kind /proc/self/status | cut -f 2); echo $((0x$mask & 0x7fffffff)) >> " +
                  at("out") + "; done"},
      {arrival(1)});
  ::signal(SIGPIPE, old);
  ::pthread_sigmask(SIG_SETMASK, &before, nullptr);
  EXPECT_EQ(text("out"), "4\n0\n0\n");  // 0, 1, 2 and the directory that ls reads
}

TEST_F(CommandQueueTest, one_that_asks_for_it_is_run_again_with_what_has_come_since) {
  testing::internal::CaptureStderr();
  {
    CommandQueue queue(
        {.command = "echo $LEKT_METHODS >> " + at("out") + "; test -e " + at("go") + " || exit 75",
         .retry_first = 1ms,
         .retry_last = 2ms},
        plain_catalogue);
    queue.add({arrival(1)}, 0);
    ASSERT_TRUE(test::eventually([&] { return text("out").size() >= 2 * 6; }));
    queue.add({PeerChange{PeerChange::Kind::changed, arrival(1).address, arrival(1).now, {tcp(2), {}}}}, 0);
    std::ofstream(at("go")).put('\n');
    EXPECT_TRUE(test::eventually([&] { return text("out").ends_with("tcp:2\n"); }));
  }
  EXPECT_TRUE(testing::internal::GetCapturedStderr().starts_with(
      "lekt: E706 the command for '+ 10.0.0.1 tcp:1' asks to be run again (exit code 75); it is run again in "
      "1ms\n"
      "lekt: E706 the command for '+ 10.0.0.1 tcp:1' asks to be run again (exit code 75); it is run again in "
      "2ms\n"));
}

TEST_F(CommandQueueTest, one_that_cannot_be_started_is_tried_again) {
  const std::string too_long = ": " + std::string(200'000, 'x');
  const std::string why =
      "lekt: E706 the command for '+ 10.0.0.1 tcp:1' cannot be started: Argument list too long; it is ";
  testing::internal::CaptureStderr();
  {
    CommandQueue queue({.command = too_long, .retry_first = 1ms, .retry_last = 1ms}, plain_catalogue);
    queue.add({arrival(1)}, 0);
    EXPECT_TRUE(queue.finish(20s));
  }
  const std::string said = testing::internal::GetCapturedStderr();
  EXPECT_TRUE(said.starts_with(why)) << said;
  EXPECT_TRUE(said.ends_with(why + "not run again\n")) << said;
}

TEST_F(CommandQueueTest, one_that_takes_too_long_is_reported_and_then_ended_with_its_children) {
  const std::string said = run({.command = "echo $$ > " + at("shell") +
                                           "; test $LEKT_ADDRESS = 10.0.0.2 || { trap '' TERM; sleep 99; }",
                                .limit = 50ms,
                                .report_after = 10ms,
                                .kill_grace = 20ms},
                               {arrival(1), arrival(2)});
  // On a slow machine the one behind it may take longer than 10 ms, too.
  EXPECT_TRUE(said.starts_with(
      "lekt: E712 the command for '+ 10.0.0.1 tcp:1' has run for 10ms, 1 wait for it; it is ended after "
      "50ms (--exec-timeout)\n"
      "lekt: E712 the command for '+ 10.0.0.1 tcp:1' has run for 50ms and is ended\n"
      "lekt: E706 the command for '+ 10.0.0.1 tcp:1' was ended by signal 9\n"))
      << said;
}

TEST_F(CommandQueueTest, the_end_waits_for_the_running_command_and_drops_the_others) {
  {
    CommandQueue queue(
        {.command = "touch " + at("started") + "; sleep 0.1; echo $LEKT_ADDRESS >> " + at("out")},
        plain_catalogue);
    queue.add({arrival(1), arrival(2), arrival(3)}, 0);
    ASSERT_TRUE(test::eventually([&] { return std::filesystem::exists(at("started")); }));
  }
  EXPECT_EQ(text("out"), "10.0.0.1\n");
}

TEST_F(CommandQueueTest, the_end_waits_for_a_hung_command_only_so_long) {
  testing::internal::CaptureStderr();
  const auto began = std::chrono::steady_clock::now();
  {
    CommandQueue queue({.command = "touch " + at("started") + "; exec sleep 99", .stop_grace = 20ms},
                       plain_catalogue);
    queue.add({arrival(1)}, 0);
    ASSERT_TRUE(test::eventually([&] { return std::filesystem::exists(at("started")); }));
  }
  EXPECT_LT(std::chrono::steady_clock::now() - began, 20s);
  EXPECT_EQ(testing::internal::GetCapturedStderr(),
            "lekt: E712 the command for '+ 10.0.0.1 tcp:1' still runs; it is ended\n"
            "lekt: E706 the command for '+ 10.0.0.1 tcp:1' was ended by signal 15\n");
}

TEST_F(CommandQueueTest, a_run_waits_until_the_file_has_its_version) {
  CommandQueue queue({.command = "echo $LEKT_ADDRESS >> " + at("out")}, plain_catalogue);
  queue.add({arrival(1)}, 2);
  queue.add({ConnectionEvent{}}, 0);
  queue.release(1);
  EXPECT_TRUE(test::eventually([&] { return text("out") == "\n"; }));
  EXPECT_FALSE(queue.finish(10ms));
  queue.release(2);
  EXPECT_TRUE(queue.finish(20s));
  EXPECT_EQ(text("out"), "\n10.0.0.1\n");
}

}  // namespace
}  // namespace lekt::command
