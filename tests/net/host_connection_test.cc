#include "server/net/host_connection.h"

#include <gtest/gtest.h>
#include <malloc.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>

#include <algorithm>
#include <asio/ip/address.hpp>
#include <atomic>
#include <future>
#include <optional>
#include <string>
#include <thread>
#include <vector>

#include "tests/net/host_end.h"
#include "tests/support/support.h"

namespace lekt {
namespace {

using namespace std::chrono_literals;
using test::HostEnd;
using test::HostSocket;
using test::HostUser;
using test::run_until;
using Endpoint = asio::ip::tcp::endpoint;

/// A user and a host.
class HostConnectionTest : public testing::Test {
 protected:
  void connect(const HostLimits& limits = {}) { connect_to(host.address(), host.port(), limits); }
  void connect_to(const std::string& name, std::uint16_t port, const HostLimits& limits = {},
                  const HostLookup::Ask& ask = ask_machine_for_host) {
    user.told.clear();
    connection.emplace(io, pace, name, port, user, limits, ask);
  }
  /// The host's side of it.
  HostSocket connected(const HostLimits& limits = {}) {
    connect(limits);
    EXPECT_TRUE(until_told("connected"));
    return host.accept();
  }
  bool until(const std::function<bool()>& condition) { return run_until(io, condition); }
  bool until_told(const std::string& what) {
    return until([&] { return user.was_told(what); });
  }
  bool until_text(const Bytes& text) {
    return until([&] { return user.text == text; });
  }
  Endpoint endpoint(std::uint16_t port) const { return {asio::ip::make_address(host.address()), port}; }

  asio::io_context io{ASIO_CONCURRENCY_HINT_UNSAFE_IO};
  HostPace pace{io};
  HostEnd host;
  HostUser user;
  std::optional<HostConnection> connection;
};

/// The option of the socket of this process whose own port is this one.
int option_of_port(std::uint16_t port, int level, int option) {
  for (int descriptor = 0; descriptor < 1024; ++descriptor) {
    sockaddr_in own{};
    socklen_t size = sizeof(own);
    if (getsockname(descriptor, reinterpret_cast<sockaddr*>(&own), &size) != 0) continue;
    if (own.sin_family != AF_INET || ntohs(own.sin_port) != port) continue;
    int value = -1;
    size = sizeof(value);
    getsockopt(descriptor, level, option, &value, &size);
    return value;
  }
  return -1;
}

}  // namespace

// ---- Connecting ----

TEST_F(HostConnectionTest, bytes_go_both_ways) {
  HostSocket end = connected();
  EXPECT_TRUE(end.send("login: "));
  EXPECT_TRUE(until_text("login: "));
  connection->send("root\r");
  EXPECT_EQ(end.receive(5), "root\r");
  EXPECT_EQ(user.told, std::vector<std::string>{"connected"});
}

TEST_F(HostConnectionTest, what_is_sent_before_it_is_connected_comes_afterwards) {
  connect();
  connection->send("early ");
  connection->send("bird");
  ASSERT_TRUE(until_told("connected"));
  EXPECT_EQ(host.accept().receive(10), "early bird");
}

TEST_F(HostConnectionTest, a_vanished_host_is_noticed_and_keys_are_not_delayed) {
  const std::uint16_t port = connected().peer_port();
  EXPECT_EQ(option_of_port(port, SOL_SOCKET, SO_KEEPALIVE), 1);
  EXPECT_EQ(option_of_port(port, IPPROTO_TCP, TCP_KEEPIDLE), 60);
  EXPECT_EQ(option_of_port(port, IPPROTO_TCP, TCP_KEEPINTVL), 15);
  EXPECT_EQ(option_of_port(port, IPPROTO_TCP, TCP_KEEPCNT), 4);
  EXPECT_EQ(option_of_port(port, IPPROTO_TCP, TCP_USER_TIMEOUT), 120'000);
  EXPECT_EQ(option_of_port(port, IPPROTO_TCP, TCP_NODELAY), 1);
}

TEST_F(HostConnectionTest, a_port_that_nobody_listens_on_refuses) {
  connect_to(host.address(), test::unused_port());
  EXPECT_TRUE(user.told.empty()) << "not within the call";
  EXPECT_TRUE(until_told("failed: connection refused"));
}

TEST_F(HostConnectionTest, a_silent_host_fails_at_the_limit) {
  host.fall_silent();
  const auto began = std::chrono::steady_clock::now();
  connect({.connect = 300ms});
  EXPECT_TRUE(until_told("failed: no answer within 300ms"));
  EXPECT_GE(std::chrono::steady_clock::now() - began, 300ms);
}

TEST_F(HostConnectionTest, a_name_is_looked_up) {
  const HostAddresses found = ask_machine_for_host("localhost", 23);
  ASSERT_FALSE(found.endpoints.empty()) << found.trouble;
  for (const Endpoint& found_endpoint : found.endpoints) {
    EXPECT_TRUE(found_endpoint.address().is_loopback());
    EXPECT_EQ(found_endpoint.port(), 23);
  }
  connect_to("wms", 2323, {}, [this](const std::string& name, std::uint16_t port) {
    EXPECT_EQ(name, "wms");
    EXPECT_EQ(port, 2323);
    return HostAddresses{{endpoint(host.port())}, ""};
  });
  EXPECT_TRUE(until_told("connected"));
}

TEST_F(HostConnectionTest, a_name_that_is_not_known_fails) {
  connect_to("wms", 23, {}, [](const std::string&, std::uint16_t) {
    return HostAddresses{{}, "the name is not known"};
  });
  EXPECT_TRUE(until_told("failed: the name is not known"));
}

TEST_F(HostConnectionTest, addresses_in_digits_are_not_looked_up) {
  std::atomic<int> asked = 0;
  const HostLookup::Ask count = [&](const std::string&, std::uint16_t) {
    ++asked;
    return HostAddresses{{}, "asked"};
  };
  connect_to(host.address(), host.port(), {}, count);
  EXPECT_TRUE(until_told("connected"));
  connect_to("::1", test::unused_port(), {}, count);
  EXPECT_TRUE(until([&] { return !user.told.empty(); }));
  EXPECT_EQ(user.told[0].substr(0, 8), "failed: ");
  EXPECT_EQ(asked, 0);
}

TEST_F(HostConnectionTest, addresses_of_a_name_are_tried_in_order) {
  HostEnd silent;
  silent.fall_silent();
  const auto began = std::chrono::steady_clock::now();
  connect_to("wms", 23, {.connect = 1500ms}, [&](const std::string&, std::uint16_t) {
    return HostAddresses{{endpoint(test::unused_port()), endpoint(silent.port()), endpoint(host.port())}, ""};
  });
  EXPECT_TRUE(until_told("connected"));
  EXPECT_LT(std::chrono::steady_clock::now() - began, 1500ms) << "the silent one has left time to the last";
  EXPECT_TRUE(host.accept().send("third"));
  EXPECT_TRUE(until_text("third"));
}

TEST_F(HostConnectionTest, of_several_addresses_the_trouble_of_the_first_is_told) {
  HostEnd silent;
  silent.fall_silent();
  connect_to("wms", 23, {.connect = 200ms}, [&](const std::string&, std::uint16_t) {
    return HostAddresses{{endpoint(silent.port()), endpoint(test::unused_port())}, ""};
  });
  EXPECT_TRUE(until_told("failed: no answer"));
}

TEST_F(HostConnectionTest, name_servers_that_do_not_answer_hold_nobody_up) {
  std::promise<void> release;
  const std::shared_future<void> released = release.get_future().share();
  std::atomic<std::size_t> answered = 0;
  const HostLookup::Ask hangs = [&answered, released](const std::string&, std::uint16_t) {
    released.wait();
    ++answered;
    return HostAddresses{{}, "late"};
  };
  connect_to("wms", 23, {.connect = 200ms}, hangs);
  EXPECT_TRUE(until_told("failed: no answer of the machine's name servers within 200ms"));
  for (std::size_t count = 1; count < host_lookups_max; ++count) connect_to("wms", 23, {}, hangs);
  // Each was destroyed by the next.
  connect_to("wms", 23, {}, hangs);
  EXPECT_TRUE(until_told(
      "failed: the machine's name servers do not answer; 16 earlier questions still wait for them"));
  connect();
  EXPECT_TRUE(until_told("connected")) << "an address needs no name server";
  release.set_value();
  EXPECT_TRUE(until([&] { return answered == host_lookups_max; }));
  EXPECT_EQ(user.told, std::vector<std::string>{"connected"}) << "nobody is told what comes too late";
  EXPECT_TRUE(until([&] {
    connect_to("wms", 23, {}, [](const std::string&, std::uint16_t) { return HostAddresses{{}, "asked"}; });
    return until([&] { return !user.told.empty(); }) && user.was_told("failed: asked");
  })) << "the threads have ended";
}

// ---- The end ----

TEST_F(HostConnectionTest, everything_that_a_host_sent_before_it_closed_is_received) {
  HostSocket end = connected();
  const Bytes text(300'000, 'x');
  std::thread sender([&] {
    end.send(text);
    end.close();
  });
  EXPECT_TRUE(until_told("closed: "));
  sender.join();
  EXPECT_EQ(user.text.size(), text.size());
}

TEST_F(HostConnectionTest, a_host_that_closes_at_once_has_connected_before) {
  connect();
  ASSERT_TRUE(until_told("connected"));
  host.accept().close();
  EXPECT_TRUE(until_told("closed: "));
  EXPECT_EQ(user.told, (std::vector<std::string>{"connected", "closed: "}));
}

TEST_F(HostConnectionTest, is_over_when_the_host_only_stops_sending) {
  HostSocket end = connected();
  end.send("bye");
  end.finish_sending();
  EXPECT_TRUE(until_told("closed: "));
  EXPECT_EQ(user.text, "bye");
  EXPECT_EQ(end.receive(1), "") << "the host sees the end as well";
}

TEST_F(HostConnectionTest, a_reset_is_told) {
  connected().reset();
  EXPECT_TRUE(until_told("closed: connection reset by peer"));
}

TEST_F(HostConnectionTest, a_reset_that_sending_meets_is_told_once_what_came_before_is_received) {
  HostSocket end = connected();
  end.send("last words");
  connection->pause();
  end.reset();
  EXPECT_TRUE(until([&] {
    connection->send("x");
    return connection->waiting_bytes() == 0;
  }));
  EXPECT_EQ(user.told.back(), "connected") << "not within send()";
  connection->resume();
  EXPECT_TRUE(until([&] { return user.told.size() == 2; }));
  EXPECT_EQ(user.told.back(), "closed: connection reset by peer");
}

TEST_F(HostConnectionTest, may_be_destroyed_whatever_it_tells) {
  user.on_told = [&] { connection.reset(); };
  connect();
  ASSERT_TRUE(until_told("connected"));
  EXPECT_EQ(host.accept().receive(1), "");
  connect_to(host.address(), test::unused_port());
  ASSERT_TRUE(until_told("failed: connection refused"));
  user.on_told = nullptr;
  user.on_received = [&](ByteView) { connection.reset(); };
  HostSocket end = connected();
  end.send(Bytes(50'000, 'x'));
  EXPECT_TRUE(until([&] { return !user.text.empty(); }));
  EXPECT_LE(user.text.size(), 4096u) << "nothing is received afterwards";
  user.on_received = nullptr;
  HostSocket last = connected();
  user.on_told = [&] { connection.reset(); };
  last.close();
  EXPECT_TRUE(until_told("closed: "));
}

TEST_F(HostConnectionTest, tells_nothing_after_it_was_destroyed) {
  connect();
  connection.reset();
  HostSocket end = connected();
  end.send("x");
  connection.reset();
  EXPECT_EQ(end.receive(1), "");
  EXPECT_EQ(user.told, std::vector<std::string>{"connected"});
  EXPECT_EQ(user.text, "");
}

// ---- Hosts that read or send too little or too much ----

TEST_F(HostConnectionTest, is_not_read_while_too_much_waits_for_the_host) {
  HostSocket end = connected();
  std::size_t sent = 0;
  while (connection->waiting_bytes() < 64 * 1024) {
    connection->send(Bytes(16 * 1024, 'x'));
    sent += 16 * 1024;
    ASSERT_LT(sent, 100'000'000u);
    io.restart();
    io.run_for(5ms);  // so that the kernel takes what it can
  }
  end.send("unread");
  io.restart();
  io.run_for(50ms);
  EXPECT_EQ(user.text, "");
  std::future<Bytes> read = std::async(std::launch::async, [&] { return end.receive(sent); });
  EXPECT_TRUE(until_text("unread"));
  EXPECT_TRUE(until([&] { return read.wait_for(0s) == std::future_status::ready; }));
  EXPECT_EQ(read.get().size(), sent);
  EXPECT_EQ(connection->waiting_bytes(), 0u);
}

TEST_F(HostConnectionTest, is_over_when_a_host_does_not_read_what_is_typed) {
  HostSocket end = connected();
  std::size_t most = 0;
  for (int count = 0; count < 100'000; ++count) {
    connection->send(Bytes(1000, 'x'));
    most = std::max(most, connection->waiting_bytes());
  }
  EXPECT_GT(most, 255'000u);
  EXPECT_LE(most, 256u * 1024);
  EXPECT_EQ(user.told.back(), "connected") << "not within send()";
  EXPECT_TRUE(until_told("closed: the host does not read: more than 256 KB wait for it"));
  EXPECT_EQ(connection->waiting_bytes(), 0u);
}

TEST_F(HostConnectionTest, is_not_read_while_it_is_paused) {
  HostSocket end = connected();
  connection->pause();
  end.send("one ");
  io.restart();
  io.run_for(50ms);
  EXPECT_EQ(user.text, "");
  connection->resume();
  EXPECT_TRUE(until_text("one "));
  end.send("two");
  EXPECT_TRUE(until_text("one two"));
}

TEST_F(HostConnectionTest, memory_does_not_grow_with_what_a_host_sends) {
  HostSocket end = connected();
  constexpr std::size_t size = test::sanitized ? 10'000'000 : 100'000'000;
  std::thread sender([&] {
    const Bytes part(100'000, 'x');
    for (std::size_t sent = 0; sent < size; sent += part.size())
      if (!end.send(part)) return;
    end.close();
  });
  std::size_t received = 0;
  std::size_t most_at_once = 0;
  const std::size_t before = mallinfo2().uordblks;
  std::size_t most = before;
  user.on_received = [&](ByteView bytes) {
    user.text.clear();
    received += bytes.size();
    most_at_once = std::max(most_at_once, bytes.size());
    most = std::max(most, std::size_t{mallinfo2().uordblks});
  };
  EXPECT_TRUE(until([&] { return user.told.size() == 2; }));
  sender.join();
  EXPECT_EQ(received, size);
  EXPECT_EQ(most_at_once, 4096u);
  EXPECT_LT(most - before, 500'000u);
}

}  // namespace lekt
