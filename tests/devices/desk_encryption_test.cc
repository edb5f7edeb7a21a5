// DTLS as the desk sees it: who agrees to it when, what is taken and sent in it, and how long its handshake may take.
#include <string>

#include "tests/devices/desk.h"

namespace lekt::test {
namespace {

class DeskEncryptionTest : public DeskTest {
 protected:
  void use(DeviceEncryption encryption, const std::string& group = "default") {
    DeviceDesk::Settings settings;
    settings.encryption = encryption;
    settings.groups = std::make_shared<const DeviceGroups>(
        std::get<DeviceGroups>(DeviceGroups::make({group_of(group)}, {})));
    desk_.use(settings);
  }
  template <class Body>
  static Bytes with_bit(std::uint64_t registration, const Body& body) {
    return encode_datagram({Body::type, {0, 0, extra_dtls}, registration, 0, 0}, body);
  }
  /// Packet 1 with the offer; yields packet 2.
  ConnectionAccept offer() {
    contact(example_endpoint, with_bit(first_number, ConnectionRequest{}));
    return std::get<ConnectionAccept>(
        std::get<BodyToDevice>(read_body_to_device(answer().head, answer().bytes)));
  }
  bool agreed() { return (answer().head.version.extra & extra_dtls) != 0; }
  /// Packets 1 to 4 with DTLS; yields the port.
  std::uint16_t register_encrypted() {
    const ConnectionAccept accepted = offer();
    EXPECT_TRUE(agreed());
    dedicated(accepted.port, example_endpoint, with_bit(first_number, RegistrationRequest{accepted.token}));
    EXPECT_EQ(answer().head.type, DatagramType::registration_accept);
    EXPECT_TRUE(agreed());
    return accepted.port;
  }
  void decrypted(std::uint16_t port, const Bytes& bytes) {
    outside_.sent.clear();
    desk_.receive_decrypted(port, bytes, now_);
  }
  const Bytes config_ = datagram(first_number, DeviceConfig{no_ticket, its_string}, 1, 1);
};

TEST_F(DeskEncryptionTest, is_not_agreed_to_where_it_is_off) {
  (void)offer();
  EXPECT_FALSE(agreed());
}

TEST_F(DeskEncryptionTest, is_agreed_to_only_with_those_who_offer_it) {
  use(DeviceEncryption::offered);
  (void)offer();
  EXPECT_TRUE(agreed());
  (void)accept(example_endpoint, 7);
  EXPECT_FALSE(agreed());
}

TEST_F(DeskEncryptionTest, is_asked_for_with_packet_1_where_it_is_required) {
  use(DeviceEncryption::required);
  contact(example_endpoint, datagram(first_number, ConnectionRequest{}));
  EXPECT_EQ(refused_with(), ErrorCode::encryption_required);
  EXPECT_LE(answer().bytes.size(), limits::device_request_bytes);
}

TEST_F(DeskEncryptionTest, cannot_be_taken_back_on_the_way) {
  use(DeviceEncryption::offered);
  const ConnectionAccept accepted = offer();
  dedicated(accepted.port, example_endpoint, datagram(first_number, RegistrationRequest{accepted.token}));
  EXPECT_EQ(refused_with(), ErrorCode::token_refused);
}

TEST_F(DeskEncryptionTest, is_not_begun_when_it_was_switched_off_since_packet_2) {
  use(DeviceEncryption::offered);
  const ConnectionAccept accepted = offer();
  use(DeviceEncryption::off);
  dedicated(accepted.port, example_endpoint, with_bit(first_number, RegistrationRequest{accepted.token}));
  EXPECT_EQ(refused_with(), ErrorCode::token_refused);
}

TEST_F(DeskEncryptionTest, comes_before_packet_5_which_is_sent_in_it) {
  use(DeviceEncryption::offered);
  const std::uint16_t port = register_encrypted();
  EXPECT_TRUE(outside_.encrypted.contains(port));
  wait(5s);
  EXPECT_TRUE(outside_.sent.empty());
  desk_.handshake_done(port, now_);
  wait(99ms);
  EXPECT_TRUE(outside_.sent.empty());
  wait(1ms);
  EXPECT_EQ(answer().head.type, DatagramType::get_device_config);
  EXPECT_TRUE(answer().is_encrypted);
  decrypted(port, config_);
  ASSERT_EQ(outside_.sent.size(), 2u);
  EXPECT_TRUE(outside_.sent[0].is_encrypted);
  bool is_in_force = false;
  const auto body = read_body_to_device(outside_.sent[0].head, outside_.sent[0].bytes);
  for_each_rule(std::get<SetDeviceConfig>(std::get<BodyToDevice>(body)).rules,
                [&](DeviceRule rule, std::uint32_t value) {
                  if (rule == DeviceRule::encryption) is_in_force = value == 1;
                });
  EXPECT_TRUE(is_in_force);
}

TEST_F(DeskEncryptionTest, has_ten_seconds_for_its_handshake) {
  use(DeviceEncryption::offered);
  const std::uint16_t port = register_encrypted();
  wait(9'999ms);
  EXPECT_NE(desk_.registration(port), nullptr);
  wait(1ms);
  EXPECT_EQ(refused_with(), ErrorCode::tls_handshake_failed);
  EXPECT_FALSE(answer().is_encrypted) << "there is nothing to send it in";
  EXPECT_FALSE(outside_.registrations.contains(port)) << "its owner is told to drop its state";
}

TEST_F(DeskEncryptionTest, takes_nothing_as_it_is_but_packet_3_until_the_handshake_is_done) {
  use(DeviceEncryption::offered);
  const ConnectionAccept accepted = offer();
  const Bytes request = with_bit(first_number, RegistrationRequest{accepted.token});
  for (int times = 0; times < 2; ++times) {
    dedicated(accepted.port, example_endpoint, request);
    EXPECT_EQ(answer().head.type, DatagramType::registration_accept);
  }
  dedicated(accepted.port, example_endpoint, datagram(first_number, Bye{}));
  EXPECT_TRUE(outside_.sent.empty());
  decrypted(accepted.port, datagram(first_number, Bye{}));
  EXPECT_TRUE(outside_.sent.empty()) << "there can be no record yet";
  desk_.handshake_done(accepted.port, now_);
  for (const Bytes& plain : {request, datagram(first_number, Bye{})}) {
    dedicated(accepted.port, example_endpoint, plain);
    EXPECT_TRUE(outside_.sent.empty());
  }
  EXPECT_NE(desk_.registration(accepted.port), nullptr);
  EXPECT_EQ(desk_.counts().malformed, 4u);
  decrypted(accepted.port, datagram(first_number, Bye{}));
  EXPECT_EQ(refused_with(), ErrorCode::session_ended);
  EXPECT_TRUE(answer().is_encrypted);
}

TEST_F(DeskEncryptionTest, passes_over_records_that_carry_what_belongs_elsewhere) {
  use(DeviceEncryption::offered);
  const std::uint16_t port = register_encrypted();
  desk_.handshake_done(port, now_);
  for (const Bytes& wrong : {datagram(first_number + 1, Bye{}), datagram(first_number, ConnectionRequest{}),
                             with_bit(first_number, RegistrationRequest{}), Bytes("LEKT"), Bytes()})
    decrypted(port, wrong);
  decrypted(5002, datagram(first_number, Bye{}));
  EXPECT_TRUE(outside_.sent.empty());
  EXPECT_EQ(desk_.counts().malformed, 6u);
}

TEST_F(DeskEncryptionTest, is_asked_for_with_packet_6_where_the_group_requires_it) {
  use(DeviceEncryption::offered, "default;encryption=required");
  const std::uint16_t port = register_device();
  wait(100ms);
  dedicated(port, example_endpoint, config_);
  EXPECT_EQ(refused_with(), ErrorCode::encryption_required);
  EXPECT_EQ(desk_.book().size(), 0u);
}

TEST_F(DeskEncryptionTest, is_asked_for_with_packet_6_where_the_session_of_the_ticket_requires_it) {
  use(DeviceEncryption::offered, "default;encryption=required");
  const std::uint16_t port = register_encrypted();
  desk_.handshake_done(port, now_);
  wait(100ms);
  decrypted(port, config_);
  ASSERT_EQ(desk_.book().size(), 1u);
  use(DeviceEncryption::offered);
  const std::uint16_t plain = register_device({example_device, 4000}, 7);
  wait(100ms);
  dedicated(plain, {example_device, 4000}, datagram(7, DeviceConfig{session().ticket(), its_string}, 1, 1));
  EXPECT_EQ(refused_with(), ErrorCode::encryption_required);
  EXPECT_EQ(session().port(), port);
}

TEST_F(DeskEncryptionTest, is_asked_for_with_packet_6_where_it_is_required_since_packet_1) {
  const std::uint16_t port = register_device();
  use(DeviceEncryption::required);
  wait(100ms);
  dedicated(port, example_endpoint, config_);
  EXPECT_EQ(refused_with(), ErrorCode::encryption_required);
}

}  // namespace
}  // namespace lekt::test
