#include "client/client.h"

#include <gtest/gtest.h>

#include <csignal>
#include <future>
#include <thread>

#include "common/errors.h"
#include "tests/client/fake_server.h"
#include "tests/client/recorder.h"
#include "tests/support/support.h"

namespace lekt::test {
namespace {

using namespace std::chrono_literals;
using Clock = std::chrono::steady_clock;

TEST(Client, tells_the_list_and_then_what_changes) {
  FakeServer server({[](FakeConnection& connection) {
    EXPECT_EQ(connection.let_join(), tcp(4000));
    EXPECT_EQ(connection.answer(100, {added("10.0.0.1", tcp(1)), added("10.0.0.2", tcp(2))}), 0);
    EXPECT_EQ(connection.answer(101, {added("10.0.0.2", tcp(22))}), 100);
    connection.expect_end();
  }});
  Recorder recorder;
  run_until(recorder, quick_options(server.name()), synchronised_twice);
  EXPECT_EQ(recorder.text,
            "joined\n+ 10.0.0.1 tcp:1\n+ 10.0.0.2 tcp:2\nsynchronised\n~ 10.0.0.2 tcp:22\nsynchronised\n");
}

TEST(Client, answers_for_every_method_it_has) {
  const Methods methods = {{1, tcp_information(4000)}, {40, hex("0a0b0c0d")}};
  FakeServer server({[&](FakeConnection& connection) {
    const auto handshake = connection.receive<HandshakePacket>();
    EXPECT_EQ(handshake.methods_known, 40u);
    EXPECT_TRUE(handshake.supports(1) && handshake.supports(40));
    connection.send(encode(AcceptPacket{}) + encode(RequestPacket{.index = 40}));
    connection.receive_bytes(hex("4c454b54 54000000 00000028 0a0b0c0d"));
    connection.send(encode(RequestPacket{}));
    connection.answer(100, {});
    connection.expect_end();
  }});
  Recorder recorder;
  ClientOptions options = quick_options(server.name());
  options.methods = {methods[1], methods[0]};
  run_until(recorder, options, synchronised_once);
  EXPECT_EQ(recorder.text, "joined\nsynchronised\n");
}

TEST(Client, sends_heartbeats_at_its_interval) {
  std::vector<Clock::time_point> times;
  {
    FakeServer server({[&](FakeConnection& connection) {
      connection.let_join();
      for (int i = 0; i < 5; ++i) {
        EXPECT_EQ(connection.answer(100 + i, {}), i == 0 ? 0 : 99 + i);
        times.push_back(Clock::now());
      }
      connection.expect_end();
    }});
    Recorder recorder;
    ClientOptions options = quick_options(server.name());
    options.interval = 20ms;
    run_until(recorder, options, [](const Recorder& seen) { return seen.synchronised == 5; });
  }
  // Each may be late by itself; all together cannot be early.
  ASSERT_EQ(times.size(), 5u);
  EXPECT_GE(times.back() - times.front(), 4 * 20ms - 20ms);
}

TEST(Client, hears_of_changes_that_are_pushed_and_sends_no_heartbeat_for_them) {
  FakeServer server({[](FakeConnection& connection) {
    EXPECT_EQ(connection.receive<HandshakePacket>().version.features(), Features{Feature::push});
    const Version version = version_with({Feature::push});
    connection.send(encode(AcceptPacket{.version = version}) + encode(RequestPacket{.version = version}));
    connection.answer(100, {});
    connection.send(update(101, {{parse_address("10.0.0.2").value(), {}, {}}}) + closing(102));
    connection.send(update(102, {{parse_address("10.0.0.3").value(), {}, {}}}) + closing(103));
    connection.expect_end();
  }});
  Recorder recorder;
  ClientOptions options = quick_options(server.name());
  options.interval.reset();
  run_until(recorder, options, [](const Recorder& seen) { return seen.synchronised == 3; });
  EXPECT_EQ(recorder.text, "joined\nsynchronised\n+ 10.0.0.2\nsynchronised\n+ 10.0.0.3\nsynchronised\n");
}

TEST(Client, connects_from_the_source_address) {
  FakeServer server({[](FakeConnection& connection) {
    EXPECT_EQ(to_string(connection.peer()), "127.0.0.7");
    connection.let_join();
    connection.answer(100, {});
    connection.expect_end();
  }});
  Recorder recorder;
  ClientOptions options = quick_options(server.name());
  options.source = parse_address("127.0.0.7");
  run_until(recorder, options, synchronised_once);
}

TEST(Client, resolves_names) {
  FakeServer server({[](FakeConnection& connection) {
    connection.let_join();
    connection.answer(100, {});
    connection.expect_end();
  }});
  Recorder recorder;
  run_until(recorder, quick_options("localhost" + server.name().substr(server.name().find(':'))),
            synchronised_once);
}

TEST(Client, copes_with_a_server_that_sends_single_bytes) {
  FakeServer server({[](FakeConnection& connection) {
    connection.receive<HandshakePacket>();
    for (const char byte : encode(AcceptPacket{}) + encode(RequestPacket{.index = 1}))
      connection.send(ByteView(&byte, 1));
    connection.receive<ResponsePacket>(1);
    connection.send(encode(RequestPacket{}));
    connection.receive<HeartbeatPacket>();
    for (const char byte : update(0, {added("10.0.0.1", tcp(1))}) + closing(100))
      connection.send(ByteView(&byte, 1));
    connection.expect_end();
  }});
  Recorder recorder;
  run_until(recorder, quick_options(server.name()), synchronised_once);
  EXPECT_EQ(recorder.text, "joined\n+ 10.0.0.1 tcp:1\nsynchronised\n");
}

TEST(Client, can_be_polled_by_a_program_with_its_own_loop) {
  FakeServer server({[](FakeConnection& connection) {
    connection.let_join();
    connection.answer(100, {added("10.0.0.1", tcp(1))});
    connection.expect_end();
  }});
  Recorder recorder;
  ClientOptions options = quick_options(server.name());
  options.interval = 1h;
  Client client(options, recorder);
  const auto end = Clock::now() + 10s;
  while (recorder.synchronised == 0 && Clock::now() < end) EXPECT_TRUE(client.run_for(1ms));
  EXPECT_EQ(client.peers(), (Peers{{parse_address("10.0.0.1").value(), {tcp(1), {}}}}));
  client.stop();
  while (client.run_for(1ms) && Clock::now() < end) {
  }
  EXPECT_FALSE(client.run_for(1ms));
}

TEST(Client, stops_from_another_thread) {
  std::promise<void> joined;
  FakeServer server({[&](FakeConnection& connection) {
    connection.let_join();
    connection.answer(100, {});
    joined.set_value();
    connection.expect_end();
  }});
  Recorder recorder;
  ClientOptions options = quick_options(server.name());
  options.interval = 1h;
  Client client(options, recorder);
  std::thread stopper([&] {
    joined.get_future().wait();
    client.stop();
  });
  client.run();
  stopper.join();
  EXPECT_EQ(recorder.disconnected, 0);
}

Client* signalled = nullptr;

TEST(Client, stops_from_a_signal_handler) {
  FakeServer server({[](FakeConnection& connection) {
    connection.let_join();
    connection.answer(100, {});
    connection.expect_end();
  }});
  Recorder recorder;
  Client client(quick_options(server.name()), recorder);
  signalled = &client;
  std::signal(SIGUSR1, [](int) { signalled->stop(); });
  recorder.on_event = [&] {
    if (recorder.synchronised == 1) std::raise(SIGUSR1);
  };
  client.run();
  std::signal(SIGUSR1, SIG_DFL);
}

TEST(Client, leaves_cleanly_while_an_answer_is_on_its_way) {
  std::promise<void> paused;
  std::promise<void> sent;
  FakeServer server({[&](FakeConnection& connection) {
    connection.let_join();
    connection.receive<HeartbeatPacket>();
    paused.get_future().wait_for(10s);
    // More than the client reads at once. What it has not read when it closes would make its kernel send RST.
    std::vector<AddedEntry> entries(3500, added("10.0.0.1", tcp(1)));
    connection.send(update(0, entries));
    sent.set_value();
    connection.expect_end();
  }});
  Recorder recorder;
  Client client(quick_options(server.name()), recorder);
  const auto end = Clock::now() + 10s;
  while (recorder.text.empty() && Clock::now() < end) client.run_for(1ms);
  paused.set_value();
  ASSERT_EQ(sent.get_future().wait_for(10s), std::future_status::ready);
  client.stop();
  client.run();
  EXPECT_EQ(recorder.text, "joined\n");
}

TEST(Client, stops_before_it_has_begun) {
  Recorder recorder;
  Client client(quick_options("127.0.0.1:1"), recorder);
  client.stop();
  client.run();
  client.run();
  EXPECT_FALSE(client.run_for(1h));
  EXPECT_EQ(recorder.text, "");
}

TEST(Client, stops_while_it_waits_for_the_next_attempt) {
  Recorder recorder;
  ClientOptions options = quick_options("127.0.0.1:1");
  options.retry_first = options.retry_last = 1h;
  run_until(recorder, options, [](const Recorder& seen) { return seen.disconnected == 1; });
  EXPECT_GE(recorder.last.retry_in, 30min);
}

TEST(Client, may_be_destroyed_while_connected) {
  FakeServer server({[](FakeConnection& connection) {
    connection.let_join();
    connection.answer(100, {});
    connection.expect_end();
  }});
  Recorder recorder;
  ClientOptions options = quick_options(server.name());
  options.interval = 1h;
  Client client(options, recorder);
  const auto end = Clock::now() + 10s;
  while (recorder.synchronised == 0 && Clock::now() < end) client.run_for(1ms);
}

TEST(Client, refuses_options_that_make_no_sense) {
  Recorder recorder;
  const auto refused = [&](const std::function<void(ClientOptions&)>& spoil) {
    ClientOptions options = quick_options("127.0.0.1");
    spoil(options);
    try {
      Client client(options, recorder);
    } catch (const CodedError& error) {
      return error.code() == ErrorCode::usage_wrong;
    }
    return false;
  };
  EXPECT_FALSE(refused([](ClientOptions&) {}));
  EXPECT_TRUE(refused([](ClientOptions& options) { options.server = "[::1]"; }));
  EXPECT_TRUE(refused([](ClientOptions& options) { options.methods = {{0, hex("00000001")}}; }));
  EXPECT_TRUE(refused([](ClientOptions& options) { options.methods = {{65537, hex("00000001")}}; }));
  EXPECT_TRUE(refused([](ClientOptions& options) { options.methods = {tcp(1)[0], tcp(2)[0]}; }));
  EXPECT_TRUE(refused([](ClientOptions& options) { options.interval = 0ms; }));
  EXPECT_TRUE(refused([](ClientOptions& options) { options.answer_timeout = -1ms; }));
  EXPECT_TRUE(refused([](ClientOptions& options) { options.retry_last = 0ms; }));
}

}  // namespace
}  // namespace lekt::test
