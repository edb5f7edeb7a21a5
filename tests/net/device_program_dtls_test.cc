// `lekt device --dtls` and the front of devices, with real sockets and certificates.
#include <gtest/gtest.h>

#include "tests/client/program.h"
#include "tests/net/device_ends.h"
#include "tests/support/certificates.h"

namespace lekt::test {
namespace {

using testing::IsNotSubstring;
using testing::IsSubstring;

class DeviceProgramDtls : public testing::Test {
 protected:
  /// The settings of a server with this certificate.
  static DeviceService::Settings settings_with(const CertifiedKey& key,
                                               DeviceEncryption encryption = DeviceEncryption::offered,
                                               const std::filesystem::path& client_authorities = {}) {
    DeviceService::Settings settings;
    settings.desk.encryption = encryption;
    settings.dtls = std::make_shared<const DtlsContext>(TlsSettings{
        .certificate = key.certificate, .key = key.key, .client_authorities = client_authorities});
    return settings;
  }
  CertifiedKey certificate(const std::string& name,
                           std::chrono::seconds lifetime = std::chrono::hours(24)) const {
    return certificates_.authority.issue(
        name,
        {.common_name = name, .alternative_names = "IP:" + to_string(own_address()), .lifetime = lifetime});
  }
  std::vector<std::string> arguments(const RunningDevices& devices,
                                     const std::vector<std::string>& more) const {
    std::vector<std::string> all = {
        "device", "--server", to_string(own_address()), "--port", std::to_string(devices.contact().port),
        "--uid",  "joe"};
    all.insert(all.end(), more.begin(), more.end());
    return all;
  }
  std::vector<std::string> encrypted(const RunningDevices& devices, std::vector<std::string> more) const {
    more.insert(more.begin(), {"--dtls", "--ca", certificates_.ca});
    return arguments(devices, more);
  }
  /// It does not get in within a second; yields what it says.
  static std::string refusal(std::vector<std::string> all) {
    all.insert(all.end(), {"--ticket", "none", "--timeout", "1s"});
    Program program(all);
    EXPECT_EQ(program.wait(), 1);
    return program.error();
  }

  TestCertificates certificates_;
  TempDirectory directory_;
  const std::string ticket_ = directory_.path() / "ticket";
  const CertifiedKey server_ = certificate("server");
};

TEST_F(DeviceProgramDtls, registers_types_and_comes_back_to_its_session) {
  RunningDevices devices(8, settings_with(server_, DeviceEncryption::required));
  Program first(encrypted(devices, {"--ticket", ticket_, "--expect", "Group default", "--send", "a"}));
  EXPECT_EQ(first.wait(), 0) << first.error();
  const auto list =
      devices.ask<std::vector<DeviceStatus>>([](DeviceService& service) { return service.devices(); });
  ASSERT_EQ(list.size(), 1u);
  EXPECT_TRUE(list[0].dtls);
  Program second(encrypted(devices, {"--ticket", ticket_, "--expect", "joe", "--print"}));
  EXPECT_EQ(second.wait(), 0) << second.error();
  EXPECT_PRED_FORMAT2(IsSubstring, "Z the session goes on\n", second.error());
  EXPECT_PRED_FORMAT2(IsSubstring, "Group default\n", second.out());
}

TEST_F(DeviceProgramDtls, ends_its_session_in_records) {
  RunningDevices devices(8, settings_with(server_));
  Program program(encrypted(devices, {"--ticket", "none", "--expect", "joe"}));
  EXPECT_EQ(program.wait(), 0) << program.error();
  EXPECT_PRED_FORMAT2(IsSubstring, "E915 the user has ended the session", program.error());
  EXPECT_TRUE(devices.ask<std::vector<DeviceStatus>>([](DeviceService& service) { return service.devices(); })
                  .empty());
}

TEST_F(DeviceProgramDtls, many_at_once_have_a_handshake_each) {
  RunningDevices devices(20, settings_with(server_, DeviceEncryption::required));
  Program program(encrypted(devices, {"--count", "20", "--expect", "joe-", "--timeout", "15s"}));
  EXPECT_EQ(program.wait(), 0) << program.error();
  EXPECT_PRED_FORMAT2(IsSubstring, ": 20 done, 0 failed\n", program.out());
}

TEST_F(DeviceProgramDtls, a_plain_device_is_told_that_the_server_requires_it) {
  RunningDevices devices(8, settings_with(server_, DeviceEncryption::required));
  EXPECT_PRED_FORMAT2(IsSubstring, "lekt: E913 this server wants DTLS\n", refusal(arguments(devices, {})));
}

TEST_F(DeviceProgramDtls, a_server_that_does_not_agree_is_left) {
  RunningDevices devices;
  const std::string error = refusal(encrypted(devices, {}));
  EXPECT_PRED_FORMAT2(IsSubstring, "lekt: E913 the server has not agreed to DTLS, which this device wants",
                      error);
  EXPECT_PRED_FORMAT2(IsNotSubstring, "Register Port", error);
}

TEST_F(DeviceProgramDtls, an_unknown_authority_is_named) {
  RunningDevices devices(8, settings_with(server_));
  EXPECT_PRED_FORMAT2(
      IsSubstring, "which is not trusted; if it should be, name its certificate (--ca)\n",
      refusal(arguments(devices, {"--dtls", "--ca", certificates_.unknown_authority.certificate()})));
}

TEST_F(DeviceProgramDtls, a_certificate_for_another_host_is_refused) {
  RunningDevices devices(8, settings_with(certificates_.other_host));
  EXPECT_PRED_FORMAT2(IsSubstring, "and not for " + to_string(own_address()) + ";",
                      refusal(encrypted(devices, {})));
}

TEST_F(DeviceProgramDtls, an_expired_certificate_is_refused_until_a_reload_has_a_new_one) {
  RunningDevices devices(8, settings_with(certificate("old", -std::chrono::hours(24))));
  EXPECT_PRED_FORMAT2(IsSubstring, "it has to be renewed", refusal(encrypted(devices, {})));
  const DeviceService::Settings renewed = settings_with(server_);
  devices.ask<bool>([&](DeviceService& service) {
    service.use(renewed, service.rules());
    return true;
  });
  Program program(encrypted(devices, {"--ticket", "none", "--expect", "joe"}));
  EXPECT_EQ(program.wait(), 0) << program.error();
}

TEST_F(DeviceProgramDtls, shows_its_certificate_to_a_server_that_wants_one) {
  RunningDevices devices(8, settings_with(server_, DeviceEncryption::required, certificates_.ca));
  EXPECT_PRED_FORMAT2(IsSubstring, "lekt: E109 ", refusal(encrypted(devices, {})));
  Program program(encrypted(devices, {"--cert", certificates_.client.certificate, "--key",
                                      certificates_.client.key, "--ticket", "none", "--expect", "joe"}));
  EXPECT_EQ(program.wait(), 0) << program.error();
}

TEST_F(DeviceProgramDtls, registers_anew_when_the_server_has_ended_its_registration) {
  const DeviceService::Settings settings = settings_with(server_, DeviceEncryption::required);
  RunningDevices devices(8, settings);
  Program program(encrypted(devices, {"--ticket", ticket_, "--expect", "what never comes"}));
  const auto says = [&](const std::string& words) {
    return eventually([&] { return program.error().find(words) != std::string::npos; });
  };
  ASSERT_TRUE(says("Z a session has begun\n")) << program.error();
  const Rejection forgotten{ErrorCode::registration_unknown, "forgotten"};
  devices.ask<std::size_t>([&](DeviceService& service) { return service.end_sessions_of("joe", forgotten); });
  ASSERT_TRUE(says("Z E905 forgotten\n")) << program.error();
  const auto registered = [](DeviceService& service) {
    const auto list = service.devices();
    return list.size() == 1 && list[0].dtls && list[0].uid == "joe";
  };
  EXPECT_TRUE(eventually([&] { return devices.ask<bool>(registered); })) << program.error();
}

TEST(DeviceProgramDtlsUsage, files_are_of_use_with_dtls_only_and_have_to_be_there) {
  Program alone({"device", "--server", "127.0.0.1", "--ca", "x.pem"});
  EXPECT_EQ(alone.wait(), 2);
  EXPECT_TRUE(alone.error().starts_with("lekt: E705 --ca \"x.pem\" is of use with --dtls only\n"))
      << alone.error();
  Program missing({"device", "--server", "127.0.0.1", "--dtls", "--ca", "/none.pem", "--ticket", "none"});
  EXPECT_EQ(missing.wait(), 2);
  EXPECT_TRUE(missing.error().starts_with("lekt: E705 the file of trusted authorities \"/none.pem\" "))
      << missing.error();
}

}  // namespace
}  // namespace lekt::test
