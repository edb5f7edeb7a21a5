// A device that wants DTLS, without its handshakes: what it says to whom, and what it does not listen to.
#include <gtest/gtest.h>

#include <string>

#include "client/device_link.h"

namespace lekt::test {
namespace {

using namespace std::chrono_literals;
using Phase = DeviceLink::Phase;

class DeviceLinkDtlsTest : public testing::Test {
 protected:
  /// Of the server, in this registration.
  template <class Body>
  Bytes says(std::uint64_t registration, const Body& body, bool agrees, std::uint32_t number = 0) const {
    return encode_datagram(
        {Body::type, {0, 0, agrees ? extra_dtls : std::uint8_t{0}}, registration, number, 0}, body);
  }
  /// What the device sends now; its registration is remembered. Empty if there is nothing.
  DeviceLink::Datagram sent() {
    const auto datagram = link_.next(now_);
    if (!datagram) return {};
    const auto head = read_head_to_server(datagram->bytes);
    type_ = head->type;
    offers_ = (head->version.extra & extra_dtls) != 0;
    number_ = head->registration;
    return *datagram;
  }
  /// Packets 1 to 4, with a server that agrees, at this port.
  void go_to_packet_4(std::uint16_t port) {
    ASSERT_EQ(sent().port, 0);
    EXPECT_TRUE(offers_) << "packet 1";
    link_.receive(0, says(number_, ConnectionAccept{port, {}}, true), now_);
    ASSERT_EQ(sent().port, port);
    EXPECT_EQ(type_, DatagramType::registration_request);
    EXPECT_TRUE(offers_) << "packet 3";
    link_.receive(port, says(number_, RegistrationAccept{}, true), now_);
  }
  /// And on to packet 7, within DTLS.
  void go_to_packet_7(std::uint16_t port) {
    go_to_packet_4(port);
    link_.handshake_done(number_, now_);
    link_.receive_decrypted(number_, says(number_, GetDeviceConfig{}, false, 1), now_);
    while (sent().port != 0) EXPECT_FALSE(offers_);
    link_.receive_decrypted(number_, says(number_, SetDeviceConfig{Ticket{1}, 0, {}}, false, 2), now_);
    while (sent().port != 0) continue;
  }
  DeviceFailure failure() const { return {"words"}; }

  AwakeTime now_{1'000};
  std::uint64_t next_number_ = 0;
  DeviceLink link_{
      {.string = "AB~", .ticket = {}, .encrypted = true}, [this] { return ++next_number_; }, now_};
  DatagramType type_{};
  bool offers_ = false;
  std::uint64_t number_ = 0;
};

TEST_F(DeviceLinkDtlsTest, a_plain_device_offers_nothing_and_has_nothing_to_encrypt) {
  DeviceLink plain(
      {.string = "AB~"}, [this] { return ++next_number_; }, now_);
  const auto first = plain.next(now_);
  ASSERT_TRUE(first);
  EXPECT_EQ(read_head_to_server(first->bytes)->version.extra, 0);
  plain.receive(0, says(next_number_, ConnectionAccept{5000, {}}, false), now_);
  EXPECT_EQ(read_head_to_server(plain.next(now_)->bytes)->version.extra, 0);
  plain.receive(5000, says(next_number_, RegistrationAccept{}, false), now_);
  EXPECT_TRUE(plain.encrypted().empty());
}

TEST_F(DeviceLinkDtlsTest, wants_a_handshake_when_packet_4_has_come) {
  go_to_packet_4(5007);
  const auto encrypted = link_.encrypted();
  ASSERT_EQ(encrypted.size(), 1u);
  EXPECT_EQ(encrypted[0].registration, number_);
  EXPECT_EQ(encrypted[0].port, 5007);
  EXPECT_FALSE(link_.next(now_)) << "nothing is said before it";
}

TEST_F(DeviceLinkDtlsTest, ends_at_a_server_that_does_not_agree) {
  (void)sent();
  link_.receive(0, says(number_, ConnectionAccept{5007, {}}, false), now_);
  ASSERT_EQ(link_.phase(), Phase::ended);
  EXPECT_EQ(link_.ending()->code, ErrorCode::encryption_required);
  EXPECT_FALSE(link_.next(now_)) << "no packet 3";
}

TEST_F(DeviceLinkDtlsTest, goes_on_with_its_session_when_a_later_attempt_is_not_agreed_to) {
  go_to_packet_7(5007);
  const std::uint64_t first = number_;
  Bytes key;
  append_item(key, TypedItem{"a"});
  ASSERT_TRUE(link_.type(key));
  EXPECT_EQ(sent().sealed_for, first);
  now_ += 3s;
  EXPECT_EQ(sent().port, 0);
  ASSERT_NE(number_, first);
  link_.receive(0, says(number_, ConnectionAccept{5008, {}}, false), now_);
  EXPECT_EQ(link_.phase(), Phase::serving);
  EXPECT_EQ(link_.ending()->code, ErrorCode::encryption_required);
  ASSERT_EQ(link_.encrypted().size(), 1u);
  EXPECT_EQ(link_.encrypted()[0].registration, first);
}

TEST_F(DeviceLinkDtlsTest, passes_over_a_packet_4_without_the_bit) {
  (void)sent();
  link_.receive(0, says(number_, ConnectionAccept{5007, {}}, true), now_);
  (void)sent();
  link_.receive(5007, says(number_, RegistrationAccept{}, false), now_);
  EXPECT_TRUE(link_.encrypted().empty());
  link_.receive(5007, says(number_, RegistrationAccept{}, true), now_);
  EXPECT_EQ(link_.encrypted().size(), 1u);
}

TEST_F(DeviceLinkDtlsTest, takes_messages_in_records_only) {
  go_to_packet_4(5007);
  link_.handshake_done(number_, now_);
  link_.receive(5007, says(number_, GetDeviceConfig{}, false, 1), now_);
  EXPECT_FALSE(link_.next(now_)) << "anybody could have sent it";
  link_.receive_decrypted(number_, says(number_, GetDeviceConfig{}, false, 1), now_);
  EXPECT_EQ(sent().sealed_for, number_);
}

TEST_F(DeviceLinkDtlsTest, takes_a_plain_failure_until_the_handshake_is_done) {
  go_to_packet_4(5007);
  const Bytes goodbye = says(number_, failure(), false, static_cast<std::uint32_t>(ErrorCode::host_hung_up));
  link_.handshake_done(number_, now_);
  link_.receive(5007, goodbye, now_);
  EXPECT_NE(link_.phase(), Phase::ended) << "the handshake is done";
  link_.receive_decrypted(number_, goodbye, now_);
  EXPECT_EQ(link_.phase(), Phase::ended);
}

TEST_F(DeviceLinkDtlsTest, tries_again_later_after_the_servers_plain_e109) {
  go_to_packet_4(5007);
  link_.receive(5007,
                says(number_, failure(), false, static_cast<std::uint32_t>(ErrorCode::tls_handshake_failed)),
                now_);
  EXPECT_EQ(link_.phase(), Phase::pausing);
  EXPECT_EQ(link_.ending()->code, ErrorCode::tls_handshake_failed);
}

TEST_F(DeviceLinkDtlsTest, tries_again_later_when_its_handshake_has_failed) {
  go_to_packet_4(5007);
  link_.dtls_ended(number_, {ErrorCode::tls_handshake_failed, "no"}, now_);
  EXPECT_EQ(link_.phase(), Phase::pausing);
  EXPECT_EQ(link_.message(), "E109 no");
  EXPECT_TRUE(link_.encrypted().empty());
}

TEST_F(DeviceLinkDtlsTest, waits_10_s_for_packet_7_after_its_handshake) {
  go_to_packet_4(5007);
  now_ += 9s;
  link_.handshake_done(number_, now_);
  now_ += 9s;
  EXPECT_FALSE(link_.next(now_));
  EXPECT_EQ(link_.phase(), Phase::connecting);
  now_ += 1s;
  (void)link_.next(now_);
  EXPECT_EQ(link_.ending()->code, ErrorCode::host_timeout);
}

TEST_F(DeviceLinkDtlsTest, has_dtls_for_two_registrations_while_it_registers_anew) {
  go_to_packet_7(5007);
  const std::uint64_t first = number_;
  Bytes key;
  append_item(key, TypedItem{"a"});
  ASSERT_TRUE(link_.type(key));
  (void)sent();
  now_ += 3s;
  go_to_packet_4(5007);
  const auto encrypted = link_.encrypted();
  ASSERT_EQ(encrypted.size(), 2u);
  EXPECT_EQ(encrypted[0].registration, number_) << "the newest is the first";
  EXPECT_EQ(encrypted[1].registration, first);
}

TEST_F(DeviceLinkDtlsTest, says_its_goodbye_in_a_record) {
  go_to_packet_7(5007);
  link_.leave(now_);
  EXPECT_EQ(sent().sealed_for, number_);
  EXPECT_EQ(type_, DatagramType::bye);
}

}  // namespace
}  // namespace lekt::test
