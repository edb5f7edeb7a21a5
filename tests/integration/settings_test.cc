// Flags, environment, configuration file, and starts that cannot work: what is said, and the exit status.
#include <fstream>
#include <string>

#include "tests/integration/daemon.h"
#include "tests/integration/raw_client.h"

namespace lekt::test {

namespace {

using testing::IsSubstring;

class SettingsTest : public DaemonTest {
 protected:
  static Outcome lektd(const Flags& flags, const Environment& environment = {}) {
    return run(LEKTD_PROGRAM, flags, environment);
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
  EXPECT_PRED_FORMAT2(IsSubstring, "many", outcome.errors);
  EXPECT_PRED_FORMAT2(IsSubstring, "threads", outcome.errors);
}

TEST_F(SettingsTest, of_the_command_line_beat_the_environment_which_beats_the_file) {
  const auto file =
      write_configuration("max-methods = 101\nmax-clients = 102\nthreads = 3\nretention = \"3h\"\n");
  const Outcome outcome = lektd({"--check-config", "--config", file.string(), "--max-methods", "301"},
                                {{"LEKT_MAX_METHODS", "201"}, {"LEKT_MAX_CLIENTS", "202"}});
  EXPECT_EQ(outcome.status, 0) << outcome.errors;
  for (const char* line : {"max-methods = 301\n", "max-clients = 202\n", "threads = 3\n", "retention = 3h\n"})
    EXPECT_PRED_FORMAT2(IsSubstring, line, outcome.output);
}

TEST_F(SettingsTest, all_work_as_environment_variables) {
  const Outcome outcome = lektd({"--check-config"}, {{"LEKT_LISTEN", "127.0.0.1:1,127.0.0.1:2"},
                                                     {"LEKT_DATABASE", "some.db"},
                                                     {"LEKT_HEARTBEAT_TIMEOUT", "11s"},
                                                     {"LEKT_HANDSHAKE_TIMEOUT", "12s"},
                                                     {"LEKT_RESTART_GRACE", "13s"},
                                                     {"LEKT_RETENTION", "14s"},
                                                     {"LEKT_THREADS", "15"},
                                                     {"LEKT_MAX_CLIENTS", "16"},
                                                     {"LEKT_MAX_METHODS", "17"},
                                                     {"LEKT_MAX_PACKET_BYTES", "18000"},
                                                     {"LEKT_MAX_CONNECTIONS_PER_ADDRESS", "19"},
                                                     {"LEKT_MAX_HANDSHAKES", "20"},
                                                     {"LEKT_SILENCE_SHARE", "26"},
                                                     {"LEKT_SILENCE_PATIENCE", "27s"},
                                                     {"LEKT_TLS_LISTEN", "127.0.0.1:3"},
                                                     {"LEKT_TLS_CERT", "server.pem"},
                                                     {"LEKT_TLS_KEY", "server.key"},
                                                     {"LEKT_TLS_CLIENT_CA", "clients.pem"},
                                                     {"LEKT_TLS_MIN_VERSION", "1.2"},
                                                     {"LEKT_PROXY_PROTOCOL", "10.9.0.0/24"},
                                                     {"LEKT_MAX_CONNECTION_RATE", "21"},
                                                     {"LEKT_MAX_CONNECTION_RATE_PER_ADDRESS", "22"},
                                                     {"LEKT_MAX_HEARTBEAT_RATE", "23"},
                                                     {"LEKT_MAX_OUTPUT_BYTES", "240000"},
                                                     {"LEKT_TCP_USER_TIMEOUT", "25s"},
                                                     {"LEKT_ALLOW", "10.0.0.0/8,192.0.2.7"},
                                                     {"LEKT_DENY", "10.1.0.0/16"},
                                                     {"LEKT_METHOD", "2:chat:sized,3:key:fixed:6"}});
  EXPECT_EQ(outcome.status, 0) << outcome.errors;
  for (const char* line : {"listen = 127.0.0.1:1\n",
                           "listen = 127.0.0.1:2\n",
                           "database = some.db\n",
                           "heartbeat-timeout = 11s\n",
                           "handshake-timeout = 12s\n",
                           "restart-grace = 13s\n",
                           "retention = 14s\n",
                           "threads = 15\n",
                           "max-clients = 16\n",
                           "max-methods = 17\n",
                           "max-connections-per-address = 19\n",
                           "max-handshakes = 20\n",
                           "silence-share = 26\n",
                           "silence-patience = 27s\n",
                           "tls-listen = 127.0.0.1:3\n",
                           "tls-cert = server.pem\n",
                           "tls-key = server.key\n",
                           "tls-client-ca = clients.pem\n",
                           "tls-min-version = 1.2\n",
                           "proxy-protocol = 10.9.0.0/24\n",
                           "max-connection-rate = 21\n",
                           "max-connection-rate-per-address = 22\n",
                           "max-heartbeat-rate = 23\n",
                           "max-output-bytes = 240000\n",
                           "tcp-user-timeout = 25s\n",
                           "allow = 10.0.0.0/8\n",
                           "allow = 192.0.2.7/32\n",
                           "deny = 10.1.0.0/16\n",
                           "max-packet-bytes = 18000\n",
                           "method = 2:chat:sized\n",
                           "method = 3:key:fixed:6\n"})
    EXPECT_PRED_FORMAT2(IsSubstring, line, outcome.output);
}

TEST_F(SettingsTest, of_the_file_that_do_not_exist_are_named) {
  const auto file = write_configuration("heartbeat-timeouts = \"90s\"\n");
  const Outcome outcome = lektd({"--config", file.string()});
  EXPECT_EQ(outcome.status, 2);
  EXPECT_PRED_FORMAT2(IsSubstring, "heartbeat-timeouts", outcome.errors);
}

TEST_F(SettingsTest, file_that_is_not_there_is_named) {
  const Outcome outcome = lektd({"--config", "/nowhere/lektd.toml"});
  EXPECT_EQ(outcome.status, 2);
  EXPECT_PRED_FORMAT2(IsSubstring, "/nowhere/lektd.toml", outcome.errors);
}

TEST_F(SettingsTest, the_grace_follows_the_heartbeat_timeout_unless_it_is_given) {
  EXPECT_PRED_FORMAT2(IsSubstring, "restart-grace = 20s\n",
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
  Process second(LEKTD_PROGRAM, {"--listen", "127.0.0.1:0", "--database", database().string()},
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
