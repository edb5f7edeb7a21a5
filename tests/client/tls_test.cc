// A client that speaks TLS: what it accepts, what it refuses, and what it says when it is refused itself.
#include <gtest/gtest.h>
#include <openssl/ssl.h>

#include <algorithm>
#include <cstdlib>
#include <future>

#include "client/client.h"
#include "client/ping.h"
#include "tests/client/fake_names.h"
#include "tests/client/fake_server.h"
#include "tests/client/recorder.h"
#include "tests/support/certificates.h"

namespace lekt::test {
namespace {

using namespace std::chrono_literals;

class TlsTest : public testing::Test {
 protected:
  ClientOptions options(const FakeServer& server) const {
    ClientOptions made = quick_options(server.name());
    made.tls = TlsOptions{.authorities = certificates_.ca};
    return made;
  }

  ClientOptions options(const FakeServer& server, const CertifiedKey& own) const {
    ClientOptions made = options(server);
    made.tls->certificate = own.certificate;
    made.tls->key = own.key;
    return made;
  }

  /// What a client tells that meets `tls` and whatever certificate it has, once.
  std::string told_of(const FakeTls& tls, const std::optional<CertifiedKey>& own = {}) {
    FakeServer server({[&](FakeConnection& connection) {
      EXPECT_THROW(
          {
            connection.begin_tls(tls);
            connection.receive<HandshakePacket>();
          },
          std::runtime_error);
    }});
    Recorder recorder;
    run_until(recorder, own ? options(server, *own) : options(server), disconnected_once);
    return without_port(recorder.text, server);
  }

  static std::string without_port(std::string text, const FakeServer& server) {
    const std::size_t place = text.find(server.name());
    if (place != text.npos) text.replace(place, server.name().size(), "SERVER");
    return text;
  }

  TestCertificates certificates_;
};

TEST_F(TlsTest, carries_the_conversation) {
  FakeServer server({[&](FakeConnection& connection) {
    EXPECT_EQ(connection.begin_tls({certificates_.server}), "");
    EXPECT_EQ(connection.let_join(), tcp(4000));
    EXPECT_EQ(connection.answer(100, {added("10.0.0.1", tcp(1))}), 0);
    EXPECT_EQ(connection.answer(101, {}), 100);
    connection.expect_end();
  }});
  Recorder recorder;
  run_until(recorder, options(server), [](const Recorder& seen) { return seen.synchronised == 2; });
  EXPECT_EQ(recorder.text, "joined\n+ 10.0.0.1 tcp:1\nsynchronised\nsynchronised\n");
}

TEST_F(TlsTest, tells_the_server_the_name_that_it_wants) {
  FakeServer server({[&](FakeConnection& connection) {
    EXPECT_EQ(connection.begin_tls({certificates_.server}), "localhost");
    connection.let_join();
    connection.answer(100, {});
    connection.expect_end();
  }});
  Recorder recorder;
  ClientOptions made = options(server);
  made.server.replace(0, std::string("127.0.0.1").size(), "localhost");
  run_until(recorder, made, synchronised_once);
}

TEST_F(TlsTest, speaks_version_1_2) {
  FakeServer server({[&](FakeConnection& connection) {
    connection.begin_tls({.certificate = certificates_.server, .version_last = TLS1_2_VERSION});
    connection.let_join();
    connection.answer(100, {});
    connection.expect_end();
  }});
  Recorder recorder;
  run_until(recorder, options(server), synchronised_once);
}

TEST_F(TlsTest, shows_its_own_certificate) {
  FakeServer server({[&](FakeConnection& connection) {
    connection.begin_tls({certificates_.server, certificates_.ca});
    connection.let_join();
    connection.answer(100, {});
    connection.expect_end();
  }});
  Recorder recorder;
  run_until(recorder, options(server, certificates_.client), synchronised_once);
}

TEST_F(TlsTest, trusts_what_the_machine_trusts_unless_told_otherwise) {
  FakeServer server(
      {[&](FakeConnection& connection) {
         connection.begin_tls({certificates_.server});
         connection.let_join();
         connection.answer(100, {});
         connection.expect_end();
       },
       [&](FakeConnection& connection) { EXPECT_ANY_THROW(connection.begin_tls({certificates_.server})); }});
  ClientOptions made = options(server);
  made.tls = TlsOptions{};
  ::setenv("SSL_CERT_FILE", certificates_.ca.c_str(), 1);
  Recorder trusting;
  run_until(trusting, made, synchronised_once);
  ::unsetenv("SSL_CERT_FILE");
  Recorder wary;
  run_until(wary, made, disconnected_once);
  EXPECT_NE(wary.text.find("is signed by \"CN = ca\", which is not trusted"), std::string::npos) << wary.text;
}

TEST_F(TlsTest, refuses_an_expired_certificate) {
  const std::string told = told_of({certificates_.expired});
  EXPECT_TRUE(
      told.starts_with("E707 TLS with SERVER: the server's certificate \"CN = lekt server\" expired at "))
      << told;
  EXPECT_TRUE(told.ends_with(" GMT; it has to be renewed\n")) << told;
}

TEST_F(TlsTest, refuses_a_certificate_that_is_not_valid_yet) {
  const std::string told = told_of({certificates_.not_yet_valid});
  EXPECT_NE(told.find("\"CN = lekt server\" is valid only from "), std::string::npos) << told;
  EXPECT_TRUE(told.ends_with(" on; compare the clock of this machine\n")) << told;
}

TEST_F(TlsTest, refuses_the_certificate_of_another_host) {
  EXPECT_EQ(told_of({certificates_.other_host}),
            "E707 TLS with SERVER: the server's certificate \"CN = other host\" is for "
            "IP Address:192.0.2.1, DNS:other.example and not for 127.0.0.1; connect to a name that it has, "
            "or have one made for this host\n");
}

TEST_F(TlsTest, refuses_an_authority_that_it_does_not_know) {
  EXPECT_EQ(told_of({certificates_.unknown_server}),
            "E707 TLS with SERVER: the server's certificate \"CN = lekt server\" is signed by "
            "\"CN = unknown_ca\", which is not trusted; if it should be, name its certificate (--ca)\n");
}

TEST_F(TlsTest, refuses_a_clients_certificate_as_the_servers) {
  EXPECT_EQ(told_of({certificates_.client}),
            "E707 TLS with SERVER: the server's certificate \"CN = lekt client\" cannot be used: "
            "unsuitable certificate purpose\n");
}

TEST_F(TlsTest, a_certificate_cannot_control_a_terminal) {
  const CertifiedKey hostile =
      certificates_.unknown_authority.issue("hostile", {"\x1b[2J\nlekt: joined", "DNS:localhost"});
  const std::string told = told_of({hostile});
  EXPECT_EQ(std::ranges::count_if(told, [](unsigned char c) { return c < 0x20 || c > 0x7e; }), 1) << told;
  EXPECT_TRUE(told.ends_with('\n'));
}

TEST_F(TlsTest, says_that_the_server_wants_a_certificate) {
  const std::string before = "E707 TLS with SERVER: the server sent the alert ";
  EXPECT_EQ(told_of({certificates_.server, certificates_.ca}),
            before + "\"certificate required\"; the server wants a client's certificate (--cert, --key)\n");
  EXPECT_EQ(told_of({certificates_.server, certificates_.ca, TLS1_2_VERSION}),
            before +
                "\"handshake failure\"; the server may want a client's certificate (--cert, --key), or "
                "other ciphers\n");
}

TEST_F(TlsTest, says_why_the_server_refuses_its_certificate) {
  const std::string before = "E707 TLS with SERVER: the server sent the alert ";
  for (const int version : {TLS1_2_VERSION, TLS1_3_VERSION}) {
    const FakeTls tls{certificates_.server, certificates_.ca, version};
    EXPECT_EQ(told_of(tls, certificates_.unknown_client),
              before +
                  "\"unknown ca\"; the server does not trust the authority that signed the client's "
                  "certificate\n");
    EXPECT_EQ(told_of(tls, certificates_.expired_client),
              before + "\"certificate expired\"; the client's certificate has to be renewed\n");
  }
}

TEST_F(TlsTest, refuses_versions_before_1_2) {
  EXPECT_EQ(told_of({.certificate = certificates_.server, .version_last = TLS1_1_VERSION}),
            "E707 TLS with SERVER: the server sent the alert \"protocol version\"; the server speaks other "
            "versions of TLS; this client speaks 1.2 and 1.3\n");
}

TEST_F(TlsTest, says_that_the_server_does_not_speak_tls) {
  FakeServer server({[](FakeConnection& connection) {
    connection.send(encode(RejectPacket{.text = "E102 these are no LEKT bytes"}));
  }});
  Recorder recorder;
  run_until(recorder, options(server), disconnected_once);
  EXPECT_EQ(without_port(recorder.text, server),
            "E707 TLS with SERVER: the server does not speak TLS on this port; use its TLS port, or connect "
            "without TLS\n");
}

TEST_F(TlsTest, the_next_address_is_tried_when_tls_fails) {
  const FakeName name("tls.test", {"127.0.0.91", "127.0.0.92"});
  FakeServer failing(
      {[&](FakeConnection& connection) { EXPECT_ANY_THROW(connection.begin_tls({certificates_.expired})); }},
      "127.0.0.91");
  FakeServer sound({[&](FakeConnection& connection) {
                     auto wishes = TestCertificates::for_server();
                     wishes.alternative_names = "DNS:tls.test";
                     connection.begin_tls({certificates_.authority.issue("named", wishes)});
                     connection.let_join();
                     connection.answer(100, {});
                     connection.expect_end();
                   }},
                   "127.0.0.92", failing.port());
  ClientOptions made = options(sound);
  made.server = "tls.test:" + std::to_string(sound.port());
  Recorder recorder;
  run_until(recorder, made, synchronised_once);
  EXPECT_EQ(recorder.text, "joined\nsynchronised\n");
}

TEST_F(TlsTest, an_expiry_is_warned_of_once) {
  struct Warned : Recorder {
    void on_warning(const std::string& warning) override { warnings.push_back(warning); }
    std::vector<std::string> warnings;
  } recorder;
  auto soon = TestCertificates::for_server();
  soon.lifetime = std::chrono::hours(24 * 13);
  const CertifiedKey certificate = certificates_.authority.issue("soon", soon);
  const FakeServer::Script lead = [&](FakeConnection& connection) {
    connection.begin_tls({certificate});
    connection.let_join();
    connection.answer(100, {});
  };
  FakeServer server({lead, lead});
  ClientOptions made = options(server);
  made.interval = 1h;
  run_until(recorder, made, [](const Recorder& seen) { return seen.disconnected == 2; });
  ASSERT_EQ(recorder.warnings.size(), 1U);
  EXPECT_TRUE(
      recorder.warnings[0].starts_with("E709 the server's certificate \"CN = lekt server\" expires at "));
}

TEST_F(TlsTest, a_server_that_hangs_in_the_handshake_costs_the_time_of_connecting) {
  std::promise<void> given_up;
  FakeServer server({[&](FakeConnection&) { given_up.get_future().wait_for(10s); }});
  Recorder recorder;
  ClientOptions made = options(server);
  made.connect_timeout = 100ms;
  run_until(recorder, made, disconnected_once);
  given_up.set_value();
  EXPECT_EQ(without_port(recorder.text, server),
            "E707 TLS with SERVER: the handshake did not end within 100ms\n");
}

TEST_F(TlsTest, a_server_that_closes_in_the_handshake_is_told) {
  FakeServer server({[](FakeConnection& connection) {
    EXPECT_THROW(connection.receive<HandshakePacket>(), std::runtime_error);
    connection.reset();
  }});
  Recorder recorder;
  run_until(recorder, options(server), disconnected_once);
  EXPECT_TRUE(without_port(recorder.text, server)
                  .starts_with("E707 TLS with SERVER: the connection ended in the middle of the handshake ("))
      << recorder.text;
}

TEST_F(TlsTest, resumes_after_a_server_that_was_killed) {
  FakeServer server({[&](FakeConnection& connection) {
                       connection.begin_tls({certificates_.server});
                       connection.let_join();
                       connection.answer(100, {added("10.0.0.1", tcp(1))});
                       connection.forget_tls();
                     },
                     [&](FakeConnection& connection) {
                       connection.begin_tls({certificates_.server});
                       connection.let_join();
                       EXPECT_EQ(connection.answer(101, {}), 100);
                       connection.expect_end();
                     }});
  Recorder recorder;
  ClientOptions made = options(server);
  made.interval = 1h;
  run_until(recorder, made, [](const Recorder& seen) { return seen.synchronised == 2; });
  EXPECT_EQ(recorder.text,
            "joined\n+ 10.0.0.1 tcp:1\nsynchronised\n"
            "E702 the server closed the connection without a reason (stream truncated)\n"
            "joined\nsynchronised\n");
}

TEST_F(TlsTest, takes_up_renewed_files_with_the_next_connection) {
  FakeServer server({[&](FakeConnection& connection) {
                       EXPECT_ANY_THROW(connection.begin_tls({certificates_.unknown_server}));
                     },
                     [&](FakeConnection& connection) {
                       connection.begin_tls({certificates_.unknown_server});
                       connection.let_join();
                       connection.answer(100, {});
                       connection.expect_end();
                     }});
  const auto trusted = certificates_.directory() / "trusted.pem";
  std::filesystem::copy_file(certificates_.ca, trusted);
  ClientOptions made = options(server);
  made.tls->authorities = trusted;
  Recorder recorder;
  run_until(recorder, made, [&](const Recorder& seen) {
    std::filesystem::copy_file(certificates_.unknown_authority.certificate(), trusted,
                               std::filesystem::copy_options::overwrite_existing);
    return seen.synchronised == 1;
  });
  EXPECT_EQ(recorder.disconnected, 1);
}

TEST_F(TlsTest, a_file_that_has_vanished_is_told_and_looked_for_again) {
  FakeServer server({[](FakeConnection& connection) { connection.expect_end(); },
                     [&](FakeConnection& connection) {
                       connection.begin_tls({certificates_.server});
                       connection.let_join();
                       connection.answer(100, {});
                       connection.expect_end();
                     }});
  const auto trusted = certificates_.directory() / "trusted.pem";
  std::filesystem::copy_file(certificates_.ca, trusted);
  ClientOptions made = options(server);
  made.tls->authorities = trusted;
  Recorder recorder;
  Client client(made, recorder);
  std::filesystem::remove(trusted);
  recorder.on_event = [&] {
    if (recorder.disconnected == 1)
      std::filesystem::copy_file(certificates_.ca, trusted, std::filesystem::copy_options::skip_existing);
    if (recorder.synchronised == 1) client.stop();
  };
  EXPECT_FALSE(client.run_for(20s));
  EXPECT_TRUE(recorder.text.starts_with("E705 the file of trusted authorities ")) << recorder.text;
}

TEST_F(TlsTest, leaves_cleanly_while_an_answer_is_on_its_way) {
  std::promise<void> paused;
  std::promise<void> sent;
  FakeServer server({[&](FakeConnection& connection) {
    connection.begin_tls({certificates_.server});
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
  Client client(options(server), recorder);
  const auto end = std::chrono::steady_clock::now() + 10s;
  while (recorder.text.empty() && std::chrono::steady_clock::now() < end) client.run_for(1ms);
  paused.set_value();
  ASSERT_EQ(sent.get_future().wait_for(10s), std::future_status::ready);
  client.stop();
  client.run();
  EXPECT_EQ(recorder.text, "joined\n");
}

TEST_F(TlsTest, ping_tells_whether_the_certificate_is_good) {
  FakeServer server(
      {[&](FakeConnection& connection) {
         connection.begin_tls({certificates_.server});
         connection.receive<HandshakePacket>();
         connection.send(encode(AcceptPacket{}));
         connection.expect_end();
       },
       [&](FakeConnection& connection) { EXPECT_ANY_THROW(connection.begin_tls({certificates_.expired})); }});
  const PingOptions options{.server = parse_server_name(server.name()),
                            .tls = TlsOptions{.authorities = certificates_.ca}};
  EXPECT_TRUE(ping(options).accepted);
  EXPECT_NE(ping(options).reason.find(" expired at "), std::string::npos);
}

}  // namespace
}  // namespace lekt::test
