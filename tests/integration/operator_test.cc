// Operators with the database open: readers delay nobody, writers delay joins only, and views say what is.
#include <chrono>
#include <string>
#include <vector>

#include "tests/integration/daemon.h"
#include "tests/integration/raw_client.h"
#include "tests/integration/sqlite.h"

namespace lekt::test {

namespace {

using namespace std::chrono_literals;
using testing::IsSubstring;
using Lines = std::vector<std::string>;

using OperatorTest = DaemonTest;

}  // namespace

TEST_F(OperatorTest, who_reads_for_long_delays_neither_joins_nor_heartbeats) {
  RawClient client = joined(start().port(), "127.0.0.2");
  Operator reader(database());
  reader.ask("BEGIN");
  ASSERT_EQ(reader.ask("SELECT address FROM clients").size(), 1u);
  std::vector<RawClient> clients;
  for (std::size_t number = 0; number < 100; ++number) {
    clients.push_back(joined(daemon().port(), address_number(number)));
    EXPECT_EQ(client.beat_until_news().added.back(), ip(address_number(number)));
  }
  EXPECT_EQ(reader.ask("SELECT address FROM clients").size(), 1u) << "still the old state";
  reader.ask("COMMIT");
  EXPECT_EQ(reader.ask("SELECT address FROM clients").size(), 101u);
}

TEST_F(OperatorTest, who_writes_delays_joins_and_never_heartbeats) {
  start({"--handshake-timeout", duration_flag(4s)});
  RawClient client = joined(daemon().port(), "127.0.0.2");
  client.beat();
  {
    const WriteLock lock(database());
    RawClient joining(daemon().port(), "127.0.0.3");
    joining.send(setup_bytes(tcp(7890)));
    joining.expect<AcceptPacket>();
    joining.expect<RequestPacket>();
    int heartbeats = 0;
    for (; !joining.receives_within(0ms); ++heartbeats) client.beat();
    EXPECT_GT(heartbeats, 100);
    EXPECT_PRED_FORMAT2(IsSubstring, "E403 another program has held the server's database for too long",
                        joining.expect_reject());
    client.beat();
    EXPECT_EQ(client.peers().size(), 1u);
    EXPECT_TRUE(daemon().logs("E602"));
  }
  EXPECT_TRUE(eventually([&] { return try_to_join("127.0.0.3").empty(); }, patience()));
  EXPECT_TRUE(daemon().logs("event=storage_recovered"));
}

TEST_F(OperatorTest, who_writes_for_a_short_time_makes_a_join_wait_and_no_more) {
  start();
  RawClient joining(daemon().port(), "127.0.0.2");
  {
    const WriteLock lock(database());
    joining.begin_setup(tcp(7890));
    joining.send(hex("4c454b54 54000000 00000001 00001ed2"));
    EXPECT_FALSE(joining.receives_within(300ms)) << "nothing is acknowledged that is not stored";
  }
  EXPECT_EQ(joining.expect<RequestPacket>().index, 0u);
}

TEST_F(OperatorTest, who_writes_does_not_keep_a_leave_from_being_stored_later) {
  RawClient staying = joined(start().port(), "127.0.0.2");
  {
    RawClient leaving = joined(daemon().port(), "127.0.0.3");
    ASSERT_TRUE(eventually([&] { return staying.beat(), staying.peers().size() == 2; }, patience()));
    const WriteLock lock(database());
    leaving.close();
    ASSERT_TRUE(daemon().logs("event=leave address=127.0.0.3"));
    staying.beat();
    EXPECT_EQ(staying.peers().size(), 2u) << "what is not stored is not told";
  }
  EXPECT_TRUE(eventually([&] { return staying.beat(), staying.peers().size() == 1; }, patience()));
}

TEST_F(OperatorTest, who_writes_does_not_keep_the_server_from_stopping) {
  RawClient client = joined(start().port(), "127.0.0.2");
  const WriteLock lock(database());
  RawClient joining(daemon().port(), "127.0.0.3");
  joining.send(setup_bytes(tcp(7890)));
  joining.expect<AcceptPacket>();
  const Deadline deadline(slowed(3s));
  EXPECT_EQ(daemon().stop(SIGTERM), 0);
  EXPECT_FALSE(deadline.over());
}

// A client that could not be stored leaves nothing behind that a second attempt could stumble over.
TEST_F(OperatorTest, who_writes_leaves_no_trace_of_the_join_that_was_refused) {
  Flags flags = catalogue_flags();
  flags.insert(flags.end(), {"--max-packet-bytes", "8192", "--method", "4:note:sized", "--handshake-timeout",
                             duration_flag(1s)});
  start(flags);
  const WriteLock lock(database());
  EXPECT_PRED_FORMAT2(IsSubstring, "E403", try_to_join("127.0.0.2"));
  // Two methods that do not fit one packet together.
  Methods large = chat(Bytes(4096, 'x'));
  large.push_back({4, large.front().information});
  RawClient client(daemon().port(), "127.0.0.2");
  HandshakePacket handshake = handshake_for(chat({}));
  handshake.support(4);
  client.send(encode(handshake));
  client.expect<AcceptPacket>();
  for (const MethodInformation& method : large) {
    EXPECT_EQ(client.expect<RequestPacket>().index, method.index);
    Bytes response = hex("4c454b54 54000000");
    ByteWriter(response).u32(method.index);
    client.send(response + method.information);
  }
  EXPECT_PRED_FORMAT2(IsSubstring, "E205", client.expect_reject());
  EXPECT_PRED_FORMAT2(IsSubstring, "E403", try_to_join("127.0.0.3"));
  EXPECT_FALSE(daemon().has_ended());
}

TEST_F(OperatorTest, sees_who_is_here) {
  const std::uint16_t port = start(catalogue_flags()).port();
  Methods methods = tcp(7890);
  methods.push_back(chat("hi").front());
  const RawClient first = joined(port, "127.0.0.2", methods);
  const RawClient second = joined(port, "127.0.0.3", {});
  Operator reader(database());
  EXPECT_EQ(reader.ask("SELECT address, methods, sessions, status FROM clients"),
            (Lines{"127.0.0.2|tcp:7890 chat:6869|1|connected", "127.0.0.3||1|connected"}));
  // The server's seconds may be one or two ahead of the wall clock, never far.
  EXPECT_EQ(reader
                .ask("SELECT address FROM clients WHERE min(since, last_heard) > datetime('now', '-1 hour') "
                     "AND max(since, last_heard) < datetime('now', '+1 minute')")
                .size(),
            2u)
      << "times that people can read";
}

TEST_F(OperatorTest, sees_what_changed) {
  const std::uint16_t port = start().port();
  RawClient staying = joined(port, "127.0.0.2", tcp(1));
  RawClient leaving = joined(port, "127.0.0.3", tcp(2));
  const RawClient more = joined(port, "127.0.0.2", tcp(3));
  leaving.close();
  ASSERT_TRUE(eventually([&] { return staying.beat(), staying.peers().size() == 1; }, patience()));
  EXPECT_EQ(Operator(database()).ask("SELECT sequence, kind, address, methods FROM changes"),
            (Lines{"4|removed|127.0.0.3|", "3|changed|127.0.0.2|tcp:1 tcp:3", "2|added|127.0.0.3|tcp:2",
                   "1|added|127.0.0.2|tcp:1"}));
  EXPECT_EQ(Operator(database()).ask("SELECT address, last_methods FROM removed"), Lines{"127.0.0.3|tcp:2"});
}

TEST_F(OperatorTest, sees_the_servers_own_state) {
  const RawClient client = joined(start().port(), "127.0.0.2");
  const auto state = [&] {
    return Operator(database())
        .ask_one("SELECT clients, connected, removed, newest_change, stopped FROM server");
  };
  EXPECT_EQ(state(), "1|1|0|1|running or crashed");
  ASSERT_EQ(daemon().stop(SIGTERM), 0);
  EXPECT_PRED_FORMAT2(IsSubstring, "1|0|0|1|20", state()) << "stopped at a readable time";
  EXPECT_EQ(
      Operator(database())
          .ask_one("SELECT version <> '' AND started <= stopped AND history_begins <= started FROM server"),
      "1");
}

TEST_F(OperatorTest, cannot_write_through_a_read_only_connection) {
  start();
  EXPECT_THROW(Operator(database()).ask("DELETE FROM client_record"), std::runtime_error);
}

}  // namespace lekt::test
