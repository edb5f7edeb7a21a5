// The flags of `lekt` for TLS.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <openssl/evp.h>
#include <openssl/pem.h>

#include <memory>

#include "tests/client/fake_server.h"
#include "tests/client/program.h"
#include "tests/support/certificates.h"
#include "tests/support/paths.h"

namespace lekt::test {
namespace {

/// The certificate as a PEM file that needs a password, which is unusual and possible.
void lock_certificate(const std::filesystem::path& from, const std::filesystem::path& to,
                      const std::string& password) {
  using File = std::unique_ptr<BIO, decltype(&BIO_free)>;
  const File source(BIO_new_file(from.c_str(), "r"), BIO_free);
  const std::unique_ptr<X509, decltype(&X509_free)> certificate(
      PEM_read_bio_X509(source.get(), nullptr, nullptr, nullptr), X509_free);
  const File target(BIO_new_file(to.c_str(), "w"), BIO_free);
  std::vector<unsigned char> bytes(password.begin(), password.end());
  const auto encode = [](const void* value, unsigned char** out) {
    return i2d_X509(static_cast<const X509*>(value), out);
  };
  ASSERT_EQ(PEM_ASN1_write_bio(encode, PEM_STRING_X509, target.get(), certificate.get(), EVP_aes_128_cbc(),
                               bytes.data(), static_cast<int>(bytes.size()), nullptr, nullptr),
            1);
}

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
                "LEKT_KEY=" + certificates_.client.key.string(), program_file("lekt"), "ping"},
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

TEST_F(TlsProgramTest, nobody_is_asked_for_the_password_of_a_certificate) {
  const auto locked = certificates_.directory() / "locked.pem";
  lock_certificate(certificates_.client.certificate, locked, "secret");
  // Where there is no terminal, OpenSSL asks standard input.
  Program ping(
      {"ping", "--server", "127.0.0.1:1", "--tls", "--cert", locked, "--key", certificates_.client.key},
      "secret\n");
  EXPECT_EQ(ping.wait(), 2);
  EXPECT_NE(ping.error().find("; a PEM file without a password is expected\n"), std::string::npos)
      << ping.error();
}

TEST_F(TlsProgramTest, certificates_that_expire_soon_are_told_and_end_nothing) {
  FakeServer::Script greet = [this](FakeConnection& connection) {
    auto soon = TestCertificates::for_server();
    soon.lifetime = std::chrono::hours(24 * 13);
    connection.begin_tls({certificates_.authority.issue("soon", soon)});
    connection.receive<HandshakePacket>();
    connection.send(encode(AcceptPacket{}));
    connection.expect_end();
  };
  FakeServer server({greet});
  auto own = TestCertificates::for_client();
  own.lifetime = std::chrono::hours(24 * 13);
  const CertifiedKey client = certificates_.authority.issue("client_soon", own);
  Program ping({"ping", "--server", server.name(), "--tls", "--ca", certificates_.ca, "--cert",
                client.certificate, "--key", client.key});
  EXPECT_EQ(ping.wait(), 0);
  EXPECT_THAT(ping.error(), testing::MatchesRegex(
                                "lekt: E709 the server's certificate \"CN = lekt server\" expires at .* GMT; "
                                "have it renewed before\n"
                                "lekt: E709 the client's certificate \"CN = lekt client\" expires at .*\n"));
}

TEST_F(TlsProgramTest, an_authority_that_expires_soon_is_told_as_well) {
  const CertificateAuthority authority(certificates_.directory(), "ageing", std::chrono::hours(24 * 13));
  const CertifiedKey certificate = authority.issue("of_ageing", TestCertificates::for_server());
  FakeServer server({[&](FakeConnection& connection) {
    connection.begin_tls({certificate});
    connection.receive<HandshakePacket>();
    connection.send(encode(AcceptPacket{}));
    connection.expect_end();
  }});
  Program ping({"ping", "--server", server.name(), "--tls", "--ca", authority.certificate()});
  EXPECT_EQ(ping.wait(), 0);
  EXPECT_THAT(ping.error(),
              testing::MatchesRegex("lekt: E709 a certificate above the server's \"CN = ageing\" "
                                    "expires at .* GMT; have it renewed before\n"));
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
