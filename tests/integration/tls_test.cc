// TLS listeners. The other end is not of this project: socat carries the bytes of the tests' clients through
// OpenSSL, and `openssl s_client` tells what it is refused with.
#include <sys/stat.h>

#include <csignal>
#include <fstream>
#include <nlohmann/json.hpp>
#include <regex>
#include <string>

#include "tests/integration/daemon.h"
#include "tests/integration/raw_client.h"
#include "tests/integration/sqlite.h"
#include "tests/support/certificates.h"
#include "tests/support/paths.h"

namespace lekt::test {

namespace {

using namespace std::chrono_literals;
using testing::IsSubstring;

/// Plain text here, TLS to the server there: each connection to port() becomes one from `from` to the server.
class Tunnel {
 public:
  Tunnel(const std::filesystem::path& directory, std::uint16_t server, const std::string& from,
         const std::string& options)
      : directory_(directory / ("tunnel-" + from)),
        made_(std::filesystem::create_directory(directory_)),
        process_("/usr/bin/socat",
                 {"-d", "-d", "TCP-LISTEN:0,bind=127.0.0.1,fork,reuseaddr",
                  "OPENSSL:127.0.0.1:" + std::to_string(server) + ",bind=" + from + "," + options},
                 directory_) {
    static const std::regex listening("listening on AF=2 127.0.0.1:([0-9]+)");
    std::smatch found;
    std::string said;
    const auto is_up = [&] {
      said = process_.errors();
      return std::regex_search(said, found, listening);
    };
    if (!eventually(is_up, patience())) throw std::runtime_error("socat did not come up:\n" + said);
    port_ = static_cast<std::uint16_t>(std::stoul(found[1]));
  }

  std::uint16_t port() const { return port_; }

 private:
  std::filesystem::path directory_;
  bool made_;
  Process process_;
  std::uint16_t port_ = 0;
};

class TlsTest : public DaemonTest {
 protected:
  /// Listens in plain text first, and then with TLS.
  void start_with_tls(Flags flags = {}) {
    flags.insert(flags.end(),
                 {"--tls-listen", "127.0.0.1:0", "--listen", "127.0.0.1:0", "--tls-cert",
                  certificates_.server.certificate.string(), "--tls-key", certificates_.server.key.string()});
    start(flags);
  }
  std::uint16_t tls_port() { return daemon().ports().at(1); }
  std::uint16_t plain_port() { return daemon().ports().at(0); }

  std::string trust() const { return "cafile=" + certificates_.ca.string(); }
  Tunnel tunnel(const std::string& from, const std::string& more = {}) {
    return {directory_.path(), tls_port(), from, trust() + more};
  }
  static std::string shown(const CertifiedKey& client) {
    return ",cert=" + client.certificate.string() + ",key=" + client.key.string();
  }

  /// What openssl's own client says of the server.
  std::string s_client(const std::string& options = {}) {
    return run("/bin/sh",
               {"-c", "exec openssl s_client -connect 127.0.0.1:" + std::to_string(tls_port()) + " -CAfile " +
                          certificates_.ca.string() + " " + options + " </dev/null 2>&1"})
        .output;
  }

  TestCertificates certificates_;
};

}  // namespace

TEST_F(TlsTest, carries_the_whole_conversation_beside_plain_text) {
  start_with_tls();
  const Tunnel first_tunnel = tunnel("127.0.0.2");
  RawClient first = joined(first_tunnel.port(), "127.0.0.1", tcp(1));
  RawClient plain = joined(plain_port(), "127.0.0.3", tcp(3));
  const Tunnel second_tunnel = tunnel("127.0.0.4");
  RawClient second = joined(second_tunnel.port(), "127.0.0.1", tcp(4));
  const std::vector<std::string> all = {"127.0.0.2 tcp:1", "127.0.0.3 tcp:3", "127.0.0.4 tcp:4"};
  for (RawClient* client : {&first, &plain, &second})
    EXPECT_TRUE(eventually([&] { return client->beat(), client->peers() == all; }, patience()));
  first.close();
  EXPECT_EQ(plain.beat_until_news().removed, std::vector{ip("127.0.0.2")});
}

TEST_F(TlsTest, carries_answers_of_many_records_to_a_slow_reader_and_other_bytes_in_any_pieces) {
  start_with_tls(catalogue_flags());
  std::vector<RawClient> others;
  for (std::size_t number = 0; number < 200; ++number)
    others.push_back(joined(plain_port(), address_number(number), chat(Bytes(4096, 'x'))));
  const Tunnel secure = tunnel("127.0.0.2");
  RawClient client(secure.port(), "127.0.0.1", {.receive_buffer = 4096});
  for (const char byte : setup_bytes(tcp(1))) client.send(Bytes(1, byte));
  client.expect<AcceptPacket>();
  client.expect<RequestPacket>();
  EXPECT_EQ(client.expect<RequestPacket>().index, 0u);
  for (int list = 0; list < 10; ++list) client.ask(0);
  for (int list = 0; list < 10; ++list) EXPECT_EQ(client.read_answer().added.size(), 201u);
}

TEST_F(TlsTest, lets_a_rejected_client_read_why) {
  start_with_tls();
  const Tunnel secure = tunnel("127.0.0.2");
  RawClient client(secure.port(), "127.0.0.1");
  client.send(hex("4c454b54 48010200 00000000"));
  EXPECT_PRED_FORMAT2(IsSubstring, "E101 protocol version 1.2", client.expect_reject());
}

TEST_F(TlsTest, is_not_mixed_with_plain_text) {
  start_with_tls();
  RawClient plain(tls_port(), "127.0.0.2");
  plain.send(setup_bytes(tcp(1)));
  EXPECT_TRUE(daemon().logs("code=E109"));
  EXPECT_TRUE(eventually([&] { return !plain.try_send("x"); }, patience()));
  RawClient tls(plain_port(), "127.0.0.2");
  tls.send(hex("16030100f8010000f40303"));
  EXPECT_PRED_FORMAT2(IsSubstring, "E102 the bytes 0x16030100f8010000 are TLS", tls.expect_reject());
  EXPECT_TRUE(daemon().logs("message=\"the bytes 0x16030100f8010000 are TLS")) << "escaped nowhere";
}

TEST_F(TlsTest, tells_by_an_alert_who_is_refused_before_the_handshake) {
  start_with_tls({"--deny", "127.0.0.1"});
  EXPECT_PRED_FORMAT2(IsSubstring, "alert access denied", s_client());
  EXPECT_TRUE(daemon().logs("code=E404"));
}

TEST_F(TlsTest, ends_a_handshake_that_does_not_come_to_its_end) {
  start_with_tls({"--handshake-timeout", duration_flag(200ms)});
  RawClient silent(tls_port(), "127.0.0.2");
  silent.send(hex("16030100f8010000f40303"));
  ASSERT_TRUE(silent.receives_within(patience()));
  silent.read_a_drop(7);  // the alert
  silent.expect_end();
  EXPECT_TRUE(daemon().logs("code=E107"));
}

TEST_F(TlsTest, speaks_1_3_and_with_older_clients_only_by_choice) {
  start_with_tls();
  EXPECT_PRED_FORMAT2(IsSubstring, "New, TLSv1.3", s_client());
  EXPECT_PRED_FORMAT2(IsSubstring, "Verify return code: 0 (ok)", s_client());
  EXPECT_PRED_FORMAT2(IsSubstring, "alert protocol version", s_client("-tls1_2"));
  start_with_tls({"--tls-min-version", "1.2"});
  EXPECT_PRED_FORMAT2(IsSubstring, "New, TLSv1.2", s_client("-tls1_2"));
  EXPECT_PRED_FORMAT2(IsSubstring, "New, TLSv1.3", s_client());
}

TEST_F(TlsTest, serves_only_who_shows_a_certificate_of_the_right_authority) {
  start_with_tls({"--tls-client-ca", certificates_.ca.string()});
  const Tunnel known = tunnel("127.0.0.2", shown(certificates_.client));
  joined(known.port(), "127.0.0.1");
  const Tunnel nobody = tunnel("127.0.0.3");
  EXPECT_THROW(joined(nobody.port(), "127.0.0.1"), std::exception);
  EXPECT_TRUE(daemon().logs("peer did not return a certificate"));
  const Tunnel stranger = tunnel("127.0.0.4", shown(certificates_.unknown_client));
  EXPECT_THROW(joined(stranger.port(), "127.0.0.1"), std::exception);
  EXPECT_TRUE(daemon().logs("unable to get local issuer certificate"));
}

TEST_F(TlsTest, reads_new_certificates_without_a_restart) {
  const CertifiedKey used = certificates_.authority.issue("renewed", TestCertificates::for_server());
  start({"--tls-listen", "127.0.0.1:0", "--listen", "127.0.0.1:0", "--tls-cert", used.certificate.string(),
         "--tls-key", used.key.string()});
  const Tunnel secure = tunnel("127.0.0.2");
  RawClient before = joined(secure.port(), "127.0.0.1");

  certificates_.authority.issue("renewed", {"renewed server", "IP:127.0.0.1"});
  EXPECT_PRED_FORMAT2(IsSubstring, "CN = lekt server", s_client());
  kill(daemon().id(), SIGHUP);
  ASSERT_TRUE(daemon().logs("event=certificate", 2));
  EXPECT_PRED_FORMAT2(IsSubstring, "CN = renewed server", s_client());
  before.beat();

  std::filesystem::remove(used.key);
  kill(daemon().id(), SIGHUP);
  ASSERT_TRUE(daemon().logs("E606"));
  EXPECT_PRED_FORMAT2(IsSubstring, "CN = renewed server", s_client());
  before.beat();
}

TEST_F(TlsTest, is_checked_with_the_settings) {
  const auto check = [&](const std::filesystem::path& certificate, const std::filesystem::path& key,
                         Flags more = {}) {
    more.insert(more.begin(), {"--check-config", "--tls-listen=127.0.0.1:0", "--tls-cert",
                               certificate.string(), "--tls-key", key.string()});
    return run(program_file("lektd"), more);
  };
  const auto& good = certificates_.server;
  const auto& old = certificates_.expired;
  const Outcome fine = check(good.certificate, good.key);
  EXPECT_EQ(fine.status, 0) << fine.errors;
  EXPECT_EQ(count(fine.output, "E616"), 0u);
  const Outcome expired = check(old.certificate, old.key);
  EXPECT_EQ(expired.status, 0) << expired.errors;
  EXPECT_PRED_FORMAT2(IsSubstring, "# E616 " + old.certificate.string() + " has expired at 20",
                      expired.output);
  const Outcome json = check(old.certificate, old.key, {"--json"});
  EXPECT_PRED_FORMAT2(
      IsSubstring, "\"warnings\":[{\"code\":\"E616\",\"message\":\"" + old.certificate.string(), json.output);
  for (const auto& [outcome, file] :
       {std::pair(check("/nowhere.pem", good.key), std::string("/nowhere.pem")),
        {check(good.certificate, good.certificate), good.certificate.string()},
        {check(good.certificate, old.key), old.key.string()},
        {check(good.certificate, good.key, {"--tls-client-ca=/dev/null"}), "/dev/null"}}) {
    EXPECT_EQ(outcome.status, 1);
    EXPECT_PRED_FORMAT2(IsSubstring, "# E510 cannot use " + file, outcome.output);
    EXPECT_EQ(count(outcome.output, "The configuration is valid"), 0u);
    EXPECT_PRED_FORMAT2(IsSubstring, "lektd: E510 cannot use " + file, outcome.errors);
  }
}

TEST_F(TlsTest, says_that_its_certificate_has_expired) {
  start({"--tls-listen", "127.0.0.1:0", "--listen", "127.0.0.1:0", "--tls-cert",
         certificates_.expired.certificate.string(), "--tls-key", certificates_.expired.key.string()});
  EXPECT_TRUE(daemon().logs("warning event=certificate"));
}

TEST_F(TlsTest, tells_when_its_certificates_expire) {
  CertificateWishes wishes = TestCertificates::for_server();
  wishes.lifetime = std::chrono::hours(20 * 24);
  const CertifiedKey used = certificates_.authority.issue("used", wishes);
  start({"--tls-listen", "127.0.0.1:0", "--tls-cert", used.certificate.string(), "--tls-key",
         used.key.string(), "--tls-client-ca", certificates_.ca.string()});
  const Outcome status =
      run(program_file("lektctl"), {"--database", database().string(), "status", "--json"});
  ASSERT_EQ(status.status, 0) << status.errors;
  const auto totals = nlohmann::json::parse(status.output).at("server").at("totals");
  const auto of = [&](const char* which) { return totals.at(which).get<std::string>(); };
  EXPECT_NE(of("certificate_expires"), of("client_authorities_expire"));
  EXPECT_PRED_FORMAT2(IsSubstring,
                      "file=" + used.certificate.string() + " expires=" + of("certificate_expires") + "\n",
                      daemon().log());
  EXPECT_PRED_FORMAT2(
      IsSubstring, "file=" + certificates_.ca.string() + " expires=" + of("client_authorities_expire") + "\n",
      daemon().log());
}

TEST_F(TlsTest, warns_from_two_weeks_before_a_certificate_expires_until_there_is_another) {
  CertificateWishes soon = TestCertificates::for_server();
  soon.lifetime = std::chrono::hours(13 * 24);
  const CertifiedKey used = certificates_.authority.issue("soon", soon);
  start({"--tls-listen", "127.0.0.1:0", "--listen", "127.0.0.1:0", "--tls-cert", used.certificate.string(),
         "--tls-key", used.key.string(), "--tls-client-ca", certificates_.expired.certificate.string()});
  EXPECT_TRUE(daemon().logs("event=certificate_expires message=\"E616 " + used.certificate.string() +
                            " expires at 20"));
  EXPECT_PRED_FORMAT2(IsSubstring, certificates_.expired.certificate.string() + " has expired at 20",
                      daemon().log());
  const auto warnings = [&](const std::string& count) {
    return eventually(
        [&] {
          return Operator(database()).ask_one("SELECT count(*) FROM warnings WHERE code = 'E616'") == count;
        },
        patience());
  };
  EXPECT_TRUE(warnings("1"));
  certificates_.authority.issue("soon", TestCertificates::for_server());
  certificates_.authority.issue("expired", TestCertificates::for_server());
  kill(daemon().id(), SIGHUP);
  EXPECT_TRUE(warnings("0"));
}

TEST_F(TlsTest, warns_of_a_certificate_that_signs_its_own_and_expires_before_it) {
  const CertificateAuthority soon(certificates_.directory(), "signs", std::chrono::hours(13 * 24));
  const CertifiedKey used = soon.issue("chain", TestCertificates::for_server());
  std::ofstream(used.certificate, std::ios::app) << read_text(soon.certificate());
  start({"--tls-listen", "127.0.0.1:0", "--tls-cert", used.certificate.string(), "--tls-key",
         used.key.string()});
  EXPECT_TRUE(daemon().logs("event=certificate_expires message=\"E616 " + used.certificate.string() +
                            " expires at 20"))
      << daemon().log();
}

TEST_F(TlsTest, asks_nobody_for_a_pass_phrase) {
  const std::filesystem::path secret = directory_.path() / "secret.key";
  const CertifiedKey used = certificates_.authority.issue("used", TestCertificates::for_server());
  ASSERT_EQ(run("/usr/bin/openssl",
                {"pkey", "-in", used.key.string(), "-aes256", "-passout", "pass:x", "-out", secret.string()})
                .status,
            0);
  const Outcome outcome = run(
      program_file("lektd"),
      {"--tls-listen", "127.0.0.1:0", "--tls-cert", used.certificate.string(), "--tls-key", secret.string()});
  EXPECT_EQ(outcome.status, 1);
  EXPECT_PRED_FORMAT2(IsSubstring, "it has a pass phrase, for which nobody is asked", outcome.errors);
  start({"--tls-listen", "127.0.0.1:0", "--listen", "127.0.0.1:0", "--tls-cert", used.certificate.string(),
         "--tls-key", used.key.string()});
  std::filesystem::rename(secret, used.key);
  kill(daemon().id(), SIGHUP);
  EXPECT_TRUE(daemon().logs("E606 cannot use " + used.key.string()));
  joined(plain_port(), "127.0.0.2").beat();
}

TEST_F(TlsTest, reads_no_pipe_which_a_reload_would_wait_for) {
  const std::filesystem::path pipe = directory_.path() / "pipe";
  ASSERT_EQ(mkfifo(pipe.c_str(), 0600), 0);
  const Outcome outcome =
      run(program_file("lektd"), {"--tls-listen", "127.0.0.1:0", "--tls-cert",
                                  certificates_.server.certificate.string(), "--tls-key", pipe.string()});
  EXPECT_EQ(outcome.status, 1);
  EXPECT_PRED_FORMAT2(IsSubstring, "it is not a regular file", outcome.errors);
}

TEST_F(TlsTest, does_not_start_with_files_that_do_not_fit) {
  const std::string certificate = certificates_.server.certificate.string();
  const auto outcome_with = [&](const std::string& cert, const std::string& key) {
    return run(program_file("lektd"), {"--tls-listen", "127.0.0.1:0", "--tls-cert", cert, "--tls-key", key});
  };
  const Outcome missing = outcome_with("/nowhere.pem", certificates_.server.key.string());
  EXPECT_EQ(missing.status, 1);
  EXPECT_PRED_FORMAT2(IsSubstring, "E510 cannot use /nowhere.pem as a certificate", missing.errors);
  const Outcome other = outcome_with(certificate, certificates_.client.key.string());
  EXPECT_EQ(other.status, 1);
  EXPECT_PRED_FORMAT2(IsSubstring, "key values mismatch", other.errors);
  const Outcome half = run(program_file("lektd"), {"--tls-listen", "127.0.0.1:0", "--tls-cert", certificate});
  EXPECT_EQ(half.status, 2);
  EXPECT_PRED_FORMAT2(IsSubstring, "E501 --tls-listen needs a certificate and its key", half.errors);
  const Outcome useless = run(program_file("lektd"), {"--listen", "127.0.0.1:0", "--tls-cert", certificate});
  EXPECT_EQ(useless.status, 2);
  EXPECT_PRED_FORMAT2(IsSubstring, "of no use without --tls-listen", useless.errors);
}

}  // namespace lekt::test
