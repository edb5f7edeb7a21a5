// What the server does: the values of all settings (setting_table.h), with their defaults, as the command line, the
// environment and a configuration file have them. It does nothing by itself.
#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "common/block.h"
#include "common/catalogue.h"
#include "common/features.h"
#include "common/limits.h"
#include "common/time.h"
#include "devices/groups.h"
#include "devices/handler_log.h"
#include "lektd/port_range.h"
#include "server/net/listen_address.h"
#include "server/net/tls.h"
#include "server/operators/log.h"

namespace lekt {

/// What the service manager listens on for the server.
enum class PassedSockets : std::uint8_t { none, plain, with_tls };

struct Configuration {
  std::vector<ListenAddress> listen;
  std::vector<ListenAddress> tls_listen;
  std::filesystem::path database = "lekt.db";
  std::optional<ListenAddress> admin;    ///< the admin page; nothing: none
  std::vector<std::string> admin_hosts;  ///< names under which it is asked for, in lower case
  std::filesystem::path control_socket;  ///< for operators' commands; empty: none
  AwakeTime heartbeat_timeout = std::chrono::seconds(90);
  AwakeTime handshake_timeout = std::chrono::seconds(10);
  AwakeTime tcp_user_timeout = std::chrono::seconds(90);
  AwakeTime restart_grace = std::chrono::seconds(90);
  /// Clients that may fall silent within one heartbeat timeout before the server doubts its own network.
  std::uint32_t silence_share_percent = 15;
  AwakeTime silence_patience = std::chrono::seconds(90);
  std::chrono::seconds retention = std::chrono::hours(7 * 24);
  std::uint32_t threads = 1;
  std::uint32_t clients_max = 100'000;
  /// Connections of one address that have joined; as many more may not have joined yet.
  std::uint32_t connections_per_address_max = 64;
  std::uint32_t handshakes_max = 16'384;
  // Rates: per second; twice as many at once.
  std::uint32_t connection_rate = 10'000;
  std::uint32_t connection_rate_per_address = 100;
  std::uint32_t tls_handshake_rate = 1000;
  std::uint32_t heartbeat_rate = 100;  ///< for each connection
  std::uint32_t output_bytes_max = 64 * 1024 * 1024;
  AwakeTime push_interval = std::chrono::milliseconds(100);
  AddressRules address_rules;
  std::vector<Block> proxies;  ///< whose connections begin with a PROXY protocol header
  TlsSettings tls;             ///< for those who listen with TLS
  std::uint32_t methods_max = limits::methods_max_default;
  std::uint32_t packet_bytes_max = limits::packet_bytes_default;
  MethodCatalogue catalogue;
  Features features = Features::all();  ///< those that clients may have
  LogLevel log_level = LogLevel::info;
  LogFormat log_format = LogFormat::text;
  // Devices. Without an address to listen on there are none, and the other values mean nothing.
  std::vector<ListenAddress> device_listen;  ///< contact addresses, IPv4
  PortRange device_ports{5000, 6000};        ///< the dedicated ports; no contact port is among them
  std::vector<DeviceHost> device_hosts;
  std::vector<DeviceGroup> device_groups;  ///< fit together with the hosts: DeviceGroups::make() takes them
  DeviceEncryption device_encryption = DeviceEncryption::off;
  HandlerLevel device_log = HandlerLevel::off;
  std::filesystem::path device_log_directory;
  std::vector<Block> device_log_from;  ///< whom the handler log is about; none: all
  bool device_alert_resume = false;    ///< an alert when a session continues at another address
  std::uint32_t device_sessions_max = 2000;
  std::uint32_t devices_per_address_max = 64;
  // Not settings:
  PassedSockets passed = PassedSockets::none;
  /// Whether to tell the server that runs on the database to reload, instead of being one.
  bool reload = false;
  /// Environment variables that look like settings but are none, in words for the log.
  std::vector<std::string> unknown_variables;
};

/// The program ends without serving: after --help, --version, --check-config, or because a setting is wrong.
struct EarlyExit {
  int status =
      0;  ///< 0; 2 when a setting is wrong; 1 when --check-config finds what keeps a server from starting
  std::string text;        ///< for standard error when the status is 2, for standard output otherwise
  std::string wrong;       ///< the setting, its value and what is allowed, when the status is 2
  std::string error = {};  ///< with its code, when the status is 1
};

/// Reads the command line, LEKT_... variables and --config. With passed sockets --listen has no default.
std::variant<Configuration, EarlyExit> read_configuration(int argc, const char* const* argv,
                                                          PassedSockets passed = PassedSockets::none);

}  // namespace lekt
