// DTLS with other people's programs at the other end: those of OpenSSL and of GnuTLS, over loopback.
#include <arpa/inet.h>
#include <gtest/gtest.h>
#include <poll.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <filesystem>

#include "common/descriptor.h"
#include "tests/client/program.h"
#include "tests/tls/dtls_pair.h"

namespace lekt::test {
namespace {

using Phase = DtlsSession::Phase;
using testing::IsSubstring;

std::uint16_t port_of(const Descriptor& socket) {
  sockaddr_in address{};
  socklen_t size = sizeof address;
  ::getsockname(socket.value(), reinterpret_cast<sockaddr*>(&address), &size);
  return ntohs(address.sin_port);
}

sockaddr_in loopback(std::uint16_t port) {
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_port = htons(port);
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  return address;
}

Descriptor make_socket() {
  Descriptor made(::socket(AF_INET, SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0));
  const sockaddr_in address = loopback(0);
  if (::bind(made.value(), reinterpret_cast<const sockaddr*>(&address), sizeof address) != 0)
    throw std::runtime_error("no UDP port is free");
  return made;
}

/// Moves datagrams between a session and a socket, in real time.
class Relay {
 public:
  explicit Relay(DtlsSession& session, bool echoes = false) : session_(session), echoes_(echoes) {}

  /// A client's side: where the server is.
  void connect_to(std::uint16_t port) { peer_ = loopback(port); }
  std::uint16_t port() const { return port_of(socket_); }

  template <class Done>
  bool run_until(Done done) {
    const auto end = Clock::now() + std::chrono::seconds(20);
    while (!done() && Clock::now() < end) {
      std::vector<Bytes> to_send;
      session_.on_timer(now(), to_send);
      send(to_send);
      pollfd waited{socket_.value(), POLLIN, 0};
      ::poll(&waited, 1, 10);
      receive();
    }
    return done();
  }

  bool run_until_phase(Phase phase) {
    return run_until([&] { return session_.phase() == phase; });
  }

  void say(ByteView plain) {
    std::vector<Bytes> to_send;
    EXPECT_TRUE(session_.send(plain, to_send));
    send(to_send);
  }

  void end() {
    std::vector<Bytes> to_send;
    session_.close(to_send);
    send(to_send);
  }

  const Bytes& heard() const { return heard_; }

 private:
  using Clock = std::chrono::steady_clock;

  AwakeTime now() const { return std::chrono::duration_cast<AwakeTime>(Clock::now() - begin_); }

  void send(const std::vector<Bytes>& datagrams) {
    for (const Bytes& bytes : datagrams) {
      EXPECT_LE(bytes.size(), dtls_datagram_bytes_max);
      // Nobody may be there yet; the flight is repeated.
      (void)::sendto(socket_.value(), bytes.data(), bytes.size(), 0,
                     reinterpret_cast<const sockaddr*>(&peer_), sizeof peer_);
    }
  }

  void receive() {
    std::vector<char> buffer(65'536);
    sockaddr_in from{};
    socklen_t size = sizeof from;
    for (;;) {
      const ssize_t bytes = ::recvfrom(socket_.value(), buffer.data(), buffer.size(), 0,
                                       reinterpret_cast<sockaddr*>(&from), &size);
      if (bytes < 0) return;
      peer_ = from;
      std::vector<Bytes> to_send;
      std::vector<Bytes> received;
      session_.receive({buffer.data(), static_cast<std::size_t>(bytes)}, now(), to_send, received);
      for (const Bytes& plain : received) {
        heard_ += plain;
        if (echoes_) session_.send(plain, to_send);
      }
      send(to_send);
    }
  }

  DtlsSession& session_;
  bool echoes_;
  Descriptor socket_ = make_socket();
  sockaddr_in peer_{};
  Bytes heard_;
  Clock::time_point begin_ = Clock::now();
};

std::uint16_t free_udp_port() { return port_of(make_socket()); }

class DtlsProgramsTest : public testing::Test {
 protected:
  static void need(const std::string& program) {
    ASSERT_TRUE(std::filesystem::exists(program)) << program << " is missing (deploy/packages)";
  }

  /// A program that is a client says something, and hears it again.
  void talk_with_client(const std::string& program, std::vector<std::string> arguments,
                        bool with_certificate) {
    need(program);
    const DtlsContext context(
        settings_of(certificates_.server, with_certificate ? certificates_.ca : std::filesystem::path()));
    DtlsSession server(context, AwakeTime(0));
    Relay relay(server, true);
    for (std::string& argument : arguments)
      if (argument == "PORT") argument = std::to_string(relay.port());
    std::replace(arguments.begin(), arguments.end(), std::string("127.0.0.1:PORT"),
                 "127.0.0.1:" + std::to_string(relay.port()));
    Program client(program, arguments, words);
    EXPECT_TRUE(relay.run_until([&] { return client.out().find(words) != std::string::npos; }))
        << server.failure().text() << client.out() << client.error();
    EXPECT_EQ(relay.heard(), words);
    relay.end();
  }

  /// A program that is a server hears what the client says.
  void talk_with_server(const std::string& program, std::vector<std::string> arguments, std::uint16_t port,
                        bool echoes) {
    need(program);
    // Its input stays open: a server of openssl fails at the end of it.
    const std::string input = certificates_.directory() / "input";
    ASSERT_EQ(::mkfifo(input.c_str(), 0600), 0);
    arguments.insert(arguments.begin(), {"-c", "exec \"$@\" <>\"$0\"", input, program});
    Program server("/bin/sh", arguments, "");
    const DtlsContext context =
        make_dtls_context({certificates_.ca, certificates_.client.certificate, certificates_.client.key});
    DtlsSession client(context, make_dtls_check("localhost"), AwakeTime(0));
    Relay relay(client);
    relay.connect_to(port);
    ASSERT_TRUE(relay.run_until_phase(Phase::open))
        << client.failure().text() << server.out() << server.error();
    relay.say(words);
    // It echoes, or prints what it hears.
    EXPECT_TRUE(relay.run_until([&] {
      return (echoes ? relay.heard() : server.out()).find(words) != Bytes::npos;
    })) << relay.heard()
        << server.out() << server.error();
    relay.end();
  }

  const std::string words = "words of the client\n";
  TestCertificates certificates_;
};

TEST_F(DtlsProgramsTest, openssl_is_a_client_of_our_server) {
  talk_with_client("/usr/bin/openssl",
                   {"s_client", "-dtls1_2", "-quiet", "-verify_return_error", "-connect", "127.0.0.1:PORT",
                    "-CAfile", certificates_.ca},
                   false);
}

TEST_F(DtlsProgramsTest, openssl_shows_our_server_a_certificate) {
  talk_with_client(
      "/usr/bin/openssl",
      {"s_client", "-dtls1_2", "-quiet", "-verify_return_error", "-connect", "127.0.0.1:PORT", "-CAfile",
       certificates_.ca, "-cert", certificates_.client.certificate, "-key", certificates_.client.key},
      true);
}

TEST_F(DtlsProgramsTest, gnutls_is_a_client_of_our_server) {
  talk_with_client("/usr/bin/gnutls-cli",
                   {"--udp", "--x509cafile", certificates_.ca, "--verify-hostname", "localhost", "-p", "PORT",
                    "127.0.0.1"},
                   false);
}

TEST_F(DtlsProgramsTest, gnutls_shows_our_server_a_certificate) {
  talk_with_client("/usr/bin/gnutls-cli",
                   {"--udp", "--x509cafile", certificates_.ca, "--verify-hostname", "localhost",
                    "--x509certfile", certificates_.client.certificate, "--x509keyfile",
                    certificates_.client.key, "-p", "PORT", "127.0.0.1"},
                   true);
}

TEST_F(DtlsProgramsTest, openssl_is_a_server_of_our_client) {
  const std::uint16_t port = free_udp_port();
  talk_with_server("/usr/bin/openssl",
                   {"s_server", "-dtls1_2", "-quiet", "-port", std::to_string(port), "-cert",
                    certificates_.server.certificate, "-key", certificates_.server.key, "-CAfile",
                    certificates_.ca, "-Verify", "2", "-verify_return_error"},
                   port, false);
}

TEST_F(DtlsProgramsTest, gnutls_is_a_server_of_our_client_and_asks_for_a_cookie) {
  const std::uint16_t port = free_udp_port();
  talk_with_server("/usr/bin/gnutls-serv",
                   {"--udp", "--echo", "-p", std::to_string(port), "--x509certfile",
                    certificates_.server.certificate, "--x509keyfile", certificates_.server.key,
                    "--x509cafile", certificates_.ca, "--require-client-cert", "--verify-client-cert"},
                   port, true);
}

/// How a handshake ends that openssl begins with these arguments more.
class DtlsRefusalTest : public DtlsProgramsTest {
 protected:
  std::string refusal(const std::vector<std::string>& more) {
    const DtlsContext context(settings_of(certificates_.server));
    DtlsSession server(context, AwakeTime(0));
    Relay relay(server);
    std::vector<std::string> arguments = {"s_client", "-connect",
                                          "127.0.0.1:" + std::to_string(relay.port())};
    arguments.insert(arguments.end(), more.begin(), more.end());
    const Program client("/usr/bin/openssl", arguments, "");
    EXPECT_TRUE(relay.run_until([&] { return server.phase() != Phase::handshaking; }));
    return server.failure().text();
  }
};

TEST_F(DtlsRefusalTest, dtls_1_0_is_refused) {
  EXPECT_PRED_FORMAT2(IsSubstring, "E109 the DTLS handshake failed: unsupported protocol",
                      refusal({"-dtls1", "-cipher", "DEFAULT@SECLEVEL=0"}));
}

TEST_F(DtlsRefusalTest, suites_that_add_too_much_are_refused) {
  EXPECT_PRED_FORMAT2(IsSubstring, "E109 the DTLS handshake failed: no shared cipher",
                      refusal({"-dtls1_2", "-cipher", "ECDHE-ECDSA-AES128-SHA256:ECDHE-ECDSA-AES256-CCM8"}));
}

}  // namespace
}  // namespace lekt::test
