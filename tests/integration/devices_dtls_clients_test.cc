// DTLS of a running lektd with other people's clients: those of OpenSSL and of GnuTLS.
//
// They know nothing of packets 1 to 4. So the test registers a device with a socket of its own, and passes datagrams on
// between a program and the dedicated port: to lektd the program has the address and port that are registered.
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <csignal>

#include "common/descriptor.h"
#include "common/device_packets.h"
#include "server/net/udp_socket.h"
#include "tests/integration/devices.h"
#include "tests/support/certificates.h"
#include "tls/dtls_session.h"

namespace lekt::test {

namespace {

using testing::IsSubstring;

/// A device that has registered, and the network between it and a program.
class RelayedDevice {
 public:
  RelayedDevice(const std::string& own, const std::string& server)
      : own_(ip(own)), server_(ip(server)), socket_(own_, 0), inside_(own_, 0) {}

  /// Packets 1 to 4, in which both agree to DTLS.
  void register_itself(std::uint64_t number) {
    number_ = number;
    const auto accept = ask<ConnectionAccept>(3006, ConnectionRequest());
    ASSERT_TRUE(accept) << "no packet 2";
    port_ = accept->port;
    ASSERT_TRUE(ask<RegistrationAccept>(port_, RegistrationRequest{accept->token})) << "no packet 4";
    // Packet 3 may have been sent more than once.
    packet_4_ = encode_datagram({RegistrationAccept::type, offer(), number_, 0, 0}, RegistrationAccept());
  }

  /// Where the program finds lektd.
  std::string address() const { return to_string(own_); }
  std::string port() const { return std::to_string(inside_.port()); }

  /// Passes on what has come, in both directions.
  void pass_on() {
    std::array<char, 4096> buffer;
    while (const auto arrival = inside_.receive(buffer)) {
      program_ = arrival->from;
      send(arrival->datagram);
    }
    while (const auto arrival = socket_.receive(buffer)) {
      const Bytes datagram(arrival->datagram);
      if (!is_dtls_record(datagram)) {
        if (datagram != packet_4_) plain_.push_back(datagram);
        continue;
      }
      if (program_) inside_.send(own_, *program_, datagram);
      if (datagram.front() == alert) ++alerts_;
    }
  }

  /// Until the condition holds, or it is too late.
  template <class Condition>
  bool pass_on_until(Condition condition) {
    return eventually([&] { return pass_on(), condition(); }, 2 * patience());
  }

  void send(ByteView datagram) { socket_.send(own_, {server_, port_}, datagram); }
  template <class Body>
  Bytes message(const Body& body, std::uint32_t number, std::uint32_t acknowledged) const {
    return encode_datagram({Body::type, version_spoken, number_, number, acknowledged}, body);
  }
  /// What has come as it is, but for packets 2 and 4.
  const std::vector<Bytes>& plain() const { return plain_; }
  /// Records in which DTLS itself says something, such as that it is over.
  std::size_t alerts() const { return alerts_; }

 private:
  static constexpr char alert = 21;

  static Version offer() {
    Version offers = version_spoken;
    offers.extra = extra_dtls;
    return offers;
  }

  template <class Answer, class Question>
  std::optional<Answer> ask(std::uint16_t port, const Question& question) {
    std::array<char, 4096> buffer;
    std::optional<Answer> answer;
    eventually(
        [&] {
          socket_.send(own_, {server_, port},
                       encode_datagram({Question::type, offer(), number_, 0, 0}, question));
          const auto arrival = socket_.receive(buffer);
          const auto head = arrival ? read_head_to_device(arrival->datagram) : std::nullopt;
          if (!head || head->type != Answer::type) return false;
          EXPECT_EQ(head->version.extra, extra_dtls);
          const auto body = read_body_to_device(*head, arrival->datagram);
          answer = std::get<Answer>(std::get<BodyToDevice>(body));
          return true;
        },
        patience());
    return answer;
  }

  const Address own_;
  const Address server_;
  UdpSocket socket_;  ///< the device's
  UdpSocket inside_;  ///< to which the program speaks
  std::optional<DeviceEndpoint> program_;
  std::uint64_t number_ = 0;
  std::uint16_t port_ = 0;
  Bytes packet_4_;
  std::vector<Bytes> plain_;
  std::size_t alerts_ = 0;
};

/// A program whose input the test writes bit by bit.
class FedProgram {
 public:
  FedProgram(const std::filesystem::path& directory, const std::string& program, const Flags& arguments)
      : pipe_(make_pipe(directory / ("input-" + std::to_string(++count_)))),
        input_(::open(pipe_.c_str(), O_RDWR | O_CLOEXEC)),
        process_("/bin/sh", in_shell(program, arguments), directory) {}

  void write(ByteView bytes) {
    EXPECT_EQ(::write(input_.value(), bytes.data(), bytes.size()), static_cast<ssize_t>(bytes.size()));
  }
  bool has_ended() { return process_.has_ended(); }
  /// What it has decrypted, and with GnuTLS also what it says itself.
  std::string output() const { return process_.output(); }
  std::string words() const { return process_.output() + process_.errors(); }

 private:
  static std::filesystem::path make_pipe(const std::filesystem::path& path) {
    EXPECT_EQ(::mkfifo(path.c_str(), 0600), 0);
    return path;
  }
  Flags in_shell(const std::string& program, const Flags& arguments) const {
    EXPECT_TRUE(std::filesystem::exists(program)) << program << " is missing (deploy/packages)";
    Flags words = {"-c", "exec \"$@\" <\"$0\"", pipe_.string(), program};
    words.insert(words.end(), arguments.begin(), arguments.end());
    return words;
  }

  static inline int count_ = 0;
  const std::filesystem::path pipe_;
  Descriptor input_;  ///< also for reading, so that it is open at once, and the program never finds an end
  Process process_;
};

class DevicesDtlsClientsTest : public DevicesTest {
 protected:
  void serve_with(const CertifiedKey& certificate, const Flags& more = {},
                  const std::string& ports = "5000-5099") {
    Flags flags = {"--tls-cert", certificate.certificate, "--tls-key", certificate.key};
    flags.insert(flags.end(), more.begin(), more.end());
    start(device_flags(flags, ports));
    device_.emplace("127.0.0.3", contact());
    device_->register_itself(++registration_);
  }
  /// Another registration of the same server.
  void register_anew() {
    device_.emplace("127.0.0.3", contact());
    device_->register_itself(++registration_);
  }

  FedProgram openssl(const std::filesystem::path& ca, const Flags& more = {}) const {
    Flags arguments = {"s_client", "-dtls1_2",
                       "-quiet",   "-verify_return_error",
                       "-connect", device_->address() + ":" + device_->port(),
                       "-CAfile",  ca};
    arguments.insert(arguments.end(), more.begin(), more.end());
    return {directory_.path(), "/usr/bin/openssl", arguments};
  }
  FedProgram gnutls(const std::filesystem::path& ca) const {
    return {directory_.path(),
            "/usr/bin/gnutls-cli",
            {"--udp", "--x509cafile", ca, "--verify-hostname", "localhost", "-p", device_->port(),
             device_->address()}};
  }

  /// It prints packet 5, which came in a record.
  bool hears_packet_5(FedProgram& program) {
    const Bytes packet = device_->message(GetDeviceConfig(), 1, 0);
    return device_->pass_on_until([&] { return program.output().find(packet) != std::string::npos; });
  }
  Bytes packet_6() const {
    return device_->message(DeviceConfig{no_ticket, "AB~001~19~000~lekt~24~80~09~01~0107~0000~000~A1~"}, 1,
                            1);
  }
  void expect_refuses(FedProgram program, const std::string& words, const std::string& reason) {
    EXPECT_TRUE(device_->pass_on_until([&] { return program.has_ended(); }));
    EXPECT_PRED_FORMAT2(IsSubstring, words, program.words());
    EXPECT_TRUE(
        device_->pass_on_until([&] { return count(daemon().log(), "event=device_handshake_failed") > 0; }));
    EXPECT_PRED_FORMAT2(IsSubstring, "the DTLS handshake failed: " + reason, daemon().log());
    EXPECT_TRUE(devices({"--state", "active"}).empty());
  }

  TestCertificates certificates_;
  std::optional<RelayedDevice> device_;
  std::uint64_t registration_ = 0x0123456789abcdef;
};

}  // namespace

TEST_F(DevicesDtlsClientsTest, openssl_has_a_session_and_plain_datagrams_do_nothing_to_it) {
  serve_with(certificates_.server);
  FedProgram program = openssl(certificates_.ca);
  ASSERT_TRUE(hears_packet_5(program)) << program.words() << daemon().log();
  // Who can forge the device's address, and has seen packet 3, says this.
  device_->send(packet_6());
  device_->send(device_->message(Bye(), 0, 0));
  program.write(packet_6());
  const auto has_heard = [&](DatagramType type) {
    const std::string head = std::string("LEKT") + static_cast<char>(type);
    return device_->pass_on_until([&] { return program.output().find(head) != std::string::npos; });
  };
  EXPECT_TRUE(has_heard(DatagramType::set_device_config)) << daemon().log();
  EXPECT_TRUE(has_heard(DatagramType::set_time));
  EXPECT_TRUE(are_there(1));
  const Json known = objects({"device", "A1"}).at(0);
  EXPECT_EQ(known.at("status").at("dtls"), true);
  EXPECT_EQ(known.at("rules").at(0), "encryption 1");
  // As the next thing that it could say.
  device_->send(device_->message(Bye(), 2, 3));
  program.write(device_->message(Acknowledgment(), 0, 3));
  EXPECT_TRUE(has_heard(DatagramType::message));
  EXPECT_TRUE(are_there(1)) << "a plain goodbye is nobody's";
  program.write(device_->message(Bye(), 0, 3));
  EXPECT_TRUE(device_->pass_on_until([&] { return devices().empty(); }));
  EXPECT_EQ(device_->plain(), std::vector<Bytes>{}) << "all that was said was in records";
}

TEST_F(DevicesDtlsClientsTest, gnutls_hears_packet_5) {
  serve_with(certificates_.server);
  FedProgram program = gnutls(certificates_.ca);
  EXPECT_TRUE(hears_packet_5(program)) << program.words() << daemon().log();
  EXPECT_EQ(device_->plain(), std::vector<Bytes>{});
}

TEST_F(DevicesDtlsClientsTest, who_gives_way_while_it_hears_nothing_is_told_nothing_either) {
  serve_with(certificates_.server, {}, "5000-5000");
  FedProgram program = openssl(certificates_.ca);
  ASSERT_TRUE(hears_packet_5(program)) << program.words() << daemon().log();
  program.write(packet_6());
  ASSERT_TRUE(device_->pass_on_until([&] { return devices({"--state", "active"}).size() == 1; }));
  // From now on nothing is passed on to it, and another device needs the port.
  const auto other = stay({"A2", "127.0.0.4"});
  ASSERT_TRUE(eventually([&] { return device("A2") != nullptr && device("A2").at("state") == "active"; },
                         2 * patience()));
  device_->pass_on();
  EXPECT_EQ(device_->alerts(), 0u) << "its address may be somebody else's by now";
  EXPECT_EQ(device_->plain(), std::vector<Bytes>{});
}

TEST_F(DevicesDtlsClientsTest, a_server_of_another_authority_is_refused) {
  serve_with(certificates_.server);
  expect_refuses(openssl(certificates_.unknown_authority.certificate()), "verify error",
                 "tlsv1 alert unknown ca");
  register_anew();
  FedProgram other = gnutls(certificates_.unknown_authority.certificate());
  EXPECT_TRUE(device_->pass_on_until([&] { return other.has_ended(); }));
  EXPECT_PRED_FORMAT2(IsSubstring, "The certificate is NOT trusted", other.words());
}

TEST_F(DevicesDtlsClientsTest, an_expired_certificate_is_refused) {
  serve_with(certificates_.expired);
  expect_refuses(openssl(certificates_.ca), "certificate has expired", "sslv3 alert certificate expired");
}

TEST_F(DevicesDtlsClientsTest, who_has_to_show_a_certificate_and_has_none_is_refused) {
  serve_with(certificates_.server, {"--tls-client-ca", certificates_.ca});
  expect_refuses(openssl(certificates_.ca), "alert", "peer did not return a certificate");
  register_anew();
  FedProgram with_certificate = openssl(
      certificates_.ca, {"-cert", certificates_.client.certificate, "-key", certificates_.client.key});
  EXPECT_TRUE(hears_packet_5(with_certificate)) << with_certificate.words() << daemon().log();
}

TEST_F(DevicesDtlsClientsTest, a_reload_gives_another_certificate_to_those_who_come_then) {
  const CertifiedKey used = certificates_.authority.issue("used", TestCertificates::for_server());
  serve_with(used);
  FedProgram before = openssl(certificates_.ca);
  ASSERT_TRUE(hears_packet_5(before)) << before.words() << daemon().log();
  RelayedDevice first = std::move(*device_);
  certificates_.unknown_authority.issue("used", TestCertificates::for_server());
  ::kill(daemon().id(), SIGHUP);
  ASSERT_TRUE(daemon().logs("event=reloaded"));
  register_anew();
  FedProgram after = openssl(certificates_.unknown_authority.certificate());
  EXPECT_TRUE(hears_packet_5(after)) << after.words() << daemon().log();
  before.write(
      first.message(DeviceConfig{no_ticket, "AB~001~19~000~lekt~24~80~09~01~0107~0000~000~A1~"}, 1, 1));
  EXPECT_TRUE(first.pass_on_until([&] {
    return devices({"--state", "active"}).size() == 1;
  })) << "who came before goes on";
}

}  // namespace lekt::test
