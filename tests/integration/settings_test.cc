// Flags, environment, configuration file, and starts that cannot work: what is said, and the exit status.
#include <fstream>
#include <regex>
#include <string>

#include "tests/integration/daemon.h"
#include "tests/integration/raw_client.h"
#include "tests/support/paths.h"

namespace lekt::test {

namespace {

using testing::IsSubstring;
using namespace std::string_literals;

class SettingsTest : public DaemonTest {
 protected:
  static Outcome lektd(const Flags& flags, const Environment& environment = {}) {
    return run(program_file("lektd"), flags, environment);
  }

  std::filesystem::path write_configuration(const std::string& text) const {
    const auto path = directory_.path() / "lektd.toml";
    std::ofstream(path) << text;
    return path;
  }
};

}  // namespace

TEST_F(SettingsTest, that_are_wrong_are_named_with_their_value_and_what_is_allowed) {
  struct Wrong {
    const char* flag;
    const char* value;
    const char* allowed;
  };
  const Wrong wrongs[] = {
      {"--listen", "7890", "ADDRESS:PORT"},
      {"--listen", "127.0.0.1:65536", "a port from 0 to 65535"},
      {"--listen", "::1:7890", "an IPv6 address in brackets"},
      {"--listen", "localhost:7890", "ADDRESS:PORT"},
      {"--database", ":memory:", "has to survive a restart"},
      {"--heartbeat-timeout", "90", "such as 90s"},
      {"--heartbeat-timeout", "0s", "a duration from 10ms"},
      {"--handshake-timeout", "-1s", "a duration from 10ms"},
      {"--restart-grace", "soon", "a duration from 0s"},
      {"--retention", "1w", "a duration from 1s"},
      {"--threads", "0", "a whole number from 1 to 256"},
      {"--max-clients", "0", "a whole number from 1"},
      {"--max-methods", "65537", "a whole number from 0 to 65536"},
      {"--max-packet-bytes", "100", "a whole number from 8192"},
      {"--method", "1:web:sized", "built-in"},
      {"--method", "3006:web:sized", "method 3006 is the built-in device"},
      {"--method", "2:chat:variable", "sized"},
      {"--log-level", "loud", "trace, debug, info, warn, error or off"},
      {"--log-format", "xml", "text or json"},
  };
  for (const Wrong& wrong : wrongs) {
    const Outcome outcome = lektd({std::string(wrong.flag) + "=" + wrong.value});
    EXPECT_EQ(outcome.status, 2) << wrong.flag;
    for (const char* part : {"E501", wrong.flag, wrong.value, wrong.allowed})
      EXPECT_PRED_FORMAT2(IsSubstring, part, outcome.errors);
    EXPECT_EQ(outcome.output, "");
  }
}

TEST_F(SettingsTest, that_do_not_exist_are_named) {
  const Outcome outcome = lektd({"--heartbeat", "90s"});
  EXPECT_EQ(outcome.status, 2);
  EXPECT_PRED_FORMAT2(IsSubstring, "--heartbeat", outcome.errors);
  EXPECT_EQ(lektd({"serve"}).status, 2);
}

TEST_F(SettingsTest, of_the_environment_are_named_as_well) {
  const Outcome outcome = lektd({}, {{"LEKT_THREADS", "many"}});
  EXPECT_EQ(outcome.status, 2);
  EXPECT_PRED_FORMAT2(IsSubstring, "LEKT_THREADS: 'many' is not allowed", outcome.errors);
}

TEST_F(SettingsTest, of_the_command_line_beat_the_environment_which_beats_the_file) {
  const auto file =
      write_configuration("max-methods = 101\nmax-clients = 102\nthreads = 3\nretention = \"3h\"\n");
  const Outcome outcome = lektd({"--check-config", "--config", file.string(), "--max-methods", "301"},
                                {{"LEKT_MAX_METHODS", "201"}, {"LEKT_MAX_CLIENTS", "202"}});
  EXPECT_EQ(outcome.status, 0) << outcome.errors;
  for (const std::string& value : {std::string("301\\s+# --max-methods"), "202\\s+# LEKT_MAX_CLIENTS"s,
                                   "3\\s+# " + file.string() + ":3", "\"3h\"\\s+# " + file.string() + ":4"})
    EXPECT_TRUE(std::regex_search(outcome.output, std::regex(" = " + value + "\n")))
        << value << outcome.output;
}

TEST_F(SettingsTest, of_the_file_that_do_not_exist_are_named) {
  const auto file = write_configuration("heartbeat-timeouts = \"90s\"\n");
  const Outcome outcome = lektd({"--config", file.string()});
  EXPECT_EQ(outcome.status, 2);
  EXPECT_PRED_FORMAT2(IsSubstring, file.string() + ":1:1: 'heartbeat-timeouts' is no setting",
                      outcome.errors);
}

TEST_F(SettingsTest, of_a_list_that_is_given_twice_deny_nobody_in_silence) {
  const auto file = write_configuration("deny = [\"10.0.0.1\"]\nmax-clients = 7\ndeny = [\"10.0.0.2\"]\n");
  const Outcome outcome = lektd({"--check-config", "--config", file.string()});
  EXPECT_EQ(outcome.status, 2);
  EXPECT_PRED_FORMAT2(IsSubstring, file.string() + ":3:", outcome.errors);
  EXPECT_PRED_FORMAT2(IsSubstring, "'deny'", outcome.errors);
}

TEST_F(SettingsTest, of_the_environment_that_do_not_exist_are_logged_at_the_start) {
  start({}, {{"LEKT_MAX_CLIENT", "5"}});
  EXPECT_TRUE(
      daemon().logs("event=variable_unknown message=\"'LEKT_MAX_CLIENT' is no setting; "
                    "'LEKT_MAX_CLIENTS' is one\"",
                    1))
      << daemon().log();
}

TEST_F(SettingsTest, file_that_is_not_there_is_named) {
  const Outcome outcome = lektd({"--config", "/nowhere/lektd.toml"});
  EXPECT_EQ(outcome.status, 2);
  EXPECT_PRED_FORMAT2(IsSubstring, "/nowhere/lektd.toml", outcome.errors);
}

TEST_F(SettingsTest, the_grace_follows_the_heartbeat_timeout_unless_it_is_given) {
  EXPECT_PRED_FORMAT2(IsSubstring, "restart-grace = \"20s\" ",
                      lektd({"--check-config", "--heartbeat-timeout", "20s"}).output);
}

TEST_F(SettingsTest, check_config_version_and_help_end_with_success_and_serve_nothing) {
  EXPECT_PRED_FORMAT2(IsSubstring, "The configuration is valid.", lektd({"--check-config"}).output);
  EXPECT_TRUE(lektd({"--version"}).output.starts_with("lektd "));
  const Outcome help = lektd({"--help"});
  EXPECT_EQ(help.status, 0);
  for (const char* flag :
       {"--listen", "--database", "--heartbeat-timeout", "--handshake-timeout", "--restart-grace",
        "--retention", "--threads", "--max-clients", "--max-methods", "--max-packet-bytes", "--method",
        "--log-level", "--log-format", "--check-config", "--version", "--config", "LEKT_LISTEN"})
    EXPECT_PRED_FORMAT2(IsSubstring, flag, help.output);
}

TEST_F(SettingsTest, a_port_in_use_is_said_and_leaves_the_other_server_alone) {
  const std::string address = "127.0.0.1:" + std::to_string(start().port());
  const Outcome outcome = lektd({"--listen", address});
  EXPECT_EQ(outcome.status, 1);
  EXPECT_PRED_FORMAT2(IsSubstring, "E502 cannot listen on " + address, outcome.errors);
  joined(daemon().port(), "127.0.0.2").beat();
}

TEST_F(SettingsTest, a_second_server_on_one_database_is_refused_and_told_who_has_it) {
  RawClient client = joined(start().port(), "127.0.0.2");
  Process second(program_file("lektd"), {"--listen", "127.0.0.1:0", "--database", database().string()},
                 directory_.path());
  EXPECT_EQ(second.wait(), 1);
  EXPECT_PRED_FORMAT2(IsSubstring, "E504 process " + std::to_string(daemon().id()) + " holds the lock",
                      second.errors());
  EXPECT_EQ(client.beat().added.size(), 1u);
  const RawClient other = joined(daemon().port(), "127.0.0.3");
  EXPECT_EQ(client.beat_until_news().added, std::vector{ip("127.0.0.3")});
}

TEST_F(SettingsTest, a_killed_server_does_not_keep_the_database) {
  start();
  daemon().kill();
  joined(start().port(), "127.0.0.2").beat();
}

}  // namespace lekt::test
