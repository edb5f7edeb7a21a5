// What a client makes of servers that refuse, vanish, hang and talk nonsense.
#include <gtest/gtest.h>

#include <future>

#include "client/client.h"
#include "client/ping.h"
#include "tests/client/fake_server.h"
#include "tests/client/recorder.h"
#include "tests/support/support.h"

namespace lekt::test {
namespace {

using namespace std::chrono_literals;

const std::vector<AddedEntry> two_peers = {added("10.0.0.1", tcp(1)), added("10.0.0.2", tcp(2))};

/// A client that meets `script` and is stopped at the first disconnection.
Recorder meet(FakeServer::Script script, ClientOptions options = quick_options("")) {
  FakeServer server({std::move(script)});
  Recorder recorder;
  options.server = server.name();
  run_until(recorder, options, disconnected_once);
  return recorder;
}

TEST(ClientTrouble, a_reset_connection_is_resumed_without_repeating_anything) {
  FakeServer server({[](FakeConnection& connection) {
                       connection.let_join();
                       connection.answer(100, two_peers);
                       connection.reset();
                     },
                     [](FakeConnection& connection) {
                       connection.let_join();
                       EXPECT_EQ(connection.answer(105, {two_peers[1], added("10.0.0.3", tcp(3))}), 100);
                       connection.expect_end();
                     }});
  Recorder recorder;
  run_until(recorder, quick_options(server.name()), synchronised_twice);
  EXPECT_EQ(recorder.text,
            "joined\n+ 10.0.0.1 tcp:1\n+ 10.0.0.2 tcp:2\nsynchronised\n"
            "E702 the server closed the connection without a reason (Connection reset by peer)\n"
            "joined\n+ 10.0.0.3 tcp:3\nsynchronised\n");
}

TEST(ClientTrouble, a_reject_in_one_piece_with_the_end_of_the_setup_is_told) {
  ClientOptions options = quick_options("");
  options.methods = {};
  const Recorder recorder = meet(
      [](FakeConnection& connection) {
        connection.receive<HandshakePacket>();
        RejectPacket reject;
        reject.text = "E402 the server is shutting down";
        connection.send(encode(AcceptPacket{}) + encode(RequestPacket{}) + encode(reject));
        connection.expect_end();
      },
      options);
  EXPECT_EQ(recorder.text, "joined\nE402 the server is shutting down\n");
}

TEST(ClientTrouble, an_answer_that_is_cut_loses_nothing) {
  FakeServer server({[](FakeConnection& connection) {
                       connection.let_join();
                       connection.receive<HeartbeatPacket>();
                       connection.send(update(0, two_peers).substr(0, 50));
                     },
                     [](FakeConnection& connection) {
                       connection.let_join();
                       EXPECT_EQ(connection.answer(105, two_peers), 0);
                     },
                     [](FakeConnection& connection) {
                       connection.let_join();
                       EXPECT_EQ(connection.receive<HeartbeatPacket>().timestamp, 105);
                       connection.send(update(107, {added("10.0.0.3", tcp(3))}) + closing(110).substr(0, 7));
                     },
                     [](FakeConnection& connection) {
                       connection.let_join();
                       EXPECT_EQ(connection.answer(110, {}), 107);
                       connection.expect_end();
                     }});
  Recorder recorder;
  ClientOptions options = quick_options(server.name());
  options.interval = 1h;  // a second heartbeat could meet the closed socket and turn the end into a reset
  run_until(recorder, options, synchronised_twice);
  const std::string closed = "E702 the server closed the connection without a reason\n";
  EXPECT_EQ(recorder.text, "joined\n" + closed +
                               "joined\n+ 10.0.0.1 tcp:1\n+ 10.0.0.2 tcp:2\nsynchronised\n" + closed +
                               "joined\n" + closed + "joined\n+ 10.0.0.3 tcp:3\nsynchronised\n");
}

TEST(ClientTrouble, a_reject_is_told_with_the_servers_words) {
  const Recorder recorder = meet([](FakeConnection& connection) {
    connection.receive<HandshakePacket>();
    connection.send(encode(RejectPacket{.text = "E401 the server is full; try again later"}));
  });
  EXPECT_EQ(recorder.text, "E401 the server is full; try again later\n");
  EXPECT_TRUE(recorder.last.rejected);
  EXPECT_FALSE(recorder.last.permanent);
}

TEST(ClientTrouble, a_reject_that_would_come_again_is_permanent) {
  const Recorder recorder = meet([](FakeConnection& connection) {
    connection.receive<HandshakePacket>();
    connection.send(encode(RejectPacket{.text = "E101 protocol version 0.0 is not supported"}));
  });
  EXPECT_TRUE(recorder.last.rejected);
  EXPECT_TRUE(recorder.last.permanent);
}

/// Options of a client with a port and a name.
ClientOptions named_options(const std::string& server) {
  ClientOptions options = quick_options(server);
  options.methods.push_back({name_index, MethodCatalogue::wrap({MethodForm::Kind::text, 0}, "kitchen")});
  return options;
}

void refuse_the_number_of_methods(FakeConnection& connection) {
  EXPECT_EQ(connection.receive<HandshakePacket>().methods_known, 3007u);
  connection.send(encode(
      RejectPacket{.text = "E104 the number of known methods is 3007; this server allows at most 1024"}));
  connection.expect_end();
}

TEST(ClientTrouble, a_server_that_refuses_the_name_is_joined_without_it_and_that_is_said_once) {
  const auto joined_without = [](FakeConnection& connection) {
    EXPECT_EQ(connection.let_join(), tcp(4000));
    connection.answer(100, {});
  };
  FakeServer server({refuse_the_number_of_methods,
                     [&](FakeConnection& connection) {
                       joined_without(connection);
                       connection.reset();
                     },
                     refuse_the_number_of_methods,  // by then it could have been another server
                     [&](FakeConnection& connection) {
                       joined_without(connection);
                       connection.expect_end();
                     }});
  Recorder recorder;
  run_until(recorder, named_options(server.name()), synchronised_twice);
  EXPECT_EQ(recorder.text,
            "joined\nsynchronised\n"
            "E702 the server closed the connection without a reason (Connection reset by peer)\n"
            "joined\nsynchronised\n");
  EXPECT_EQ(recorder.warnings,
            "E715 " + server.name() +
                " takes no names (method 3007), so this program is listed without its name\n");
}

TEST(ClientTrouble, a_server_that_does_not_ask_for_the_name_is_told_of) {
  FakeServer server({[](FakeConnection& connection) {
    connection.receive<HandshakePacket>();
    connection.send(encode(AcceptPacket{}) + encode(RequestPacket{.index = 1}) + encode(RequestPacket{}));
    connection.receive<ResponsePacket>(1);
    connection.answer(100, {});
    connection.expect_end();
  }});
  Recorder recorder;
  run_until(recorder, named_options(server.name()), synchronised_once);
  EXPECT_TRUE(recorder.warnings.starts_with("E715 ")) << recorder.warnings;
}

TEST(ClientTrouble, a_server_that_asks_for_the_name_is_told_it_and_nobody_is_warned) {
  FakeServer server({[](FakeConnection& connection) {
    EXPECT_EQ(names_in(connection.let_join()), std::vector<std::string>{"kitchen"});
    connection.answer(100, {});
    connection.expect_end();
  }});
  Recorder recorder;
  run_until(recorder, named_options(server.name()), synchronised_once);
  EXPECT_EQ(recorder.text, "joined\nsynchronised\n");
  EXPECT_EQ(recorder.warnings, "");
}

TEST(ClientTrouble, too_many_methods_without_a_name_are_refused_for_good) {
  FakeServer server({refuse_the_number_of_methods, [](FakeConnection& connection) {
                       connection.receive<HandshakePacket>();
                       connection.send(encode(RejectPacket{.text = "E104 too many"}));
                       connection.expect_end();
                     }});
  Recorder recorder;
  run_until(recorder, named_options(server.name()), disconnected_once);
  EXPECT_EQ(recorder.text, "E104 too many\n");
  EXPECT_TRUE(recorder.last.permanent);
}

TEST(ClientTrouble, a_permanent_reject_is_tried_again_unless_stopped) {
  const FakeServer::Script refuse = [](FakeConnection& connection) {
    connection.receive<HandshakePacket>();
    connection.send(encode(RejectPacket{.text = "E101 no"}));
  };
  FakeServer server({refuse, refuse});
  Recorder recorder;
  run_until(recorder, quick_options(server.name()),
            [](const Recorder& seen) { return seen.disconnected == 2; });
}

TEST(ClientTrouble, a_reject_in_the_heartbeat_phase_is_told) {
  const Recorder recorder = meet([](FakeConnection& connection) {
    connection.let_join();
    connection.answer(100, {});
    connection.send(encode(RejectPacket{.text = "E402 stopping"}));
  });
  EXPECT_EQ(recorder.text, "joined\nsynchronised\nE402 stopping\n");
}

TEST(ClientTrouble, a_reject_cannot_control_a_terminal) {
  const Recorder recorder = meet([](FakeConnection& connection) {
    connection.receive<HandshakePacket>();
    connection.send(encode(RejectPacket{.text = "E401 \x1b[2J\n+ 10.0.0.1"}));
  });
  EXPECT_EQ(recorder.text, "E401 \\x1b[2J\\n+ 10.0.0.1\n");
}

TEST(ClientTrouble, another_protocol_is_named) {
  const Recorder recorder =
      meet([](FakeConnection& connection) { connection.send("HTTP/1.1 400 Bad Request\r\n"); });
  EXPECT_EQ(recorder.text,
            "E703 the bytes \"HTTP/1.1\" begin no LEKT packet; every packet begins with \"LEKT\"\n");
  EXPECT_FALSE(recorder.last.rejected);
}

TEST(ClientTrouble, a_server_that_speaks_tls_is_named) {
  // What a server of TLS says to bytes that are none: the alert "unexpected message".
  const Recorder recorder = meet([](FakeConnection& connection) {
    connection.receive<HandshakePacket>();
    connection.send(hex("15 03 01 00 02 02 0a"));
  });
  EXPECT_TRUE(
      recorder.text.ends_with(" speaks TLS on this port; use TLS (--tls), or the server's port without it\n"))
      << recorder.text;
  EXPECT_TRUE(recorder.text.starts_with("E707 127.0.0.1:"));
}

TEST(ClientTrouble, a_server_that_closes_before_its_first_byte_may_speak_tls) {
  const Recorder recorder = meet([](FakeConnection& connection) { connection.receive<HandshakePacket>(); });
  EXPECT_EQ(recorder.text,
            "E702 the server closed the connection without a reason; if this is its port for TLS, use TLS "
            "(--tls)\n");
}

TEST(ClientTrouble, a_method_that_was_not_offered_is_named) {
  const Recorder recorder = meet([](FakeConnection& connection) {
    connection.receive<HandshakePacket>();
    connection.send(encode(AcceptPacket{}) + encode(RequestPacket{.index = 7}));
  });
  EXPECT_EQ(recorder.text, "E703 the server requests method 7, which was not offered\n");
}

TEST(ClientTrouble, silence_has_a_limit_in_every_phase) {
  const std::vector<std::function<void(FakeConnection&)>> until = {
      [](FakeConnection& connection) { connection.receive<HandshakePacket>(); },
      [](FakeConnection& connection) {
        connection.receive<HandshakePacket>();
        connection.send(encode(AcceptPacket{}));
      },
      [](FakeConnection& connection) {
        connection.let_join();
        connection.receive<HeartbeatPacket>();
      },
      [](FakeConnection& connection) {
        connection.let_join();
        connection.receive<HeartbeatPacket>();
        connection.send(update(0, two_peers));
      }};
  for (const auto& lead : until) {
    ClientOptions options = quick_options("");
    options.answer_timeout = 100ms;
    const Recorder recorder = meet(
        [&](FakeConnection& connection) {
          lead(connection);
          connection.expect_end();
        },
        options);
    EXPECT_TRUE(recorder.text.ends_with("E704 the server did not answer within 100ms\n")) << recorder.text;
  }
}

TEST(ClientTrouble, the_time_between_heartbeats_is_no_silence) {
  FakeServer server({[](FakeConnection& connection) {
    connection.let_join();
    connection.answer(100, {});
    connection.answer(100, {});
    connection.expect_end();
  }});
  Recorder recorder;
  ClientOptions options = quick_options(server.name());
  options.interval = 300ms;
  options.answer_timeout = 150ms;
  run_until(recorder, options, synchronised_twice);
  EXPECT_EQ(recorder.disconnected, 0);
}

TEST(ClientTrouble, nobody_listens) {
  Recorder recorder;
  ClientOptions options = quick_options("127.0.0.1:1");
  options.retry_first = 2ms;
  options.retry_last = 8ms;
  std::vector<std::chrono::milliseconds> delays;
  run_until(recorder, options, [&](const Recorder& seen) {
    delays.push_back(seen.last.retry_in);
    return seen.disconnected == 4;
  });
  EXPECT_TRUE(recorder.text.starts_with("E701 cannot connect to 127.0.0.1:1: Connection refused\n"));
  const std::vector<std::chrono::milliseconds> ceilings = {4ms, 8ms, 8ms, 8ms};
  for (std::size_t i = 0; i < delays.size(); ++i)
    EXPECT_TRUE(delays[i] >= ceilings[i] / 2 && delays[i] <= ceilings[i]);
}

TEST(ClientTrouble, a_server_that_accepts_and_never_answers_is_not_hurried) {
  const FakeServer::Script join_and_close = [](FakeConnection& connection) { connection.let_join(); };
  FakeServer server({join_and_close, join_and_close, join_and_close});
  Recorder recorder;
  ClientOptions options = quick_options(server.name());
  options.retry_first = 4ms;
  options.retry_last = 1s;
  run_until(recorder, options, [](const Recorder& seen) { return seen.disconnected == 3; });
  EXPECT_GE(recorder.last.retry_in, 16ms);
}

TEST(ClientTrouble, an_answer_makes_the_next_attempt_quick_again) {
  const FakeServer::Script join_and_close = [](FakeConnection& connection) { connection.let_join(); };
  const FakeServer::Script answer_and_close = [](FakeConnection& connection) {
    connection.let_join();
    connection.answer(100, {});
  };
  FakeServer server({join_and_close, join_and_close, join_and_close, answer_and_close});
  Recorder recorder;
  ClientOptions options = quick_options(server.name());
  options.interval = 1h;
  options.retry_first = 4ms;
  options.retry_last = 1s;
  run_until(recorder, options, [](const Recorder& seen) { return seen.disconnected == 4; });
  EXPECT_LE(recorder.last.retry_in, 8ms);
}

TEST(ClientTrouble, a_source_address_of_another_machine_is_named) {
  Recorder recorder;
  ClientOptions options = quick_options("127.0.0.1:1");
  options.source = parse_address("192.0.2.1");
  run_until(recorder, options, disconnected_once);
  EXPECT_EQ(recorder.text,
            "E701 cannot connect to 127.0.0.1:1 from 192.0.2.1: Cannot assign requested address\n");
}

TEST(ClientTrouble, an_exception_of_the_handler_leaves_run) {
  FakeServer server({[](FakeConnection& connection) { connection.let_join(); }});
  Recorder recorder;
  Client client(quick_options(server.name()), recorder);
  recorder.on_event = [] { throw std::runtime_error("enough"); };
  EXPECT_THROW(client.run(), std::runtime_error);
}

TEST(Ping, is_accepted_and_registers_nobody) {
  FakeServer server({[](FakeConnection& connection) {
    EXPECT_TRUE(connection.receive<HandshakePacket>().supports(tcp_index));
    connection.send(encode(AcceptPacket{}) + encode(RequestPacket{.index = 1}));
    connection.expect_end();
  }});
  const PingResult result = ping({parse_server_name(server.name()), {}, 5s});
  EXPECT_TRUE(result.accepted) << result.reason;
  EXPECT_GT(result.round_trip.count(), 0);
}

TEST(Ping, tells_why_not) {
  FakeServer server({[](FakeConnection& connection) {
                       connection.receive<HandshakePacket>();
                       connection.send(encode(RejectPacket{.text = "E401 full"}));
                     },
                     [](FakeConnection& connection) {
                       connection.receive<HandshakePacket>();
                       connection.expect_end();
                     }});
  EXPECT_EQ(ping({parse_server_name(server.name()), {}, 5s}).reason, "E401 full");
  EXPECT_EQ(ping({parse_server_name(server.name()), {}, 50ms}).reason,
            "E704 the server did not answer within 50ms");
  EXPECT_EQ(ping({parse_server_name("127.0.0.1:1"), {}, 5s}).reason,
            "E701 cannot connect to 127.0.0.1:1: Connection refused");
}

}  // namespace
}  // namespace lekt::test
