// The flags of `lekt` for TLS.
#include <gtest/gtest.h>

#include "tests/client/fake_server.h"
#include "tests/client/program.h"
#include "tests/support/certificates.h"

namespace lekt::test {
namespace {

class TlsProgramTest : public testing::Test {
 protected:
  /// Wants a client's certificate, and answers whatever `lekt` asks once.
  FakeServer::Script lead() const {
    return [this](FakeConnection& connection) {
      connection.begin_tls({certificates_.server, certificates_.ca});
      connection.let_join();
      connection.answer(100, {added("10.0.0.7", tcp(7890))});
      connection.expect_end();
    };
  }

  FakeServer::Script accept() const {
    return [this](FakeConnection& connection) {
      connection.begin_tls({certificates_.server, certificates_.ca});
      connection.receive<HandshakePacket>();
      connection.send(encode(AcceptPacket{}));
      connection.expect_end();
    };
  }

  std::vector<std::string> arguments(const std::string& subcommand, const FakeServer& server) const {
    return {subcommand,    "--server",
            server.name(), "--tls",
            "--ca",        certificates_.ca,
            "--cert",      certificates_.client.certificate,
            "--key",       certificates_.client.key};
  }

  TestCertificates certificates_;
};

TEST_F(TlsProgramTest, join_peers_and_ping_speak_tls) {
  FakeServer server({lead(), lead(), accept()});
  auto join = arguments("join", server);
  join.insert(join.end(), {"--count", "1"});
  Program joining(join);
  EXPECT_EQ(joining.wait(), 0) << joining.error();
  EXPECT_EQ(joining.out(), "+ 10.0.0.7 tcp:7890\n");
  Program peers(arguments("peers", server));
  EXPECT_EQ(peers.wait(), 0) << peers.error();
  EXPECT_EQ(peers.out(), "ADDRESS   METHODS\n10.0.0.7  tcp:7890\n");
  Program ping(arguments("ping", server));
  EXPECT_EQ(ping.wait(), 0) << ping.error();
  EXPECT_TRUE(ping.out().starts_with("accepted by ")) << ping.out();
}

TEST_F(TlsProgramTest, the_environment_can_say_it_too) {
  FakeServer server({accept()});
  Program ping("/usr/bin/env",
               {"LEKT_SERVER=" + server.name(), "LEKT_TLS=true", "LEKT_CA=" + certificates_.ca.string(),
                "LEKT_CERT=" + certificates_.client.certificate.string(),
                "LEKT_KEY=" + certificates_.client.key.string(), LEKT_PROGRAM, "ping"},
               "");
  EXPECT_EQ(ping.wait(), 0) << ping.error();
}

TEST_F(TlsProgramTest, a_bad_certificate_ends_with_1_and_the_reason) {
  FakeServer server({[this](FakeConnection& connection) {
    EXPECT_ANY_THROW(connection.begin_tls({certificates_.expired}));
  }});
  Program ping(arguments("ping", server));
  EXPECT_EQ(ping.wait(), 1);
  EXPECT_TRUE(ping.error().starts_with("lekt: E707 TLS with " + server.name() +
                                       ": the server's certificate \"CN = lekt server\" expired at "))
      << ping.error();
}

TEST_F(TlsProgramTest, flags_that_make_no_sense_end_with_2) {
  const std::vector<std::string> tls = {"--tls"};
  const std::vector<std::pair<std::vector<std::string>, std::string>> usages = {
      {{"--ca", "ca.pem"}, "E705 --ca \"ca.pem\" is of use with --tls only"},
      {{"--cert", "c.pem"}, "E705 --cert \"c.pem\" is of use with --tls only"},
      {{"--key", "c.key"}, "E705 --key \"c.key\" is of use with --tls only"},
      {{"--tls", "--ca", "/nonexistent"}, "E705 the file of trusted authorities \"/nonexistent\""},
      {{"--tls", "--cert", certificates_.client.certificate}, "E705 a client's certificate and its key"}};
  for (const char* subcommand : {"join", "peers", "ping"})
    for (const auto& [flags, said] : usages) {
      std::vector<std::string> arguments = {subcommand, "--server", "127.0.0.1:1"};
      arguments.insert(arguments.end(), flags.begin(), flags.end());
      Program program(arguments);
      EXPECT_EQ(program.wait(), 2) << said;
      EXPECT_NE(program.error().find(said), std::string::npos) << program.error();
    }
}

}  // namespace
}  // namespace lekt::test
