// DTLS with records that somebody made, changed, kept or took from elsewhere.
#include <gtest/gtest.h>
#include <malloc.h>
#include <openssl/err.h>
#include <openssl/ssl.h>

#include "tests/tls/dtls_pair.h"

namespace lekt::test {
namespace {

using Passing = DtlsPair::Passing;
using Phase = DtlsSession::Phase;

// Types of records (RFC 5246, section 6.2.1).
constexpr std::uint8_t alert = 21;
constexpr std::uint8_t handshake = 22;
constexpr std::uint8_t application_data = 23;

Bytes record(std::uint8_t type, std::uint16_t epoch, std::uint64_t number, ByteView content) {
  Bytes bytes;
  ByteWriter out(bytes);
  out.u8(type);
  out.u16(0xfefd);
  out.u16(epoch);
  out.u16(static_cast<std::uint16_t>(number >> 32));
  out.u32(static_cast<std::uint32_t>(number));
  out.u16(static_cast<std::uint16_t>(content.size()));
  out.bytes(content);
  return bytes;
}

/// A part of a message of a handshake, of which it says that it has `total` bytes.
Bytes fragment(std::uint8_t type, std::uint16_t sequence, std::uint32_t total, ByteView part) {
  Bytes bytes;
  ByteWriter out(bytes);
  out.u8(type);
  out.u24(total);
  out.u16(sequence);
  out.u24(0);
  out.u24(static_cast<std::uint32_t>(part.size()));
  out.bytes(part);
  return bytes;
}

class DtlsHostileTest : public testing::Test {
 protected:
  DtlsHostileTest() : pair_(settings_of(certificates_.server), {.authorities = certificates_.ca}) {}

  /// Up to a client that has sent its first flight and a server that has answered.
  void begin() {
    pair_.set_network([this](const Passing& sent, std::size_t) {
      if (sent.to_server) return std::vector<Passing>{sent};
      held_.push_back(sent);
      return std::vector<Passing>{};
    });
    pair_.go_to_next_deadline();
    pair_.pump();
    ASSERT_FALSE(held_.empty());
  }

  /// The server's answers arrive now.
  void go_on() {
    std::vector<Bytes> of_client;
    for (const Passing& passing : held_)
      pair_.client.receive(passing.bytes, pair_.now, of_client, pair_.at_client);
    pair_.set_network({});
    std::vector<Bytes> of_server;
    for (const Bytes& bytes : of_client) pair_.server.receive(bytes, pair_.now, of_server, pair_.at_server);
    for (const Bytes& bytes : of_server) pair_.client.receive(bytes, pair_.now, of_client, pair_.at_client);
    EXPECT_TRUE(pair_.both_are(Phase::open))
        << pair_.server.failure().text() << pair_.client.failure().text();
  }

  std::vector<Bytes> to_server(ByteView datagram) {
    std::vector<Bytes> answers;
    pair_.server.receive(datagram, pair_.now, answers, pair_.at_server);
    return answers;
  }

  std::vector<Bytes> to_client(ByteView datagram) {
    std::vector<Bytes> answers;
    pair_.client.receive(datagram, pair_.now, answers, pair_.at_client);
    return answers;
  }

  TestCertificates certificates_;
  DtlsPair pair_;
  std::vector<Passing> held_;
};

TEST_F(DtlsHostileTest, what_is_no_record_does_nothing_in_any_phase) {
  Random random;
  SCOPED_TRACE("seed " + std::to_string(random.seed()));
  const auto bother = [&] {
    for (int count = 0; count < 300; ++count) {
      Bytes bytes = random.bytes(random.below(1400));
      if (!bytes.empty()) bytes[0] = static_cast<char>(random.below(20));  // no type that there is
      EXPECT_TRUE(to_server(bytes).empty());
      EXPECT_TRUE(to_client(bytes).empty());
    }
    EXPECT_TRUE(to_server("").empty());
    EXPECT_TRUE(to_client(Bytes(65'507, '\x16')).empty());
    EXPECT_TRUE(to_server(record(handshake, 0, 0, Bytes(1180, 'x')).substr(0, 100)).empty());
  };
  begin();
  bother();
  go_on();
  bother();
  pair_.client_sends("still here");
  EXPECT_EQ(pair_.at_server, std::vector<Bytes>{"still here"});
}

TEST_F(DtlsHostileTest, a_record_of_an_open_session_that_is_cut_or_changed_does_nothing) {
  begin();
  go_on();
  std::vector<Bytes> records;
  ASSERT_TRUE(pair_.client.send("secret", records));
  const Bytes& good = records[0];
  for (std::size_t size = 0; size < good.size(); ++size) EXPECT_TRUE(to_server(good.substr(0, size)).empty());
  for (std::size_t bit = 0; bit < 8 * good.size(); ++bit) {
    Bytes changed = good;
    changed[bit / 8] = static_cast<char>(changed[bit / 8] ^ 1 << bit % 8);
    EXPECT_TRUE(to_server(changed).empty()) << "bit " << bit;
  }
  EXPECT_TRUE(pair_.at_server.empty());
  EXPECT_TRUE(to_server(good).empty());
  EXPECT_EQ(pair_.at_server, std::vector<Bytes>{"secret"});
}

TEST_F(DtlsHostileTest, a_record_of_another_session_or_from_before_the_keys_does_nothing) {
  begin();
  go_on();
  DtlsSession server(pair_.server_context, pair_.now);
  DtlsSession client(pair_.client_context, make_dtls_check("127.0.0.1"), pair_.now);
  std::vector<Bytes> plain;
  std::vector<Bytes> of_client;
  std::vector<Bytes> all;
  client.on_timer(pair_.now, of_client);
  while (!of_client.empty()) {
    std::vector<Bytes> of_server;
    for (const Bytes& bytes : of_client) server.receive(bytes, pair_.now, of_server, plain);
    all.insert(all.end(), of_client.begin(), of_client.end());
    of_client.clear();
    for (const Bytes& bytes : of_server) client.receive(bytes, pair_.now, of_client, plain);
  }
  ASSERT_TRUE(client.send("of another session", all));
  all.push_back(record(alert, 0, 1'000, {"\x02\x28", 2}));
  all.push_back(record(application_data, 0, 1'001, "forged"));
  all.push_back(record(handshake, 0, 1'002, fragment(1, 0, 40, Bytes(40, 'h'))));
  for (const Bytes& bytes : all) {
    EXPECT_TRUE(to_server(bytes).empty());
    EXPECT_TRUE(to_client(bytes).empty());
  }
  EXPECT_TRUE(pair_.both_are(Phase::open));
  EXPECT_TRUE(pair_.at_server.empty());
  EXPECT_TRUE(pair_.at_client.empty());
}

TEST_F(DtlsHostileTest, records_that_cannot_be_read_yet_are_not_kept_without_end) {
  begin();
  const std::size_t before = mallinfo2().uordblks;
  for (std::uint64_t number = 0; number < 5'000; ++number) {
    const std::uint8_t type = number % 3 == 0 ? application_data : number % 3 == 1 ? handshake : alert;
    EXPECT_TRUE(to_server(record(type, 1, number, Bytes(1100, 's'))).empty());
  }
#if !defined(__SANITIZE_ADDRESS__)
  EXPECT_LE(mallinfo2().uordblks, before + 256 * 1024);
#endif
  EXPECT_EQ(pair_.server.phase(), Phase::handshaking);
}

TEST_F(DtlsHostileTest, a_few_forged_records_do_not_keep_a_handshake_from_its_end) {
  begin();
  for (std::uint64_t number = 1'000; number < 1'005; ++number)
    EXPECT_TRUE(to_server(record(handshake, 1, number, Bytes(100, 's'))).empty());
  for (std::uint64_t number = 0; number < 1'000; ++number)
    EXPECT_TRUE(to_server(record(application_data, 1, number, Bytes(100, 's'))).empty());
  go_on();
}

TEST_F(DtlsHostileTest, messages_that_are_announced_and_never_come_take_a_bounded_amount_of_memory) {
  begin();
  const std::size_t before = mallinfo2().uordblks;
  std::uint64_t number = 100;
  for (int times = 0; times < 3; ++times)
    for (std::uint32_t total : {100u, 16'000u, 100'000u, 0xffffffu})
      for (std::uint16_t sequence = 1; sequence < 200; ++sequence) {
        to_server(record(handshake, 0, ++number, fragment(16, sequence, total, Bytes(50, 'f'))));
        if (pair_.server.phase() == Phase::failed) break;
      }
#if !defined(__SANITIZE_ADDRESS__)
  EXPECT_LE(mallinfo2().uordblks, before + 256 * 1024);
#endif
}

TEST_F(DtlsHostileTest, who_wants_to_renegotiate_is_told_no) {
  // A client without our rules.
  DtlsContext context = make_dtls_context({.authorities = certificates_.ca});
  SSL_CTX_clear_options(context.native_handle(), SSL_OP_NO_RENEGOTIATION);
  DatagramPassage passage;
  const std::unique_ptr<SSL, decltype(&SSL_free)> client(SSL_new(context.native_handle()), SSL_free);
  BIO* const bio = make_datagram_bio(passage);
  SSL_set_bio(client.get(), bio, bio);
  SSL_set_mtu(client.get(), dtls_datagram_bytes_max);
  SSL_set_connect_state(client.get());
  char buffer[100];
  std::vector<Bytes> answers;
  int reason = 0;
  const auto exchange = [&] {
    std::vector<Bytes> of_client;
    passage.outgoing = &of_client;
    SSL_do_handshake(client.get());
    for (std::size_t next = 0; next < of_client.size(); ++next) {
      ASSERT_LE(next, 20u) << "it has an end";
      for (const Bytes& answer : to_server(Bytes(of_client[next]))) {
        answers.push_back(answer);
        passage.incoming = answers.back();
        SSL_read(client.get(), buffer, sizeof buffer);
        reason = ERR_GET_REASON(ERR_peek_last_error());
      }
    }
  };
  exchange();
  ASSERT_EQ(pair_.server.phase(), Phase::open);
  ASSERT_EQ(SSL_renegotiate(client.get()), 1);
  answers.clear();
  exchange();
  ASSERT_EQ(answers.size(), 1u);
  EXPECT_LE(answers[0].size(), 40u) << "an alert";
  EXPECT_EQ(reason, SSL_R_NO_RENEGOTIATION);
  ERR_clear_error();
}

}  // namespace
}  // namespace lekt::test
