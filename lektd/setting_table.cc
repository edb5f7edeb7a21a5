#include "lektd/setting_table.h"

#include <algorithm>
#include <cctype>
#include <functional>
#include <thread>
#include <type_traits>
#include <utility>

#include "common/limits.h"
#include "control/socket_name.h"
#include "server/operators/log.h"

namespace lekt {

namespace {

using namespace std::chrono_literals;
using namespace syntax;
using enum Setting::Apply;
using C = Configuration;

/// An entry of the table. `member`: a member of the configuration, or part_of() one. `otherwise`: the default
/// in words; `source`: what it follows, a member as well or a function of the configuration.
template <class Member, class Value, class Source = std::nullptr_t>
Setting entry(const char* name, Member member, const Syntax<Value>& syntax, Setting::Apply apply,
              const char* help, const char* otherwise = "", [[maybe_unused]] Source source = {}) {
  Setting setting{
      .name = name,
      .placeholder = syntax.placeholder,
      .form = syntax.form,
      .separator = syntax.separator,
      .apply = apply,
      .help = help,
      .otherwise = otherwise,
      .take = [=](C& to, const std::string& text) { syntax.take(std::invoke(member, to), text); },
      .show = [=](const C& from) { return syntax.show(std::invoke(member, from)); },
      .is_same = [=](const C& one,
                     const C& other) { return std::invoke(member, one) == std::invoke(member, other); },
      .copy = [=](C& to, const C& from) { std::invoke(member, to) = std::invoke(member, from); },
      .follow = {}};
  if constexpr (!std::is_null_pointer_v<Source>)
    setting.follow = [=](C& to) { std::invoke(member, to) = std::invoke(source, std::as_const(to)); };
  return setting;
}

/// The member of a member.
template <class Outer, class Inner>
auto part_of(Outer C::*outer, Inner Outer::*inner) {
  return [=](auto& configuration) -> auto& { return configuration.*outer.*inner; };
}

Syntax<LogLevel> log_levels() {
  std::vector<std::pair<std::string, LogLevel>> words;
  for (const char* name : level_names) words.emplace_back(name, static_cast<LogLevel>(words.size()));
  return choice("trace|debug|info|warn|error|off", "trace, debug, info, warn, error or off", words);
}

/// What the server can do: DTLS needs a certificate.
DeviceEncryption default_device_encryption(const C& configuration) {
  return configuration.tls.certificate.empty() ? DeviceEncryption::off : DeviceEncryption::offered;
}

std::filesystem::path default_device_log_directory(const C& configuration) {
  return configuration.database.string() + ".devices";
}

/// Nowhere, if another setting or the service manager says where to listen.
std::vector<ListenAddress> default_listen(const C& configuration) {
  if (!configuration.tls_listen.empty() || configuration.passed != PassedSockets::none) return {};
  return {{"0.0.0.0", limits::port_default}};
}

}  // namespace

std::string Setting::variable() const {
  std::string result = "LEKT_";
  for (const char c : name) result += c == '-' ? '_' : static_cast<char>(std::toupper(c));
  return result;
}

std::string Setting::fallback() const {
  if (!otherwise.empty()) return otherwise;
  const std::vector<std::string> values = show(Configuration());
  return values.empty() ? "" : values.front();
}

const std::vector<Setting>& all_settings() {
  // Sockets, files and threads that exist, times by which connections that exist are judged, and the size of
  // packets that are encoded already wait for a restart.
  static const std::vector<Setting> table = {
      entry("listen", &C::listen, addresses(false), restart,
            "listen here; repeatable; port 0 picks a free one and logs it",
            "0.0.0.0:7890, unless --tls-listen is given", default_listen),
      entry("tls-listen", &C::tls_listen, addresses(true), restart, "listen here with TLS; repeatable"),
      entry("tls-cert", part_of(&C::tls, &TlsSettings::certificate), file_path(), at_once,
            "the server's certificate and those that sign it (PEM)"),
      entry("tls-key", part_of(&C::tls, &TlsSettings::key), file_path(), at_once,
            "the key of the certificate (PEM)"),
      entry("tls-client-ca", part_of(&C::tls, &TlsSettings::client_authorities), file_path(), at_once,
            "clients have to show a certificate of one of these authorities (PEM)"),
      entry("tls-min-version", part_of(&C::tls, &TlsSettings::allow_1_2),
            choice<bool>("1.2|1.3", "1.2 or 1.3", {{"1.2", true}, {"1.3", false}}), at_once,
            "1.3, or 1.2 for old clients"),
      entry("proxy-protocol", &C::proxies, blocks(), at_once,
            "connections from here begin with a PROXY protocol header (v1 or v2), which names the client; "
            "repeatable"),
      entry("database", &C::database, database_path(), restart,
            "the SQLite database; made if it is not there"),
      entry("control-socket", &C::control_socket, socket_path(), restart,
            "the Unix socket for lektctl; none makes none", "the database's path with .sock",
            [](const C& c) { return control::default_control_socket(c.database); }),
      entry("heartbeat-timeout", &C::heartbeat_timeout, duration(10ms), restart,
            "a session without a heartbeat for so long ends"),
      entry("handshake-timeout", &C::handshake_timeout, duration(10ms), restart,
            "handshake and setup together take at most this"),
      entry("tcp-user-timeout", &C::tcp_user_timeout, duration(10ms), restart,
            "a client that does not acknowledge what it was sent for so long is gone",
            "the heartbeat timeout", &C::heartbeat_timeout),
      entry("restart-grace", &C::restart_grace, duration(0ms), restart,
            "clients of before a restart have so long to come back", "the heartbeat timeout",
            &C::heartbeat_timeout),
      entry("silence-patience", &C::silence_patience, duration(0ms), at_once,
            "when many fall silent at once they are removed later by at most this; 0s: never later",
            "the heartbeat timeout", &C::heartbeat_timeout),
      entry("silence-share", &C::silence_share_percent, number(1, 100), at_once,
            "percent of the clients, and at least 10, that are many"),
      entry("retention", &C::retention, duration<std::chrono::seconds>(1s), at_once,
            "removed clients are remembered for so long"),
      entry("threads", &C::threads, number(1, 256), restart, "threads that serve clients", "one per core",
            [](const C&) { return std::max(1u, std::thread::hardware_concurrency()); }),
      entry("admin", &C::admin, address(), restart,
            "serve the admin page, metrics and an API over HTTP here, without a password: better on "
            "127.0.0.1",
            "nowhere"),
      entry("admin-host", &C::admin_hosts, hosts(), restart,
            "a name under which the admin page may be asked for, beside IP addresses and localhost; "
            "repeatable"),
      entry("max-clients", &C::clients_max, number(1, 16'000'000), at_once,
            "clients (addresses) at the same time"),
      entry("max-connections-per-address", &C::connections_per_address_max, number(1, 1'000'000), at_once,
            "connections of one address that have joined, and as many that have not yet"),
      entry("max-handshakes", &C::handshakes_max, number(1, 1'000'000), at_once,
            "connections of all addresses that have not joined yet"),
      entry("max-connection-rate", &C::connection_rate, number(1, 1'000'000), at_once,
            "new connections in a second; twice as many at once"),
      entry("max-connection-rate-per-address", &C::connection_rate_per_address, number(1, 1'000'000), at_once,
            "of these, from one address"),
      entry("max-tls-handshake-rate", &C::tls_handshake_rate, number(1, 1'000'000), at_once,
            "handshakes of TLS that begin in a second; twice as many at once"),
      entry("max-heartbeat-rate", &C::heartbeat_rate, number(1, 1'000'000), at_once,
            "heartbeats of one connection in a second; more are answered later"),
      entry("max-output-bytes", &C::output_bytes_max, number(limits::packet_bytes_floor, 2'000'000'000),
            at_once,
            "bytes that older lists may keep in memory because clients have not read them; four times the "
            "newest list in any case"),
      entry("allow", part_of(&C::address_rules, &AddressRules::allowed), blocks(), at_once,
            "serve only these addresses; repeatable", "all"),
      entry("deny", part_of(&C::address_rules, &AddressRules::denied), blocks(), at_once,
            "do not serve these addresses, even if they are allowed; repeatable"),
      entry("max-methods", &C::methods_max, number(0, limits::methods_max_ceiling), at_once,
            "known methods that a handshake may announce"),
      entry("max-packet-bytes", &C::packet_bytes_max,
            number(limits::packet_bytes_floor, limits::packet_bytes_ceiling), restart,
            "largest packet with clients in an answer"),
      entry("method", &C::catalogue, added_methods(), at_once,
            "add a connection method to the catalogue; repeatable; FORM is fixed:BYTES, sized or text; "
            "1:tcp, 3006:device and 3007:name are built in"),
      entry(
          "features", &C::features, features(), at_once,
          "optional features of the protocol that clients may have, with commas between them; all, or none"),
      entry("push-interval", &C::push_interval, duration(10ms), at_once,
            "changes are pushed to one client at least so long after one another; what gathers goes out "
            "together"),
      entry("log-level", &C::log_level, log_levels(), at_once, "trace, debug, info, warn, error or off"),
      entry("log-format", &C::log_format,
            choice<LogFormat>("text|json", "text or json",
                              {{"text", LogFormat::text}, {"json", LogFormat::json}}),
            restart, "text or json, one line an event"),
      entry("device-listen", &C::device_listen, ipv4_addresses(), restart,
            "serve hand-held terminals that make contact here, over UDP; repeatable", "nowhere"),
      entry("device-ports", &C::device_ports, ports(), restart,
            "each registered device has one of these UDP ports; no contact port may be among them"),
      entry("device-host", &C::device_hosts, device_hosts(), at_once,
            "a telnet host that users of devices work on; repeatable; a shell needs quotes around a ;"),
      entry(
          "device-group", &C::device_groups, device_groups(), at_once,
          "what devices get, by address (from=CIDR) and type (type=PATTERN): hosts=A,B, idle=12h and others; "
          "repeatable, in one text with ~ between two"),
      entry("device-encryption", &C::device_encryption,
            choice<DeviceEncryption>("off|offered|required", "off, offered or required",
                                     {{"off", DeviceEncryption::off},
                                      {"offered", DeviceEncryption::offered},
                                      {"required", DeviceEncryption::required}}),
            at_once, "whether devices may, or have to, speak DTLS; needs --tls-cert",
            "offered with --tls-cert, otherwise off", default_device_encryption),
      entry("device-log", &C::device_log,
            choice<HandlerLevel>("off|session|protocol|socket", "off, session, protocol or socket",
                                 {{"off", HandlerLevel::off},
                                  {"session", HandlerLevel::session},
                                  {"protocol", HandlerLevel::protocol},
                                  {"socket", HandlerLevel::socket}}),
            at_once, "what the handler log, a file for each device's address, has"),
      entry("device-log-directory", &C::device_log_directory, directory_path(), restart,
            "where its files are; made with the first line", "the database's path with .devices",
            default_device_log_directory),
      entry("device-log-from", &C::device_log_from, blocks(), at_once,
            "only devices at these addresses have one; repeatable", "all"),
      entry("device-alert-resume", &C::device_alert_resume, off_or_on(), at_once,
            "also alert when a session goes on at another address"),
      entry("max-device-sessions", &C::device_sessions_max, number(1, 1'000'000), at_once,
            "sessions of devices at the same time"),
      entry("max-devices-per-address", &C::devices_per_address_max, number(1, 1'000'000), at_once,
            "of these, at one address"),
  };
  return table;
}

}  // namespace lekt
