// DTLS between a server and a device of ours, without trouble.
#include <gtest/gtest.h>
#include <malloc.h>

#include <memory>

#include "tests/tls/dtls_pair.h"

namespace lekt::test {
namespace {

using Phase = DtlsSession::Phase;

class DtlsSessionTest : public testing::Test {
 protected:
  DtlsSessionTest() : pair_(settings_of(certificates_.server), {.authorities = certificates_.ca}) {}

  TestCertificates certificates_;
  DtlsPair pair_;
};

TEST_F(DtlsSessionTest, a_handshake_takes_two_datagrams_each_way_and_no_time) {
  pair_.shake_hands();
  EXPECT_TRUE(pair_.both_are(Phase::open));
  EXPECT_EQ(pair_.now, AwakeTime(0));
  EXPECT_EQ(pair_.sent.size(), 4u);
  for (const auto& passing : pair_.sent) EXPECT_LE(passing.bytes.size(), dtls_datagram_bytes_max);
  EXPECT_FALSE(pair_.server.due());
  EXPECT_FALSE(pair_.client.due());
}

TEST_F(DtlsSessionTest, each_datagram_is_a_record_and_at_most_37_bytes_longer) {
  pair_.shake_hands();
  std::vector<Bytes> plain;
  for (std::size_t size = 1; size <= DtlsSession::plain_bytes_max; size += 7)
    plain.push_back(Bytes(size, 'p'));
  plain.push_back(Bytes(DtlsSession::plain_bytes_max, 'p'));
  const std::size_t before = pair_.sent.size();
  for (const Bytes& bytes : plain) pair_.client_sends(bytes);
  for (const Bytes& bytes : plain) pair_.server_sends(bytes);
  EXPECT_EQ(pair_.at_server, plain);
  EXPECT_EQ(pair_.at_client, plain);
  ASSERT_EQ(pair_.sent.size(), before + 2 * plain.size());
  for (std::size_t index = 0; index < 2 * plain.size(); ++index)
    EXPECT_EQ(pair_.sent[before + index].bytes.size(),
              plain[index % plain.size()].size() + dtls_record_bytes);
}

TEST_F(DtlsSessionTest, nothing_is_sent_that_does_not_fit_or_before_the_handshake) {
  std::vector<Bytes> to_send;
  EXPECT_FALSE(pair_.client.send("early", to_send));
  pair_.shake_hands();
  EXPECT_FALSE(pair_.client.send("", to_send));
  EXPECT_FALSE(pair_.client.send(Bytes(DtlsSession::plain_bytes_max + 1, 'p'), to_send));
  EXPECT_TRUE(to_send.empty());
  EXPECT_TRUE(pair_.both_are(Phase::open));
}

TEST_F(DtlsSessionTest, several_records_in_a_datagram_are_several_datagrams) {
  pair_.shake_hands();
  std::vector<Bytes> records;
  for (const char* const plain : {"one", "two", "three"}) pair_.client.send(plain, records);
  ASSERT_EQ(records.size(), 3u);
  std::vector<Bytes> answers;
  pair_.server.receive(records[0] + records[1] + records[2], pair_.now, answers, pair_.at_server);
  EXPECT_EQ(pair_.at_server, (std::vector<Bytes>{"one", "two", "three"}));
  EXPECT_TRUE(answers.empty());
}

TEST(DtlsEnd, either_side_can_end_it_and_the_other_is_told) {
  const TestCertificates certificates;
  for (const bool by_server : {false, true}) {
    DtlsPair pair(settings_of(certificates.server), {.authorities = certificates.ca});
    pair.shake_hands();
    DtlsSession& first = by_server ? pair.server : pair.client;
    DtlsSession& other = by_server ? pair.client : pair.server;
    std::vector<Bytes> farewell;
    first.close(farewell);
    ASSERT_EQ(farewell.size(), 1u);
    std::vector<Bytes> answers;
    std::vector<Bytes> received;
    other.receive(farewell[0], pair.now, answers, received);
    EXPECT_TRUE(pair.both_are(Phase::closed));
    EXPECT_TRUE(received.empty());
    std::vector<Bytes> more;
    EXPECT_FALSE(first.send("more", more));
    EXPECT_FALSE(other.send("more", more));
    first.close(more);
    EXPECT_TRUE(more.empty());
  }
}

TEST_F(DtlsSessionTest, a_session_outlives_its_context) {
  auto context = std::make_unique<DtlsContext>(settings_of(certificates_.server));
  DtlsSession server(*context, AwakeTime(0));
  context.reset();
  std::vector<Bytes> of_client;
  pair_.client.on_timer(pair_.now, of_client);
  std::vector<Bytes> of_server;
  for (const Bytes& bytes : of_client) server.receive(bytes, AwakeTime(0), of_server, pair_.at_server);
  EXPECT_FALSE(of_server.empty());
}

TEST_F(DtlsSessionTest, a_handshake_that_is_not_complete_after_10_s_has_failed) {
  pair_.set_network([](const auto&, std::size_t) { return std::vector<DtlsPair::Passing>{}; });
  pair_.shake_hands();
  EXPECT_TRUE(pair_.both_are(Phase::failed));
  EXPECT_EQ(pair_.now, DtlsSession::handshake_limit);
  EXPECT_EQ(pair_.server.failure().text(), "E109 the DTLS handshake failed: it was not complete after 10 s");
  EXPECT_EQ(pair_.client.failure().text(), pair_.server.failure().text());
  EXPECT_FALSE(pair_.server.due());
}

TEST_F(DtlsSessionTest, a_flight_is_repeated_after_half_a_second_and_then_less_and_less_often) {
  pair_.set_network([](const auto&, std::size_t) { return std::vector<DtlsPair::Passing>{}; });
  std::vector<AwakeTime> times;
  while (pair_.go_to_next_deadline() && pair_.sent.size() > times.size()) times.push_back(pair_.now);
  using std::chrono::milliseconds;
  EXPECT_EQ(times, (std::vector<AwakeTime>{milliseconds(0), milliseconds(500), milliseconds(1500),
                                           milliseconds(3500), milliseconds(7500)}));
}

TEST_F(DtlsSessionTest, a_wall_clock_that_is_set_back_delays_a_handshake_no_longer_than_its_limit) {
  pair_.set_network([](const auto&, std::size_t) { return std::vector<DtlsPair::Passing>{}; });
  pair_.go_to_next_deadline();
  pair_.clock.advance(-std::chrono::hours(1));
  int deadlines = 0;
  while (pair_.go_to_next_deadline()) ASSERT_LE(++deadlines, 10);
  EXPECT_TRUE(pair_.both_are(Phase::failed));
  EXPECT_EQ(pair_.now, DtlsSession::handshake_limit);
}

TEST_F(DtlsSessionTest, an_open_session_takes_no_more_than_60_kilobytes) {
#if defined(__SANITIZE_ADDRESS__)
  GTEST_SKIP() << "a sanitizer's memory is not counted";
#endif
  pair_.shake_hands();  // what OpenSSL makes once
  constexpr std::size_t sessions = 40;
  std::vector<std::unique_ptr<DtlsSession>> servers;
  const std::size_t before = mallinfo2().uordblks;
  for (std::size_t count = 0; count < sessions; ++count) {
    servers.push_back(std::make_unique<DtlsSession>(pair_.server_context, pair_.now));
    DtlsSession client(pair_.client_context, make_dtls_check("127.0.0.1"), pair_.now);
    std::vector<Bytes> nothing;
    std::vector<Bytes> to_server;
    client.on_timer(pair_.now, to_server);
    while (!to_server.empty()) {
      std::vector<Bytes> to_client;
      for (const Bytes& bytes : to_server) servers.back()->receive(bytes, pair_.now, to_client, nothing);
      to_server.clear();
      for (const Bytes& bytes : to_client) client.receive(bytes, pair_.now, to_server, nothing);
    }
    ASSERT_EQ(servers.back()->phase(), Phase::open);
  }
  const std::size_t each = (mallinfo2().uordblks - before) / sessions;
  EXPECT_LE(each, 60'000u);
  EXPECT_GE(each, 10'000u) << "nothing was measured";
}

}  // namespace
}  // namespace lekt::test
