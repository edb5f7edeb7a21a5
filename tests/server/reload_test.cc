#include "server/reload.h"

#include <gtest/gtest.h>

#include <map>
#include <sstream>

namespace lekt {
namespace {

using Names = std::vector<std::string>;

std::variant<Configuration, EarlyExit> read(const Names& arguments) {
  std::vector<const char*> pointers = {"lektd"};
  for (const std::string& argument : arguments) pointers.push_back(argument.c_str());
  return read_configuration(static_cast<int>(pointers.size()), pointers.data());
}

Configuration settings(const Names& arguments = {}) { return std::get<Configuration>(read(arguments)); }

/// The settings that --check-config prints.
Names all_settings() {
  Names names;
  std::istringstream lines(
      std::get<EarlyExit>(
          read({"--check-config", "--allow=10.0.0.0/8", "--deny=10.0.0.1", "--proxy-protocol=10.0.0.2",
                "--tls-listen=127.0.0.1:1", "--tls-cert=a", "--tls-key=b", "--tls-client-ca=c",
                "--admin=127.0.0.1:4", "--admin-host=one.example"}))
          .text);
  for (std::string line; std::getline(lines, line);)
    if (const auto end = line.find(" = "); end != line.npos) names.push_back(line.substr(0, end));
  return names;
}

/// Another value for each setting.
const std::map<std::string, std::string> others = {
    {"listen", "127.0.0.1:1"},
    {"tls-listen", "127.0.0.1:2"},
    {"tls-cert", "x"},
    {"tls-key", "x"},
    {"tls-client-ca", "x"},
    {"tls-min-version", "1.2"},
    {"proxy-protocol", "10.0.0.9"},
    {"database", "other.db"},
    {"admin", "127.0.0.1:3"},
    {"admin-host", "other.example"},
    {"control-socket", "none"},
    {"heartbeat-timeout", "91s"},
    {"handshake-timeout", "11s"},
    {"tcp-user-timeout", "12s"},
    {"restart-grace", "13s"},
    {"silence-patience", "14s"},
    {"silence-share", "16"},
    {"retention", "1h"},
    {"threads", "77"},
    {"max-clients", "17"},
    {"max-connections-per-address", "18"},
    {"max-handshakes", "19"},
    {"max-connection-rate", "20"},
    {"max-connection-rate-per-address", "21"},
    {"max-heartbeat-rate", "22"},
    {"max-output-bytes", "100000"},
    {"allow", "10.0.0.0/9"},
    {"deny", "10.0.0.3"},
    {"max-methods", "23"},
    {"max-packet-bytes", "9000"},
    {"method", "2:chat:sized"},
    {"log-level", "debug"},
    {"log-format", "json"},
};

TEST(Reload, finds_nothing_when_nothing_has_changed) {
  const Reload reload = plan_reload(settings(), settings());
  EXPECT_EQ(reload.changed, Names{});
  EXPECT_EQ(reload.needs_restart, Names{});
}

TEST(Reload, knows_every_setting_that_there_is) {
  for (const std::string& name : all_settings()) {
    ASSERT_TRUE(others.contains(name)) << name << " is new: give it another value here";
    Names base;
    if (name.starts_with("tls-")) base = {"--tls-listen=127.0.0.1:1", "--tls-cert=a", "--tls-key=b"};
    if (name == "admin-host") base = {"--admin=127.0.0.1:4"};
    Names changed = base;
    std::erase_if(changed, [&](const std::string& flag) { return flag.starts_with("--" + name + "="); });
    changed.push_back("--" + name + "=" + others.at(name));
    const Reload reload = plan_reload(settings(base), settings(changed));
    EXPECT_GE(reload.changed.size() + reload.needs_restart.size(), 1u) << name;
  }
}

TEST(Reload, keeps_the_running_value_of_what_needs_a_restart) {
  const Reload reload =
      plan_reload(settings(), settings({"--threads=77", "--max-clients=5", "--listen=[::1]:9"}));
  EXPECT_EQ(reload.changed, Names{"max-clients"});
  EXPECT_EQ(reload.needs_restart, (Names{"listen", "threads"}));
  EXPECT_EQ(reload.configuration.threads, settings().threads);
  EXPECT_EQ(reload.configuration.listen, settings().listen);
  EXPECT_EQ(reload.configuration.clients_max, 5u);
}

TEST(Reload, lets_what_follows_the_heartbeat_timeout_follow_the_one_in_use) {
  const Reload reload = plan_reload(settings(), settings({"--heartbeat-timeout=30s"}));
  EXPECT_EQ(reload.changed, Names{});
  EXPECT_EQ(reload.configuration.silence_patience, settings().silence_patience);
}

TEST(Reload, takes_limits_lists_catalogue_and_log_level) {
  const Reload reload = plan_reload(settings(), settings({"--max-heartbeat-rate=3", "--deny=10.0.0.1",
                                                          "--method=2:chat:sized", "--log-level=warn"}));
  EXPECT_EQ(reload.changed, (Names{"max-heartbeat-rate", "allow and deny", "method", "log-level"}));
  EXPECT_EQ(reload.needs_restart, Names{});
  EXPECT_NE(reload.configuration.catalogue.find("chat"), nullptr);
}

}  // namespace
}  // namespace lekt
