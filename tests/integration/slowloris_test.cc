// Clients that send a byte now and then, or none: deadlines are absolute, however the bytes drip, and nobody
// else waits.
#include <openssl/bio.h>
#include <openssl/ssl.h>

#include <csignal>
#include <functional>
#include <memory>
#include <optional>
#include <stdexcept>
#include <string>
#include <thread>
#include <vector>

#include "tests/integration/daemon.h"
#include "tests/integration/raw_client.h"
#include "tests/support/certificates.h"

namespace lekt::test {

namespace {

using namespace std::chrono_literals;
using std::chrono::milliseconds;
using testing::IsSubstring;

/// So many drips go into one timeout. Each is a sign of life; together they are none.
constexpr int drips_per_timeout = 8;

class SlowlorisTest : public DaemonTest {
 protected:
  /// Sends single bytes until something comes back, or the server has gone. Yields how many it has sent.
  static std::size_t drip(RawClient& client, ByteView bytes, milliseconds timeout) {
    std::size_t sent = 0;
    while (sent < bytes.size() && client.try_send(bytes.substr(sent, 1))) {
      ++sent;
      if (client.receives_within(timeout / drips_per_timeout)) break;
    }
    return sent;
  }
};

/// A TLS client that sends what is no byte of LEKT.
class TlsNoise {
 public:
  explicit TlsNoise(std::uint16_t port) : context_(SSL_CTX_new(TLS_client_method()), SSL_CTX_free) {
    std::signal(SIGPIPE, SIG_IGN);
    connection_.reset(BIO_new_ssl_connect(context_.get()));
    BIO_set_conn_hostname(connection_.get(), ("127.0.0.1:" + std::to_string(port)).c_str());
    BIO_get_ssl(connection_.get(), &ssl_);
    if (BIO_do_handshake(connection_.get()) != 1) throw std::runtime_error("no TLS handshake");
  }

  void send(ByteView bytes) { SSL_write(ssl_, bytes.data(), static_cast<int>(bytes.size())); }
  /// Sends new keys as fast as it can, until the server has gone or the time is over. False then.
  bool is_cut_off_within(milliseconds time) {
    for (const Deadline end(time); !end.over();)
      if (SSL_key_update(ssl_, SSL_KEY_UPDATE_NOT_REQUESTED) != 1 || SSL_do_handshake(ssl_) != 1) return true;
    return false;
  }

 private:
  std::unique_ptr<SSL_CTX, decltype(&SSL_CTX_free)> context_;
  std::unique_ptr<BIO, decltype(&BIO_free_all)> connection_{nullptr, BIO_free_all};
  SSL* ssl_ = nullptr;
};

}  // namespace

TEST_F(SlowlorisTest, new_keys_of_tls_are_no_heartbeat) {
  const TestCertificates certificates;
  const milliseconds timeout = slowed(500ms);
  start({"--tls-listen", "127.0.0.1:0", "--tls-cert", certificates.server.certificate, "--tls-key",
         certificates.server.key, "--heartbeat-timeout", duration_flag(500ms)});
  TlsNoise client(daemon().ports().back());
  client.send(setup_bytes(tcp(1)));
  ASSERT_TRUE(daemon().logs("event=join "));
  EXPECT_TRUE(client.is_cut_off_within(6 * timeout));
  EXPECT_TRUE(daemon().logs("code=E301"));
  EXPECT_TRUE(daemon().logs("event=leave "));
}

TEST_F(SlowlorisTest, single_bytes_of_the_handshake_or_the_setup_gain_no_time) {
  const milliseconds timeout = slowed(800ms);
  start({"--handshake-timeout", duration_flag(800ms)});
  RawClient handshake(daemon().port(), "127.0.0.2");
  const Bytes bytes = encode(handshake_for(tcp(1)));
  EXPECT_LT(drip(handshake, bytes, timeout), bytes.size());
  EXPECT_PRED_FORMAT2(IsSubstring, "E107 handshake and setup took longer than", handshake.expect_reject());

  // What has come is no reason to wait for the rest: handshake and setup have one deadline together.
  RawClient setup(daemon().port(), "127.0.0.2");
  std::this_thread::sleep_for(timeout * 3 / 4);
  setup.begin_setup(tcp(1));
  const Bytes response = setup_bytes(tcp(1)).substr(bytes.size());
  EXPECT_LT(drip(setup, response, timeout), drips_per_timeout - 1u);
  EXPECT_PRED_FORMAT2(IsSubstring, "in the setup phase", setup.expect_reject());
  EXPECT_EQ(count(daemon().log(), "event=join "), 0u);
}

TEST_F(SlowlorisTest, single_bytes_of_a_heartbeat_are_no_heartbeat) {
  const milliseconds timeout = slowed(400ms);
  start({"--heartbeat-timeout", duration_flag(400ms)});
  RawClient client = joined(daemon().port(), "127.0.0.2");
  const Bytes heartbeat = heartbeat_bytes(0);
  EXPECT_LT(drip(client, heartbeat, timeout), heartbeat.size());
  EXPECT_PRED_FORMAT2(IsSubstring, "E301", client.expect_reject());
}

TEST_F(SlowlorisTest, a_heartbeat_in_single_bytes_is_one_when_it_is_whole_in_time) {
  const milliseconds timeout = slowed(2s);
  start({"--heartbeat-timeout", duration_flag(2s)});
  RawClient client = joined(daemon().port(), "127.0.0.2");
  const Bytes heartbeat = heartbeat_bytes(0);
  for (int round = 0; round < 2; ++round) {
    EXPECT_EQ(drip(client, heartbeat, timeout / 8), heartbeat.size());  // in half of the timeout
    EXPECT_EQ(client.read_answer().added.size(), 1u);
  }
}

TEST_F(SlowlorisTest, who_was_refused_cannot_stay_by_sending_on) {
  start();
  RawClient client(daemon().port(), "127.0.0.2");
  client.send("nonsense");
  EXPECT_PRED_FORMAT2(IsSubstring, "E102", client.expect<RejectPacket>().text);
  client.expect_end();  // it is told that nothing more comes; the server still drops what it sends
  const auto is_gone = [&] { return !client.try_send("x"); };
  EXPECT_TRUE(eventually(is_gone, patience()));
}

TEST_F(SlowlorisTest, single_bytes_of_a_tls_handshake_gain_no_time) {
  const TestCertificates certificates;
  const milliseconds timeout = slowed(400ms);
  start({"--tls-listen", "127.0.0.1:0", "--tls-cert", certificates.server.certificate, "--tls-key",
         certificates.server.key, "--handshake-timeout", duration_flag(400ms)});
  // A record with a ClientHello of 512 bytes, which never comes to its end.
  const Bytes hello = hex("16 0301 0200 01 0001fc 0303") + Bytes(32, 'r');
  RawClient client(daemon().ports().back(), "127.0.0.2");
  EXPECT_LT(drip(client, hello, timeout), hello.size() / 2);
}

// A hundred addresses that connect and say nothing keep the door busy for one timeout. Then they are told to go, and
// those who had to wait come in.
TEST_F(SlowlorisTest, silent_connections_keep_others_out_for_one_timeout_and_members_not_at_all) {
  constexpr std::size_t silent_max = 100;
  start({"--handshake-timeout", duration_flag(1500ms), "--max-handshakes", std::to_string(silent_max)});
  RawClient member = joined(daemon().port(), "127.0.0.9");
  std::vector<RawClient> silent;
  for (std::size_t number = 0; number < silent_max; ++number)
    silent.emplace_back(daemon().port(), address_number(number));
  EXPECT_PRED_FORMAT2(IsSubstring, "E406", RawClient(daemon().port(), "127.0.0.2").expect_reject());
  EXPECT_EQ(member.beat(0).added.size(), 1u);
  for (RawClient& client : silent) {
    EXPECT_PRED_FORMAT2(IsSubstring, "E107", client.expect_reject());
    member.beat();
  }
  silent.clear();
  EXPECT_EQ(joined(daemon().port(), "127.0.0.2").beat(0).added.size(), 2u);
}

}  // namespace lekt::test
