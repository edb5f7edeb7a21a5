// DTLS through networks that lose, repeat and reorder.
#include <gtest/gtest.h>

#include <set>

#include "tests/tls/dtls_pair.h"

namespace lekt::test {
namespace {

using Passing = DtlsPair::Passing;
using Phase = DtlsSession::Phase;
using Arriving = std::vector<Passing>;

class DtlsLossyTest : public testing::Test {
 protected:
  /// Both show a certificate, so that there are as many messages as there can be.
  std::unique_ptr<DtlsPair> make_pair() const {
    return std::make_unique<DtlsPair>(
        settings_of(server_, certificates_.ca),
        TlsOptions{certificates_.ca, certificates_.client.certificate, certificates_.client.key});
  }

  /// Names that fill `datagrams` datagrams.
  CertifiedKey with_many_names(std::size_t datagrams) const {
    CertificateWishes wishes = TestCertificates::for_server();
    for (std::size_t count = 0; count < datagrams * dtls_datagram_bytes_max; count += 60)
      wishes.alternative_names +=
          ",DNS:a-name-as-long-as-this-one-is-" + std::to_string(1'000'000 + count) + ".example";
    return certificates_.authority.issue("long", wishes);
  }

  static void expect_both_talk(DtlsPair& pair) {
    ASSERT_TRUE(pair.both_are(Phase::open)) << pair.server.failure().text() << pair.client.failure().text();
    pair.set_network({});
    pair.pump();
    pair.at_server.clear();
    pair.at_client.clear();
    pair.client_sends("to the server");
    pair.server_sends("to the client");
    EXPECT_EQ(pair.at_server, std::vector<Bytes>{"to the server"});
    EXPECT_EQ(pair.at_client, std::vector<Bytes>{"to the client"});
  }

  TestCertificates certificates_;
  CertifiedKey server_ = certificates_.server;
};

TEST_F(DtlsLossyTest, any_two_datagrams_of_a_handshake_may_be_lost) {
  // The numbers beyond a handshake's own are of what was repeated.
  for (std::size_t first = 0; first < 8; ++first)
    for (std::size_t second = first; second < 12; ++second) {
      SCOPED_TRACE(std::to_string(first) + " and " + std::to_string(second) + " are lost");
      const auto pair = make_pair();
      pair->set_network([&](const Passing& sent, std::size_t number) {
        return number == first || number == second ? Arriving{} : Arriving{sent};
      });
      pair->shake_hands();
      EXPECT_LE(pair->now, AwakeTime(4000));
      expect_both_talk(*pair);
    }
}

TEST_F(DtlsLossyTest, each_flight_may_be_lost_twice) {
  // A flight ends when the direction changes.
  for (int lost = 0; lost < 4; ++lost) {
    SCOPED_TRACE("flight " + std::to_string(lost) + " is lost twice");
    const auto pair = make_pair();
    int flight = 0;
    bool to_server = true;
    std::set<AwakeTime> lost_at;
    pair->set_network([&](const Passing& sent, std::size_t) {
      if (sent.to_server != to_server && lost_at.size() < 3) {
        ++flight;
        to_server = sent.to_server;
      }
      const bool is_lost = sent.to_server == (lost % 2 == 0) && flight >= lost && lost_at.size() <= 2 &&
                           (lost_at.size() < 2 || lost_at.contains(pair->now));
      if (is_lost) lost_at.insert(pair->now);
      return is_lost ? Arriving{} : Arriving{sent};
    });
    pair->shake_hands();
    EXPECT_EQ(lost_at.size(), 2u);
    EXPECT_GT(pair->now, AwakeTime(1000));
    expect_both_talk(*pair);
  }
}

TEST_F(DtlsLossyTest, a_certificate_of_several_datagrams_arrives_in_any_order_and_with_any_one_lost) {
  server_ = with_many_names(4);
  Random random;
  SCOPED_TRACE("seed " + std::to_string(random.seed()));
  for (std::size_t lost = 0; lost < 12; ++lost) {
    SCOPED_TRACE(std::to_string(lost) + " is lost");
    const auto pair = make_pair();
    Arriving held;
    pair->set_network([&](const Passing& sent, std::size_t number) {
      if (number == lost) return Arriving{};
      held.push_back(sent);
      if (number + 1 < pair->sent.size()) return Arriving{};  // more of this flight is to come
      std::shuffle(held.begin(), held.end(), random.engine());
      return std::exchange(held, {});
    });
    pair->shake_hands();
    for (const Passing& passing : pair->sent) EXPECT_LE(passing.bytes.size(), dtls_datagram_bytes_max);
    EXPECT_GE(pair->sent.size(), 8u) << "the certificate takes several datagrams";
    EXPECT_LE(pair->now, AwakeTime(4000));
    expect_both_talk(*pair);
  }
}

TEST_F(DtlsLossyTest, nearly_all_handshakes_come_through_a_network_that_loses_a_fifth) {
  Random random;
  SCOPED_TRACE("seed " + std::to_string(random.seed()));
  int opened = 0;
  constexpr int handshakes = 60;
  for (int count = 0; count < handshakes; ++count) {
    const auto pair = make_pair();
    pair->set_network([&](const Passing& sent, std::size_t) {
      if (random.chance(20)) return Arriving{};
      return random.chance(10) ? Arriving{sent, sent} : Arriving{sent};
    });
    pair->shake_hands();
    if (pair->client.phase() == Phase::open && pair->server.phase() == Phase::open) ++opened;
  }
  EXPECT_GE(opened, handshakes * 8 / 10);
}

TEST_F(DtlsLossyTest, what_is_repeated_is_received_once_and_what_is_overtaken_is_received) {
  const auto pair = make_pair();
  pair->shake_hands();
  std::vector<Bytes> records;
  std::vector<Bytes> plain;
  for (int count = 0; count < 60; ++count) {
    plain.push_back("datagram " + std::to_string(count));
    ASSERT_TRUE(pair->client.send(plain.back(), records));
  }
  std::reverse(records.begin(), records.end());
  std::vector<Bytes> answers;
  for (int times = 0; times < 2; ++times)
    for (const Bytes& record : records) pair->server.receive(record, pair->now, answers, pair->at_server);
  std::reverse(plain.begin(), plain.end());
  EXPECT_EQ(pair->at_server, plain);
  EXPECT_TRUE(answers.empty());
}

TEST_F(DtlsLossyTest, data_that_overtakes_the_end_of_a_handshake_is_lost_and_does_no_harm) {
  const auto pair = make_pair();
  // The server's last flight is held back until it has sent something.
  Arriving held;
  pair->set_network([&](const Passing& sent, std::size_t) {
    if (!sent.to_server && pair->server.phase() == Phase::open && held.empty()) {
      held.push_back(sent);
      return Arriving{};
    }
    return Arriving{sent};
  });
  while (held.empty() && pair->go_to_next_deadline()) pair->pump();
  ASSERT_EQ(held.size(), 1u);
  ASSERT_EQ(pair->client.phase(), Phase::handshaking);
  for (int count = 0; count < 200; ++count) pair->server_sends("early");
  EXPECT_EQ(pair->client.phase(), Phase::handshaking);
  std::vector<Bytes> answers;
  pair->client.receive(held[0].bytes, pair->now, answers, pair->at_client);
  EXPECT_EQ(pair->client.phase(), Phase::open);
  EXPECT_TRUE(pair->at_client.empty());
  expect_both_talk(*pair);
}

}  // namespace
}  // namespace lekt::test
