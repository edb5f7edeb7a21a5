// `lekt ping`: is the coordinator there?
#include "client/ping.h"

#include <iomanip>
#include <memory>
#include <sstream>

#include "client/command/arguments.h"
#include "client/command/commands.h"
#include "client/command/output.h"

namespace lekt::command {

namespace {

using namespace std::chrono_literals;

constexpr const char* ping_help =
    R"(Asks whether the coordinator is there, and how fast it answers.

It sends one handshake and leaves. Nobody is registered and nothing changes for others, so it is what a health check should run.)";

constexpr const char* ping_footer = R"(
Exit codes: 0 the handshake was accepted; 1 it was not, and standard error says why; 2 wrong usage.)";

struct PingOptions {
  std::string server;
  std::optional<Address> source;
  std::optional<TlsOptions> tls;
  std::chrono::milliseconds timeout = 5s;
};

std::string milliseconds_text(std::chrono::microseconds duration) {
  std::ostringstream text;
  text << std::fixed << std::setprecision(3) << std::chrono::duration<double, std::milli>(duration).count()
       << " ms";
  return text.str();
}

int run_ping(const PingOptions& options) {
  const ServerName server = parse_server_name(options.server);
  const PingResult result = ping({server, options.source, options.timeout, options.tls});
  for (const std::string& warning : result.warnings) print_status(warning);
  if (!result.accepted) {
    print_status(result.reason);
    return exit_failed;
  }
  print("accepted by " + server_text(options.server, result.endpoints) + " in " +
        milliseconds_text(result.round_trip) + " (connected in " + milliseconds_text(result.connect_time) +
        ")\n");
  return exit_done;
}

}  // namespace

Run add_ping(CLI::App& app) {
  const auto options = std::make_shared<PingOptions>();
  app.description(ping_help);
  app.footer(ping_footer);
  add_server(app, options->server);
  add_source(app, options->source);
  add_tls(app, options->tls);
  add_duration(app, "--timeout", "How long to wait for the connection, and again for the answer",
               options->timeout, 10ms, 1h);
  return [options] { return run_ping(*options); };
}

}  // namespace lekt::command
