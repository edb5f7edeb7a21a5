// Behind a proxy that speaks the PROXY protocol, a client is whom the header names, from the admission on.
#include <string>

#include "tests/integration/daemon.h"
#include "tests/integration/raw_client.h"

namespace lekt::test {

namespace {

using testing::IsSubstring;

constexpr const char* proxy = "127.0.9.9";

const Bytes signature = hex("0d0a0d0a 000d0a51 5549540a");

Bytes header_for(const std::string& address) {
  Bytes header = signature + hex("21 11 000c");
  ByteWriter writer(header);
  writer.u32(ip(address).as_v4());
  writer.bytes(hex("7f000001 c350 1ed2"));
  return header;
}

class ProxyTest : public DaemonTest {
 protected:
  std::uint16_t start_behind_proxy(Flags flags = {}) {
    flags.insert(flags.end(), {"--proxy-protocol", "127.0.9.0/24"});
    return start(flags).port();
  }

  static RawClient joined_through_proxy(std::uint16_t port, const std::string& address) {
    RawClient client(port, proxy);
    client.send(header_for(address));
    client.join(tcp(7890));
    return client;
  }

  static std::string answer_through_proxy(std::uint16_t port, const Bytes& first) {
    RawClient client(port, proxy);
    client.send(first);
    return client.expect_reject();
  }
};

}  // namespace

TEST_F(ProxyTest, lists_clients_under_the_addresses_that_its_headers_name) {
  const std::uint16_t port = start_behind_proxy();
  RawClient first = joined_through_proxy(port, "192.0.2.7");
  RawClient second = joined_through_proxy(port, "192.0.2.8");
  RawClient direct = joined(port, "127.0.0.2");
  direct.beat();
  EXPECT_EQ(direct.peers(),
            (std::vector<std::string>{"127.0.0.2 tcp:7890", "192.0.2.7 tcp:7890", "192.0.2.8 tcp:7890"}));
  first.close();
  EXPECT_EQ(direct.beat_until_news().removed, std::vector{ip("192.0.2.7")});
}

TEST_F(ProxyTest, may_send_the_header_in_any_pieces_and_together_with_the_first_packets) {
  const std::uint16_t port = start_behind_proxy();
  RawClient together(port, proxy);
  together.send(header_for("192.0.2.7") + setup_bytes(tcp(1)) + heartbeat_bytes(0));
  together.expect<AcceptPacket>();
  together.expect<RequestPacket>();
  EXPECT_EQ(together.expect<RequestPacket>().index, 0u);
  EXPECT_EQ(together.read_answer().added, std::vector{ip("192.0.2.7")});
  RawClient pieces(port, proxy);
  for (const char byte : header_for("192.0.2.8") + setup_bytes(tcp(1))) pieces.send(Bytes(1, byte));
  pieces.expect<AcceptPacket>();
  pieces.expect<RequestPacket>();
  EXPECT_EQ(pieces.expect<RequestPacket>().index, 0u);
}

TEST_F(ProxyTest, is_believed_only_from_where_it_is_expected) {
  const std::uint16_t port = start_behind_proxy();
  RawClient stranger(port, "127.0.0.2");
  stranger.send(header_for("192.0.2.7") + setup_bytes(tcp(1)));
  EXPECT_PRED_FORMAT2(IsSubstring, "E102", stranger.expect_reject());
  EXPECT_PRED_FORMAT2(IsSubstring, "E108", answer_through_proxy(port, setup_bytes(tcp(1))));
  EXPECT_PRED_FORMAT2(IsSubstring, "E108", answer_through_proxy(port, "PROXY TCP9 1.2.3.4 1.2.3.5 1 2\r\n"));
}

TEST_F(ProxyTest, joins_for_itself_when_it_checks_the_servers_health) {
  const std::uint16_t port = start_behind_proxy();
  RawClient check(port, proxy);
  check.send(signature + hex("20 00 0000"));
  check.join({});
  EXPECT_EQ(check.beat().added, std::vector{ip(proxy)});
}

TEST_F(ProxyTest, does_not_bring_in_who_may_not_come) {
  const std::uint16_t port = start_behind_proxy({"--deny", "192.0.2.66"});
  EXPECT_PRED_FORMAT2(IsSubstring, "E404 this server does not serve 192.0.2.66",
                      answer_through_proxy(port, header_for("192.0.2.66")));
  joined_through_proxy(port, "192.0.2.7");
}

TEST_F(ProxyTest, may_speak_version_1) {
  const std::uint16_t port = start_behind_proxy();
  RawClient client(port, proxy);
  client.send("PROXY TCP4 192.0.2.7 127.0.0.1 50000 7890\r\n" + setup_bytes(tcp(1)) + heartbeat_bytes(0));
  client.expect<AcceptPacket>();
  client.expect<RequestPacket>();
  EXPECT_EQ(client.expect<RequestPacket>().index, 0u);
  EXPECT_EQ(client.read_answer().added, std::vector{ip("192.0.2.7")});
}

TEST_F(ProxyTest, names_nobody_whom_others_cannot_be_told_of_and_fails_no_other_join) {
  const std::uint16_t port = start_behind_proxy();
  EXPECT_PRED_FORMAT2(IsSubstring, "E108 0.0.0.0 is not the address of a client",
                      answer_through_proxy(port, header_for("0.0.0.0") + setup_bytes(tcp(1))));
  joined_through_proxy(port, "192.0.2.7");
}

TEST_F(ProxyTest, brings_in_nobody_when_it_is_denied_or_banned_itself) {
  const std::uint16_t port = start_behind_proxy({"--deny", "127.0.9.8", "--allow", "192.0.2.0/24"});
  const auto answer = [&](const char* from) {
    RawClient client(port, from);
    client.send(header_for("192.0.2.7"));
    return client.expect_reject();
  };
  EXPECT_PRED_FORMAT2(IsSubstring, "E404 this server does not serve 127.0.9.8", answer("127.0.9.8"));
  joined_through_proxy(port, "192.0.2.7");
}

TEST_F(ProxyTest, shares_no_limit_of_one_address_among_its_clients) {
  const std::uint16_t port =
      start_behind_proxy({"--max-connections-per-address", "1", "--max-connection-rate-per-address", "1"});
  std::vector<RawClient> clients;
  for (int number = 1; number <= 5; ++number)
    clients.push_back(joined_through_proxy(port, "192.0.2." + std::to_string(number)));
  RawClient waiting(port, proxy);
  waiting.send(header_for("192.0.2.9") + encode(handshake_for(tcp(1))));
  waiting.expect<AcceptPacket>();
  EXPECT_PRED_FORMAT2(IsSubstring, "E405 192.0.2.9", answer_through_proxy(port, header_for("192.0.2.9")));
  std::string
      told;  // the rate's turn comes with the next one, or later on a machine that takes a second for each
  for (int attempt = 0; attempt < 100 && !told.starts_with("E407"); ++attempt)
    told = answer_through_proxy(port, header_for("192.0.2.9"));
  EXPECT_PRED_FORMAT2(IsSubstring, "E407 connections from 192.0.2.9", told);
}

TEST_F(ProxyTest, has_to_send_its_header_within_the_handshake_timeout) {
  const std::uint16_t port =
      start_behind_proxy({"--handshake-timeout", duration_flag(std::chrono::milliseconds(200))});
  RawClient silent(port, proxy);
  silent.send(header_for("192.0.2.7").substr(0, 20));
  EXPECT_PRED_FORMAT2(IsSubstring, "E107", silent.expect_reject());
}

}  // namespace lekt::test
