#include "server/flags.h"

#include <algorithm>
#include <array>
#include <asio/ip/address.hpp>
#include <cctype>
#include <charconv>
#include <cstdlib>
#include <utility>

#include "common/duration.h"
#include "common/limits.h"
#include "server/log.h"

namespace lekt {

using namespace std::chrono_literals;

namespace {

[[noreturn]] void refuse(const std::string& flag, const std::string& value, const std::string& allowed) {
  throw CLI::ValidationError(flag, "'" + value + "' is not allowed: " + allowed);
}

ListenAddress parse_listen(const std::string& flag, const std::string& value, bool tls = false) {
  const std::string allowed = "ADDRESS:PORT with a port from 0 to 65535, such as 0.0.0.0:7890 or [::]:7890";
  const auto colon = value.rfind(':');
  if (colon == value.npos) refuse(flag, value, allowed);
  std::string address = value.substr(0, colon);
  if (address.size() > 2 && address.front() == '[' && address.back() == ']')
    address = address.substr(1, address.size() - 2);
  else if (address.find(':') != address.npos)
    refuse(flag, value, "an IPv6 address in brackets, such as [::]:7890");
  std::uint16_t port = 0;
  const char* begin = value.data() + colon + 1;
  const auto [end, error] = std::from_chars(begin, value.data() + value.size(), port);
  asio::error_code bad_address;
  (void)asio::ip::make_address(address, bad_address);
  if (bad_address || error != std::errc() || end != value.data() + value.size() || begin == end)
    refuse(flag, value, allowed);
  return {address, port, tls};
}

/// Letters, digits, '-' and '.', in lower case: a name as a browser sends it.
std::string parse_host(const std::string& flag, const std::string& value) {
  std::string name = value;
  for (char& c : name) {
    if (std::isalnum(static_cast<unsigned char>(c)) == 0 && c != '-' && c != '.')
      refuse(flag, value, "a host name without a port, such as coordinator.example");
    c = static_cast<char>(std::tolower(c));
  }
  return name;
}

}  // namespace

std::string environment_name(const std::string& flag) {
  std::string result = "LEKT_";
  for (const char c : flag.substr(2)) result += c == '-' ? '_' : static_cast<char>(std::toupper(c));
  return result;
}

std::string environment(const std::string& name) {
  const char* value = std::getenv(name.c_str());
  return value == nullptr ? std::string() : value;
}

CLI::Option* Flags::text(const std::string& name, const std::string& type, const std::string& fallback,
                         const std::string& help, Take take) {
  return app_.add_option_function<std::string>(name, std::move(take), help)
      ->type_name(type)
      ->default_str(fallback)
      ->envname(environment_name(name));
}

CLI::Option* Flags::list(const std::string& name, const std::string& type, const std::string& help,
                         Take take) {
  const auto each = [take = std::move(take)](const std::vector<std::string>& values) {
    for (const std::string& value : values) take(value);
  };
  return app_.add_option_function<std::vector<std::string>>(name, each, help)
      ->type_name(type)
      ->allow_extra_args(false)
      ->delimiter(',')
      ->envname(environment_name(name));
}

template <class Duration>
CLI::Option* Flags::duration(const std::string& name, Duration& target, std::chrono::milliseconds least,
                             const std::string& help) {
  const std::chrono::milliseconds most = 3650 * 24h;
  return text(name, "DURATION", format_duration(target), help, [=, &target](const std::string& value) {
    const auto parsed = parse_duration(value);
    if (!parsed || *parsed < least || *parsed > most)
      refuse(name, value,
             "a duration from " + format_duration(least) + " to " + format_duration(most) + ", such as " +
                 format_duration(target));
    target = std::chrono::duration_cast<Duration>(*parsed);
  });
}

CLI::Option* Flags::number(const std::string& name, std::uint32_t& target, std::uint32_t least,
                           std::uint32_t most, const std::string& help) {
  return text(name, "N", std::to_string(target), help, [=, &target](const std::string& value) {
    std::uint32_t parsed = 0;
    const auto [end, error] = std::from_chars(value.data(), value.data() + value.size(), parsed);
    if (error != std::errc() || end != value.data() + value.size() || parsed < least || parsed > most)
      refuse(name, value, "a whole number from " + std::to_string(least) + " to " + std::to_string(most));
    target = parsed;
  });
}

CLI::Option* Flags::block(const std::string& name, std::vector<Cidr>& target, const std::string& help) {
  return list(name, "CIDR", help, [=, &target](const std::string& value) {
    const auto cidr = parse_cidr(value);
    if (!cidr)
      refuse(name, value, "an IPv4 address or a block without bits behind its prefix, such as 10.0.0.0/8");
    target.push_back(*cidr);
  });
}

void Flags::path(const std::string& name, std::filesystem::path& target, const std::string& help) {
  text(name, "FILE", "", help, [&target](const std::string& value) { target = value; });
}

void Flags::define() {
  Configuration& target = configuration_;
  define_listening();
  text("--database", "PATH", target.database.string(), "the SQLite database; made if it is not there",
       [&target](const std::string& value) {
         if (value == ":memory:" || value.starts_with("file:") || value.empty())
           refuse("--database", value, "the path of a file; what clients were told has to survive a restart");
         target.database = value;
       });
  text("--control-socket", "PATH", "",
       "the Unix socket for lektctl; none makes none [default: the database's path with .sock]",
       [&target](const std::string& value) {
         if (value.empty()) refuse("--control-socket", value, "the path of a socket, or none");
         target.control_socket = value == "none" ? "" : value;
       });
  duration("--heartbeat-timeout", target.heartbeat_timeout, 10ms,
           "a session without a heartbeat for so long ends");
  duration("--handshake-timeout", target.handshake_timeout, 10ms,
           "handshake and setup together take at most this");
  duration("--tcp-user-timeout", target.tcp_user_timeout, 10ms,
           "a client that does not acknowledge what it was sent for so long is gone [default: the heartbeat "
           "timeout]")
      ->default_str("");
  duration("--restart-grace", target.restart_grace, 0ms,
           "clients of before a restart have so long to come back [default: the heartbeat timeout]")
      ->default_str("");
  duration(
      "--silence-patience", target.silence_patience, 0ms,
      "when many fall silent at once they are removed later by at most this; 0s: never later [default: the "
      "heartbeat timeout]")
      ->default_str("");
  number("--silence-share", target.silence_share_percent, 1, 100,
         "percent of the clients, and at least 10, that are many");
  duration("--retention", target.retention, 1s, "removed clients are remembered for so long");
  number("--threads", target.threads, 1, 256, "threads that serve clients [default: one per core]")
      ->default_str("");
  define_admin();
  define_limits();
  list(
      "--method", "INDEX:NAME:FORM",
      "add a connection method to the catalogue; repeatable; FORM is fixed:BYTES or sized; 1:tcp is built in",
      [&target](const std::string& value) {
        if (const auto wrong = target.catalogue.add(value)) refuse("--method", value, *wrong);
      });
  define_log();
  // Not settings, so neither file nor environment has them.
  for (CLI::Option* option :
       {block("--ban", target.bans, "ban these addresses, as `lektctl ban` does, and exit; repeatable"),
        block("--unban", target.unbans, "lift these bans, and exit; repeatable")})
    option->envname("")->configurable(false);
  app_.add_flag("--check-config", check_only, "check all settings, print them, and exit");
}

void Flags::define_listening() {
  Configuration& target = configuration_;
  list("--listen", "ADDRESS:PORT",
       "listen here; repeatable; port 0 picks a free one and logs it [default: 0.0.0.0:7890, unless "
       "--tls-listen is given]",
       [&target](const std::string& value) { target.listen.push_back(parse_listen("--listen", value)); });
  list("--tls-listen", "ADDRESS:PORT", "listen here with TLS; repeatable",
       [&target](const std::string& value) {
         target.listen.push_back(parse_listen("--tls-listen", value, true));
       });
  path("--tls-cert", target.tls.certificate, "the server's certificate and those that sign it (PEM)");
  path("--tls-key", target.tls.key, "the key of the certificate (PEM)");
  path("--tls-client-ca", target.tls.client_authorities,
       "clients have to show a certificate of one of these authorities (PEM)");
  text("--tls-min-version", "VERSION", "1.3", "1.3, or 1.2 for old clients",
       [&target](const std::string& value) {
         if (value != "1.2" && value != "1.3") refuse("--tls-min-version", value, "1.2 or 1.3");
         target.tls.allow_1_2 = value == "1.2";
       });
  block("--proxy-protocol", target.proxies,
        "connections from here begin with a PROXY protocol v2 header, which names the client; repeatable");
}

void Flags::define_admin() {
  Configuration& target = configuration_;
  text("--admin", "ADDRESS:PORT", "",
       "serve the admin page, metrics and an API over HTTP here, without a password: better on 127.0.0.1 "
       "[default: nowhere]",
       [&target](const std::string& value) { target.admin = parse_listen("--admin", value); });
  list("--admin-host", "NAME",
       "a name under which the admin page may be asked for, beside IP addresses and localhost; repeatable",
       [&target](const std::string& value) {
         target.admin_hosts.push_back(parse_host("--admin-host", value));
       });
}

void Flags::define_limits() {
  Configuration& target = configuration_;
  number("--max-clients", target.clients_max, 1, 16'000'000, "clients (addresses) at the same time");
  number("--max-connections-per-address", target.connections_per_address_max, 1, 1'000'000,
         "connections of one address that have joined, and as many that have not yet");
  number("--max-handshakes", target.handshakes_max, 1, 1'000'000,
         "connections of all addresses that have not joined yet");
  number("--max-connection-rate", target.connection_rate, 1, 1'000'000,
         "new connections in a second; twice as many at once");
  number("--max-connection-rate-per-address", target.connection_rate_per_address, 1, 1'000'000,
         "of these, from one address");
  number("--max-heartbeat-rate", target.heartbeat_rate, 1, 1'000'000,
         "heartbeats of one connection in a second; more are answered later");
  number("--max-output-bytes", target.output_bytes_max, limits::packet_bytes_floor, 2'000'000'000,
         "bytes of an answer that may wait until a client reads them");
  block("--allow", target.address_rules.allowed, "serve only these addresses; repeatable [default: all]");
  block("--deny", target.address_rules.denied,
        "do not serve these addresses, even if they are allowed; repeatable");
  number("--max-methods", target.methods_max, 0, limits::methods_max_ceiling,
         "known methods that a handshake may announce");
  number("--max-packet-bytes", target.packet_bytes_max, limits::packet_bytes_floor,
         limits::packet_bytes_ceiling, "largest packet with clients in an answer");
}

void Flags::define_log() {
  Configuration& target = configuration_;
  text("--log-level", "LEVEL", "info", "trace, debug, info, warn, error or off",
       [&target](const std::string& value) {
         const auto found = std::ranges::find(level_names, value);
         if (found == level_names.end())
           refuse("--log-level", value, "trace, debug, info, warn, error or off");
         target.log_level = static_cast<LogLevel>(found - level_names.begin());
       });
  text("--log-format", "FORMAT", "text", "text or json, one line an event",
       [&target](const std::string& value) {
         if (value != "text" && value != "json") refuse("--log-format", value, "text or json");
         target.log_format = value == "json" ? LogFormat::json : LogFormat::text;
       });
}

}  // namespace lekt
