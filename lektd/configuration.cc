#include "lektd/configuration.h"

#include <CLI/CLI.hpp>
#include <optional>
#include <sstream>

#include "common/error_message.h"
#include "common/errors.h"
#include "lektd/device_checks.h"
#include "lektd/lookout.h"
#include "lektd/setting_sources.h"
#include "lektd/setting_table.h"
#include "lektd/settings_report.h"
#include "server/net/tls.h"
#include "server/operators/clock.h"
#include "server/operators/settings_file.h"

namespace lekt {

namespace {

constexpr auto footer = R"(
Durations are a whole number with ms, s, m, h or d: 90s, 7d, 250ms.
A setting is also an environment variable (in brackets above; a list with commas, of device groups with ~) and a
key of the settings' file (its name without the dashes). A flag beats the environment, the environment beats the file.

Exit status: 0 stopped by SIGTERM or SIGINT; 1 could not start, or had to give up; 2 a setting is wrong.
Every error begins with a code, such as E502; docs/errors.md explains all of them.

Examples:
  lektd                                            serve on port 7890, keep the state in ./lekt.db
  lektd --database /var/lib/lekt/lekt.db --listen 192.0.2.10:7890
  lektd --method 2:chat:sized                      also relay what clients say about method 2, named "chat")";

/// Settings that are right by themselves and wrong together.
std::optional<std::string> find_contradiction(const Configuration& configuration) {
  const TlsSettings& tls = configuration.tls;
  const bool has_passed = configuration.passed == PassedSockets::with_tls;
  const bool listens = has_passed || !configuration.tls_listen.empty();
  if (listens && (tls.certificate.empty() || tls.key.empty()))
    return std::string(has_passed ? "a passed socket for TLS" : "--tls-listen") +
           " needs a certificate and its key: give --tls-cert and --tls-key";
  if (!listens && !offers_dtls(configuration) &&
      !(tls.certificate.empty() && tls.key.empty() && tls.client_authorities.empty()))
    return "--tls-cert, --tls-key and --tls-client-ca are of no use without --tls-listen, or devices that "
           "may encrypt (--device-listen): give one of these, or take them away";
  if (!configuration.admin_hosts.empty() && !configuration.admin)
    return "--admin-host is of no use without --admin: give it, or take it away";
  return find_device_contradiction(configuration);
}

EarlyExit refuse_to_start(const std::string& wrong) {
  return {2, "lektd: " + code_text(ErrorCode::setting_invalid) + " " + wrong + "\nTry 'lektd --help'.\n",
          wrong};
}

/// The flags that are not settings; neither file nor environment has them.
struct Commands {
  bool check_only = false;
  bool as_json = false;
  bool reload = false;
};

/// The flags only gather values (take_settings()). A list may be repeated, nothing else.
void define_settings(CLI::App& app) {
  const auto gather = [](const CLI::results_t&) { return true; };
  app.add_option("--config", gather, "read settings from this file (TOML)")->type_name("FILE");
  for (const Setting& setting : all_settings()) {
    const bool has_words = !setting.otherwise.empty();
    const std::string fallback = has_words ? " [default: " + setting.otherwise + "]" : "";
    CLI::Option* option = app.add_option(setting.flag(), gather, setting.help + fallback)
                              ->type_name(setting.placeholder)
                              ->default_str(has_words ? "" : setting.fallback());
    if (setting.form == Setting::Form::list)
      option->expected(1, CLI::detail::expected_max_vector_size)->allow_extra_args(false);
  }
}

void define_commands(CLI::App& app, Commands& commands) {
  app.add_flag(
      "--reload", commands.reload,
      "let the server that runs with these settings read them again, tell what came of it, and exit");
  app.add_flag("--check-config", commands.check_only,
               "check all settings, print them and where each comes from, and exit");
  app.add_flag("--json", commands.as_json, "with --check-config: print JSON");
}

/// Refuses --reload and --json together with what they do not go with.
void expect_one_command(const Commands& commands) {
  if (commands.reload && commands.check_only)
    throw WrongSetting("--reload does one thing: leave out --check-config");
  if (commands.as_json && !commands.check_only)
    throw WrongSetting("--json is of no use without --check-config");
}

/// Reads the certificates as a start does. Returns what it would refuse (E510) or warn of (E616), or nothing.
std::optional<Rejection> trouble_with_certificates(const TlsSettings& tls) {
  if (tls.certificate.empty()) return std::nullopt;
  try {
    const std::string words = describe_expiry(TlsContext(tls).expires(), wall_seconds());
    return words.empty() ? std::nullopt
                         : std::optional(Rejection{ErrorCode::server_certificate_expires, words});
  } catch (const CodedError& error) {
    return Rejection{error.code(), message_of(error)};
  }
}

/// What --check-config prints; status 1 when a server would not start.
EarlyExit report_settings(const Configuration& configuration, const std::vector<Origin>& origins,
                          bool as_json) {
  SettingsReport report{configuration, origins};
  for (auto trouble :
       {trouble_with_certificates(configuration.tls), trouble_with_device_ports(configuration)})
    if (trouble) report.troubles.push_back(*std::move(trouble));
  EarlyExit exit{0, as_json ? report.as_json() : report.as_toml(), {}};
  if (const Rejection* refusal = report.refusal()) {
    exit.status = 1;
    exit.error = refusal->text();
  }
  return exit;
}

}  // namespace

std::variant<Configuration, EarlyExit> read_configuration(int argc, const char* const* argv,
                                                          PassedSockets passed) {
  CLI::App app("lektd, the LEKT coordinator: tells every client on a network who else is there.", "lektd");
  app.set_version_flag("--version", "lektd " LEKT_VERSION);
  app.footer(footer);
  app.get_formatter()->column_width(34);
  Commands commands;
  define_settings(app);
  define_commands(app, commands);
  try {
    app.parse(argc, argv);
    expect_one_command(commands);
    Configuration configuration;
    configuration.passed = passed;
    configuration.reload = commands.reload;
    const std::vector<Origin> origins = take_settings(configuration, app);
    // Sockets that are passed to the server are not passed to a program that only asks it for a reload: the server
    // judges.
    const auto wrong = find_contradiction(configuration);
    if (wrong && !commands.reload) return refuse_to_start(*wrong);
    if (configuration.listen.empty() && configuration.tls_listen.empty() && passed == PassedSockets::none)
      throw WrongSetting("listen = [] leaves nothing to listen on: name an address, or give --tls-listen");
    configuration.unknown_variables = unknown_variables();
    if (!commands.check_only) return configuration;
    return report_settings(configuration, origins, commands.as_json);
  } catch (const CLI::Success& success) {
    // Only to be shown: the library would read them itself, and not tell them from flags.
    for (const Setting& setting : all_settings()) app.get_option(setting.flag())->envname(setting.variable());
    app.get_option("--config")->envname("LEKT_CONFIG");
    std::ostringstream out;
    app.exit(success, out, out);
    return EarlyExit{0, out.str(), {}};
  } catch (const CLI::ParseError& error) {
    return refuse_to_start(error.what());
  } catch (const WrongSetting& wrong) {
    return refuse_to_start(wrong.what());
  }
}

}  // namespace lekt
