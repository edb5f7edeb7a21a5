#include "server/configuration.h"

#include <algorithm>
#include <memory>
#include <optional>
#include <sstream>
#include <string_view>
#include <thread>

#include "common/duration.h"
#include "common/errors.h"
#include "common/limits.h"
#include "server/flags.h"

namespace lekt {

namespace {

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
  if (!configuration.admin_hosts.empty() && !configuration.admin)
    return "--admin-host is of no use without --admin: give it, or take it away";
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
  if (configuration.admin) line("admin", configuration.admin->text());
  for (const std::string& name : configuration.admin_hosts) line("admin-host", name);
  line("control-socket",
       configuration.control_socket.empty() ? "none" : configuration.control_socket.string());
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
  line("log-level", level_names.at(static_cast<std::size_t>(configuration.log_level)));
  line("log-format", configuration.log_format == LogFormat::json ? "json" : "text");
  for (const Method& method : configuration.catalogue.methods())
    line("method",
         std::to_string(method.index) + ":" + method.name + ":" +
             (method.form.kind == MethodForm::Kind::sized ? "sized"
                                                          : "fixed:" + std::to_string(method.form.bytes)));
  return text;
}

/// The library calls every configuration file an INI.
std::string in_plain_words(const std::string& message) {
  constexpr std::string_view unknown = "INI was not able to parse ";
  if (!message.starts_with(unknown)) return message;
  return "the configuration file has '" + message.substr(unknown.size()) +
         "', which is no setting; each is a flag without its dashes";
}

EarlyExit refuse_to_start(const std::string& wrong) {
  return {2, "lektd: " + code_text(ErrorCode::setting_invalid) + " " + wrong + "\nTry 'lektd --help'.\n",
          wrong};
}

}  // namespace

std::string ListenAddress::text() const {
  const bool bracketed = address.find(':') != address.npos;
  return (bracketed ? "[" + address + "]" : address) + ":" + std::to_string(port);
}

std::filesystem::path default_control_socket(const std::filesystem::path& database) {
  return database.string() + ".sock";
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
    return EarlyExit{0, out.str(), {}};
  } catch (const CLI::ParseError& error) {
    return refuse_to_start(in_plain_words(error.what()));
  }
  if (const auto wrong = find_contradiction(configuration, passed)) return refuse_to_start(*wrong);
  if (configuration.listen.empty() && passed == PassedSockets::none)
    configuration.listen.push_back({"0.0.0.0", limits::port_default});
  if (app.count("--control-socket") == 0)
    configuration.control_socket = default_control_socket(configuration.database);
  if (app.count("--restart-grace") == 0) configuration.restart_grace = configuration.heartbeat_timeout;
  if (app.count("--silence-patience") == 0) configuration.silence_patience = configuration.heartbeat_timeout;
  if (app.count("--tcp-user-timeout") == 0) configuration.tcp_user_timeout = configuration.heartbeat_timeout;
  if (flags.check_only) return EarlyExit{0, describe(configuration), {}};
  return configuration;
}

}  // namespace lekt
