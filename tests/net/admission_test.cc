#include "server/net/admission.h"

#include <gtest/gtest.h>

namespace lekt {
namespace {

constexpr Address first_address = Address::v4(0x0a000001);
constexpr Address second = Address::v4(0x0a000002);

class AdmissionTest : public testing::Test {
 protected:
  std::optional<ErrorCode> admit(Address address) {
    last_ = admission_.admit(address, now_);
    return last_.rejection ? std::optional(last_.rejection->code) : std::nullopt;
  }
  void join(Address address) {
    ASSERT_EQ(admit(address), std::nullopt);
    admission_.end_handshake(address);
  }
  void close(Address address) {
    admission_.end_handshake(address);
    admission_.end_connection(last_.verdict);
  }

  static constexpr Address denied = Address::v4(0xc0000201);
  Rate::Time now_{0};
  CodeCounts counts_;
  Admission admission_{{{}, {parse_block("192.0.2.0/24").value()}},
                       {.connections_max = 8,
                        .handshakes_max = 3,
                        .handshakes_per_address_max = 2,
                        .connections = Rate(20, 40),
                        .connections_per_address = Rate(10, 20),
                        .refusals_max = 4},
                       counts_};
  Admission::Decision last_;
};

}  // namespace

TEST_F(AdmissionTest, refuses_an_address_that_is_denied) {
  EXPECT_EQ(admit(denied), ErrorCode::address_denied);
  EXPECT_EQ(admit(first_address), std::nullopt);
}

TEST_F(AdmissionTest, refuses_a_proxy_that_is_denied_or_banned) {
  EXPECT_EQ(admission_.admit_proxy(denied).rejection.value().code, ErrorCode::address_denied);
  admission_.ban({Block(first_address)});
  EXPECT_EQ(admission_.admit_proxy(first_address).rejection.value().code, ErrorCode::address_banned);
  EXPECT_EQ(admission_.admit_proxy(second).rejection, std::nullopt);
}

TEST_F(AdmissionTest, asks_about_a_proxy_only_whether_it_is_denied_and_not_whether_it_is_allowed) {
  admission_.use({{parse_block("10.0.0.1").value()}, {}}, {.connections_max = 8,
                                                           .handshakes_max = 3,
                                                           .handshakes_per_address_max = 2,
                                                           .connections = Rate(20, 40),
                                                           .connections_per_address = Rate(10, 20)});
  EXPECT_EQ(admission_.admit_proxy(second).rejection, std::nullopt);
  EXPECT_EQ(admission_.identify(second, first_address, now_).rejection, std::nullopt);
}

TEST_F(AdmissionTest, limits_how_fast_handshakes_of_tls_begin_and_nothing_else) {
  admission_.use({}, {.connections_max = 1000,
                      .handshakes_max = 1000,
                      .handshakes_per_address_max = 1000,
                      .connections = Rate(100, 200),
                      .connections_per_address = Rate(100, 200),
                      .tls_handshakes = Rate(2, 4)});
  for (int count = 0; count < 4; ++count)
    EXPECT_EQ(admission_.admit(second, now_, true).rejection, std::nullopt);
  EXPECT_EQ(admission_.admit(second, now_, true).rejection.value().code, ErrorCode::connections_too_fast);
  EXPECT_EQ(admission_.admit(second, now_, false).rejection, std::nullopt);
  EXPECT_EQ(admission_.admit_proxy(first_address).rejection, std::nullopt);
  EXPECT_EQ(admission_.identify(first_address, second, now_, true).rejection.value().code,
            ErrorCode::connections_too_fast);
  now_ += std::chrono::seconds(1);
  EXPECT_EQ(admission_.admit(second, now_, true).rejection, std::nullopt);
}

TEST_F(AdmissionTest, counts_handshakes_and_not_clients_that_have_joined) {
  for (int count = 0; count < 5; ++count) join(first_address);
  EXPECT_EQ(admission_.handshakes(), 0u);
  EXPECT_EQ(admission_.connections(), 5u);
}

TEST_F(AdmissionTest, lets_no_address_take_all_handshakes) {
  EXPECT_EQ(admit(first_address), std::nullopt);
  EXPECT_EQ(admit(first_address), std::nullopt);
  EXPECT_EQ(admit(first_address), ErrorCode::address_busy);
}

TEST_F(AdmissionTest, limits_the_handshakes_of_all_addresses) {
  EXPECT_EQ(admit(first_address), std::nullopt);
  EXPECT_EQ(admit(first_address), std::nullopt);
  EXPECT_EQ(admit(second), std::nullopt);
  EXPECT_EQ(admit(second), ErrorCode::handshakes_too_many);
}

TEST_F(AdmissionTest, admits_again_when_handshakes_have_ended) {
  ASSERT_EQ(admit(first_address), std::nullopt);
  ASSERT_EQ(admit(first_address), std::nullopt);
  ASSERT_EQ(admit(first_address), ErrorCode::address_busy);
  for (int count = 0; count < 3; ++count) admission_.end_handshake(first_address);
  EXPECT_EQ(admission_.handshakes(), 0u);
  EXPECT_EQ(admit(first_address), std::nullopt);
}

TEST_F(AdmissionTest, limits_connections_until_some_are_closed) {
  for (int count = 0; count < 8; ++count) join(first_address);
  EXPECT_EQ(admit(second), ErrorCode::server_full);
  close(second);
  admission_.end_connection(Admission::Verdict::admitted);
  EXPECT_EQ(admit(second), std::nullopt);
}

TEST_F(AdmissionTest, limits_how_fast_one_address_connects) {
  for (int count = 0; count < 20; ++count) {
    ASSERT_EQ(admit(first_address), std::nullopt) << count;
    close(first_address);
  }
  EXPECT_EQ(admit(first_address), ErrorCode::connections_too_fast);
  close(first_address);
  EXPECT_EQ(admit(second), std::nullopt);
  close(second);
  now_ += std::chrono::milliseconds(100);
  EXPECT_EQ(admit(first_address), std::nullopt);
}

TEST_F(AdmissionTest, limits_how_fast_all_addresses_connect) {
  for (std::uint32_t count = 0; count < 40; ++count) {
    ASSERT_EQ(admit(Address::v4(1000 + count)), std::nullopt) << count;
    close(Address::v4(1000 + count));
  }
  EXPECT_EQ(admit(first_address), ErrorCode::connections_too_fast);
  close(first_address);
  now_ += std::chrono::milliseconds(50);
  EXPECT_EQ(admit(first_address), std::nullopt);
}

TEST_F(AdmissionTest, spends_nothing_of_the_rates_on_an_address_that_is_denied) {
  for (int count = 0; count < 1000; ++count) {
    ASSERT_EQ(admit(denied), ErrorCode::address_denied);
    close(denied);
  }
  EXPECT_EQ(admit(first_address), std::nullopt);
}

TEST_F(AdmissionTest, judges_the_client_behind_a_proxy_and_not_the_proxy) {
  for (std::uint32_t client = 0; client < 3; ++client) {
    ASSERT_EQ(admission_.admit_proxy(first_address).verdict, Admission::Verdict::admitted);
    ASSERT_EQ(admission_.identify(first_address, Address::v4(1000 + client), now_).verdict,
              Admission::Verdict::admitted);
    admission_.end_handshake(Address::v4(1000 + client));
  }
  ASSERT_EQ(admission_.admit_proxy(first_address).verdict, Admission::Verdict::admitted);
  EXPECT_EQ(admission_.identify(first_address, denied, now_).rejection->code, ErrorCode::address_denied);
  admission_.end_handshake(denied);
  EXPECT_EQ(admission_.handshakes(), 0u);
  EXPECT_EQ(admission_.connections(), 4u);
}

TEST_F(AdmissionTest, limits_the_handshakes_of_a_client_behind_a_proxy) {
  for (int count = 0; count < 2; ++count) {
    ASSERT_EQ(admission_.admit_proxy(first_address).verdict, Admission::Verdict::admitted);
    ASSERT_EQ(admission_.identify(first_address, second, now_).verdict, Admission::Verdict::admitted);
  }
  ASSERT_EQ(admission_.admit_proxy(first_address).verdict, Admission::Verdict::admitted);
  EXPECT_EQ(admission_.identify(first_address, second, now_).rejection->code, ErrorCode::address_busy);
  EXPECT_EQ(admission_.admit_proxy(first_address).rejection->code, ErrorCode::handshakes_too_many);
}

TEST_F(AdmissionTest, tells_only_so_many_at_once_why_they_are_refused) {
  for (int count = 0; count < 4; ++count) {
    ASSERT_EQ(admit(denied), ErrorCode::address_denied);
    ASSERT_EQ(last_.verdict, Admission::Verdict::refused);
  }
  EXPECT_EQ(admit(denied), ErrorCode::address_denied);
  EXPECT_EQ(last_.verdict, Admission::Verdict::dropped);
  EXPECT_EQ(admission_.connections(), 4u) << "one that is dropped was counted";
  const auto counts = counts_.take();
  ASSERT_EQ(counts.size(), 1u);
  EXPECT_EQ(counts.front().code, ErrorCode::address_denied);
  EXPECT_EQ(counts.front().count, 1u) << "those that are told are counted when they are";

  last_.verdict = Admission::Verdict::refused;
  close(denied);
  EXPECT_EQ(admit(denied), ErrorCode::address_denied);
  EXPECT_EQ(last_.verdict, Admission::Verdict::refused);
}

}  // namespace lekt
