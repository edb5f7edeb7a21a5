// What is asked of a running server about its settings: is it healthy whatever they are, where does it listen,
// and what comes of a reload.
#include <csignal>
#include <fstream>
#include <nlohmann/json.hpp>
#include <string>

#include "tests/integration/daemon.h"
#include "tests/integration/raw_client.h"
#include "tests/support/certificates.h"
#include "tests/support/paths.h"

namespace lekt::test {

namespace {

using testing::IsSubstring;
using Json = nlohmann::json;

class SettingsInUseTest : public DaemonTest {
 protected:
  Outcome lektctl(Flags given) const {
    given.insert(given.begin(), {"--database", database().string()});
    return run(program_file("lektctl"), given);
  }
  Outcome health(Flags given = {}) const {
    given.insert(given.begin(), "health");
    return lektctl(given);
  }
  Json status() const { return Json::parse(lektctl({"status", "--json"}).output).at("server"); }

  std::filesystem::path file() const { return directory_.path() / "lektd.toml"; }
  void write(const std::string& text) const { std::ofstream(file()) << text; }
  void start_with(const std::string& text) {
    write(text);
    start({"--config=" + file().string()});
  }
  /// As the service's unit does it.
  Outcome reload(const Flags& more = {}, const Environment& environment = {}) const {
    Flags given = {"--config=" + file().string(), "--database=" + database().string(), "--reload"};
    given.insert(given.end(), more.begin(), more.end());
    return run(program_file("lektd"), given, environment);
  }

  TestCertificates certificates_;
};

void expect_outcome(const Outcome& outcome, int status, const std::string& output,
                    const std::string& errors) {
  EXPECT_EQ(outcome.status, status) << outcome.output << outcome.errors;
  EXPECT_PRED_FORMAT2(IsSubstring, output, outcome.output);
  EXPECT_PRED_FORMAT2(IsSubstring, errors, outcome.errors);
}

}  // namespace

TEST_F(SettingsInUseTest, leave_a_server_healthy_whatever_it_listens_on_and_whomever_it_serves) {
  const std::vector<Flags> cases = {
      {"--listen", "127.0.0.1:0", "--listen", "127.0.0.2:0"},
      {"--listen", "[::]:0"},
      {"--tls-listen=127.0.0.1:0", "--tls-cert=" + certificates_.server.certificate.string(),
       "--tls-key=" + certificates_.server.key.string()},
      {"--deny=127.0.0.0/8"},
      {"--allow=192.0.2.0/24"},
      {"--proxy-protocol=127.0.0.0/8"},
      {"--max-connection-rate=1", "--max-handshakes=1"},
  };
  for (const Flags& flags : cases) {
    SCOPED_TRACE(testing::PrintToString(flags));
    start(flags);
    expect_outcome(health(), 0, "healthy, and ready", "");
    expect_outcome(health({"--ready"}), 0, "healthy", "");
  }
}

TEST_F(SettingsInUseTest, do_not_keep_a_server_that_hangs_or_is_gone_from_being_found_ill) {
  start();
  const Json healthy = Json::parse(health({"--json"}).output);
  EXPECT_GE(healthy.at("threads").get<int>(), 1);
  EXPECT_EQ(healthy.at("ready"), true);
  daemon().pause();
  expect_outcome(health({"--timeout=300ms"}), 1, "", "E801");
  daemon().resume();
  expect_outcome(health(), 0, "healthy", "");
  daemon().kill();
  expect_outcome(health(), 1, "", "E801");
  expect_outcome(health({"--timeout=1h"}), 2, "", "100ms to 1m");
}

TEST_F(SettingsInUseTest, in_the_file_tell_lektctl_where_the_server_is) {
  const auto elsewhere = directory_.path() / "elsewhere.db";
  const auto socket = directory_.path() / "other.sock";
  write("database = \"" + elsewhere.string() + "\"\ncontrol-socket = \"" + socket.string() + "\"\n" +
        // TLS only, so nothing listens in plain text.
        "tls-listen = \"127.0.0.1:0\"\ntls-cert = \"" + certificates_.server.certificate.string() +
        "\"\ntls-key = \"" + certificates_.server.key.string() + "\"\n");
  const Process server(program_file("lektd"), {"--config", file().string()}, directory_.path());
  const Environment variables = {{"LEKT_CONFIG", file().string()}};
  const auto is_healthy = [&] { return run(program_file("lektctl"), {"health"}, variables).status == 0; };
  EXPECT_TRUE(eventually(is_healthy, patience())) << server.errors();
  // The operator's own words come first, and a file that is wrong does not keep him from looking.
  expect_outcome(run(program_file("lektctl"), {"--database", database().string(), "health"}, variables), 1,
                 "", "E801");
  std::ofstream(file()) << "database = ";
  expect_outcome(run(program_file("lektctl"), {"--control-socket", socket.string(), "health"}, variables), 0,
                 "healthy", "E501 " + file().string() + ":1:");
}

TEST_F(SettingsInUseTest, tell_where_the_server_listens_with_the_ports_that_were_picked) {
  start({"--tls-listen=[::1]:0", "--admin=127.0.0.1:0",
         "--tls-cert=" + certificates_.server.certificate.string(),
         "--tls-key=" + certificates_.server.key.string()});
  const auto& ports = daemon().ports();
  const Json listening = status().at("listening");
  ASSERT_EQ(listening.size(), 4u) << listening;
  EXPECT_EQ(
      listening[0],
      (Json{{"kind", "plain"}, {"address", "127.0.0.1:" + std::to_string(ports.at(0))}, {"passed", false}}));
  EXPECT_EQ(listening[1],
            (Json{{"kind", "tls"}, {"address", "[::1]:" + std::to_string(ports.at(1))}, {"passed", false}}));
  EXPECT_EQ(listening[2],
            (Json{{"kind", "control"}, {"address", database().string() + ".sock"}, {"passed", false}}));
  EXPECT_EQ(listening[3].at("kind"), "admin");
  EXPECT_NE(listening[3].at("address"), "127.0.0.1:0");
  expect_outcome(lektctl({"status"}), 0,
                 "Listens on    127.0.0.1:" + std::to_string(ports.at(0)) + " (plain)", "");
}

TEST_F(SettingsInUseTest, are_read_again_by_a_command_that_waits_for_the_result) {
  start_with("max-clients = 5\n");
  write("max-clients = 6\nthreads = 3\n");
  expect_outcome(reload(), 0, "reloaded; in use from now on: max-clients; waits for a restart: threads", "");
  EXPECT_EQ(status().at("needs_restart"), Json{"threads"});
  expect_outcome(lektctl({"status"}), 0, "is needed for what has changed: threads", "");
  write("");
  expect_outcome(lektctl({"reload"}), 0, "waits for a restart: nothing", "");
  EXPECT_EQ(status().at("needs_restart"), Json::array());
  write("deny = [\"127.0.0.3\"]\n");
  EXPECT_EQ(Json::parse(lektctl({"reload", "--json"}).output),
            (Json{{"changed", {"deny"}}, {"needs_restart", Json::array()}}));
  EXPECT_PRED_FORMAT2(IsSubstring, "E404", RawClient(daemon().port(), "127.0.0.3").expect_reject());
}

TEST_F(SettingsInUseTest, that_are_wrong_fail_the_reload_with_the_message) {
  start_with("");
  write("max-clients = \"many\"\n");
  const std::string wrong = file().string() + ":1:15: max-clients: a string ('many') is not allowed";
  // The command reads the file as well, to find the server.
  expect_outcome(reload(), 2, "", "lektd: E501 " + wrong);
  expect_outcome(lektctl({"reload"}), 1, "", "lektctl: E607 " + wrong);
  EXPECT_TRUE(daemon().logs("event=reload_failed message=\"E607 " + wrong));
  expect_outcome(health(), 0, "healthy", "");
  write("");
  expect_outcome(reload(), 0, "reloaded", "");
}

TEST_F(SettingsInUseTest, with_a_certificate_that_is_wrong_fail_the_reload_with_one_code) {
  start({"--tls-listen=127.0.0.1:0", "--tls-cert=" + certificates_.server.certificate.string(),
         "--tls-key=" + certificates_.server.key.string()});
  std::ofstream(certificates_.server.certificate) << "nonsense";
  const Outcome outcome = lektctl({"reload"});
  expect_outcome(outcome, 1, "", "lektctl: E606 ");
  EXPECT_EQ(outcome.errors.find("E510"), outcome.errors.npos) << outcome.errors;
}

TEST_F(SettingsInUseTest, without_a_control_socket_are_read_again_at_a_signal) {
  start_with("control-socket = \"none\"\n");
  expect_outcome(reload(), 1, "", "E801 there is no control socket");
  expect_outcome(reload({}, {{"MAINPID", "1"}}), 1, "", "E801");
  expect_outcome(reload({}, {{"MAINPID", std::to_string(daemon().id())}}), 0, "sent SIGHUP", "");
  EXPECT_TRUE(daemon().logs("event=reloaded"));
}

}  // namespace lekt::test
