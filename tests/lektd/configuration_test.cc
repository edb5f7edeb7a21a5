#include "lektd/configuration.h"

#include <gtest/gtest.h>

#include "lektd/setting_table.h"
#include "tests/lektd/configuration_support.h"

namespace lekt {
namespace {

using namespace std::chrono_literals;
using namespace test;
using File = SettingsFile;

TEST(Configuration, has_defaults_that_serve) {
  const Configuration configuration = settings({});
  ASSERT_EQ(configuration.listen.size(), 1u);
  EXPECT_EQ(configuration.listen[0].text(), "0.0.0.0:7890");
  EXPECT_EQ(configuration.database, "lekt.db");
  EXPECT_EQ(configuration.heartbeat_timeout, 90s);
  EXPECT_EQ(configuration.handshake_timeout, 10s);
  EXPECT_EQ(configuration.restart_grace, 90s);
  EXPECT_EQ(configuration.retention, 7 * 24h);
  EXPECT_GE(configuration.threads, 1u);
  EXPECT_EQ(configuration.methods_max, 4096u);
  EXPECT_EQ(configuration.packet_bytes_max, 65536u);
  EXPECT_EQ(configuration.catalogue, MethodCatalogue());
  EXPECT_EQ(configuration.log_level, LogLevel::info);
  EXPECT_EQ(configuration.log_format, LogFormat::text);
}

TEST(Configuration, takes_every_flag) {
  const Configuration configuration = settings({"--listen",
                                                "127.0.0.1:0",
                                                "--database",
                                                "/tmp/x.db",
                                                "--heartbeat-timeout",
                                                "30s",
                                                "--handshake-timeout",
                                                "250ms",
                                                "--restart-grace",
                                                "2m",
                                                "--retention",
                                                "1h",
                                                "--threads",
                                                "3",
                                                "--max-clients",
                                                "17",
                                                "--max-methods",
                                                "64",
                                                "--max-packet-bytes",
                                                "8192",
                                                "--max-connections-per-address",
                                                "5",
                                                "--max-handshakes",
                                                "6",
                                                "--max-connection-rate",
                                                "7",
                                                "--max-connection-rate-per-address",
                                                "8",
                                                "--max-tls-handshake-rate",
                                                "11",
                                                "--max-heartbeat-rate",
                                                "9",
                                                "--max-output-bytes",
                                                "70000",
                                                "--push-interval",
                                                "70ms",
                                                "--tcp-user-timeout",
                                                "31s",
                                                "--silence-share",
                                                "32",
                                                "--silence-patience",
                                                "33s",
                                                "--tls-listen",
                                                "[::]:7891",
                                                "--tls-cert",
                                                "server.pem",
                                                "--tls-key",
                                                "server.key",
                                                "--tls-client-ca",
                                                "clients.pem",
                                                "--tls-min-version",
                                                "1.2",
                                                "--proxy-protocol",
                                                "10.9.0.0/24",
                                                "--allow",
                                                "10.0.0.0/8",
                                                "--allow",
                                                "192.0.2.7",
                                                "--deny",
                                                "10.1.0.0/16",
                                                "--method",
                                                "2:chat:sized",
                                                "--log-level",
                                                "debug",
                                                "--log-format",
                                                "json"});
  EXPECT_EQ(configuration.listen.at(0).text(), "127.0.0.1:0");
  EXPECT_EQ(configuration.database, "/tmp/x.db");
  EXPECT_EQ(configuration.heartbeat_timeout, 30s);
  EXPECT_EQ(configuration.handshake_timeout, 250ms);
  EXPECT_EQ(configuration.restart_grace, 2min);
  EXPECT_EQ(configuration.retention, 1h);
  EXPECT_EQ(configuration.threads, 3u);
  EXPECT_EQ(configuration.clients_max, 17u);
  EXPECT_EQ(configuration.connections_per_address_max, 5u);
  EXPECT_EQ(configuration.handshakes_max, 6u);
  EXPECT_EQ(configuration.connection_rate, 7u);
  EXPECT_EQ(configuration.connection_rate_per_address, 8u);
  EXPECT_EQ(configuration.tls_handshake_rate, 11u);
  EXPECT_EQ(configuration.heartbeat_rate, 9u);
  EXPECT_EQ(configuration.output_bytes_max, 70'000u);
  EXPECT_EQ(configuration.push_interval, 70ms);
  EXPECT_EQ(configuration.tcp_user_timeout, 31s);
  EXPECT_EQ(configuration.silence_share_percent, 32u);
  EXPECT_EQ(configuration.silence_patience, 33s);
  EXPECT_FALSE(configuration.listen.at(0).tls);
  EXPECT_EQ(configuration.tls_listen.at(0).text(), "[::]:7891");
  EXPECT_TRUE(configuration.tls_listen.at(0).tls);
  EXPECT_EQ(configuration.tls.certificate, "server.pem");
  EXPECT_EQ(configuration.tls.key, "server.key");
  EXPECT_EQ(configuration.tls.client_authorities, "clients.pem");
  EXPECT_TRUE(configuration.tls.allow_1_2);
  EXPECT_EQ(configuration.proxies, std::vector{parse_block("10.9.0.0/24").value()});
  EXPECT_EQ(configuration.address_rules.allowed,
            (std::vector{parse_block("10.0.0.0/8").value(), parse_block("192.0.2.7").value()}));
  EXPECT_EQ(configuration.address_rules.denied, std::vector{parse_block("10.1.0.0/16").value()});
  EXPECT_EQ(configuration.methods_max, 64u);
  EXPECT_EQ(configuration.packet_bytes_max, 8192u);
  EXPECT_EQ(configuration.catalogue.find("chat")->index, 2u);
  EXPECT_EQ(configuration.log_level, LogLevel::debug);
  EXPECT_EQ(configuration.log_format, LogFormat::json);
}

TEST(Configuration, takes_every_setting_from_the_environment) {
  const Variable listen("LEKT_LISTEN", "127.0.0.1:1,[::]:2");
  const Variable timeout("LEKT_HEARTBEAT_TIMEOUT", "30s");
  const Variable clients("LEKT_MAX_CLIENTS", "17");
  const Variable method("LEKT_METHOD", "2:chat:sized");
  const Variable level("LEKT_LOG_LEVEL", "off");
  const Configuration configuration = settings({});
  ASSERT_EQ(configuration.listen.size(), 2u);
  EXPECT_EQ(configuration.listen[1].text(), "[::]:2");
  EXPECT_EQ(configuration.heartbeat_timeout, 30s);
  EXPECT_EQ(configuration.clients_max, 17u);
  EXPECT_NE(configuration.catalogue.find("chat"), nullptr);
  EXPECT_EQ(configuration.log_level, LogLevel::off);
}

TEST(Configuration, takes_every_setting_from_a_file) {
  const File file(
      "listen = [\"127.0.0.1:1\", \"[::]:2\"]\n"
      "# a comment\n"
      "database = \"/var/lib/lekt/lekt.db\"\n"
      "heartbeat-timeout = \"30s\"\n"
      "max-clients = 17\n"
      "method = [\"2:chat:sized\", \"3:key:fixed:32\"]\n");
  const Configuration configuration = settings({file.flag()});
  ASSERT_EQ(configuration.listen.size(), 2u);
  EXPECT_EQ(configuration.listen[1].text(), "[::]:2");
  EXPECT_EQ(configuration.database, "/var/lib/lekt/lekt.db");
  EXPECT_EQ(configuration.heartbeat_timeout, 30s);
  EXPECT_EQ(configuration.clients_max, 17u);
  EXPECT_EQ(configuration.catalogue.methods().size(), 5u);
}

TEST(Configuration, a_flag_beats_the_environment_and_the_environment_beats_the_file) {
  const File file(
      "max-clients = 1\n"
      "max-methods = 1\n"
      "threads = 1\n"
      "listen = \"127.0.0.1:1\"\n");
  const Variable clients("LEKT_MAX_CLIENTS", "2");
  const Variable methods("LEKT_MAX_METHODS", "2");
  const Variable listen("LEKT_LISTEN", "127.0.0.1:2");
  const Configuration configuration = settings({file.flag(), "--max-clients", "3"});
  EXPECT_EQ(configuration.clients_max, 3u);
  EXPECT_EQ(configuration.methods_max, 2u);
  EXPECT_EQ(configuration.threads, 1u);
  ASSERT_EQ(configuration.listen.size(), 1u);
  EXPECT_EQ(configuration.listen[0].text(), "127.0.0.1:2");
}

TEST(Configuration, an_empty_variable_is_not_set) {
  const File file("max-clients = 5\n");
  const Variable clients("LEKT_MAX_CLIENTS", "");
  EXPECT_EQ(settings({}).clients_max, 100'000u);
  EXPECT_EQ(settings({file.flag()}).clients_max, 5u);
}

TEST(Configuration, the_file_may_be_named_by_the_environment) {
  const File file("max-clients = 5\n");
  const Variable config("LEKT_CONFIG", file.path());
  EXPECT_EQ(settings({}).clients_max, 5u);
  const File other("max-clients = 6\n");
  EXPECT_EQ(settings({other.flag()}).clients_max, 6u);
}

TEST(Configuration, listen_and_method_can_be_repeated) {
  const Configuration configuration = settings({"--listen", "127.0.0.1:1", "--method", "3:key:fixed:32",
                                                "--listen", "127.0.0.2:2", "--method", "2:chat:sized"});
  ASSERT_EQ(configuration.listen.size(), 2u);
  EXPECT_EQ(configuration.listen[0].text(), "127.0.0.1:1");
  EXPECT_EQ(configuration.listen[1].text(), "127.0.0.2:2");
  EXPECT_EQ(configuration.catalogue.methods().size(), 5u);
}

TEST(Configuration, the_restart_grace_follows_the_heartbeat_timeout_unless_it_is_set) {
  EXPECT_EQ(settings({"--heartbeat-timeout", "5s"}).restart_grace, 5s);
  EXPECT_EQ(settings({"--heartbeat-timeout", "5s", "--restart-grace", "0s"}).restart_grace, 0s);
  const Variable grace("LEKT_RESTART_GRACE", "7s");
  EXPECT_EQ(settings({"--heartbeat-timeout", "5s"}).restart_grace, 7s);
}

TEST(Configuration, a_wrong_value_names_the_flag_the_value_and_what_is_allowed) {
  const std::string address = "ADDRESS:PORT with a port from 0 to 65535";
  const std::string duration = "to 3650d, such as ";
  const std::vector<std::array<std::string, 3>> cases = {
      {"--listen", "7890", address},
      {"--listen", "127.0.0.1", address},
      {"--listen", "127.0.0.1:", address},
      {"--listen", "127.0.0.1:65536", address},
      {"--listen", "127.0.0.1:x", address},
      {"--listen", "example.org:1", address},
      {"--listen", "::1:7890", "in brackets"},
      {"--database", ":memory:", "the path of a file; what clients were told has to survive a restart"},
      {"--database", "file:lekt.db?mode=memory", "the path of a file"},
      {"--heartbeat-timeout", "90", "a duration from 10ms " + duration + "90s"},
      {"--heartbeat-timeout", "9ms", "a duration from 10ms " + duration + "90s"},
      {"--heartbeat-timeout", "3651d", "a duration from 10ms " + duration + "90s"},
      {"--handshake-timeout", "0s", "a duration from 10ms " + duration + "10s"},
      {"--handshake-timeout", "ten seconds", "a duration from 10ms " + duration + "10s"},
      {"--restart-grace", "soon", "a duration from 0s"},
      {"--retention", "999ms", "a duration from 1s " + duration + "7d"},
      {"--threads", "0", "a whole number from 1 to 256"},
      {"--threads", "257", "a whole number from 1 to 256"},
      {"--max-clients", "0", "a whole number from 1 to 16000000"},
      {"--max-clients", "1e3", "a whole number from 1 to 16000000"},
      {"--max-clients", "99999999999999999999", "a whole number from 1 to 16000000"},
      {"--max-connections-per-address", "0", "a whole number from 1 to 1000000"},
      {"--max-handshakes", "0", "a whole number from 1 to 1000000"},
      {"--silence-share", "0", "a whole number from 1 to 100"},
      {"--silence-patience", "never", "a duration from 0s " + duration + "90s"},
      {"--tls-listen", "nowhere", "ADDRESS:PORT"},
      {"--tls-min-version", "1.1", "1.2 or 1.3"},
      {"--proxy-protocol", "10.0.0.1/8", "without bits behind its prefix"},
      {"--max-connection-rate", "0", "a whole number from 1 to 1000000"},
      {"--max-connection-rate-per-address", "0", "a whole number from 1 to 1000000"},
      {"--max-heartbeat-rate", "0", "a whole number from 1 to 1000000"},
      {"--max-tls-handshake-rate", "0", "a whole number from 1 to 1000000"},
      {"--max-output-bytes", "8191", "a whole number from 8192 to 2000000000"},
      {"--tcp-user-timeout", "0s", "a duration from 10ms " + duration + "90s"},
      {"--allow", "10.0.0.1/8", "without bits behind its prefix"},
      {"--deny", "::1", "an IPv4 address or a block"},
      {"--max-methods", "65537", "a whole number from 0 to 65536"},
      {"--max-packet-bytes", "8191", "a whole number from 8192 to 16777216"},
      {"--max-packet-bytes", "16777217", "a whole number from 8192 to 16777216"},
      {"--method", "2:chat", "INDEX:NAME:FORM"},
      {"--method", "1:other:sized", "built-in tcp"},
      {"--method", "3006:other:sized", "method 3006 is the built-in device"},
      {"--method", "2:device:sized", "'device' is the built-in method 3006"},
      {"--method", "3007:motd:sized", "method 3007 is the built-in name"},
      {"--method", "9:name:text", "'name' is the built-in method 3007"},
      {"--log-level", "loud", "trace, debug, info, warn, error or off"},
      {"--log-format", "xml", "text or json"},
  };
  for (const auto& [flag, value, allowed] : cases) {
    SCOPED_TRACE(flag + " " + value);
    expect_refused({flag + "=" + value}, {flag, "'" + value + "' is not allowed", allowed});
  }
}

TEST(Configuration, a_wrong_value_is_refused_wherever_it_comes_from) {
  {
    const Variable clients("LEKT_MAX_CLIENTS", "many");
    expect_refused({}, {"LEKT_MAX_CLIENTS: 'many'", "a whole number"});
  }
  const File file("heartbeat-timeout = \"many\"\n");
  expect_refused({file.flag()}, {file.path() + ":1:21: heartbeat-timeout: 'many'", "a duration"});
}

TEST(Configuration, an_unknown_flag_or_key_is_refused_by_its_name) {
  expect_refused({"--no-such-flag"}, {"--no-such-flag"});
  expect_refused({"stray"}, {"stray"});
  const File file("no-such-key = 1\n");
  expect_refused({file.flag()}, {"no-such-key"});
}

TEST(Configuration, a_file_that_is_not_there_is_refused) {
  expect_refused({"--config", "/nonexistent/lekt.toml"}, {"/nonexistent/lekt.toml"});
  const Variable config("LEKT_CONFIG", "/nonexistent/lekt.toml");
  expect_refused({}, {"/nonexistent/lekt.toml"});
}

TEST(Configuration, methods_of_each_form_are_shown_as_they_are_given) {
  const std::vector<std::string> given = {"2:chat:sized", "3:key:fixed:6", "4:place:text"};
  Arguments flags;
  for (const std::string& method : given) flags.push_back("--method=" + method);
  const Configuration configuration = settings(flags);
  const auto method = std::ranges::find(all_settings(), "method", &Setting::name);
  EXPECT_EQ(method->show(configuration), given);
}

TEST(Configuration, one_method_cannot_be_given_twice) {
  expect_refused({"--method", "2:chat:sized", "--method", "2:talk:sized"}, {"--method", "'2:talk:sized'"});
}

TEST(Configuration, what_belongs_together_is_given_together) {
  expect_refused({"--tls-listen", "127.0.0.1:0"}, {"--tls-listen needs a certificate", "--tls-key"});
  expect_refused({"--tls-listen", "127.0.0.1:0", "--tls-cert", "x.pem"},
                 {"--tls-listen needs a certificate"});
  expect_refused({"--tls-cert", "x.pem", "--tls-key", "x.key"}, {"of no use without --tls-listen"});
  expect_refused({"--tls-client-ca", "x.pem"}, {"of no use without --tls-listen"});
}

TEST(Configuration, who_listens_with_tls_does_not_listen_in_plain_text_unasked) {
  const Configuration configuration =
      settings({"--tls-listen", "127.0.0.1:0", "--tls-cert", "x.pem", "--tls-key", "x.key"});
  EXPECT_EQ(configuration.tls_listen.size(), 1u);
  EXPECT_TRUE(configuration.listen.empty());
}

TEST(Configuration, help_and_version_exit_with_0) {
  const EarlyExit help = exit_of({"--help"});
  EXPECT_EQ(help.status, 0);
  for (const char* flag : {"--check-config", "--json", "--reload", "--version", "--config", "LEKT_CONFIG"})
    EXPECT_NE(help.text.find(flag), help.text.npos) << flag;
  const EarlyExit version = exit_of({"--version"});
  EXPECT_EQ(version.status, 0);
  EXPECT_EQ(version.text.substr(0, 6), "lektd ");
}

TEST(Configuration, check_config_prints_what_would_be_used_and_exits_with_0) {
  const EarlyExit exit = exit_of({"--check-config", "--heartbeat-timeout", "5s", "--method", "2:chat:sized"});
  EXPECT_EQ(exit.status, 0);
  for (const char* line : {"listen = [\"0.0.0.0:7890\"] ", "heartbeat-timeout = \"5s\" ",
                           "restart-grace = \"5s\" ", "method = [\"2:chat:sized\"] "})
    EXPECT_NE(exit.text.find(line), exit.text.npos) << exit.text;
  expect_refused({"--check-config", "--threads", "0"}, {"--threads"});
}

}  // namespace
}  // namespace lekt
