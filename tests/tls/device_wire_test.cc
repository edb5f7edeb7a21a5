// A device's registrations and their DTLS sessions, against a server that the test plays, in virtual time.
#include "client/device_wire.h"

#include <gtest/gtest.h>

#include "tests/tls/dtls_pair.h"

namespace lekt::test {
namespace {

using namespace std::chrono_literals;

constexpr std::uint16_t dedicated_port = 5007;

class DeviceWireTest : public testing::Test {
 protected:
  template <class Body>
  static Bytes message(std::uint64_t registration, const Body& body, std::uint32_t number = 0,
                       std::uint8_t extra = 0) {
    return encode_datagram({Body::type, {0, 0, extra}, registration, number, 0}, body);
  }

  /// Takes everything that the device sends: packets 1 and 3 are answered, records are the session's.
  void exchange() {
    while (const auto datagram = wire_.next(now_)) {
      const auto head = read_head_to_server(datagram->second);
      if (!head && answers_) take_record(datagram->second);
      if (!head) continue;
      registration_ = head->registration;
      if (head->type == DatagramType::connection_request)
        wire_.receive(0, message(registration_, ConnectionAccept{dedicated_port, {}}, 0, extra_dtls), now_);
      if (head->type != DatagramType::registration_request) continue;
      server_ = std::make_unique<DtlsSession>(server_context_, now_);
      wire_.receive(dedicated_port, message(registration_, RegistrationAccept{}, 0, extra_dtls), now_);
    }
  }
  void take_record(ByteView record) {
    std::vector<Bytes> to_send;
    server_->receive(record, now_, to_send, taken_);
    for (const Bytes& bytes : to_send) wire_.receive(dedicated_port, bytes, now_);
  }
  template <class Body>
  void server_says(const Body& body, std::uint32_t number) {
    std::vector<Bytes> to_send;
    ASSERT_TRUE(server_->send(message(registration_, body, number), to_send));
    for (const Bytes& bytes : to_send) wire_.receive(dedicated_port, bytes, now_);
    exchange();
  }
  void begin_session() {
    exchange();
    server_says(GetDeviceConfig{}, 1);
    server_says(SetDeviceConfig{Ticket{1}, 0, {}}, 2);
  }
  void type() {
    Bytes items;
    append_item(items, TypedItem{"a"});
    ASSERT_TRUE(link_.type(items));
    exchange();
  }

  VirtualWallClock clock_;
  TestCertificates certificates_;
  DtlsContext server_context_{settings_of(certificates_.server)};
  AwakeTime now_{1'000};
  std::uint64_t numbers_ = 0;
  DeviceLink link_{{.string = "AB~", .ticket = {}, .encrypted = true}, [this] { return ++numbers_; }, now_};
  DeviceWire wire_{link_, DeviceWire::Dtls{std::make_shared<const DtlsContext>(
                                               make_dtls_context({.authorities = certificates_.ca})),
                                           "127.0.0.1"}};
  bool answers_ = true;
  std::unique_ptr<DtlsSession> server_;
  std::uint64_t registration_ = 0;
  std::vector<Bytes> taken_;  ///< what came in records
};

TEST_F(DeviceWireTest, begins_a_session_in_records) {
  begin_session();
  EXPECT_EQ(link_.phase(), DeviceLink::Phase::serving);
  ASSERT_GT(taken_.size(), 1u);
  EXPECT_EQ(read_head_to_server(taken_[1])->type, DatagramType::device_config) << "after an acknowledgment";
}

TEST_F(DeviceWireTest, gives_up_a_handshake_that_nobody_answers_after_10_s) {
  answers_ = false;
  exchange();
  while (link_.phase() == DeviceLink::Phase::connecting) {
    ASSERT_TRUE(wire_.due());
    now_ = std::max(now_ + 1ms, *wire_.due());
    exchange();
  }
  EXPECT_EQ(now_, AwakeTime(11'000));
  ASSERT_TRUE(link_.ending());
  EXPECT_EQ(link_.ending()->code, ErrorCode::tls_handshake_failed);
}

TEST_F(DeviceWireTest, registers_anew_when_dtls_was_closed_and_nobody_said_why) {
  begin_session();
  const std::uint64_t first = registration_;
  std::vector<Bytes> to_send;
  server_->close(to_send);
  for (const Bytes& bytes : to_send) wire_.receive(dedicated_port, bytes, now_);
  ASSERT_TRUE(link_.ending());
  EXPECT_EQ(link_.ending()->code, ErrorCode::registration_unknown);
  now_ += 1s;
  begin_session();
  EXPECT_NE(registration_, first);
  EXPECT_EQ(link_.phase(), DeviceLink::Phase::serving);
}

TEST_F(DeviceWireTest, gets_the_same_port_again_from_a_server_that_has_forgotten_it) {
  begin_session();
  const std::uint64_t first = registration_;
  server_ = std::make_unique<DtlsSession>(server_context_, now_);  // which understands nothing
  type();
  EXPECT_EQ(link_.phase(), DeviceLink::Phase::serving);
  now_ += 3s;
  taken_.clear();
  begin_session();
  EXPECT_NE(registration_, first);
  ASSERT_EQ(link_.encrypted().size(), 1u);
  EXPECT_EQ(link_.encrypted()[0].registration, registration_);
  ASSERT_FALSE(taken_.empty());
  EXPECT_EQ(read_head_to_server(taken_.back())->type, DatagramType::message) << "what was typed";
}

TEST_F(DeviceWireTest, passes_over_records_of_other_ports_and_of_none) {
  wire_.receive(0, hex("16 fefd 0000 000000000000 0000"), now_);
  begin_session();
  wire_.receive(dedicated_port + 1, hex("17 fefd 0001 000000000009 0000"), now_);
  EXPECT_EQ(link_.phase(), DeviceLink::Phase::serving);
}

}  // namespace
}  // namespace lekt::test
