// The load generator of devices against the servers that it has itself: short runs that have to end well, and count what
// they say.

#include <gtest/gtest.h>
#include <unistd.h>

#include <chrono>
#include <fstream>
#include <memory>
#include <nlohmann/json.hpp>
#include <string>
#include <thread>
#include <vector>

#include "tests/integration/process.h"
#include "tests/support/paths.h"
#include "tests/support/support.h"

namespace lekt::test {

namespace {

using Words = std::vector<std::string>;

class DeviceBenchTest : public testing::Test {
 protected:
  /// Ports that other processes of the tests do not use: 40 of them from here on.
  static int first_port() { return 20'000 + static_cast<int>(getpid()) % 300 * 40; }
  static int contact_port() { return first_port() + 39; }

  /// Starts a server of lekt-device-bench, and waits until it serves.
  std::unique_ptr<Process> started(const Words& command) {
    auto server = std::make_unique<Process>(program_file("lekt-device-bench"), command, directory_.path());
    const auto end = std::chrono::steady_clock::now() + patience();
    while (server->output() != "ready\n") {
      if (server->has_ended() || std::chrono::steady_clock::now() > end) {
        ADD_FAILURE() << command.front() << " does not serve: " << server->errors();
        break;
      }
      std::this_thread::sleep_for(std::chrono::milliseconds(5));
    }
    return server;
  }
  void serve(const Words& command) { server_ = started(command); }
  void serve_devices(const Words& flags = {}) {
    Words command{"front",
                  "--port",
                  std::to_string(contact_port()),
                  "--first-port",
                  std::to_string(first_port()),
                  "--last-port",
                  std::to_string(contact_port() - 1)};
    command.insert(command.end(), flags.begin(), flags.end());
    serve(command);
  }
  /// A host, and devices that work on it.
  void serve_hosted_devices(const Words& flags = {}) {
    serve_host(flags);
    serve_devices({"--host", std::to_string(contact_port())});
  }
  /// At the contact port, but over TCP.
  void serve_host(const Words& flags) {
    Words command{"host", "--port", std::to_string(contact_port())};
    command.insert(command.end(), flags.begin(), flags.end());
    host_ = started(command);
  }
  /// A file of the test's.
  std::string file_with(const std::string& contents) {
    const auto path = directory_.path() / "contents";
    std::ofstream(path, std::ios::binary) << contents;
    return path.string();
  }

  /// Runs a mode with five devices; an exit status that is not 0 fails the test with its words.
  nlohmann::json bench(const std::string& mode, int port, const Words& flags) {
    Words command{
        mode,        "--server", "127.0.0.1:" + std::to_string(port), "--pid", std::to_string(server_->id()),
        "--devices", "5"};
    command.insert(command.end(), flags.begin(), flags.end());
    const Outcome outcome = run(program_file("lekt-device-bench"), command);
    EXPECT_EQ(outcome.status, 0) << outcome.errors;
    return outcome.status == 0 ? nlohmann::json::parse(outcome.output) : nlohmann::json();
  }

 private:
  TempDirectory directory_;
  std::unique_ptr<Process> host_;
  std::unique_ptr<Process> server_;
};

}  // namespace

TEST_F(DeviceBenchTest, every_message_is_acknowledged_once) {
  serve_devices();
  const nlohmann::json result =
      bench("messages", contact_port(), {"--rate", "50", "--warm-up", "0s", "--time", "500ms"});
  EXPECT_GT(result.at("count").get<std::size_t>(), 0u);
  EXPECT_LE(result.at("count").get<std::size_t>(), 26u);
  EXPECT_EQ(result.at("datagrams_received"), result.at("count")) << "nothing but acknowledgments";
  EXPECT_GT(result.at("server_cpu_us_each").get<double>(), 0);
}

TEST_F(DeviceBenchTest, the_echo_answers_every_message) {
  serve({"echo", "--first-port", std::to_string(first_port()), "--devices", "5"});
  const nlohmann::json result =
      bench("messages", first_port(), {"--echo", "--rate", "50", "--warm-up", "0s", "--time", "500ms"});
  EXPECT_GT(result.at("count").get<std::size_t>(), 0u);
  EXPECT_EQ(result.at("datagrams_received"), result.at("count"));
}

TEST_F(DeviceBenchTest, all_devices_register_and_leave_in_each_round) {
  serve_devices();
  const nlohmann::json result = bench("register", contact_port(), {"--rounds", "2"});
  EXPECT_EQ(result.at("count"), 10);
  EXPECT_LE(result.at("accepted_seconds").get<double>(), result.at("seconds").get<double>());
}

TEST_F(DeviceBenchTest, idle_devices_are_sent_nothing) {
  serve_devices();
  const nlohmann::json result = bench("idle", contact_port(), {"--warm-up", "100ms", "--time", "300ms"});
  EXPECT_EQ(result.at("datagrams_received"), 0);
}

TEST_F(DeviceBenchTest, each_key_is_seen_on_a_screen_of_its_own) {
  serve_hosted_devices();
  const nlohmann::json result =
      bench("keys", contact_port(), {"--rate", "100", "--warm-up", "0s", "--time", "500ms"});
  EXPECT_GT(result.at("count").get<std::size_t>(), 0u);
  EXPECT_EQ(result.at("count").get<std::size_t>() + result.at("skipped").get<std::size_t>(), 50u);
  EXPECT_GE(result.at("datagrams_received"), result.at("count"));
  EXPECT_GT(result.at("server_cpu_us_each").get<double>(), 0);
}

TEST_F(DeviceBenchTest, keys_are_seen_although_datagrams_are_lost_and_late) {
  serve_hosted_devices();
  const nlohmann::json result =
      bench("keys", contact_port(),
            {"--rate", "50", "--warm-up", "0s", "--time", "1s", "--delay", "5ms", "--loss", "0.2"});
  EXPECT_GT(result.at("count").get<std::size_t>(), 0u);
  EXPECT_GE(result.at("seen_after_us").at("p50").get<double>(), 10'000) << "two ways of 5 ms";
  EXPECT_GE(result.at("seen_after_us").at("max").get<double>(), 200'000) << "something was lost";
}

TEST_F(DeviceBenchTest, the_relay_passes_on_what_the_host_echoes) {
  serve_host({});
  serve({"relay", "--first-port", std::to_string(first_port()), "--devices", "5", "--host",
         std::to_string(contact_port())});
  const nlohmann::json result =
      bench("keys", first_port(), {"--relay", "--rate", "50", "--warm-up", "0s", "--time", "500ms"});
  EXPECT_GT(result.at("count").get<std::size_t>(), 0u);
  EXPECT_EQ(result.at("datagrams_received"), result.at("count"));
}

TEST_F(DeviceBenchTest, the_bytes_of_a_picture_and_of_a_key_are_counted) {
  serve_hosted_devices({"--answer", file_with("\x1b[2J\x1b[5;1Hone line of a picture")});
  const nlohmann::json result = bench("picture", contact_port(), {});
  EXPECT_EQ(result.at("picture_datagrams"), 1);
  EXPECT_GT(result.at("picture_bytes").get<std::size_t>(), 24u + std::string("one line of a picture").size());
  EXPECT_EQ(result.at("key_bytes"), 24 + 5 + 4) << "head, text, cursor";
}

TEST_F(DeviceBenchTest, an_idle_device_with_a_host_is_sent_nothing) {
  serve_hosted_devices();
  const nlohmann::json result = bench(
      "idle", contact_port(), {"--hosted", "--screen", "24x80", "--warm-up", "100ms", "--time", "300ms"});
  EXPECT_EQ(result.at("datagrams_received"), 0);
  EXPECT_GT(result.at("resident_bytes_each").get<double>(), 50'000) << "a terminal";
}

TEST_F(DeviceBenchTest, devices_show_what_a_host_writes_without_end) {
  serve_hosted_devices({"--flood"});
  const nlohmann::json result = bench("flood", contact_port(), {"--time", "2s"});
  EXPECT_GT(result.at("count").get<std::size_t>(), 5u * 10u);
  EXPECT_GT(result.at("resident_growth").get<double>(), 0);
}

TEST(DeviceBench, refuses_to_load_what_is_not_on_loopback) {
  const Outcome outcome = run(program_file("lekt-device-bench"), {"idle", "--server", "192.0.2.1:3006"});
  EXPECT_EQ(outcome.status, 2);
  EXPECT_NE(outcome.errors.find("loopback"), std::string::npos) << outcome.errors;
}

TEST(DeviceBench, refuses_a_screen_on_which_nobody_can_type) {
  const Outcome outcome =
      run(program_file("lekt-device-bench"), {"keys", "--server", "127.0.0.1:3006", "--screen", "24x9"});
  EXPECT_EQ(outcome.status, 2);
  EXPECT_NE(outcome.errors.find("ROWSxCOLUMNS"), std::string::npos) << outcome.errors;
}

}  // namespace lekt::test
