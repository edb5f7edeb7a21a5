// Who is let in over DTLS, and what the other one is told.
#include <gtest/gtest.h>

#include "tests/tls/dtls_pair.h"

namespace lekt::test {
namespace {

using Phase = DtlsSession::Phase;
using testing::IsSubstring;

class DtlsCertificatesTest : public testing::Test {
 protected:
  /// What the client says, or the server, when the handshake fails.
  void shake_hands(const TlsSettings& server, const TlsOptions& client,
                   const std::string& host = "127.0.0.1") {
    DtlsPair pair(server, client, host);
    pair.shake_hands();
    opened_ = pair.both_are(Phase::open);
    of_client_ = pair.client.failure().text();
    of_server_ = pair.server.failure().text();
    if (opened_) return;
    EXPECT_EQ(pair.client.phase(), Phase::failed);
    EXPECT_EQ(pair.server.phase(), Phase::failed);
    EXPECT_LT(pair.now, AwakeTime(1000)) << "the other side is told, and need not wait";
  }

  TlsOptions client_with(const CertifiedKey& key) const {
    return {.authorities = certificates_.ca, .certificate = key.certificate, .key = key.key};
  }

  TestCertificates certificates_;
  bool opened_ = false;
  std::string of_client_;
  std::string of_server_;
};

TEST_F(DtlsCertificatesTest, a_server_has_to_be_what_the_device_was_told) {
  const TlsOptions client{.authorities = certificates_.ca};
  shake_hands(settings_of(certificates_.server), client, "127.0.0.1");
  EXPECT_TRUE(opened_) << of_client_;
  shake_hands(settings_of(certificates_.server), client, "localhost");
  EXPECT_TRUE(opened_) << of_client_;
  shake_hands(settings_of(certificates_.other_host), client);
  EXPECT_FALSE(opened_);
  EXPECT_PRED_FORMAT2(
      IsSubstring,
      "E109 the DTLS handshake failed: the server's certificate \"CN = other host\" is for IP "
      "Address:192.0.2.1, DNS:other.example and not for 127.0.0.1",
      of_client_);
}

TEST_F(DtlsCertificatesTest, a_server_that_is_not_valid_or_not_known_is_refused) {
  const TlsOptions client{.authorities = certificates_.ca};
  shake_hands(settings_of(certificates_.expired), client);
  EXPECT_FALSE(opened_);
  EXPECT_PRED_FORMAT2(IsSubstring, "it has to be renewed", of_client_);
  EXPECT_PRED_FORMAT2(IsSubstring, "certificate expired", of_server_);
  shake_hands(settings_of(certificates_.not_yet_valid), client);
  EXPECT_FALSE(opened_);
  EXPECT_PRED_FORMAT2(IsSubstring, "is valid only from", of_client_);
  shake_hands(settings_of(certificates_.unknown_server), client);
  EXPECT_FALSE(opened_);
  EXPECT_PRED_FORMAT2(IsSubstring, "which is not trusted; if it should be, name its certificate (--ca)",
                      of_client_);
  EXPECT_PRED_FORMAT2(IsSubstring, "unknown ca", of_server_);
}

TEST_F(DtlsCertificatesTest, who_has_none_of_the_authority_does_not_get_in_where_clients_need_one) {
  const TlsSettings server = settings_of(certificates_.server, certificates_.ca);
  shake_hands(server, client_with(certificates_.client));
  EXPECT_TRUE(opened_) << of_server_ << of_client_;
  shake_hands(server, {.authorities = certificates_.ca});
  EXPECT_FALSE(opened_);
  EXPECT_EQ(of_server_, "E109 the DTLS handshake failed: peer did not return a certificate");
  EXPECT_PRED_FORMAT2(IsSubstring, "handshake failure", of_client_);
  shake_hands(server, client_with(certificates_.unknown_client));
  EXPECT_FALSE(opened_);
  EXPECT_PRED_FORMAT2(IsSubstring, "unable to get local issuer certificate", of_server_);
  shake_hands(server, client_with(certificates_.expired_client));
  EXPECT_FALSE(opened_);
  EXPECT_PRED_FORMAT2(IsSubstring, "certificate has expired", of_server_);
  EXPECT_PRED_FORMAT2(IsSubstring, "certificate expired", of_client_);
}

TEST_F(DtlsCertificatesTest, files_that_cannot_be_used_are_named_as_they_are_for_tls) {
  const auto refusal = [](const TlsSettings& settings) -> std::string {
    try {
      DtlsContext context(settings);
    } catch (const CodedError& error) {
      return error.what();
    }
    return "";
  };
  EXPECT_EQ(refusal(settings_of(certificates_.server, certificates_.ca)), "");
  TlsSettings settings = settings_of(certificates_.server);
  settings.certificate = "/nonexistent/server.pem";
  EXPECT_EQ(refusal(settings),
            "E510 cannot use /nonexistent/server.pem as a certificate (PEM): No such file or directory");
  settings = settings_of(certificates_.server);
  settings.key = certificates_.client.key;
  EXPECT_PRED_FORMAT2(IsSubstring,
                      "as the key of that certificate (PEM, without a pass phrase): key values mismatch",
                      refusal(settings));
  EXPECT_THROW(make_dtls_context({.authorities = "/nonexistent/ca"}), CodedError);
}

TEST_F(DtlsCertificatesTest, the_context_says_when_its_certificates_expire) {
  const DtlsContext context(settings_of(certificates_.server, certificates_.ca));
  ASSERT_EQ(context.expires().size(), 2u);
  EXPECT_EQ(context.expires()[0].path, certificates_.server.certificate);
  EXPECT_GT(context.expires()[0].expires, 0);
}

}  // namespace
}  // namespace lekt::test
