// Servers whose name has several addresses: which of them is tried when, and that nobody waits for name
// servers.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <deque>

#include "client/client.h"
#include "client/name_lookup.h"
#include "client/ping.h"
#include "tests/client/fake_names.h"
#include "tests/client/fake_server.h"
#include "tests/client/recorder.h"
#include "tests/support/support.h"

namespace lekt::test {
namespace {

using namespace std::chrono_literals;
using Clock = std::chrono::steady_clock;

constexpr const char* first_address = "127.0.0.91";
constexpr const char* second_address = "127.0.0.92";

void answer_until_end(FakeConnection& connection) {
  connection.let_join();
  connection.answer(100, {});
  connection.expect_end();
}

void accept_until_end(FakeConnection& connection) {
  connection.receive<HandshakePacket>();
  connection.send(encode(AcceptPacket{}));
  connection.expect_end();
}

ClientOptions options_for(const std::string& name, std::uint16_t port) {
  ClientOptions options = quick_options(name + ":" + std::to_string(port));
  options.interval = 1h;  // one heartbeat a connection
  return options;
}

TEST(Route, an_address_that_answers_nothing_leaves_time_for_the_next) {
  const FakeName name("dropped.test", {first_address, second_address});
  const DroppingPort dropping(first_address);
  FakeServer server({answer_until_end}, second_address, dropping.port());
  ClientOptions options = options_for("dropped.test", server.port());
  options.connect_timeout = 1s;
  Recorder recorder;
  run_until(recorder, options, synchronised_once);
  EXPECT_EQ(recorder.text, "joined\nsynchronised\n");
}

TEST(Route, all_addresses_that_failed_are_named) {
  const FakeName name("nobody.test", {first_address, second_address});
  const DroppingPort dropping(first_address);
  Recorder recorder;
  ClientOptions options = options_for("nobody.test", dropping.port());
  options.connect_timeout = 100ms;
  run_until(recorder, options, [](const Recorder& seen) { return seen.disconnected == 1; });
  EXPECT_THAT(recorder.text,
              testing::MatchesRegex("E701 cannot connect to nobody.test:[0-9]+: 127.0.0.91: no answer "
                                    "within [0-9]+ms; 127.0.0.92: Connection refused\n"));
  EXPECT_FALSE(recorder.last.others_left);
}

/// What a client meets at the first address, and how it calls that.
struct Failure {
  const char* name;
  FakeServer::Script script;
  std::string code;
};

void PrintTo(const Failure& failure, std::ostream* stream) { *stream << failure.name; }

class RouteFailure : public testing::TestWithParam<Failure> {};

TEST_P(RouteFailure, the_next_address_is_tried_at_once) {
  const FakeName name("failing.test", {first_address, second_address});
  FakeServer failing({GetParam().script}, first_address);
  FakeServer sound({answer_until_end}, second_address, failing.port());
  ClientOptions options = options_for("failing.test", failing.port());
  options.answer_timeout = 300ms;
  options.retry_first = options.retry_last = 1h;  // whoever waits for the next round sits here for ever
  Recorder recorder;
  recorder.text.clear();
  std::vector<Disconnection> ends;
  run_until(recorder, options, [&](const Recorder& seen) {
    if (seen.disconnected > static_cast<int>(ends.size())) ends.push_back(seen.last);
    return seen.synchronised == 1;
  });
  ASSERT_EQ(ends.size(), 1U) << recorder.text;
  EXPECT_TRUE(ends[0].reason.starts_with(GetParam().code + " ")) << ends[0].reason;
  EXPECT_TRUE(ends[0].reason.ends_with(" (at 127.0.0.91)")) << ends[0].reason;
  EXPECT_TRUE(ends[0].others_left);
  EXPECT_EQ(ends[0].retry_in, 0ms);
}

INSTANTIATE_TEST_SUITE_P(
    Any, RouteFailure,
    testing::Values(Failure{"reject",
                            [](FakeConnection& connection) {
                              connection.receive<HandshakePacket>();
                              connection.send(
                                  encode(RejectPacket{.text = "E402 the server is shutting down"}));
                            },
                            "E402"},
                    Failure{"permanent_reject",
                            [](FakeConnection& connection) {
                              connection.receive<HandshakePacket>();
                              connection.send(encode(RejectPacket{.text = "E101 other version"}));
                            },
                            "E101"},
                    Failure{"silence",
                            [](FakeConnection& connection) {
                              connection.receive<HandshakePacket>();
                              connection.expect_end();
                            },
                            "E704"},
                    Failure{"close_before_the_answer",
                            [](FakeConnection& connection) {
                              connection.let_join();
                              connection.receive<HeartbeatPacket>();
                            },
                            "E702"},
                    Failure{"nonsense",
                            [](FakeConnection& connection) { connection.send("HTTP/1.1 400 no\r\n\r\n"); },
                            "E703"}),
    [](const auto& parameter) { return std::string(parameter.param.name); });

TEST(Route, an_attempt_begins_behind_the_address_that_served_last) {
  const FakeName name("served.test", {first_address, second_address});
  const FakeServer::Script serve = [](FakeConnection& connection) {
    connection.let_join();
    connection.answer(100, {});
  };
  FakeServer one_server({serve, answer_until_end}, first_address);
  FakeServer two_server({serve}, second_address, one_server.port());
  ClientOptions options = options_for("served.test", one_server.port());
  std::vector<std::string> servers;
  Recorder recorder;
  Client client(options, recorder);
  recorder.on_event = [&] {
    if (recorder.text.ends_with("joined\n")) servers.push_back(to_string(client.endpoints()->server));
    if (recorder.synchronised == 3) client.stop();
  };
  ASSERT_FALSE(client.run_for(20s));
  EXPECT_EQ(servers, (std::vector<std::string>{first_address, second_address, first_address}));
}

TEST(Route, a_name_is_looked_up_anew_for_each_round) {
  FakeName name("moving.test", {first_address});
  FakeServer server({answer_until_end}, second_address);
  Recorder recorder;
  run_until(recorder, options_for("moving.test", server.port()), [&](const Recorder& seen) {
    if (seen.disconnected == 1) name.change({second_address});
    return seen.synchronised == 1;
  });
  EXPECT_GE(recorder.disconnected, 1);
}

TEST(Route, the_wait_begins_when_all_addresses_have_failed) {
  const FakeName name("refused.test", {first_address, second_address});
  const FakeServer::Script refuse = [](FakeConnection& connection) {
    connection.receive<HandshakePacket>();
    connection.send(encode(RejectPacket{.text = "E401 full"}));
  };
  FakeServer one_server({refuse, refuse}, first_address);
  FakeServer two_server({refuse, refuse}, second_address, one_server.port());
  std::vector<bool> waits;
  Recorder recorder;
  run_until(recorder, options_for("refused.test", one_server.port()), [&](const Recorder& seen) {
    waits.push_back(seen.last.retry_in > 0ms);
    return seen.disconnected == 4;
  });
  EXPECT_EQ(waits, (std::vector<bool>{false, true, false, true}));
}

TEST(Route, a_name_with_many_addresses_ends_its_attempt_in_time) {
  std::deque<std::string> texts;
  std::vector<std::string_view> addresses;
  for (int i = 1; i <= 40; ++i) addresses.push_back(texts.emplace_back("127.0.9." + std::to_string(i)));
  const FakeName name("many.test", addresses);
  std::deque<DroppingPort> dropping;
  for (const auto address : addresses)
    dropping.emplace_back(address, dropping.empty() ? std::uint16_t{0} : dropping.front().port());
  const auto begin = Clock::now();
  const auto result = ping({{"many.test", dropping.front().port()}, {}, 200ms});
  EXPECT_LT(Clock::now() - begin, 5s);
  EXPECT_FALSE(result.accepted);
  EXPECT_NE(result.reason.find(": 127.0.9.1: no answer within 25ms"), std::string::npos) << result.reason;
}

TEST(PingRoute, tries_all_addresses) {
  const FakeName name("ping.test", {"127.0.0.90", first_address, second_address});
  FakeServer silent({[](FakeConnection& connection) {
                      connection.receive<HandshakePacket>();
                      connection.expect_end();
                    }},
                    first_address);
  FakeServer sound({accept_until_end}, second_address, silent.port());
  const PingResult result = ping({{"ping.test", silent.port()}, {}, 900ms});
  EXPECT_TRUE(result.accepted) << result.reason;
  EXPECT_EQ(to_string(result.endpoints.server), second_address);
}

TEST(PingRoute, tells_of_all_addresses_why_not) {
  const FakeName name("ping.test", {first_address, second_address});
  const FakeServer::Script refuse = [](FakeConnection& connection) {
    connection.receive<HandshakePacket>();
    connection.send(encode(RejectPacket{.text = "E401 full"}));
  };
  FakeServer one_server({refuse}, first_address);
  FakeServer two_server({refuse}, second_address, one_server.port());
  EXPECT_EQ(ping({{"ping.test", one_server.port()}, {}, 5s}).reason,
            "E401 full (at 127.0.0.91); E401 full (at 127.0.0.92)");
}

TEST(SilentNameServer, does_not_hold_up_ping) {
  FakeName name("silent.test", {first_address});
  name.fall_silent();
  const auto begin = Clock::now();
  EXPECT_EQ(ping({{"silent.test", 1}, {}, 50ms}).reason,
            "E701 cannot connect to silent.test:1: the machine's name servers did not answer within 50ms");
  EXPECT_LT(Clock::now() - begin, 5s);
}

TEST(SilentNameServer, holds_up_neither_the_stop_nor_the_end_of_a_client) {
  FakeName name("silent.test", {first_address});
  name.fall_silent();
  const auto begin = Clock::now();
  Recorder recorder;
  {
    Client client(options_for("silent.test", 1), recorder);
    EXPECT_TRUE(client.run_for(10ms));
    client.stop();
    client.run();
  }
  {
    Client client(options_for("silent.test", 1), recorder);
    EXPECT_TRUE(client.run_for(10ms));
  }
  EXPECT_LT(Clock::now() - begin, 5s);
  EXPECT_EQ(recorder.text, "");
}

TEST(SilentNameServer, that_answers_after_the_attempt_serves_the_next) {
  FakeName name("slow.test", {first_address});
  name.fall_silent();
  FakeServer server({answer_until_end}, first_address);
  ClientOptions options = options_for("slow.test", server.port());
  options.connect_timeout = 30ms;
  Recorder recorder;
  run_until(recorder, options, [&](const Recorder& seen) {
    if (seen.disconnected == 3) name.answer();
    return seen.synchronised == 1;
  });
  EXPECT_GE(recorder.disconnected, 3);
  EXPECT_EQ(name.questions(), 1U);
}

TEST(SilentNameServer, is_waited_for_by_a_bounded_number_of_threads) {
  FakeName name("silent.test", {first_address});
  name.fall_silent();
  std::string last;
  for (std::size_t i = 0; i <= lookups_max; ++i) last = ping({{"silent.test", 1}, {}, 10ms}).reason;
  EXPECT_TRUE(last.ends_with("16 earlier questions still wait for them")) << last;
  EXPECT_TRUE(eventually([&] { return name.waiting() == lookups_max; }));
  name.answer();
  EXPECT_TRUE(eventually([&] { return name.waiting() == 0; }));
  EXPECT_TRUE(eventually([] {
    return ping({{"silent.test", 1}, {}, 1s}).reason.ends_with(": Connection refused");
  }));
}

TEST(NameServer, that_fails_or_falls_silent_does_not_take_known_addresses_away) {
  for (const auto& disturb : {&FakeName::fail, &FakeName::fall_silent}) {
    FakeName name("outage.test", {first_address});
    const FakeServer::Script serve = [](FakeConnection& connection) {
      connection.let_join();
      connection.answer(100, {});
    };
    FakeServer server({serve, answer_until_end}, first_address);
    ClientOptions options = options_for("outage.test", server.port());
    options.connect_timeout = 400ms;
    Recorder recorder;
    run_until(recorder, options, [&](const Recorder& seen) {
      if (seen.disconnected == 1) (name.*disturb)();
      return seen.synchronised == 2;
    });
    EXPECT_EQ(recorder.disconnected, 1) << recorder.text;
  }
}

TEST(NameServer, that_fails_is_told) {
  FakeName name("failing.test", {first_address});
  name.fail();
  EXPECT_EQ(ping({{"failing.test", 1}, {}, 5s}).reason,
            "E701 cannot connect to failing.test:1: the machine's name servers do not answer, or know no "
            "answer now");
}

TEST(NameServer, that_takes_a_name_away_is_believed) {
  FakeName name("gone.test", {first_address});
  Recorder recorder;
  run_until(recorder, options_for("gone.test", 1), [&](const Recorder& seen) {
    name.change({});
    return seen.disconnected == 2;
  });
  EXPECT_TRUE(recorder.text.ends_with("E701 cannot connect to gone.test:1: the name is not known\n"));
}

TEST(NameServer, an_unknown_name_is_told) {
  EXPECT_EQ(ping({{"unknown.test", 1}, {}, 5s}).reason,
            "E701 cannot connect to unknown.test:1: the name is not known");
}

}  // namespace
}  // namespace lekt::test
