// `lektctl`, the operator's command: picks the subcommand, and turns errors into messages and exit codes.
#include <CLI/CLI.hpp>
#include <algorithm>
#include <exception>
#include <filesystem>
#include <map>
#include <memory>
#include <sstream>

#include "common/errors.h"
#include "common/printable.h"
#include "common/standard_descriptors.h"
#include "common/text.h"
#include "lektctl/command/commands.h"
#include "lektctl/command/locate.h"
#include "lektctl/command/output.h"

namespace {

using namespace lekt::lektctl;
using lekt::CodedError;
using lekt::ErrorCode;

constexpr const char* footer = R"(
`lektctl SUBCOMMAND --help` explains each. Those that only look work while the server runs and when it does not.
  lektctl status
  lektctl --database /var/lib/lekt/lekt.db clients --method tcp
  lektctl changes --follow
  lektctl ban 10.9.0.0/16 --reason "floods us"
  lektctl backup /var/backups/lekt.db

Who may read the database may look; who may write to the server's socket may steer (both: the server's group).
Exit codes: 0 done; 1 not done, and standard error says why; 2 wrong usage. Every error message begins with a code
that does not change; `lektctl explain E801` tells what it means and what to do.)";

/// Lists subcommands with only the first line of their descriptions.
class HelpFormatter : public CLI::Formatter {
 public:
  HelpFormatter() { column_width(34); }
  std::string make_subcommand(const CLI::App* subcommand) const override {
    const std::string description = subcommand->get_description();
    std::ostringstream line;
    CLI::detail::format_help(line, subcommand->get_name(), description.substr(0, description.find('\n')),
                             get_column_width());
    return line.str();
  }
};

struct Entry {
  const char* name;
  Run (*add)(CLI::App&, const Options&);
};

constexpr Entry entries[] = {
    {"health", add_health},   {"reload", add_reload},   {"status", add_status},   {"clients", add_clients},
    {"client", add_client},   {"changes", add_changes}, {"watch", add_watch},     {"bans", add_bans},
    {"rejects", add_rejects}, {"devices", add_devices}, {"device", add_device},   {"traces", add_traces},
    {"kick", add_kick},       {"ban", add_ban},         {"unban", add_unban},     {"trace", add_trace},
    {"untrace", add_untrace}, {"backup", add_backup},   {"restore", add_restore}, {"check", add_check},
    {"compact", add_compact}, {"export", add_export},   {"import", add_import},   {"explain", add_explain},
};

/// "; did you mean `status`?" for a word that is neither a subcommand nor an option, or nothing.
std::string suggestion(const CLI::App& app) {
  const auto words = app.remaining(true);
  if (words.empty()) return {};
  const auto chosen = app.get_subcommands();
  std::vector<std::string> known;
  if (words.front().starts_with('-')) {
    for (const CLI::App* part : {&app, chosen.empty() ? &app : static_cast<const CLI::App*>(chosen.front())})
      for (const CLI::Option* option : part->get_options())
        for (const std::string& name : option->get_lnames()) known.push_back("--" + name);
  } else if (chosen.empty()) {
    for (const Entry& entry : entries) known.emplace_back(entry.name);
  }
  const std::string meant = lekt::closest(words.front().substr(0, words.front().find('=')), known);
  return meant.empty() ? "" : "; did you mean `" + meant + "`?";
}

int report_usage(const CLI::App& app, const std::string& message) {
  const auto chosen = app.get_subcommands();
  print_status(message);
  print_status("see `lektctl " + (chosen.empty() ? "" : chosen.front()->get_name() + " ") + "--help`");
  return exit_usage;
}

/// Adds a hint to the message about a missing database, which is most often in another directory.
std::string with_hint(const CodedError& error, const CLI::App& app, const Options& options) {
  const std::string message = error.what();
  const bool missing = !std::filesystem::exists(options.instance.database);
  if (error.code() != ErrorCode::database_unusable || !missing || app.count("--database") > 0) return message;
  return message + "; name the server's database with --database or LEKT_DATABASE";
}

int run(int count, char** arguments) {
  CLI::App app{"Shows operators what a LEKT coordinator does, and lets them steer it.", "lektctl"};
  app.set_version_flag("--version", "lektctl " LEKT_VERSION);
  app.footer(footer);
  app.require_subcommand(0, 1);
  app.fallthrough();
  app.formatter(std::make_shared<HelpFormatter>());
  Options options;
  add_options(app, options);
  std::map<const CLI::App*, Run> commands;
  for (const Entry& entry : entries) {
    CLI::App* subcommand = app.add_subcommand(entry.name);
    commands[subcommand] = entry.add(*subcommand, options);
  }
  try {
    app.parse(count, arguments);
    options.instance.on_wait = print_status;
    const auto chosen = app.get_subcommands();
    if (chosen.empty()) refuse("a subcommand is missing; `lektctl status` is a good first one");
    locate(options.instance);
    const int status = commands.at(chosen.front())();
    flush();
    return status;
  } catch (const CLI::Success& help_or_version) {
    std::ostringstream text;
    app.exit(help_or_version, text);
    print(text.str());
    flush();
    return exit_done;
  } catch (const CLI::ParseError& error) {
    return report_usage(
        app, lekt::Rejection{ErrorCode::operator_usage_wrong, lekt::printable(error.what()) + suggestion(app)}
                 .text());
  } catch (const CodedError& error) {
    if (error.code() == ErrorCode::operator_usage_wrong) return report_usage(app, error.what());
    print_status(with_hint(error, app, options));
    return exit_failed;
  }
}

}  // namespace

int main(int count, char** arguments) {
  lekt::open_standard_descriptors();
  try {
    return run(count, arguments);
  } catch (const std::filesystem::filesystem_error& error) {
    print_status(CodedError(ErrorCode::database_unusable, "cannot look at " + error.path1().string() + ": " +
                                                              error.code().message() +
                                                              "; you have to be in the group of the database")
                     .what());
    return exit_failed;
  } catch (const std::exception& error) {
    print_status(error.what());
    return exit_failed;
  }
}
