// `lekt device` as scripts and health checks run it.
#include <gtest/gtest.h>

#include <csignal>
#include <fstream>

#include "tests/client/program.h"
#include "tests/support/device_server.h"

namespace lekt::test {
namespace {

using testing::IsNotSubstring;
using testing::IsSubstring;

std::vector<std::string> device_arguments(std::uint16_t port, const std::vector<std::string>& more) {
  std::vector<std::string> arguments = {"device", "--server", "127.0.0.1", "--port", std::to_string(port)};
  arguments.insert(arguments.end(), more.begin(), more.end());
  return arguments;
}

class ProgramDevice : public testing::Test {
 protected:
  std::vector<std::string> with(const std::vector<std::string>& more) { return with(ticket_, more); }
  std::vector<std::string> with(const std::string& ticket, const std::vector<std::string>& more) {
    std::vector<std::string> arguments =
        device_arguments(server_.port(), {"--uid", "joe", "--ticket", ticket});
    arguments.insert(arguments.end(), more.begin(), more.end());
    return arguments;
  }

  TempDirectory directory_;
  const std::string ticket_ = directory_.path() / "ticket";
  DeviceServer server_;
};

TEST_F(ProgramDevice, without_a_script_it_is_a_health_check) {
  Program program(with("none", {}));
  EXPECT_EQ(program.wait(), 0) << program.error();
  EXPECT_EQ(program.out(), "");
  EXPECT_EQ(server_.ended(), std::vector{ErrorCode::session_ended}) << "nobody could come back to it";
}

TEST_F(ProgramDevice, waits_types_and_prints_the_screen) {
  Program program(with({"--rows", "5", "--columns", "40", "--send", "[a,b]", "--expect", "[a,b]", "--expect",
                        "uid joe", "--send", "a b\\r", "--send", "\\{F5}\\x03", "--expect",
                        "typed [a,b]a b<enter><F5><ctrl c>", "--print"}));
  EXPECT_EQ(program.wait(), 0) << program.error();
  EXPECT_EQ(program.out(), "uid joe\ntyped [a,b]a b<enter><F5><ctrl c>\nred\n日本 ü\n\n");
  for (const std::string line :
       {"Z Connecting...\n", "Z Register Port ", "Z Connected\n", "Z a session has begun\n"})
    EXPECT_PRED_FORMAT2(IsSubstring, line, program.error());
}

TEST_F(ProgramDevice, prints_a_screen_when_it_is_whole) {
  server_.draw_slowly(20);
  Program program(with({"--print"}));
  EXPECT_EQ(program.wait(), 0) << program.error();
  EXPECT_PRED_FORMAT2(IsSubstring, "\nrow 19\nrow 20\n", program.out());
  Program other(with("none", {"--expect", "row 5", "--print"}));
  EXPECT_EQ(other.wait(), 0) << other.error();
  EXPECT_PRED_FORMAT2(IsSubstring, "\nrow 19\nrow 20\n", other.out());
}

TEST_F(ProgramDevice, prints_a_screen_that_never_rests_when_the_time_is_over) {
  server_.draw_slowly(20, false);
  Program program(with({"--print", "--timeout", "2s"}));
  EXPECT_EQ(program.wait(), 0) << program.error();
  EXPECT_PRED_FORMAT2(IsSubstring, "\nrow 20\n", program.out());
}

TEST_F(ProgramDevice, comes_back_to_its_session_with_its_ticket) {
  Program first(with({"--send", "1"}));
  EXPECT_EQ(first.wait(), 0) << first.error();
  Program second(with({"--send", "2", "--expect", "typed 12"}));
  EXPECT_EQ(second.wait(), 0) << second.error();
  EXPECT_PRED_FORMAT2(IsSubstring, "Z the session goes on\n", second.error());
  EXPECT_EQ(server_.began(), 1u);
  EXPECT_EQ(server_.resumed(), 1u);
}

TEST_F(ProgramDevice, keeps_its_ticket_when_it_is_killed) {
  Program first(with({"--expect", "what never comes"}));
  ASSERT_TRUE(eventually([&] { return server_.began() == 1 && std::ifstream(ticket_).good(); }));
  first.signal(SIGKILL);
  EXPECT_EQ(first.wait(), 128 + SIGKILL);
  Program second(with({"--expect", "uid joe"}));
  EXPECT_EQ(second.wait(), 0) << second.error();
  EXPECT_EQ(server_.began(), 1u);
}

TEST_F(ProgramDevice, two_of_one_uid_are_refused_on_one_machine) {
  Program first(with({"--expect", "what never comes"}));
  ASSERT_TRUE(eventually([&] { return server_.began() == 1; }));
  Program second(with({}));
  EXPECT_EQ(second.wait(), 1);
  EXPECT_TRUE(second.error().starts_with("lekt: E714 the ticket ")) << second.error();
}

TEST_F(ProgramDevice, fails_with_e704_when_a_text_does_not_come) {
  Program program(with({"--expect", "what never comes", "--timeout", "700ms", "--print"}));
  EXPECT_EQ(program.wait(), 1);
  EXPECT_PRED_FORMAT2(IsSubstring, "lekt: E704 the screen has not shown \"what never comes\" within 700ms\n",
                      program.error());
  EXPECT_PRED_FORMAT2(IsSubstring, "uid joe\n", program.out());
}

TEST_F(ProgramDevice, fails_with_e906_when_nobody_answers) {
  server_.be_reachable(false);
  Program program(with({"--timeout", "300ms"}));
  EXPECT_EQ(program.wait(), 1);
  EXPECT_PRED_FORMAT2(IsSubstring, "lekt: E906 the server has not answered yet\n", program.error());
}

TEST_F(ProgramDevice, fails_with_the_code_of_who_ends_its_session) {
  Program program(with({"--expect", "what never comes"}));
  ASSERT_TRUE(eventually([&] { return server_.began() == 1; }));
  server_.end_sessions({ErrorCode::host_hung_up, "bye"});
  EXPECT_EQ(program.wait(), 1);
  EXPECT_PRED_FORMAT2(IsSubstring, "lekt: E910 bye\n", program.error());
}

TEST_F(ProgramDevice, has_done_its_script_when_its_last_input_logs_out) {
  Program program(with({"--send", "1", "--send", "\\x04"}));
  EXPECT_EQ(program.wait(), 0) << program.error();
  EXPECT_EQ(server_.ended(), std::vector{ErrorCode::host_hung_up});
}

TEST_F(ProgramDevice, fails_when_it_is_logged_out_before_its_script_is_done) {
  Program program(with({"--send", "\\x04", "--expect", "what never comes"}));
  EXPECT_EQ(program.wait(), 1);
  EXPECT_PRED_FORMAT2(IsSubstring, "lekt: E910 logged out\n", program.error());
}

TEST_F(ProgramDevice, goes_on_after_a_hole_in_the_network) {
  Program program(with({"--expect", "uid joe", "--send", "1", "--expect", "typed 1", "--timeout", "20s"}));
  server_.be_reachable(false);
  ASSERT_TRUE(eventually([&] { return program.error().find("Connecting...") != std::string::npos; }));
  server_.be_reachable(true);
  EXPECT_EQ(program.wait(), 0) << program.error();
  EXPECT_EQ(server_.typed(), "1");
}

TEST_F(ProgramDevice, a_ticket_that_cannot_be_kept_is_told_at_the_start) {
  Program none(with(directory_.path() / "none/ticket", {}));
  EXPECT_EQ(none.wait(), 1);
  EXPECT_TRUE(none.error().starts_with("lekt: E706 cannot open ")) << none.error();
  std::ofstream(ticket_) << "nonsense";
  Program broken(with({}));
  EXPECT_EQ(broken.wait(), 2);
  EXPECT_TRUE(broken.error().starts_with("lekt: E705 the file ")) << broken.error();
}

TEST_F(ProgramDevice, a_name_that_nobody_knows_is_named) {
  Program program({"device", "--server", "nobody.invalid", "--ticket", "none"});
  EXPECT_EQ(program.wait(), 1);
  EXPECT_TRUE(program.error().starts_with("lekt: E701 cannot find nobody.invalid: ")) << program.error();
}

TEST_F(ProgramDevice, a_port_that_is_taken_is_named) {
  const std::string port = std::to_string(server_.port());
  Program program(with({"--client-port", port, "--source", "127.0.0.1"}));
  EXPECT_EQ(program.wait(), 1);
  EXPECT_EQ(program.error(),
            "lekt: E701 cannot use UDP port " + port +
                " of 127.0.0.1: Address already in use; --client-port 0 takes any port that is free\n");
}

TEST(ProgramDevices, many_at_once_have_a_uid_each_and_a_summary) {
  DeviceServer server(20);
  Program program(device_arguments(server.port(), {"--uid", "d", "--count", "20", "--expect", "uid d-",
                                                   "--send", "x", "--expect", "typed x", "--print"}));
  EXPECT_EQ(program.wait(), 0) << program.error();
  EXPECT_PRED_FORMAT2(IsSubstring, "== d-20\nuid d-20\ntyped x\n", program.out());
  EXPECT_PRED_FORMAT2(IsSubstring, "20 devices in ", program.out());
  EXPECT_PRED_FORMAT2(IsSubstring, ": 20 done, 0 failed\n", program.out());
  EXPECT_EQ(program.error(), "");
  EXPECT_EQ(server.began(), 20u);
  EXPECT_EQ(server.sessions(), 0u) << "nobody could come back to them";
}

TEST(ProgramDevices, those_that_fail_are_counted_and_named) {
  DeviceServer server(2);
  Program program(device_arguments(
      server.port(), {"--uid", "d", "--count", "3", "--expect", "never", "--timeout", "2500ms"}));
  EXPECT_EQ(program.wait(), 1);
  EXPECT_PRED_FORMAT2(IsSubstring, ": 0 done, 3 failed\n", program.out());
  EXPECT_PRED_FORMAT2(IsSubstring, "lekt: E704 the screen has not shown \"never\" within 2500ms (d-",
                      program.error());
  EXPECT_PRED_FORMAT2(IsSubstring, "lekt: E903 ", program.error());
}

TEST(ProgramDeviceUsage, a_wrong_value_is_named_with_what_is_allowed) {
  struct Wrong {
    std::vector<std::string> arguments;
    std::string said;
  };
  for (const auto& [arguments, said] : std::vector<Wrong>{
           {{"--rows", "0", "--columns", "80"}, "--rows \"0\" is not a number from 1 to 100"},
           {{"--rows", "24", "--columns", "201"}, "--columns \"201\" is not a number from 1 to 200"},
           {{"--rows", "24"}, "--rows and --columns belong together"},
           {{"--port", "0"}, "--port \"0\" is not a number from 1 to 65535"},
           {{"--server", "10.0.0.1:3006"}, "its port for devices is given with --port"},
           {{"--uid", "a~b"}, "--uid \"a~b\": printable ASCII without '~' is allowed"},
           {{"--string", "a~"}, "the device string has 1 fields"},
           {{"--string", "a~", "--uid", "b"}, "there is no use for --uid and --type"},
           {{"--string", "~~~~~~~~~~~~~"}, "the string has no uid"},
           {{"--expect", ""}, "--expect is empty"},
           {{"--send", "\\q"}, "begins no escape"},
           {{"--count", "20000"}, "--count 20000 is more than 10000"},
           {{"--count", "2", "--client-port", "3771"}, "--client-port is for one device"},
           {{"--count", "2", "--ticket", "x"}, "--ticket is for one device"},
           {{"--timeout", "1"}, "--timeout \"1\" is not a duration of 10ms to 1d"}}) {
    std::vector<std::string> all = {"device"};
    if (said.find("--port\"") == std::string::npos && arguments.front() != "--server")
      all.insert(all.end(), {"--server", "127.0.0.1"});
    all.insert(all.end(), arguments.begin(), arguments.end());
    Program program(all);
    EXPECT_EQ(program.wait(), 2) << said;
    EXPECT_TRUE(program.error().starts_with("lekt: E705 ")) << program.error();
    EXPECT_PRED_FORMAT2(IsSubstring, said, program.error());
  }
}

}  // namespace
}  // namespace lekt::test
