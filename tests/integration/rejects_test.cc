// Rejects of what a client is, and of when it comes; what it sends is in bad_input_test.cc. They are always
// readable to the end, whatever the client still sends.
#include <string>

#include "tests/integration/daemon.h"
#include "tests/integration/raw_client.h"
#include "tests/integration/sqlite.h"

namespace lekt::test {

namespace {

using namespace std::chrono_literals;
using testing::IsSubstring;

/// What a client that does not listen keeps sending. It fills the buffers of both sockets, so the server must
/// read it.
const Bytes endless(768 * 1024, 'x');

class RejectsTest : public DaemonTest {};

}  // namespace

TEST_F(RejectsTest, tells_its_own_version_in_the_packet) {
  RawClient client(start().port(), "127.0.0.2");
  client.send(hex("4c454b54 48010200 00000000"));
  EXPECT_EQ(client.expect<RejectPacket>().version, version_spoken);
}

TEST_F(RejectsTest, too_many_methods_before_they_are_sent) {
  start({"--max-methods", "64"});
  RawClient client(daemon().port(), "127.0.0.2");
  client.send(hex("4c454b54 48000000 ffffffff"));
  EXPECT_PRED_FORMAT2(IsSubstring,
                      "E104 the number of known methods is 4294967295; this server allows at most 64",
                      client.expect_reject());
}

TEST_F(RejectsTest, answers_what_came_before_the_mistake_first) {
  RawClient client = joined(start().port(), "127.0.0.2");
  client.send(heartbeat_bytes(0) + "nonsense" + heartbeat_bytes(0));
  EXPECT_EQ(client.read_answer().added.size(), 1u);
  EXPECT_PRED_FORMAT2(IsSubstring, "E102", client.expect_reject());
}

TEST_F(RejectsTest, a_client_of_ipv6) {
  if (!has_ipv6()) GTEST_SKIP() << "this machine has no IPv6 loopback";
  start({"--listen", "[::1]:0"});
  RawClient client(daemon().port(), "::1", {.to = "::1"});
  client.send(setup_bytes(tcp(7890)) + endless);
  EXPECT_PRED_FORMAT2(IsSubstring, "E106 you came from ::1", client.expect_reject());
  EXPECT_TRUE(daemon().logs("event=reject address=::1"));
}

TEST_F(RejectsTest, one_client_too_many_until_another_has_left) {
  const std::uint16_t port = start({"--max-clients", "2"}).port();
  RawClient first = joined(port, "127.0.0.2");
  RawClient second = joined(port, "127.0.0.3");
  {
    RawClient third(port, "127.0.0.4");
    third.send(setup_bytes(tcp(1)) + endless);
    third.expect<AcceptPacket>();
    third.expect<RequestPacket>();
    EXPECT_PRED_FORMAT2(IsSubstring, "E401 the server has 2 clients", third.expect_reject());
  }
  joined(port, "127.0.0.2", tcp(2));  // another session of a client that is there is no client more
  first.beat();
  second.close();
  const auto can_join = [&] {
    RawClient third(port, "127.0.0.4");
    third.send(setup_bytes({}));
    third.expect<AcceptPacket>();
    try {
      return third.expect<RequestPacket>().index == 0;
    } catch (const UnexpectedInput&) {
      return false;
    }
  };
  EXPECT_TRUE(eventually(can_join, patience()));
}

TEST_F(RejectsTest, an_address_that_is_not_served) {
  const std::uint16_t port = start({"--allow", "127.0.0.0/24", "--deny", "127.0.0.3"}).port();
  joined(port, "127.0.0.2");
  for (const char* address : {"127.0.0.3", "127.0.1.2"}) {
    RawClient refused(port, address);
    EXPECT_PRED_FORMAT2(IsSubstring, std::string("E404 this server does not serve ") + address,
                        refused.expect_reject());
  }
  const auto counted = [&] {
    return Operator(database()).ask_one("SELECT count FROM codes WHERE code = 'E404'") == "2";
  };
  EXPECT_TRUE(eventually(counted, patience())) << "operators see how often it was refused";
}

TEST_F(RejectsTest, one_connection_too_many_of_an_address_until_another_is_closed) {
  const std::uint16_t port = start({"--max-connections-per-address", "2"}).port();
  RawClient first = joined(port, "127.0.0.2", tcp(1));
  RawClient second = joined(port, "127.0.0.2", tcp(2));
  {
    RawClient third(port, "127.0.0.2");
    third.send(setup_bytes(tcp(3)));
    third.expect<AcceptPacket>();
    third.expect<RequestPacket>();
    EXPECT_PRED_FORMAT2(IsSubstring, "E405 127.0.0.2 has as many connections as one address may have (2)",
                        third.expect_reject());
  }
  RawClient neighbour = joined(port, "127.0.0.3", tcp(1));
  second.close();
  EXPECT_EQ(neighbour.beat(0).added.size(), 2u);
  const auto sees_one_method = [&] {
    neighbour.beat();
    return neighbour.peers() == std::vector<std::string>{"127.0.0.2 tcp:1", "127.0.0.3 tcp:1"};
  };
  ASSERT_TRUE(eventually(sees_one_method, patience()));
  joined(port, "127.0.0.2", tcp(3));
}

TEST_F(RejectsTest, one_handshake_too_many_of_an_address_and_of_all) {
  const std::uint16_t port = start({"--max-connections-per-address", "1", "--max-handshakes", "2"}).port();
  RawClient first(port, "127.0.0.2");
  first.send(encode(handshake_for(tcp(1))));
  first.expect<AcceptPacket>();
  EXPECT_PRED_FORMAT2(IsSubstring, "E405 127.0.0.2 has as many connections that have not joined yet",
                      RawClient(port, "127.0.0.2").expect_reject());
  const auto can_begin = [&] {
    RawClient second(port, "127.0.0.3");
    second.send(encode(handshake_for(tcp(1))));
    try {
      second.expect<AcceptPacket>();
      EXPECT_PRED_FORMAT2(IsSubstring, "E406 as many connections as the server bears (2)",
                          RawClient(port, "127.0.0.4").expect_reject());
      return true;
    } catch (const UnexpectedInput&) {
      return false;  // the refused ones before it are still being closed
    }
  };
  EXPECT_TRUE(eventually(can_begin, patience()));
}

TEST_F(RejectsTest, a_client_whose_methods_do_not_fit_one_packet) {
  Flags flags = catalogue_flags();
  flags.insert(flags.end(), {"--max-packet-bytes", "8192"});
  const std::uint16_t port = start(flags).port();
  RawClient first = joined(port, "127.0.0.2", chat(Bytes(4096, 'a')));
  RawClient second(port, "127.0.0.2");
  second.send(setup_bytes(chat(Bytes(4096, 'b'))));
  second.expect<AcceptPacket>();
  second.expect<RequestPacket>();
  EXPECT_PRED_FORMAT2(IsSubstring, "E205 the methods of all sessions of 127.0.0.2 take 8216 bytes",
                      second.expect_reject());
  EXPECT_EQ(first.beat().added.size(), 1u);
}

TEST_F(RejectsTest, ends_a_client_that_sends_without_end_though_it_was_rejected) {
  RawClient client(start().port(), "127.0.0.2");
  client.send("nonsense");
  EXPECT_TRUE(eventually([&] { return !client.try_send(endless); }, patience()));
  EXPECT_EQ(joined(daemon().port(), "127.0.0.3").beat().added.size(), 1u);
}

}  // namespace lekt::test
