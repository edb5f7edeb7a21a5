// Where values come from, what becomes of those that are beaten, and what --check-config says of it.
#include "lektd/setting_sources.h"

#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

#include "tests/lektd/configuration_support.h"

namespace lekt {
namespace {

using namespace test;
using namespace std::chrono_literals;
using Json = nlohmann::json;

/// What --check-config says of one setting.
Json checked(Arguments arguments, const std::string& name) {
  arguments.insert(arguments.end(), {"--check-config", "--json"});
  const EarlyExit exit = exit_of(arguments);
  EXPECT_EQ(exit.status, 0) << exit.text;
  const Json report = Json::parse(exit.text);
  for (const Json& setting : report.at("settings"))
    if (setting.at("name") == name) return setting;
  ADD_FAILURE() << name << " is not listed";
  return {};
}

TEST(SettingSources, of_each_value_are_told) {
  const SettingsFile file("# here\nmax-clients = 5\nthreads = 3\ndeny = [\n\"10.0.0.1\"]\n");
  const Variable clients("LEKT_MAX_CLIENTS", "6");
  const Variable allow("LEKT_ALLOW", "10.0.0.0/8,192.0.2.7");
  const Arguments arguments = {file.flag(), "--max-methods=7"};
  EXPECT_EQ(
      checked(arguments, "max-clients"),
      (Json{{"name", "max-clients"}, {"value", 6}, {"from", "environment"}, {"where", "LEKT_MAX_CLIENTS"}}));
  EXPECT_EQ(checked(arguments, "threads"),
            (Json{{"name", "threads"}, {"value", 3}, {"from", "file"}, {"where", file.path()}, {"line", 3}}));
  EXPECT_EQ(checked(arguments, "deny").at("value"), Json{"10.0.0.1/32"});
  EXPECT_EQ(checked(arguments, "deny").at("line"), 4);
  EXPECT_EQ(checked(arguments, "allow").at("value"), (Json{"10.0.0.0/8", "192.0.2.7/32"}));
  EXPECT_EQ(checked(arguments, "max-methods").at("where"), "--max-methods");
  EXPECT_EQ(checked(arguments, "retention").at("from"), "default");
  EXPECT_EQ(checked(arguments, "admin").at("value"), Json());
}

TEST(SettingSources, that_are_printed_are_a_file_that_means_the_same) {
  const Arguments arguments = {"--check-config",
                               "--tls-listen=[::]:7891",
                               "--tls-cert=a \"b\".pem",
                               "--tls-key=b",
                               "--tls-client-ca=c",
                               "--listen=127.0.0.1:1",
                               "--listen=127.0.0.1:2",
                               "--method=2:chat:sized",
                               "--method=3:key:fixed:6",
                               "--admin=127.0.0.1:3",
                               "--admin-host=a.example",
                               "--control-socket=none",
                               "--proxy-protocol=10.0.0.2",
                               "--log-level=warn",
                               "--log-format=json",
                               "--tls-min-version=1.2",
                               "--deny=10.0.0.0/8",
                               "--threads=3"};
  const auto without_comments = [](const std::string& text) {
    std::string result;
    std::istringstream lines(text);
    for (std::string line; std::getline(lines, line);) result += line.substr(0, line.rfind('#')) + "\n";
    return result;
  };
  const std::string printed = exit_of(arguments).text;
  const SettingsFile file(printed);
  const std::string again = exit_of({"--check-config", file.flag()}).text;
  EXPECT_EQ(without_comments(again), without_comments(printed));
  EXPECT_NE(again.find(file.path() + ":"), again.npos);
}

TEST(SettingSources, of_a_value_that_is_beaten_are_checked_all_the_same) {
  const SettingsFile file("max-clients = 0\n");
  expect_refused({file.flag(), "--max-clients=5"}, {file.path() + ":1:15: max-clients: '0' is not allowed"});
  const Variable threads("LEKT_THREADS", "many");
  expect_refused({"--threads=5"}, {"LEKT_THREADS: 'many' is not allowed"});
}

TEST(SettingSources, replace_lists_and_do_not_add_to_them) {
  const SettingsFile file("deny = [\"10.0.0.1\", \"10.0.0.2\"]\n");
  EXPECT_EQ(settings({file.flag()}).address_rules.denied.size(), 2u);
  EXPECT_EQ(settings({file.flag(), "--deny=10.0.0.3"}).address_rules.denied,
            std::vector{parse_block("10.0.0.3").value()});
  const SettingsFile nobody(
      "deny = []\nlisten = []\ntls-listen = \"127.0.0.1:0\"\ntls-cert = 'a'\ntls-key = 'b'\n");
  EXPECT_TRUE(settings({nobody.flag()}).address_rules.denied.empty());
  EXPECT_EQ(settings({nobody.flag()}).tls_listen.size(), 1u);
  const SettingsFile nowhere("listen = []\n");
  expect_refused({nowhere.flag()}, {"listen = []", "nothing to listen on"});
}

TEST(SettingSources, may_all_say_the_same) {
  const SettingsFile file("method = [\"2:chat:sized\"]\n");
  const Variable method("LEKT_METHOD", "2:chat:sized");
  EXPECT_EQ(settings({file.flag(), "--method=2:chat:sized"}).catalogue.methods().size(), 4u);
}

TEST(SettingSources, lose_nothing_between_commas) {
  for (const char* list : {",", "10.0.0.1,", ",10.0.0.1", "10.0.0.1,,10.0.0.2", "10.0.0.1, 10.0.0.2"}) {
    SCOPED_TRACE(list);
    expect_refused({std::string("--allow=") + list}, {"--allow: '", "is not allowed: an IPv4 address"});
    const Variable allow("LEKT_ALLOW", list);
    expect_refused({}, {"LEKT_ALLOW: '", "is not allowed: an IPv4 address"});
  }
  EXPECT_EQ(settings({"--deny=10.0.0.1,10.0.0.2", "--deny", "10.0.0.3"}).address_rules.denied.size(), 3u);
  const SettingsFile file("deny = [\"10.0.0.1,10.0.0.2\"]\n");
  expect_refused({file.flag()}, {":1:9: deny: '10.0.0.1,10.0.0.2' is not allowed"});
}

TEST(SettingSources, give_each_value_in_the_form_that_it_has) {
  const struct {
    const char* line;
    const char* message;
  } cases[] = {
      {"max-clients = \"7\"",
       "max-clients: a string ('7') is not allowed: a whole number without quotes, such as 100000"},
      {"max-clients = 7.0", "max-clients: a number with a fraction is not allowed"},
      {"max-clients = true", "max-clients: a boolean is not allowed"},
      {"max-clients = [7]", "max-clients: a list is not allowed"},
      {"max-clients = -1", "max-clients: '-1' is not allowed: a whole number from 1 to 16000000"},
      {"max-clients = 16_000_001", "max-clients: '16000001' is not allowed"},
      {"heartbeat-timeout = 90",
       "heartbeat-timeout: a whole number ('90') is not allowed: a string in quotes, such as \"90s\""},
      {"tls-min-version = 1.3",
       "tls-min-version: a number with a fraction is not allowed: a string in quotes, such as \"1.3\""},
      {"retention = 1979-05-27", "retention: a time is not allowed"},
      {"control-socket = false", "control-socket: a boolean is not allowed"},
      {"log-level = [\"info\"]", "log-level: a list is not allowed"},
      {"deny = [\"10.0.0.1\", 1]",
       "deny: a whole number ('1') is not allowed: a list of strings, each in quotes"},
      {"deny = [[\"10.0.0.1\"]]", "deny: a list is not allowed"},
      {"database = \"\"", "database: '' is not allowed"},
      {"tls-cert = \"\"", "tls-cert: '' is not allowed"},
      {"admin-host = [\"\"]", "admin-host: '' is not allowed"},
      {"listen = \"\"", "listen: '' is not allowed"},
  };
  for (const auto& one : cases) {
    SCOPED_TRACE(one.line);
    const SettingsFile file(std::string("\n") + one.line + "\n");
    expect_refused({file.flag()}, {file.path() + ":2:", one.message});
  }
  const SettingsFile file("max-clients = 0x10\nmax-methods = 1_000\nlisten = '127.0.0.1:1'\n");
  EXPECT_EQ(settings({file.flag()}).clients_max, 16u);
  EXPECT_EQ(settings({file.flag()}).methods_max, 1000u);
  EXPECT_EQ(settings({file.flag()}).listen.size(), 1u);
}

TEST(SettingSources, that_do_not_exist_are_named_with_what_was_meant) {
  const struct {
    const char* key;
    const char* meant;
  } cases[] = {
      {"max_clients", "'max-clients' is one"}, {"Threads", "'threads' is one"}, {"lsten", "'listen' is one"}};
  for (const auto& one : cases) {
    const SettingsFile file(std::string(one.key) + " = 1\n");
    expect_refused({file.flag()}, {file.path() + ":1:1: '" + one.key + "' is no setting; " + one.meant});
  }
  for (const char* key : {"\"\"", "check-config", "ban", "config", "json", "help", "nonsense-beyond-all"}) {
    const SettingsFile file(std::string(key) + " = \"1\"\n");
    expect_refused({file.flag()}, {":1:1: '", "is no setting"});
  }
}

TEST(SettingSources, in_the_environment_that_do_not_exist_are_told_and_do_no_harm) {
  // A variable of whoever runs the tests is unknown as well.
  const std::size_t of_the_tester = settings({}).unknown_variables.size();
  const Variable misspelt("LEKT_MAX_CLIENT", "5");
  const Variable command("LEKT_BAN", "10.0.0.1");
  const Variable service("LEKT_PORT_7890_TCP", "tcp://10.0.0.1:7890");
  const Variable host("LEKT_SERVICE_HOST", "10.0.0.1");
  const Variable clients_own("LEKT_SERVER", "10.0.0.1");
  const std::vector<std::string> unknown = settings({}).unknown_variables;
  ASSERT_EQ(unknown.size(), of_the_tester + 2) << testing::PrintToString(unknown);
  EXPECT_NE(
      testing::PrintToString(unknown).find("'LEKT_MAX_CLIENT' is no setting; 'LEKT_MAX_CLIENTS' is one"),
      std::string::npos);
  EXPECT_NE(testing::PrintToString(unknown).find("\"'LEKT_BAN' is no setting\""), std::string::npos)
      << "nothing that is near means the same";
  EXPECT_NE(exit_of({"--check-config"}).text.find("'LEKT_BAN' is no setting"), std::string::npos);
  EXPECT_EQ(settings({}).clients_max, 100'000u);
}

TEST(SettingSources, with_commands_that_contradict_each_other_are_refused) {
  expect_refused({"--json"}, {"--json is of no use without --check-config"});
  expect_refused({"--threads=1", "--threads=2"}, {"--threads"});
}

}  // namespace
}  // namespace lekt
