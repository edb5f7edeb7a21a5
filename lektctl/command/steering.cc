// The commands that change something on the server: kick, ban, unban, trace, untrace, compact.
#include <chrono>
#include <memory>

#include "common/calendar.h"
#include "common/duration.h"
#include "common/errors.h"
#include "common/printable.h"
#include "lektctl/command/commands.h"
#include "lektctl/command/confirmation.h"
#include "lektctl/command/output.h"
#include "server/operators/operations.h"
#include "server/operators/tracer.h"

namespace lekt::lektctl {

namespace {

using namespace std::chrono_literals;

constexpr const char* exit_codes = R"(
Exit codes: 0 done; 1 not done, and standard error says why; 2 wrong usage.)";

constexpr const char* kick_help =
    R"(Ends the sessions of a client or a device (E409). It may connect again at once.

A client that is waited for after a restart is no longer waited for. To keep it out, ban it. What is no address is
taken for a device's uid.)";

constexpr const char* kick_footer = R"(
Examples:
  lektctl kick 10.0.0.7
  lektctl kick 0015708E863F

Exit codes: 0 done; 1 not done, and standard error says why; 2 wrong usage.)";

constexpr const char* ban_help =
    R"(Bans addresses: their sessions end, and they are refused (E408) until unban, or for a time.

The ban is kept in the database, so it holds after restarts too. When the server does not run, it is written there.
On a terminal it tells whom a block of addresses would reach, and asks. Elsewhere a ban of more than 65,536 addresses,
or of more than half of at least 10 clients, needs --yes (E809).)";

constexpr const char* ban_footer = R"(
Examples:
  lektctl ban 10.0.0.7
  lektctl ban 10.9.0.0/16 --reason "floods us, ticket 4711"
  lektctl ban 10.9.0.7 --for 1h

Exit codes: 0 done; 1 not done, and standard error says why; 2 wrong usage.)";

constexpr const char* unban_help = R"(Lifts a ban. BAN is as `lektctl bans` shows it.)";

constexpr const char* trace_help =
    R"(Writes every packet of these addresses, annotated, into a file of its own beside the database.

It is what to look at when a device does not behave: what it sent, when, and what it was told. It ends by itself.
What the disk does not take in time is left out, and the file says how much. It asks as `lektctl ban` does before it
traces many.)";

constexpr const char* trace_footer = R"(
Examples:
  lektctl trace 10.0.0.7
  lektctl trace 10.0.0.0/24 --for 1h

Exit codes: 0 done; 1 not done, and standard error says why; 2 wrong usage.)";

constexpr const char* untrace_help = R"(Ends a protocol trace. Its file stays.)";

constexpr const char* compact_help = R"(Gives the free pages of the database back to the file system.

The database does not shrink by itself: it uses its free pages again. Nothing is stored meanwhile, so joins wait; it
takes about a second for a hundred megabytes, and needs as much space again.)";

int kick(const Options& options, const std::string& whom) {
  control::ControlClient server = control::reach(options.instance);
  const auto address = parse_address(whom);
  const Operations::Kicked kicked =
      address ? server.ask(control::Kick{*address}) : server.ask(control::KickDevice{whom});
  return report(options, kicked,
                "kicked " + printable(whom) + "; " + count_text(kicked.sessions, "session") + " ended" +
                    (kicked.was_waiting ? ", and it is no longer waited for" : ""));
}

/// A request that may affect many clients, so it is confirmed first unless --yes is given.
template <class Request>
struct Considered {
  Request request;
  bool yes = false;
};

int trace(const Options& options, const Considered<control::Trace>& wanted) {
  const Block& block = wanted.request.block;
  confirm(options.instance, block, "a trace", wanted.yes);
  const TraceStatus trace = control::reach(options.instance).ask(wanted.request);
  return report(options, trace,
                "writing the packets of " + to_short_string(block) + " into " + printable(trace.file) +
                    " for " + describe_seconds(trace.seconds_left));
}

int untrace(const Options& options, const control::Untrace& wanted) {
  const control::Done done = control::reach(options.instance).ask(wanted);
  return report(options, done, "ended the trace of " + to_short_string(wanted.block));
}

int run_compact(const Options& options) {
  const Compacted compacted = compact(options.instance);
  return report(options, compacted,
                "compacted: " + bytes_text(compacted.answer.bytes_before) + " before, " +
                    bytes_text(compacted.answer.bytes_after) + " now");
}

}  // namespace

Run add_kick(CLI::App& app, const Options& options) {
  app.description(kick_help);
  app.footer(kick_footer);
  const auto whom = std::make_shared<std::string>();
  app.add_option("CLIENT", *whom, "The address of a client or device, or a device's uid")->required();
  return [whom, &options] { return kick(options, *whom); };
}

Run add_ban(CLI::App& app, const Options& options) {
  app.description(ban_help);
  app.footer(ban_footer);
  const auto wanted = std::make_shared<Considered<control::Ban>>();
  add_block(app, wanted->request.block, "An address or a block of them");
  app.add_option("--reason", wanted->request.reason, "Why, for `lektctl bans`; at most 200 bytes")
      ->type_name("TEXT");
  app.add_option_function<std::string>(
         "--for",
         [wanted](const std::string& text) {
           const auto duration = parse_duration(text);
           if (!duration || *duration < 1s || *duration > Operations::ban_max)
             refuse("--for \"" + printable(text) + "\" is not a duration of 1s to " +
                    format_duration(Operations::ban_max) + ", for example 1h");
           wanted->request.duration = std::chrono::ceil<std::chrono::seconds>(*duration);
         },
         "The ban ends by itself after this time [default: it has no end]")
      ->type_name("DURATION");
  app.add_flag("--yes", wanted->yes, "Do not ask");
  return [wanted, &options] {
    confirm(options.instance, wanted->request.block, "a ban", wanted->yes);
    const Banned banned = ban(options.instance, wanted->request);
    return report(options, banned, describe(banned));
  };
}

Run add_unban(CLI::App& app, const Options& options) {
  app.description(unban_help);
  app.footer(exit_codes);
  const auto wanted = std::make_shared<control::Unban>();
  add_block(app, wanted->block, "The block that was banned", "BAN");
  return [wanted, &options] {
    const Unbanned unbanned = unban(options.instance, *wanted);
    return report(options, unbanned, describe(unbanned));
  };
}

Run add_trace(CLI::App& app, const Options& options) {
  app.description(trace_help);
  app.footer(trace_footer);
  const auto wanted = std::make_shared<Considered<control::Trace>>();
  wanted->request.duration = 10min;
  add_block(app, wanted->request.block, "An address or a block of them");
  app.add_option_function<std::string>(
         "--for",
         [wanted](const std::string& text) {
           const auto duration = parse_duration(text);
           if (!duration || *duration < 1s || *duration > Tracer::duration_max)
             refuse("--for \"" + printable(text) + "\" is not a duration of 1s to 1d, for example 1h");
           wanted->request.duration = std::chrono::ceil<std::chrono::seconds>(*duration);
         },
         "For so long (1s to 1d)")
      ->type_name("DURATION")
      ->default_str(format_duration(wanted->request.duration));
  app.add_flag("--yes", wanted->yes, "Do not ask");
  return [wanted, &options] { return trace(options, *wanted); };
}

Run add_untrace(CLI::App& app, const Options& options) {
  app.description(untrace_help);
  app.footer(exit_codes);
  const auto wanted = std::make_shared<control::Untrace>();
  add_block(app, wanted->block, "The block that is traced, as `lektctl traces` shows it", "TRACE");
  return [wanted, &options] { return untrace(options, *wanted); };
}

Run add_compact(CLI::App& app, const Options& options) {
  app.description(compact_help);
  app.footer(exit_codes);
  return [&options] { return run_compact(options); };
}

}  // namespace lekt::lektctl
