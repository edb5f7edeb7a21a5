// The server's settings: flags, environment variables and a configuration file, in that order of precedence.
#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "common/catalogue.h"
#include "common/cidr.h"
#include "common/limits.h"
#include "server/log.h"
#include "server/time.h"
#include "server/tls.h"

namespace lekt {

struct ListenAddress {
  std::string address;  ///< IPv4, or IPv6 without brackets
  std::uint16_t port = 0;
  bool tls = false;

  std::string text() const;
  bool operator==(const ListenAddress&) const = default;
};

struct Configuration {
  std::vector<ListenAddress> listen;
  std::filesystem::path database = "lekt.db";
  std::optional<ListenAddress> admin;    ///< the admin page; nothing: none
  std::vector<std::string> admin_hosts;  ///< names under which it is asked for, in lower case
  std::filesystem::path control_socket;  ///< for operators' commands; empty: none
  AwakeTime heartbeat_timeout = std::chrono::seconds(90);
  AwakeTime handshake_timeout = std::chrono::seconds(10);
  AwakeTime tcp_user_timeout = std::chrono::seconds(90);
  AwakeTime restart_grace = std::chrono::seconds(90);
  /// Sessions that may fall silent within one heartbeat timeout before the server doubts its own network.
  std::uint32_t silence_share_percent = 15;
  AwakeTime silence_patience = std::chrono::seconds(90);
  std::chrono::seconds retention = std::chrono::hours(7 * 24);
  std::uint32_t threads = 1;
  std::uint32_t clients_max = 100'000;
  /// Joined ones, and as many that have not joined yet.
  std::uint32_t connections_per_address_max = 64;
  std::uint32_t handshakes_max = 16'384;
  // In a second; twice as many at once.
  std::uint32_t connection_rate = 10'000;
  std::uint32_t connection_rate_per_address = 100;
  std::uint32_t heartbeat_rate = 100;  ///< of one connection
  std::uint32_t output_bytes_max = 64 * 1024 * 1024;
  AddressRules address_rules;
  std::vector<Cidr> proxies;  ///< whose connections begin with a PROXY protocol header
  TlsSettings tls;            ///< for those who listen with TLS
  std::uint32_t methods_max = limits::methods_max_default;
  std::uint32_t packet_bytes_max = limits::packet_bytes_default;
  MethodCatalogue catalogue;
  LogLevel log_level = LogLevel::info;
  LogFormat log_format = LogFormat::text;
  // To be told to the server that runs on the database, instead of being one.
  std::vector<Cidr> bans;
  std::vector<Cidr> unbans;
};

/// Where the control socket of a database is unless it is said otherwise: beside it, with ".sock".
std::filesystem::path default_control_socket(const std::filesystem::path& database);

/// The program ends without serving: after --help, --version, --check-config, or because a setting is wrong.
struct EarlyExit {
  int status = 0;     ///< 0, or 2 when a setting is wrong
  std::string text;   ///< for standard output when the status is 0, for standard error otherwise
  std::string wrong;  ///< the setting, its value and what is allowed; empty when the status is 0
};

/// What the service manager listens on for the server.
enum class PassedSockets : std::uint8_t { none, plain, with_tls };

/// Reads the command line, LEKT_... variables and --config. With passed sockets --listen has no default.
std::variant<Configuration, EarlyExit> read_configuration(int argc, const char* const* argv,
                                                          PassedSockets passed = PassedSockets::none);

}  // namespace lekt
