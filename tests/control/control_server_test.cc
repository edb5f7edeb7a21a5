// The control socket: who may use it, what it withstands, and that it exists exactly as long as its server.
#include "control/control_server.h"

#include <gtest/gtest.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>

#include <asio/io_context.hpp>
#include <asio/local/stream_protocol.hpp>
#include <atomic>
#include <functional>
#include <future>
#include <thread>

#include "common/errors.h"
#include "control/control_client.h"
#include "control/socket_name.h"
#include "tests/control/fake_operations.h"
#include "tests/support/support.h"

namespace lekt::control {

namespace {

using namespace std::chrono_literals;
using testing::IsSubstring;
namespace fs = std::filesystem;

class ControlServerTest : public testing::Test {
 protected:
  void start(const fs::path& socket, std::chrono::milliseconds patience = 20s) {
    server_.emplace(ControlServer::Settings{socket, directory_.path(), patience}, operations_);
  }
  fs::path socket() const { return directory_.path() / "lekt.db.sock"; }

  /// A connection of which the test sends and reads the bytes itself.
  Descriptor connect_raw() const {
    Descriptor descriptor(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0));
    const SocketName name(socket());
    sockaddr_un address{};
    address.sun_family = AF_UNIX;
    name.text().copy(address.sun_path, sizeof(address.sun_path) - 1);
    EXPECT_EQ(::connect(descriptor.value(), reinterpret_cast<sockaddr*>(&address), sizeof(address)), 0);
    const timeval limit{20, 0};
    setsockopt(descriptor.value(), SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof(limit));
    return descriptor;
  }

  static void send(const Descriptor& descriptor, std::string_view bytes) {
    while (!bytes.empty()) {
      const ssize_t sent = ::send(descriptor.value(), bytes.data(), bytes.size(), MSG_NOSIGNAL);
      if (sent <= 0) return;
      bytes.remove_prefix(static_cast<std::size_t>(sent));
    }
  }

  /// All until the server closes.
  static std::string read_all(const Descriptor& descriptor) {
    std::string text;
    std::array<char, 4096> buffer{};
    while (true) {
      const ssize_t size = recv(descriptor.value(), buffer.data(), buffer.size(), 0);
      if (size <= 0) return text;
      text.append(buffer.data(), static_cast<std::size_t>(size));
    }
  }

  static CodedError error_of(const std::function<void()>& action) {
    try {
      action();
    } catch (const CodedError& error) {
      return error;
    }
    ADD_FAILURE() << "nothing was thrown";
    return {ErrorCode::start_failed, ""};
  }

  test::TempDirectory directory_;
  FakeOperations operations_;
  std::optional<ControlServer> server_;
};

TEST_F(ControlServerTest, answers_one_request_after_the_other) {
  start(socket());
  auto client = ControlClient::connect(socket());
  ASSERT_TRUE(client);
  EXPECT_EQ(client->request({{"command", "kick"}, {"address", "10.0.0.7"}}).at("sessions"), 1);
  EXPECT_EQ(client->request({{"command", "compact"}}).at("after_bytes"), 1000);
  EXPECT_EQ(operations_.asked(), (std::vector<std::string>{"kick 10.0.0.7", "compact"}));
}

TEST_F(ControlServerTest, gives_the_client_its_own_code_and_words) {
  start(socket());
  operations_.found = false;
  auto client = ControlClient::connect(socket());
  const CodedError error = error_of([&] { client->request({{"command", "unban"}, {"block", "10.0.0.7"}}); });
  EXPECT_EQ(error.code(), ErrorCode::not_found);
  EXPECT_PRED_FORMAT2(IsSubstring, "there is no ban of exactly 10.0.0.7", error.what());
  EXPECT_EQ(client->request({{"command", "compact"}}).at("after_bytes"), 1000) << "and goes on";
}

TEST_F(ControlServerTest, lets_in_owner_and_group_whatever_the_umask) {
  const mode_t before = umask(0);
  start(socket());
  umask(before);
  struct stat found {};
  ASSERT_EQ(stat(socket().c_str(), &found), 0);
  EXPECT_EQ(found.st_mode & 0777, 0660u);
  server_.reset();
  umask(077);
  start(socket());
  umask(before);
  ASSERT_EQ(stat(socket().c_str(), &found), 0);
  EXPECT_EQ(found.st_mode & 0777, 0660u);
}

TEST_F(ControlServerTest, belongs_to_whom_the_database_belongs) {
  if (geteuid() != 0) GTEST_SKIP() << "only root can give files away";
  ASSERT_EQ(chown(directory_.path().c_str(), 65534, 65533), 0);
  start(socket());
  struct stat found {};
  ASSERT_EQ(stat(socket().c_str(), &found), 0);
  EXPECT_EQ(found.st_uid, 65534u);
  EXPECT_EQ(found.st_gid, 65533u);
}

TEST_F(ControlServerTest, leaves_no_socket_behind) {
  start(socket());
  server_.reset();
  EXPECT_FALSE(fs::exists(socket()));
  EXPECT_FALSE(ControlClient::connect(socket()));
}

TEST_F(ControlServerTest, takes_the_place_of_a_dead_servers_socket) {
  {
    asio::io_context io;
    asio::local::stream_protocol::acceptor dead(io,
                                                asio::local::stream_protocol::endpoint(socket().string()));
  }
  ASSERT_TRUE(fs::exists(socket()));
  EXPECT_FALSE(ControlClient::connect(socket())) << "nobody listens";
  start(socket());
  EXPECT_TRUE(ControlClient::connect(socket()));
}

TEST_F(ControlServerTest, takes_no_place_of_a_living_one_and_of_nothing_else) {
  start(socket());
  FakeOperations others;
  const auto refusal = [&](const fs::path& path) {
    return error_of([&] { const ControlServer other({path, directory_.path()}, others); });
  };
  EXPECT_EQ(refusal(socket()).code(), ErrorCode::control_socket_failed);
  EXPECT_PRED_FORMAT2(IsSubstring, "another program listens there", refusal(socket()).what());
  const fs::path directory = directory_.path() / "folder";
  fs::create_directory(directory);
  EXPECT_PRED_FORMAT2(IsSubstring, "not a socket", refusal(directory).what());
  EXPECT_PRED_FORMAT2(IsSubstring, "No such file or directory",
                      refusal(directory_.path() / "none" / "x.sock").what());
  EXPECT_TRUE(ControlClient::connect(socket())) << "the living one goes on";
}

TEST_F(ControlServerTest, has_a_path_as_long_as_any_other_file) {
  fs::path deep = directory_.path();
  for (int level = 0; level < 4; ++level) deep /= std::string(60, 'd');
  fs::create_directories(deep);
  start(deep / "lekt.db.sock");
  auto client = ControlClient::connect(deep / "lekt.db.sock");
  ASSERT_TRUE(client);
  EXPECT_EQ(client->request({{"command", "compact"}}).at("after_bytes"), 1000);
  server_.reset();
  EXPECT_TRUE(fs::is_empty(deep));
  EXPECT_EQ(error_of([&] { start(directory_.path() / (std::string(100, 'x') + ".sock")); }).code(),
            ErrorCode::control_socket_failed);
}

TEST_F(ControlServerTest, refuses_a_request_without_an_end_and_hangs_up) {
  start(socket());
  const Descriptor connection = connect_raw();
  send(connection, std::string(ControlServer::request_bytes_max + 1, ' '));
  EXPECT_PRED_FORMAT2(IsSubstring, "a request has at most 65536 bytes", read_all(connection));
}

TEST_F(ControlServerTest, hangs_up_on_whoever_says_nothing_or_half_of_it) {
  start(socket(), 50ms);
  const Descriptor silent = connect_raw();
  const Descriptor half = connect_raw();
  send(half, "{\"command\":");
  EXPECT_EQ(read_all(silent), "");
  EXPECT_EQ(read_all(half), "");
}

TEST_F(ControlServerTest, lets_the_seventeenth_wait_until_another_has_gone) {
  start(socket());
  std::vector<Descriptor> connections;
  for (std::size_t number = 0; number < ControlServer::connections_max; ++number)
    connections.push_back(connect_raw());
  send(connections.back(), "{\"command\":\"compact\"}\n");
  char byte = 0;
  ASSERT_EQ(recv(connections.back().value(), &byte, 1, 0), 1) << "all of them are in";
  auto late = ControlClient::connect(socket());
  ASSERT_TRUE(late);
  EXPECT_PRED_FORMAT2(IsSubstring, "does not answer", error_of([&] {
                                                        late->request({{"command", "compact"}}, 100ms);
                                                      }).what());
  connections.clear();
  auto another = ControlClient::connect(socket());
  EXPECT_EQ(another->request({{"command", "compact"}}).at("after_bytes"), 1000);
}

TEST_F(ControlServerTest, ends_with_connections_open) {
  start(socket());
  const Descriptor idle = connect_raw();
  const Descriptor half = connect_raw();
  send(half, "{\"command\":");
  server_.reset();
  EXPECT_EQ(read_all(idle), "");
}

TEST_F(ControlServerTest, lets_nobody_wait_for_a_compaction_of_minutes) {
  std::promise<void> compacted;
  operations_.while_compacting = [done = compacted.get_future().share()] { done.wait(); };
  start(socket());
  const Descriptor compacting = connect_raw();
  send(compacting, "{\"command\":\"compact\"}\n");
  auto other = ControlClient::connect(socket());
  for (const char* command : {"status", "kick"}) {
    Json request{{"command", command}};
    if (request["command"] == "kick") request["address"] = "10.0.0.7";
    EXPECT_NO_THROW(other->request(request)) << command;
  }
  compacted.set_value();
  char byte = 0;
  EXPECT_EQ(recv(compacting.value(), &byte, 1, 0), 1) << "it is answered, too";
}

TEST_F(ControlServerTest, lets_who_looks_not_wait_for_who_steers) {
  std::promise<void> kicked;
  operations_.while_kicking = [done = kicked.get_future().share()] { done.wait(); };
  start(socket());
  const Descriptor kicking = connect_raw();
  send(kicking, "{\"command\":\"kick\",\"address\":\"10.0.0.7\"}\n");
  EXPECT_NO_THROW(ControlClient::connect(socket())->request({{"command", "status"}}));
  kicked.set_value();
  char byte = 0;
  EXPECT_EQ(recv(kicking.value(), &byte, 1, 0), 1) << "it is answered, too";
}

// Many at once send rubbish in pieces of any size and hang up when they like; afterwards it still answers.
TEST_F(ControlServerTest, bears_any_bytes_from_many_at_once) {
  start(socket(), 2s);
  test::Random random;
  std::vector<std::thread> threads;
  for (int number = 0; number < 4; ++number)
    threads.emplace_back([this, seed = random.next()] {
      test::Random own(seed);
      for (int round = 0; round < (test::sanitized ? 50 : 200); ++round) {
        const Descriptor connection = connect_raw();
        for (std::uint64_t pieces = own.below(6); pieces > 0; --pieces) {
          std::string bytes = own.bytes(own.below(300));
          if (own.chance(30)) bytes += '\n';
          if (own.chance(30)) bytes = "{\"command\":\"status\"}\n";
          send(connection, bytes);
        }
        char byte = 0;
        if (own.chance(50)) recv(connection.value(), &byte, 1, MSG_DONTWAIT);
      }
    });
  for (std::thread& thread : threads) thread.join();
  auto client = ControlClient::connect(socket());
  ASSERT_TRUE(client);
  EXPECT_EQ(client->request({{"command", "compact"}}).at("after_bytes"), 1000);
}

TEST(ControlClientTest, says_that_it_may_not) {
  if (geteuid() == 0) GTEST_SKIP() << "root may everything";
  const test::TempDirectory directory;
  FakeOperations operations;
  const ControlServer server({directory.path() / "s", directory.path()}, operations);
  fs::permissions(directory.path() / "s", fs::perms::none);
  EXPECT_THROW(ControlClient::connect(directory.path() / "s"), CodedError);
}

TEST(ControlClientTest, says_who_is_there_and_does_not_answer) {
  const test::TempDirectory directory;
  const fs::path socket = directory.path() / "s";
  asio::io_context io;
  const asio::local::stream_protocol::acceptor silent(
      io, asio::local::stream_protocol::endpoint(socket.string()));
  const std::string who = "process " + std::to_string(getpid()) + " (control_test) is there and ";
  std::vector<std::string> told;
  auto client = ControlClient::connect(socket, [&](const std::string& message) { told.push_back(message); });
  ASSERT_TRUE(client);
  try {
    client->request({{"command", "status"}}, ControlClient::notice + 50ms);
    ADD_FAILURE() << "it was answered";
  } catch (const CodedError& error) {
    EXPECT_EQ(error.code(), ErrorCode::control_unreachable);
    EXPECT_PRED_FORMAT2(IsSubstring, who + "does not answer", error.what());
  }
  EXPECT_EQ(told, std::vector{who + "has not answered for 2s; waiting 1s more"});
}

/// Answers each line with the same text.
TEST(ControlClientTest, takes_no_nonsense_for_an_answer) {
  const test::TempDirectory directory;
  const fs::path socket = directory.path() / "s";
  asio::io_context io;
  asio::local::stream_protocol::acceptor acceptor(io,
                                                  asio::local::stream_protocol::endpoint(socket.string()));
  for (const std::string answer : {"rubbish\n", "[]\n", "{}\n", "{\"ok\":7}\n", "{\"ok\":true}\n",
                                   "{\"ok\":false,\"code\":7,\"message\":\"x\"}\n", "", "no line feed"}) {
    auto client = ControlClient::connect(socket);
    ASSERT_TRUE(client);
    auto connection = acceptor.accept();
    ::send(connection.native_handle(), answer.data(), answer.size(), MSG_NOSIGNAL);
    if (answer.empty() || answer.back() != '\n') connection.close();
    try {
      client->request({{"command", "status"}});
      ADD_FAILURE() << answer;
    } catch (const CodedError& error) {
      EXPECT_EQ(error.code(), ErrorCode::control_unreachable) << answer;
    }
  }
}

}  // namespace

}  // namespace lekt::control
