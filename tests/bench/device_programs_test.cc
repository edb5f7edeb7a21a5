// The load generator of devices against the servers that it has itself: short runs that have to end well, and count what
// they say.

#include <gtest/gtest.h>
#include <unistd.h>

#include <chrono>
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
  void serve(const Words& command) {
    server_ = std::make_unique<Process>(program_file("lekt-device-bench"), command, directory_.path());
    const auto end = std::chrono::steady_clock::now() + patience();
    while (server_->output() != "ready\n") {
      ASSERT_FALSE(server_->has_ended()) << server_->errors();
      ASSERT_LT(std::chrono::steady_clock::now(), end);
      std::this_thread::sleep_for(std::chrono::milliseconds(5));
    }
  }
  void serve_devices() {
    serve({"front", "--port", std::to_string(contact_port()), "--first-port", std::to_string(first_port()),
           "--last-port", std::to_string(contact_port() - 1)});
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

TEST(DeviceBench, refuses_to_load_what_is_not_on_loopback) {
  const Outcome outcome = run(program_file("lekt-device-bench"), {"idle", "--server", "192.0.2.1:3006"});
  EXPECT_EQ(outcome.status, 2);
  EXPECT_NE(outcome.errors.find("loopback"), std::string::npos) << outcome.errors;
}

}  // namespace lekt::test
