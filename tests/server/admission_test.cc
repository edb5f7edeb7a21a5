#include "server/admission.h"

#include <gtest/gtest.h>

namespace lekt {
namespace {

constexpr Ipv4Address first{0x0a000001};
constexpr Ipv4Address second{0x0a000002};

class AdmissionTest : public testing::Test {
 protected:
  std::optional<ErrorCode> admit(Ipv4Address address) {
    const auto rejection = admission_.admit(address);
    return rejection ? std::optional(rejection->code) : std::nullopt;
  }
  void join(Ipv4Address address) {
    ASSERT_EQ(admit(address), std::nullopt);
    admission_.end_handshake(address);
  }

  Admission admission_{{{}, {parse_cidr("192.0.2.0/24").value()}}, {8, 3, 2}};
};

}  // namespace

TEST_F(AdmissionTest, refuses_an_address_that_is_denied) {
  EXPECT_EQ(admit({0xc0000201}), ErrorCode::address_denied);
  EXPECT_EQ(admit(first), std::nullopt);
}

TEST_F(AdmissionTest, counts_handshakes_and_not_clients_that_have_joined) {
  for (int count = 0; count < 5; ++count) join(first);
  EXPECT_EQ(admission_.handshakes(), 0u);
  EXPECT_EQ(admission_.connections(), 5u);
}

TEST_F(AdmissionTest, lets_no_address_take_all_handshakes) {
  EXPECT_EQ(admit(first), std::nullopt);
  EXPECT_EQ(admit(first), std::nullopt);
  EXPECT_EQ(admit(first), ErrorCode::address_busy);
}

TEST_F(AdmissionTest, limits_the_handshakes_of_all_addresses) {
  EXPECT_EQ(admit(first), std::nullopt);
  EXPECT_EQ(admit(first), std::nullopt);
  EXPECT_EQ(admit(second), std::nullopt);
  EXPECT_EQ(admit(second), ErrorCode::handshakes_too_many);
}

TEST_F(AdmissionTest, admits_again_when_handshakes_have_ended) {
  ASSERT_EQ(admit(first), std::nullopt);
  ASSERT_EQ(admit(first), std::nullopt);
  ASSERT_EQ(admit(first), ErrorCode::address_busy);
  for (int count = 0; count < 3; ++count) admission_.end_handshake(first);
  EXPECT_EQ(admission_.handshakes(), 0u);
  EXPECT_EQ(admit(first), std::nullopt);
}

TEST_F(AdmissionTest, limits_connections_until_some_are_closed) {
  for (int count = 0; count < 8; ++count) join(first);
  EXPECT_EQ(admit(second), ErrorCode::server_full);
  admission_.end_handshake(second);
  admission_.end_connection();
  admission_.end_connection();
  EXPECT_EQ(admit(second), std::nullopt);
}

}  // namespace lekt
