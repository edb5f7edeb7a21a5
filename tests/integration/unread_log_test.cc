// A log that nobody reads: whatever standard error is, the server serves, and stops when it is told to.
#include <fcntl.h>
#include <pty.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include <array>
#include <csignal>
#include <nlohmann/json.hpp>
#include <string>
#include <thread>

#include "common/descriptor.h"
#include "tests/integration/daemon.h"
#include "tests/integration/open_socket.h"
#include "tests/integration/raw_client.h"
#include "tests/integration/sqlite.h"
#include "tests/support/paths.h"

namespace lekt::test {

namespace {

using namespace std::chrono_literals;
using testing::IsSubstring;

class UnreadLogTest : public DaemonTest {
 protected:
  /// lektd with this redirection of its standard error, for the shell.
  void serve(const std::string& redirection, const std::string& flags = "") {
    const std::string script = "LISTEN_PID=$$ LISTEN_FDS=1 exec " + program_file("lektd") +
                               " --threads 2 --database " + database().string() + " " + flags + " 9<&" +
                               std::to_string(socket_.value()) + " 3<&9- " + redirection;
    process_.emplace("/bin/bash", std::vector<std::string>{"-c", script}, directory_.path());
  }

  /// Strangers, each of whom is a line of the log.
  void knock(int times) const {
    for (int time = 0; time < times; ++time) {
      RawClient stranger(socket_.port(), "127.0.0.3");
      stranger.send("GET / HTTP/1.1\r\n\r\n");
      EXPECT_PRED_FORMAT2(IsSubstring, "E102", stranger.expect_reject());
    }
  }

  /// More than a pipe of 4 KiB or the buffer of a socket or a terminal takes.
  void expect_service() {
    joined(socket_.port(), "127.0.0.2").beat();
    knock(150);
    RawClient client = joined(socket_.port(), "127.0.0.2");
    client.beat();
  }

  /// The log has at most some hundred milliseconds.
  void expect_stop() {
    process_->send_signal(SIGTERM);
    EXPECT_EQ(process_->wait(slowed(5s)), 0);
  }

  bool warns_of_the_log() {
    return eventually(
        [&] {
          return Operator(database()).ask_one("SELECT count(*) FROM warnings WHERE code = 'E615'") == "1";
        },
        patience());
  }

  nlohmann::json status() const {
    const Outcome asked =
        run(program_file("lektctl"), {"--database", database().string(), "status", "--json"});
    return nlohmann::json::parse(asked.output).at("server");
  }

  /// What /healthz answers; the server has to have an admin page.
  static std::string health(const nlohmann::json& status) {
    for (const nlohmann::json& place : status.at("listening")) {
      if (place.at("kind") != "admin") continue;
      const std::string address = place.at("address");
      const std::string path = "/dev/tcp/127.0.0.1/" + address.substr(address.rfind(':') + 1);
      const std::string ask = "exec 5<>" + path + "; printf 'GET /healthz HTTP/1.0\\r\\n\\r\\n' >&5; cat <&5";
      return run("/bin/bash", {"-c", ask}).output;
    }
    return {};
  }

  OpenSocket socket_{SOCK_STREAM};
  std::optional<Process> process_;
};

/// A pipe as a shell makes one: `lektd 2>&1 | something`.
struct SmallPipe {
  explicit SmallPipe(int flags = 0) {
    std::array<int, 2> ends{};
    if (pipe2(ends.data(), flags) != 0) throw std::runtime_error("no pipe");
    reader = Descriptor(ends[0]);
    writer = Descriptor(ends[1]);
    fcntl(writer.value(), F_SETPIPE_SZ, 4096);
  }
  std::string redirection() const { return "2>&" + std::to_string(writer.value()); }

  /// What the log has until it has the text.
  std::string read_until(const std::string& text) const {
    std::string log;
    std::array<char, 4096> buffer{};
    while (log.find(text) == log.npos) {
      const ssize_t size = ::read(reader.value(), buffer.data(), buffer.size());
      if (size <= 0) break;
      log.append(buffer.data(), static_cast<std::size_t>(size));
    }
    return log;
  }

  Descriptor reader{-1};
  Descriptor writer{-1};
};

}  // namespace

TEST_F(UnreadLogTest, is_in_the_status_and_in_the_health_but_makes_nobody_ill) {
  const SmallPipe pipe;
  serve(pipe.redirection(), "--admin 127.0.0.1:0");
  expect_service();
  EXPECT_TRUE(warns_of_the_log());
  const nlohmann::json known = status();
  EXPECT_GE(known.at("totals").at("log_blocked_seconds"), 1.0);
  const std::string answer = health(known);
  EXPECT_PRED_FORMAT2(IsSubstring, " 200 ", answer);
  EXPECT_PRED_FORMAT2(IsSubstring, "ok\nE615 the log's output takes no line for ", answer);
  expect_stop();
}

TEST_F(UnreadLogTest, in_a_pipe_stops_nobody_and_is_complete_when_it_is_read_after_all) {
  const SmallPipe pipe;
  serve(pipe.redirection());
  expect_service();
  EXPECT_TRUE(warns_of_the_log());
  std::string log;
  std::thread reading([&] { log = pipe.read_until("event=stopped"); });
  EXPECT_TRUE(eventually([&] { return Operator(database()).ask_one("SELECT count(*) FROM warnings") == "0"; },
                         patience()));
  expect_stop();
  reading.join();
  EXPECT_EQ(count(log, "event=reject "), 150u);
  EXPECT_EQ(count(log, "event=join "), 2u);
}

TEST_F(UnreadLogTest, in_a_pipe_does_not_keep_the_server_from_stopping) {
  const SmallPipe pipe;
  serve(pipe.redirection());
  expect_service();
  expect_stop();
}

TEST_F(UnreadLogTest, in_a_pipe_that_does_not_block_stops_nobody) {
  const SmallPipe pipe(O_NONBLOCK);
  serve(pipe.redirection());
  expect_service();
  expect_stop();
}

TEST_F(UnreadLogTest, in_a_pipe_whose_reader_has_gone_stops_nobody) {
  SmallPipe pipe;
  serve(pipe.redirection());
  joined(socket_.port(), "127.0.0.2").beat();
  pipe.reader = Descriptor(-1);
  expect_service();
  expect_stop();
}

TEST_F(UnreadLogTest, in_a_socket_stops_nobody) {
  std::array<int, 2> ends{};
  ASSERT_EQ(socketpair(AF_UNIX, SOCK_STREAM, 0, ends.data()), 0);
  const Descriptor reader(ends[0]);
  const Descriptor writer(ends[1]);
  const int smallest = 1;
  setsockopt(writer.value(), SOL_SOCKET, SO_SNDBUF, &smallest, sizeof(smallest));
  serve("2>&" + std::to_string(writer.value()));
  expect_service();
  expect_stop();
}

TEST_F(UnreadLogTest, on_a_terminal_that_somebody_has_stopped_stops_nobody) {
  int terminal = -1;
  int side = -1;
  ASSERT_EQ(openpty(&terminal, &side, nullptr, nullptr, nullptr), 0);
  const Descriptor keys(terminal);
  const Descriptor writer(side);
  const std::string stop = "\x13";  // Ctrl-S
  ASSERT_EQ(::write(keys.value(), stop.data(), stop.size()), 1);
  serve("2>&" + std::to_string(writer.value()));
  expect_service();
  expect_stop();
}

TEST_F(UnreadLogTest, on_a_full_disk_stops_nobody) {
  serve("2>/dev/full");
  expect_service();
  EXPECT_TRUE(warns_of_the_log());
  expect_stop();
}

TEST_F(UnreadLogTest, does_not_keep_a_start_that_fails_from_ending) {
  const SmallPipe pipe;
  const std::string full(4096, '.');
  ASSERT_EQ(::write(pipe.writer.value(), full.data(), full.size()), 4096);
  Process failing("/bin/bash",
                  {"-c", "exec " + program_file("lektd") + " --database /nowhere/x " + pipe.redirection()},
                  directory_.path());
  EXPECT_EQ(failing.wait(slowed(5s)), 1);
}

TEST_F(UnreadLogTest, has_all_lines_from_before_a_crash) {
  start();
  for (int stranger = 0; stranger < 20; ++stranger) {
    RawClient client(daemon().port(), "127.0.0.3");
    client.send("GET / HTTP/1.1\r\n\r\n");
    client.expect_reject();
  }
  EXPECT_EQ(daemon().stop(SIGABRT), -SIGABRT);
  EXPECT_EQ(count(daemon().log(), "code=E102"), 20u) << daemon().log();
}

}  // namespace lekt::test
