// The `lekt` command: picks the subcommand, and turns errors into messages and exit codes.
#include <unistd.h>

#include <CLI/CLI.hpp>
#include <csignal>
#include <map>
#include <memory>
#include <sstream>

#include "client/command/commands.h"
#include "client/command/output.h"
#include "common/errors.h"
#include "common/packets.h"
#include "common/standard_descriptors.h"

namespace {

using namespace lekt::command;

constexpr const char* footer = R"(
`lekt SUBCOMMAND --help` explains each. A first conversation:
  lekt ping --server 10.0.0.1
  lekt join --server 10.0.0.1 --method tcp:4000

Exit codes: 0 done; 1 the server cannot be reached, refuses or breaks the protocol, or the output fails; 2 wrong
usage. Every error message begins with a code that does not change, for example E701.)";

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

std::string version_text() {
  return "lekt " LEKT_VERSION ", protocol " + std::to_string(lekt::version_spoken.major) + "." +
         std::to_string(lekt::version_spoken.minor);
}

int report_usage(const CLI::App& app, const std::string& message) {
  const auto chosen = app.get_subcommands();
  print_status(message);
  print_status("see `lekt " + (chosen.empty() ? "" : chosen.front()->get_name() + " ") + "--help`");
  return exit_usage;
}

int run(int count, char** arguments) {
  CLI::App app{"Talks to a LEKT coordinator, which tells every client on a network who else is there.",
               "lekt"};
  app.set_version_flag("--version", version_text());
  app.footer(footer);
  app.require_subcommand(0, 1);
  app.formatter(std::make_shared<HelpFormatter>());
  std::map<const CLI::App*, Run> commands;
  const auto add = [&](const char* name, Run (*add_to)(CLI::App&)) {
    CLI::App* subcommand = app.add_subcommand(name);
    commands[subcommand] = add_to(*subcommand);
  };
  add("join", add_join);
  add("peers", add_peers);
  add("ping", add_ping);
  add("decode", add_decode);
  add("device", add_device);
  try {
    app.parse(count, arguments);
    const auto chosen = app.get_subcommands();
    if (chosen.empty())
      throw lekt::CodedError(lekt::ErrorCode::usage_wrong,
                             "a subcommand is missing: join, peers, ping, decode or device");
    return commands.at(chosen.front())();
  } catch (const CLI::Success& help_or_version) {
    return app.exit(help_or_version);
  } catch (const CLI::ParseError& error) {
    return report_usage(app, lekt::Rejection{lekt::ErrorCode::usage_wrong, error.what()}.text());
  } catch (const lekt::CodedError& error) {
    if (error.code() == lekt::ErrorCode::usage_wrong) return report_usage(app, error.what());
    print_status(error.what());
    return exit_failed;
  }
}

/// The first process of a container is not ended by a signal for which it has no handler, not even by SIGTERM.
/// `lekt join` has a better handler, which leaves first.
void end_on_signals() {
  for (const int number : {SIGHUP, SIGINT, SIGTERM})
    std::signal(number, [](int received) { ::_exit(128 + received); });
}

}  // namespace

int main(int count, char** arguments) {
  lekt::open_standard_descriptors();
  if (::getpid() == 1) end_on_signals();
  try {
    return run(count, arguments);
  } catch (const std::exception& error) {
    print_status(error.what());
    return exit_failed;
  }
}
