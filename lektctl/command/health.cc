// `lektctl health`, for programs that restart a server that is ill, such as container engines; and `lektctl reload`.
#include <chrono>
#include <memory>

#include "common/duration.h"
#include "common/text.h"
#include "lektctl/command/commands.h"
#include "lektctl/command/output.h"

namespace lekt::lektctl {

namespace {

using namespace std::chrono_literals;

constexpr const char* health_help = R"(Tells whether the server lives, for a container's engine.

It lives when each of its threads makes progress: those that serve clients answer within a second; the one that writes,
which may wait for a slow disk, and the one that accepts within 30 seconds. A compaction may take longer. It is asked
through its control socket, so no port, no rule about addresses and no certificate matters. Whether clients reach it,
`lekt ping` tells.)";

constexpr const char* health_footer = R"(
Examples:
  lektctl health
  lektctl health --ready

With --ready it also has to be able to take clients in: joins can be stored, and those who come back after a restart
leave room. A server that is not ready lives, and should not be restarted for that.
Exit codes: 0 healthy (with --ready: and ready); 1 not, or it does not answer in time, and standard error says why;
2 wrong usage. E620 says which thread makes no progress, and for how long.)";

constexpr const char* reload_help =
    R"(Lets the server read its settings and certificates again, as SIGHUP does.

It waits for the result: what is used from now on, and what waits for a restart. A mistake changes nothing (E606, E607).)";

constexpr const char* reload_footer = R"(
Exit codes: 0 done; 1 not done, and standard error says why; 2 wrong usage.)";

struct HealthWanted {
  control::AskHealth request;
  std::chrono::milliseconds timeout = 3s;
};

int report_health(const Options& options, const HealthWanted& wanted) {
  const control::Healthy health = control::reach(options.instance).ask(wanted.request, wanted.timeout);
  return report(options, health, health.ready ? "healthy, and ready" : "healthy, and not ready");
}

}  // namespace

Run add_health(CLI::App& app, const Options& options) {
  app.description(health_help);
  app.footer(health_footer);
  const auto wanted = std::make_shared<HealthWanted>();
  app.add_flag("--ready", wanted->request.ready, "It also has to be able to take clients in");
  app.add_option_function<std::string>(
         "--timeout",
         [wanted](const std::string& text) {
           const auto duration = parse_duration(text);
           if (!duration || *duration < 100ms || *duration > 1min)
             refuse("--timeout \"" + escape(text) + "\" is not a duration of 100ms to 1m, for example 3s");
           wanted->timeout = *duration;
         },
         "For so long it may take")
      ->type_name("DURATION")
      ->default_str(format_duration(wanted->timeout));
  return [wanted, &options] { return report_health(options, *wanted); };
}

Run add_reload(CLI::App& app, const Options& options) {
  app.description(reload_help);
  app.footer(reload_footer);
  return [&options] {
    const Operations::Reloaded reloaded = control::reload(options.instance);
    return report(options, reloaded, control::describe_reload(reloaded));
  };
}

}  // namespace lekt::lektctl
