#include "server/configuration.h"

#include <CLI/CLI.hpp>
#include <algorithm>
#include <asio/ip/address.hpp>
#include <charconv>
#include <cstdlib>
#include <functional>
#include <optional>
#include <thread>

#include "common/duration.h"
#include "common/errors.h"
#include "common/limits.h"

namespace lekt {

namespace {

using namespace std::chrono_literals;

constexpr auto footer = R"(
Durations are a whole number with ms, s, m, h or d: 90s, 7d, 250ms.
Every flag is also an environment variable (in brackets above) and a key of the configuration file (its name without
the dashes). A flag beats the environment, the environment beats the file.

Exit status: 0 stopped by SIGTERM or SIGINT; 1 could not start, or had to give up; 2 a setting is wrong.
Every error begins with a code, such as E502; docs/errors.md explains all of them.

Examples:
  lektd                                            serve on port 7890, keep the state in ./lekt.db
  lektd --database /var/lib/lekt/lekt.db --listen 192.0.2.10:7890
  lektd --method 2:chat:sized                      also relay what clients say about method 2, named "chat")";

[[noreturn]] void refuse(const std::string& flag, const std::string& value, const std::string& allowed) {
  throw CLI::ValidationError(flag, "'" + value + "' is not allowed: " + allowed);
}

/// Defines the flags on one CLI::App; each writes into the configuration or refuses its value.
class Flags {
 public:
  Flags(CLI::App& app, Configuration& configuration) : app_(app), configuration_(configuration) {}

  void define();
  bool check_only = false;

 private:
  using Take = std::function<void(const std::string&)>;

  CLI::Option* text(const std::string& name, const std::string& type, const std::string& fallback,
                    const std::string& help, Take take);
  CLI::Option* list(const std::string& name, const std::string& type, const std::string& help, Take take);
  template <class Duration>
  CLI::Option* duration(const std::string& name, Duration& target, std::chrono::milliseconds least,
                        const std::string& help);
  CLI::Option* number(const std::string& name, std::uint32_t& target, std::uint32_t least, std::uint32_t most,
                      const std::string& help);
  CLI::Option* block(const std::string& name, std::vector<Cidr>& target, const std::string& help);
  void path(const std::string& name, std::filesystem::path& target, const std::string& help);
  void take_listen(const std::string& flag, const std::string& value, bool tls);
  void define_listening();
  void define_limits();
  void define_tls();
  void define_log();

  CLI::App& app_;
  Configuration& configuration_;
};

std::string environment_name(const std::string& name) {
  std::string result = "LEKT_";
  for (const char c : name.substr(2)) result += c == '-' ? '_' : static_cast<char>(std::toupper(c));
  return result;
}

/// The value of an environment variable; empty when it is not set.
std::string environment(const std::string& name) {
  const char* value = std::getenv(name.c_str());
  return value == nullptr ? std::string() : value;
}

/// CLI11 lets a file beat the environment. So what the environment sets is left out of the file.
class FileBelowEnvironment : public CLI::ConfigTOML {
 public:
  std::vector<CLI::ConfigItem> from_config(std::istream& input) const override {
    auto kept = CLI::ConfigTOML::from_config(input);
    std::erase_if(kept, [](const CLI::ConfigItem& item) {
      return !environment(environment_name("--" + item.name)).empty();
    });
    return kept;
  }
};

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

void Flags::take_listen(const std::string& flag, const std::string& value, bool tls) {
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
  configuration_.listen.push_back({address, port, tls});
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
  define_limits();
  list(
      "--method", "INDEX:NAME:FORM",
      "add a connection method to the catalogue; repeatable; FORM is fixed:BYTES or sized; 1:tcp is built in",
      [&target](const std::string& value) {
        if (const auto wrong = target.catalogue.add(value)) refuse("--method", value, *wrong);
      });
  define_log();
  app_.add_flag("--check-config", check_only, "check all settings, print them, and exit");
}

void Flags::define_listening() {
  Configuration& target = configuration_;
  list("--listen", "ADDRESS:PORT",
       "listen here; repeatable; port 0 picks a free one and logs it [default: 0.0.0.0:7890, unless "
       "--tls-listen is given]",
       [this](const std::string& value) { take_listen("--listen", value, false); });
  list("--tls-listen", "ADDRESS:PORT", "listen here with TLS; repeatable",
       [this](const std::string& value) { take_listen("--tls-listen", value, true); });
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
         constexpr std::array names = {"trace", "debug", "info", "warn", "error", "off"};
         const auto found = std::ranges::find(names, value);
         if (found == names.end()) refuse("--log-level", value, "trace, debug, info, warn, error or off");
         target.log_level = static_cast<LogLevel>(found - names.begin());
       });
  text("--log-format", "FORMAT", "text", "text or json, one line an event",
       [&target](const std::string& value) {
         if (value != "text" && value != "json") refuse("--log-format", value, "text or json");
         target.log_format = value == "json" ? LogFormat::json : LogFormat::text;
       });
}

/// Settings that are right by themselves and wrong together.
std::optional<std::string> find_contradiction(const Configuration& configuration, PassedSockets passed) {
  const TlsSettings& tls = configuration.tls;
  const bool listens =
      passed == PassedSockets::with_tls || std::ranges::any_of(configuration.listen, &ListenAddress::tls);
  if (listens && (tls.certificate.empty() || tls.key.empty()))
    return std::string(passed == PassedSockets::with_tls ? "a passed socket for TLS" : "--tls-listen") +
           " needs a certificate and its key: give --tls-cert and --tls-key";
  if (!listens && !(tls.certificate.empty() && tls.key.empty() && tls.client_authorities.empty()))
    return "--tls-cert, --tls-key and --tls-client-ca are of no use without --tls-listen: give it, or take "
           "them away";
  return std::nullopt;
}

std::string describe(const Configuration& configuration) {
  std::string text = "The configuration is valid.\n";
  const auto line = [&](const std::string& key, const std::string& value) {
    text += key + " = " + value + "\n";
  };
  for (const ListenAddress& address : configuration.listen)
    line(address.tls ? "tls-listen" : "listen", address.text());
  if (!configuration.tls.certificate.empty()) {
    line("tls-cert", configuration.tls.certificate.string());
    line("tls-key", configuration.tls.key.string());
    if (!configuration.tls.client_authorities.empty())
      line("tls-client-ca", configuration.tls.client_authorities.string());
    line("tls-min-version", configuration.tls.allow_1_2 ? "1.2" : "1.3");
  }
  for (const Cidr& cidr : configuration.proxies) line("proxy-protocol", to_string(cidr));
  line("database", configuration.database.string());
  line("heartbeat-timeout", format_duration(configuration.heartbeat_timeout));
  line("handshake-timeout", format_duration(configuration.handshake_timeout));
  line("tcp-user-timeout", format_duration(configuration.tcp_user_timeout));
  line("restart-grace", format_duration(configuration.restart_grace));
  line("silence-patience", format_duration(configuration.silence_patience));
  line("silence-share", std::to_string(configuration.silence_share_percent));
  line("retention", format_duration(configuration.retention));
  line("threads", std::to_string(configuration.threads));
  line("max-clients", std::to_string(configuration.clients_max));
  line("max-connections-per-address", std::to_string(configuration.connections_per_address_max));
  line("max-handshakes", std::to_string(configuration.handshakes_max));
  line("max-connection-rate", std::to_string(configuration.connection_rate));
  line("max-connection-rate-per-address", std::to_string(configuration.connection_rate_per_address));
  line("max-heartbeat-rate", std::to_string(configuration.heartbeat_rate));
  line("max-output-bytes", std::to_string(configuration.output_bytes_max));
  for (const Cidr& cidr : configuration.address_rules.allowed) line("allow", to_string(cidr));
  for (const Cidr& cidr : configuration.address_rules.denied) line("deny", to_string(cidr));
  line("max-methods", std::to_string(configuration.methods_max));
  line("max-packet-bytes", std::to_string(configuration.packet_bytes_max));
  for (const Method& method : configuration.catalogue.methods())
    line("method",
         std::to_string(method.index) + ":" + method.name + ":" +
             (method.form.kind == MethodForm::Kind::sized ? "sized"
                                                          : "fixed:" + std::to_string(method.form.bytes)));
  return text;
}

}  // namespace

std::string ListenAddress::text() const {
  const bool bracketed = address.find(':') != address.npos;
  return (bracketed ? "[" + address + "]" : address) + ":" + std::to_string(port);
}

std::variant<Configuration, EarlyExit> read_configuration(int argc, const char* const* argv,
                                                          PassedSockets passed) {
  Configuration configuration;
  configuration.threads = std::max(1u, std::thread::hardware_concurrency());
  CLI::App app("lektd, the LEKT coordinator: tells every client on a network who else is there.", "lektd");
  app.set_version_flag("--version", "lektd " LEKT_VERSION);
  // CLI11 looks for the file before it looks into the environment, so the variable has to be the default.
  const std::string file = environment("LEKT_CONFIG");
  app.set_config("--config", file, "read settings from this file (TOML)", !file.empty())
      ->envname("LEKT_CONFIG")
      ->type_name("FILE");
  app.config_formatter(std::make_shared<FileBelowEnvironment>());
  app.allow_config_extras(CLI::config_extras_mode::error);
  app.footer(footer);
  app.get_formatter()->column_width(34);
  Flags flags(app, configuration);
  flags.define();
  try {
    app.parse(argc, argv);
  } catch (const CLI::Success& success) {
    std::ostringstream out;
    app.exit(success, out, out);
    return EarlyExit{0, out.str()};
  } catch (const CLI::ParseError& error) {
    return EarlyExit{2, "lektd: " + code_text(ErrorCode::setting_invalid) + " " + error.what() +
                            "\nTry 'lektd --help'.\n"};
  }
  if (const auto wrong = find_contradiction(configuration, passed))
    return EarlyExit{
        2, "lektd: " + code_text(ErrorCode::setting_invalid) + " " + *wrong + "\nTry 'lektd --help'.\n"};
  if (configuration.listen.empty() && passed == PassedSockets::none)
    configuration.listen.push_back({"0.0.0.0", limits::port_default});
  if (app.count("--restart-grace") == 0) configuration.restart_grace = configuration.heartbeat_timeout;
  if (app.count("--silence-patience") == 0) configuration.silence_patience = configuration.heartbeat_timeout;
  if (app.count("--tcp-user-timeout") == 0) configuration.tcp_user_timeout = configuration.heartbeat_timeout;
  if (flags.check_only) return EarlyExit{0, describe(configuration)};
  return configuration;
}

}  // namespace lekt
