// The lekt command and the real server over TLS: what a user sees when it works, and when either side
// refuses.
#include <string>

#include "tests/integration/daemon.h"
#include "tests/integration/raw_client.h"
#include "tests/support/certificates.h"
#include "tests/support/paths.h"

namespace lekt::test {

namespace {

using testing::IsSubstring;

class TlsCommandTest : public DaemonTest {
 protected:
  /// Plain text on the first port, TLS on the second.
  void start_with(const CertifiedKey& certificate, const Flags& more = {}) {
    Flags flags = {"--listen",   "127.0.0.1:0",           "--tls-listen", "127.0.0.1:0",
                   "--tls-cert", certificate.certificate, "--tls-key",    certificate.key};
    flags.insert(flags.end(), more.begin(), more.end());
    start(flags);
  }

  Outcome lekt(const std::string& subcommand, std::uint16_t port, const Flags& more = {}) {
    Flags flags = {subcommand, "--server", "127.0.0.1:" + std::to_string(port),
                   "--tls",    "--ca",     certificates_.ca};
    flags.insert(flags.end(), more.begin(), more.end());
    return run(program_file("lekt"), flags);
  }

  std::uint16_t plain_port() { return daemon().ports().front(); }
  std::uint16_t tls_port() { return daemon().ports().back(); }

  static Flags with(const CertifiedKey& own) { return {"--cert", own.certificate, "--key", own.key}; }

  TestCertificates certificates_;
};

}  // namespace

TEST_F(TlsCommandTest, pings_lists_and_joins) {
  start_with(certificates_.server);
  const RawClient plain = joined(plain_port(), "127.0.0.2");
  EXPECT_EQ(lekt("ping", tls_port()).status, 0);
  EXPECT_PRED_FORMAT2(IsSubstring, "127.0.0.2  tcp:7890", lekt("peers", tls_port()).output);
  const Outcome joined = lekt("join", tls_port(), {"--count", "1", "--method", "tcp:5"});
  EXPECT_EQ(joined.status, 0) << joined.errors;
  EXPECT_EQ(joined.output, "+ 127.0.0.1 tcp:5\n+ 127.0.0.2 tcp:7890\n");
  EXPECT_TRUE(daemon().logs("reason=\"closed by the client\"", 2)) << "its ends are clean";
}

TEST_F(TlsCommandTest, is_switched_on_and_off_by_a_variable_that_says_so_and_by_no_other_word) {
  start_with(certificates_.server);
  const auto ping = [&](std::uint16_t port, const std::string& value) {
    return run(program_file("lekt"), {"ping", "--server", "127.0.0.1:" + std::to_string(port)},
               {{"LEKT_TLS", value}, {"LEKT_CA", value == "true" ? certificates_.ca.string() : ""}});
  };
  EXPECT_EQ(ping(tls_port(), "true").status, 0);
  for (const char* off : {"", "false", "0"}) EXPECT_EQ(ping(plain_port(), off).status, 0) << off;
  for (const char* neither : {"banana", "2", "-1", "TRUE ", "99999999999999999999"}) {
    const Outcome outcome = ping(plain_port(), neither);
    EXPECT_EQ(outcome.status, 2) << neither;
    EXPECT_PRED_FORMAT2(IsSubstring, std::string("E705 LEKT_TLS \"") + neither + "\" is not true",
                        outcome.errors);
  }
}

TEST_F(TlsCommandTest, tells_why_the_servers_certificate_is_refused) {
  const std::pair<const CertifiedKey&, const char*> bad[] = {
      {certificates_.expired, "E707 TLS with 127.0.0.1:"},
      {certificates_.other_host, "and not for 127.0.0.1"},
      {certificates_.unknown_server, "which is not trusted"}};
  for (const auto& [certificate, words] : bad) {
    start_with(certificate);
    const Outcome ping = lekt("ping", tls_port());
    EXPECT_EQ(ping.status, 1);
    EXPECT_PRED_FORMAT2(IsSubstring, words, ping.errors);
  }
}

TEST_F(TlsCommandTest, tells_why_the_server_refuses_its_certificate) {
  start_with(certificates_.server, {"--tls-client-ca", certificates_.ca});
  for (const char* subcommand : {"ping", "peers"}) {
    EXPECT_EQ(lekt(subcommand, tls_port(), with(certificates_.client)).status, 0);
    EXPECT_PRED_FORMAT2(IsSubstring, "\"certificate required\"", lekt(subcommand, tls_port()).errors);
    EXPECT_PRED_FORMAT2(IsSubstring, "\"unknown ca\"",
                        lekt(subcommand, tls_port(), with(certificates_.unknown_client)).errors);
    EXPECT_PRED_FORMAT2(IsSubstring, "\"certificate expired\"",
                        lekt(subcommand, tls_port(), with(certificates_.expired_client)).errors);
  }
}

TEST_F(TlsCommandTest, tells_when_only_one_side_speaks_tls) {
  start_with(certificates_.server);
  EXPECT_PRED_FORMAT2(IsSubstring,
                      "E707 TLS with 127.0.0.1:" + std::to_string(plain_port()) +
                          ": the server does not speak TLS on this port",
                      lekt("ping", plain_port()).errors);
  const Outcome plain =
      run(program_file("lekt"), {"ping", "--server", "127.0.0.1:" + std::to_string(tls_port())});
  EXPECT_EQ(plain.status, 1);
  EXPECT_PRED_FORMAT2(IsSubstring, "E70", plain.errors);
}

TEST_F(TlsCommandTest, is_told_a_rejects_words) {
  start_with(certificates_.server, {"--max-methods", "1"});
  const Outcome outcome = lekt("join", tls_port(), {"--catalogue", "2:chat:sized", "--method", "chat:00"});
  EXPECT_EQ(outcome.status, 1);
  EXPECT_PRED_FORMAT2(IsSubstring, "E104 the number of known methods is 2", outcome.errors);
}

}  // namespace lekt::test
