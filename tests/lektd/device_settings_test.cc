// Settings of devices: how they are written, what contradicts what, what a reload takes, and what they mean.
#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>

#include "lektd/device_checks.h"
#include "lektd/reload.h"
#include "lektd/settings.h"
#include "server/operators/settings_file.h"
#include "tests/lektd/configuration_support.h"

namespace lekt {
namespace {

using namespace test;
using namespace std::chrono_literals;
using Names = std::vector<std::string>;

const std::string listens = "--device-listen=0.0.0.0:3006";
const Arguments certificate = {"--tls-cert=x.pem", "--tls-key=x.key"};

Arguments with_certificate(Arguments arguments) {
  arguments.insert(arguments.end(), certificate.begin(), certificate.end());
  return arguments;
}

std::string group_names(const Configuration& configuration) {
  std::string names;
  for (const DeviceGroup& group : configuration.device_groups)
    names += (names.empty() ? "" : " ") + group.name;
  return names;
}

TEST(DeviceSettings, are_off_and_have_defaults_that_serve) {
  const Configuration configuration = settings({"--database=/tmp/x.db"});
  EXPECT_TRUE(configuration.device_listen.empty());
  EXPECT_EQ(configuration.device_ports, (PortRange{5000, 6000}));
  EXPECT_EQ(configuration.device_encryption, DeviceEncryption::off);
  EXPECT_EQ(configuration.device_log, HandlerLevel::off);
  EXPECT_EQ(configuration.device_log_directory, "/tmp/x.db.devices");
  EXPECT_FALSE(configuration.device_alert_resume);
  EXPECT_EQ(configuration.device_sessions_max, 2000u);
  EXPECT_EQ(configuration.devices_per_address_max, 64u);
}

TEST(DeviceSettings, take_every_flag) {
  const Configuration configuration = settings(
      {"--device-listen=10.0.0.1:3006", "--device-listen=10.0.0.2:3006", "--device-ports=7000-7000",
       "--device-host=wms=10.1.0.5:23", "--device-host=mail=mail.example:23;term=screen-256color",
       "--device-group=default;hosts=wms", "--device-group=trucks;type=PDT90*;hosts=wms,mail;idle=1h",
       "--device-log=socket", "--device-log-directory=/var/log/devices", "--device-log-from=10.10.225.0/24",
       "--device-log-from=10.0.0.7", "--device-alert-resume=on", "--max-device-sessions=7",
       "--max-devices-per-address=3"});
  ASSERT_EQ(configuration.device_listen.size(), 2u);
  EXPECT_EQ(configuration.device_listen[1].text(), "10.0.0.2:3006");
  EXPECT_EQ(configuration.device_ports, (PortRange{7000, 7000}));
  ASSERT_EQ(configuration.device_hosts.size(), 2u);
  EXPECT_EQ(configuration.device_hosts[1].term, "screen-256color");
  ASSERT_EQ(configuration.device_groups.size(), 2u);
  EXPECT_EQ(configuration.device_groups[1].hosts, (Names{"wms", "mail"}));
  EXPECT_EQ(configuration.device_groups[1].idle, 1h);
  EXPECT_EQ(configuration.device_log, HandlerLevel::socket);
  EXPECT_EQ(configuration.device_log_directory, "/var/log/devices");
  EXPECT_EQ(configuration.device_log_from,
            (std::vector{parse_block("10.10.225.0/24").value(), parse_block("10.0.0.7").value()}));
  EXPECT_TRUE(configuration.device_alert_resume);
  EXPECT_EQ(configuration.device_sessions_max, 7u);
  EXPECT_EQ(configuration.devices_per_address_max, 3u);
}

TEST(DeviceSettings, keep_the_commas_of_a_group_wherever_it_is_written) {
  const std::string hosts = "--device-host=a=h:1,b=h:2";
  const std::string groups = "x;hosts=a,b~y;hosts=b,a;idle=1h";
  EXPECT_EQ(group_names(settings({listens, hosts, "--device-group=" + groups})), "x y");
  {
    const Variable variable("LEKT_DEVICE_GROUP", groups);
    const Configuration configuration = settings({listens, hosts});
    EXPECT_EQ(group_names(configuration), "x y");
    EXPECT_EQ(configuration.device_groups.at(1).hosts, (Names{"b", "a"}));
  }
  const SettingsFile file("device-group = ['x;hosts=a,b', 'y']\ndevice-host = ['a=h:1', 'b=h:2']\n");
  EXPECT_EQ(group_names(settings({listens, file.flag()})), "x y");
}

TEST(DeviceSettings, that_are_printed_are_a_file_that_means_the_same) {
  const Configuration given = settings({listens, "--device-host=a=h:1,b=h:2;term=ansi",
                                        "--device-group=x;from=10.0.0.0/9;hosts=b,a;voice=on"});
  const EarlyExit printed = exit_of({"--check-config", listens, "--device-host=a=h:1,b=h:2;term=ansi",
                                     "--device-group=x;from=10.0.0.0/9;hosts=b,a;voice=on"});
  const Configuration again = settings({SettingsFile(printed.text).flag()});
  EXPECT_EQ(again.device_listen, given.device_listen);
  EXPECT_EQ(again.device_hosts, given.device_hosts);
  EXPECT_EQ(again.device_groups, given.device_groups);
}

TEST(DeviceSettings, a_wrong_value_is_named_with_what_is_allowed) {
  const std::string ports = "FIRST-LAST, two ports from 1 to 65535";
  const std::vector<std::array<std::string, 3>> cases = {
      {"--device-listen", "[::]:3006", "an IPv4 address, such as 0.0.0.0:3006"},
      {"--device-listen", "3006", "ADDRESS:PORT"},
      {"--device-ports", "5000", ports},
      {"--device-ports", "5000-", ports},
      {"--device-ports", "-6000", ports},
      {"--device-ports", "0-6000", ports},
      {"--device-ports", "5000-65536", ports},
      {"--device-ports", "6000-5000", ports},
      {"--device-ports", "5000-6000-7000", ports},
      {"--device-encryption", "on", "off, offered or required"},
      {"--device-log", "all", "off, session, protocol or socket"},
      {"--device-log-from", "10.0.0.1/8", "without bits behind its prefix"},
      {"--device-alert-resume", "yes", "off or on"},
      {"--max-device-sessions", "0", "a whole number from 1 to 1000000"},
      {"--max-devices-per-address", "0", "a whole number from 1 to 1000000"},
  };
  for (const auto& [flag, value, allowed] : cases) {
    SCOPED_TRACE(flag + " " + value);
    expect_refused({flag + "=" + value}, {flag, "'" + value + "' is not allowed", allowed});
  }
}

TEST(DeviceSettings, a_wrong_host_or_group_is_named_by_its_own_sentence) {
  expect_refused({"--device-host=wms"}, {"--device-host: device host 'wms': NAME=HOST:PORT is needed"});
  expect_refused({"--device-group=x;idle=soon"}, {"--device-group: device group 'x': idle cannot be 'soon'"});
  const SettingsFile file("device-group = ['a', 'b;sessions=11']\n");
  expect_refused({file.flag()},
                 {file.path() + ":1:22: device-group: device group 'b': sessions cannot be '11'"});
}

TEST(DeviceSettings, groups_and_hosts_fit_together) {
  expect_refused({"--device-host=mail=h:1", "--device-group=x;hosts=mial"},
                 {"device group 'x': hosts has 'mial'", "did you mean mail?"});
  expect_refused({"--device-group=x", "--device-group=x;voice=on"}, {"two device groups are named 'x'"});
  expect_refused({"--device-host=a=h:1", "--device-host=a=h:2"}, {"two device hosts are named 'a'"});
}

TEST(DeviceSettings, no_device_has_a_contact_port) {
  for (const char* ports : {"3006-3006", "3000-3006", "3006-4000", "1-65535"})
    expect_refused({"--device-listen=127.0.0.1:1", "--device-listen=10.0.0.1:3006",
                    std::string("--device-ports=") + ports},
                   {"--device-ports " + std::string(ports) + " has the contact port"});
  settings({listens, "--device-ports=3007-4000"});
  settings({listens, "--device-ports=3000-3005"});
  settings({"--device-ports=3000-4000"});
}

TEST(DeviceSettings, without_an_address_to_listen_on_hosts_and_groups_are_refused_and_the_others_checked) {
  settings({"--device-ports=7000-7001", "--device-log=protocol", "--max-device-sessions=7"});
  for (const Arguments& given : std::vector<Arguments>{{"--device-host=a=h:1"},
                                                       {"--device-group=x;idle=1h"},
                                                       {"--device-host=a=h:1", "--device-group=x;hosts=a"}})
    expect_refused(given, {"E501 --device-host and --device-group are of no use without --device-listen"});
  expect_refused({"--check-config", "--device-host=a=h:1"}, {"of no use without --device-listen"});
  expect_refused({"--device-group=x;hosts=a"}, {"device group 'x'"});
}

TEST(DeviceSettings, encryption_is_offered_by_who_has_a_certificate) {
  EXPECT_EQ(settings({listens}).device_encryption, DeviceEncryption::off);
  const Configuration configuration = settings(with_certificate({listens}));
  EXPECT_EQ(configuration.device_encryption, DeviceEncryption::offered);
  EXPECT_TRUE(offers_dtls(configuration));
  EXPECT_FALSE(offers_dtls(settings(with_certificate({"--tls-listen=127.0.0.1:1"}))));
  const Configuration without =
      settings(with_certificate({listens, "--tls-listen=127.0.0.1:1", "--device-encryption=off"}));
  EXPECT_FALSE(offers_dtls(without));
}

TEST(DeviceSettings, encryption_needs_a_certificate_and_a_certificate_somebody_to_show_it_to) {
  for (const char* encryption : {"offered", "required"}) {
    const std::string flag = std::string("--device-encryption=") + encryption;
    const std::string words = std::string("--device-encryption ") + encryption + " needs a certificate";
    expect_refused({listens, flag}, {words, "--tls-cert and --tls-key"});
    expect_refused({flag}, {words});
    expect_refused({listens, flag, "--tls-cert=x.pem"}, {words});
  }
  expect_refused(with_certificate({listens, "--device-encryption=off"}), {"of no use without --tls-listen"});
  expect_refused(with_certificate({"--device-encryption=required"}), {"of no use without --tls-listen"});
}

TEST(DeviceSettings, a_group_that_requires_encryption_needs_it_to_be_there) {
  const std::string group = "--device-group=guests;encryption=required";
  expect_refused({listens, group}, {"device group 'guests': encryption=required", "--device-encryption"});
  EXPECT_TRUE(settings(with_certificate({listens, group})).device_groups.at(0).encryption_required);
}

TEST(DeviceSettings, a_reload_takes_all_but_sockets_ports_and_the_directory) {
  const Reload reload = plan_reload(
      settings({listens}),
      settings(with_certificate({"--device-listen=0.0.0.0:3007", "--device-ports=1-2", "--device-host=a=h:1",
                                 "--device-group=x", "--device-log=session", "--device-log-directory=y",
                                 "--device-log-from=10.0.0.1", "--device-alert-resume=on",
                                 "--max-device-sessions=1", "--max-devices-per-address=1"})));
  EXPECT_EQ(reload.changed, (Names{"tls-cert", "tls-key", "device-host", "device-group", "device-encryption",
                                   "device-log", "device-log-from", "device-alert-resume",
                                   "max-device-sessions", "max-devices-per-address"}));
  EXPECT_EQ(reload.needs_restart, (Names{"device-listen", "device-ports", "device-log-directory"}));
  EXPECT_EQ(reload.configuration.device_listen.at(0).port, 3006);
  EXPECT_EQ(
      plan_reload(settings({listens, "--device-group=x"}), settings({listens, "--device-group=x;idle=12h"}))
          .changed,
      Names{})
      << "the same in other words";
}

TEST(DeviceSettings, are_what_the_desk_is_told) {
  const DeviceService::Settings service =
      device_settings(settings({listens, "--device-host=a=h:1", "--device-group=x;from=10.0.0.0/8;idle=1h",
                                "--max-device-sessions=7", "--max-devices-per-address=3"}));
  const DeviceDesk::Settings& desk = service.desk;
  EXPECT_EQ(desk.limits.sessions_max, 7u);
  EXPECT_EQ(desk.limits.per_address_max, 3u);
  const auto offer = desk.groups->match(Address::v4(0x0a000001), "any");
  EXPECT_EQ(offer->group.name, "x");
  EXPECT_EQ(offer->hosts, settings({listens, "--device-host=a=h:1"}).device_hosts);
  Configuration contradicting;
  contradicting.device_groups =
      settings({listens, "--device-host=a=h:1", "--device-group=x;hosts=a"}).device_groups;
  EXPECT_THROW(device_settings(contradicting), WrongSetting);
}

// ---- Ports that the kernel gives to others ----

class KernelPortsTest : public testing::Test {
 protected:
  /// What is warned of, with these files of the kernel and this range.
  std::string trouble(const std::string& local, const std::string& reserved, const std::string& ports) {
    std::ofstream(directory_.path() / "ip_local_port_range") << local;
    std::ofstream(directory_.path() / "ip_local_reserved_ports") << reserved;
    const auto found =
        trouble_with_device_ports(settings({listens, "--device-ports=" + ports}), directory_.path());
    return found ? found->text() : "";
  }

  TempDirectory directory_;
};

TEST_F(KernelPortsTest, are_warned_of_with_what_to_reserve) {
  EXPECT_EQ(trouble("32768\t60999\n", "\n", "32000-33000"),
            "E622 the kernel gives ports 32768-33000 of --device-ports 32000-33000 to any program that opens "
            "a connection: add 32768-33000 to net.ipv4.ip_local_reserved_ports (sysctl), or choose ports "
            "outside 32768-60999");
  EXPECT_NE(trouble("32768\t60999\n", "\n", "60999-61000"), "");
  EXPECT_EQ(trouble("32768\t60999\n", "\n", "32000-32767"), "");
  EXPECT_EQ(trouble("32768\t60999\n", "\n", "61000-65535"), "");
}

TEST_F(KernelPortsTest, are_no_trouble_once_all_of_them_are_reserved) {
  EXPECT_EQ(trouble("32768\t60999\n", "8080,32768-32900,32901-33000\n", "32000-33000"), "");
  EXPECT_EQ(trouble("32768\t60999\n", "40000\n", "40000-40000"), "");
  EXPECT_NE(trouble("32768\t60999\n", "32768-32899,32901-33000\n", "32000-33000"), "");
  EXPECT_EQ(trouble("1024\t65535\n", "1-65535\n", "60000-65535"), "");
}

TEST_F(KernelPortsTest, are_nobodys_business_without_devices_or_without_the_kernels_word) {
  EXPECT_FALSE(knows_kernel_ports(directory_.path()));
  EXPECT_EQ(trouble_with_device_ports(settings({listens}), directory_.path()), std::nullopt);
  std::ofstream(directory_.path() / "ip_local_port_range") << "1024\t65535\n";
  EXPECT_FALSE(knows_kernel_ports(directory_.path()));
  EXPECT_EQ(trouble_with_device_ports(settings({listens}), directory_.path()), std::nullopt)
      << "all of them may be reserved";
  std::ofstream(directory_.path() / "ip_local_reserved_ports");
  EXPECT_TRUE(knows_kernel_ports(directory_.path()));
  EXPECT_EQ(trouble_with_device_ports(settings({}), directory_.path()), std::nullopt);
  EXPECT_NE(trouble_with_device_ports(settings({listens}), directory_.path()), std::nullopt);
}

}  // namespace
}  // namespace lekt
