// What changes something on the server: kick, ban, unban, trace, untrace, compact.
#include <chrono>
#include <memory>

#include "common/duration.h"
#include "common/errors.h"
#include "common/text.h"
#include "control/command/commands.h"
#include "control/command/output.h"
#include "control/time.h"
#include "server/tracer.h"

namespace lekt::control::command {

namespace {

using namespace std::chrono_literals;

constexpr const char* exit_codes = R"(
Exit codes: 0 done; 1 not done, and standard error says why; 2 wrong usage.)";

constexpr const char* kick_help = R"(Ends the sessions of a client (E409). It may connect again at once.

A client that is waited for after a restart is no longer waited for. To keep it out, ban it.)";

constexpr const char* ban_help =
    R"(Bans addresses: their sessions end, and they are refused (E408) until unban.

The ban is kept in the database, so it holds after restarts too. When the server does not run, it is written there.)";

constexpr const char* ban_footer = R"(
Examples:
  lektctl ban 10.0.0.7
  lektctl ban 10.9.0.0/16 --reason "floods us, ticket 4711"

`lektd --ban CIDR` does the same.
Exit codes: 0 done; 1 not done, and standard error says why; 2 wrong usage.)";

constexpr const char* unban_help = R"(Lifts a ban. CIDR is as `lektctl bans` shows it.)";

constexpr const char* trace_help =
    R"(Writes every packet of these addresses, annotated, into a file of its own beside the database.

It is what to look at when a device does not behave: what it sent, when, and what it was told. It ends by itself.)";

constexpr const char* trace_footer = R"(
Examples:
  lektctl trace 10.0.0.7
  lektctl trace 10.0.0.0/24 --for 1h

Exit codes: 0 done; 1 not done, and standard error says why; 2 wrong usage.)";

constexpr const char* untrace_help = R"(Ends a protocol trace. Its file stays.)";

constexpr const char* compact_help = R"(Gives the free pages of the database back to the file system.

The database does not shrink by itself: it uses its free pages again. Nothing is stored meanwhile, so joins wait; it
takes about a second for a hundred megabytes, and needs as much space again.)";

/// As JSON, or in a line.
int report(const Options& options, const Json& result, const std::string& line) {
  if (options.json)
    print_json(result);
  else
    print(line + "\n");
  return exit_done;
}

int kick(const Options& options, Ipv4Address address) {
  const Json result = reach(options.instance).request({{"command", "kick"}, {"address", to_string(address)}});
  const auto sessions = result.at("sessions").get<std::uint64_t>();
  const bool was_waiting = result.at("was_waiting").get<bool>();
  return report(options, result,
                "kicked " + to_string(address) + "; " + count_text(sessions, "session") + " ended" +
                    (was_waiting ? ", and it is no longer waited for" : ""));
}

struct Ban {
  Cidr block;
  std::string reason;
};

struct Trace {
  Cidr block;
  std::chrono::milliseconds duration = 10min;
};

int trace(const Options& options, const Trace& wanted) {
  const auto seconds = std::chrono::ceil<std::chrono::seconds>(wanted.duration).count();
  const Json result =
      reach(options.instance)
          .request({{"command", "trace"}, {"block", to_string(wanted.block)}, {"seconds", seconds}});
  return report(options, result,
                "writing the packets of " + block_text(wanted.block) + " into " +
                    escape(result.at("file").get<std::string>()) + " for " +
                    describe_seconds(result.at("left_seconds").get<double>()));
}

int untrace(const Options& options, const Cidr& block) {
  const Json result = reach(options.instance).request({{"command", "untrace"}, {"block", to_string(block)}});
  return report(options, result, "ended the trace of " + block_text(block));
}

int run_compact(const Options& options) {
  const Json result = compact(options.instance);
  return report(options, result,
                "compacted: " + bytes_text(result.at("before_bytes").get<double>()) + " before, " +
                    bytes_text(result.at("after_bytes").get<double>()) + " now");
}

}  // namespace

Run add_kick(CLI::App& app, const Options& options) {
  app.description(kick_help);
  app.footer(exit_codes);
  const auto address = std::make_shared<Ipv4Address>();
  add_address(app, *address, "The client's address");
  return [address, &options] { return kick(options, *address); };
}

Run add_ban(CLI::App& app, const Options& options) {
  app.description(ban_help);
  app.footer(ban_footer);
  const auto wanted = std::make_shared<Ban>();
  add_block(app, wanted->block, "An address or a block of them");
  app.add_option("--reason", wanted->reason, "Why, for `lektctl bans`; at most 200 bytes")->type_name("TEXT");
  return [wanted, &options] {
    const Json result = control::ban(options.instance, wanted->block, wanted->reason);
    return report(options, result, describe_ban(result));
  };
}

Run add_unban(CLI::App& app, const Options& options) {
  app.description(unban_help);
  app.footer(exit_codes);
  const auto block = std::make_shared<Cidr>();
  add_block(app, *block, "The block that was banned");
  return [block, &options] {
    const Json result = control::unban(options.instance, *block);
    return report(options, result, describe_unban(result));
  };
}

Run add_trace(CLI::App& app, const Options& options) {
  app.description(trace_help);
  app.footer(trace_footer);
  const auto wanted = std::make_shared<Trace>();
  add_block(app, wanted->block, "An address or a block of them");
  app.add_option_function<std::string>(
         "--for",
         [wanted](const std::string& text) {
           const auto duration = parse_duration(text);
           if (!duration || *duration < 1s || *duration > Tracer::duration_max)
             refuse("--for \"" + escape(text) + "\" is not a duration of 1s to 1d, for example 1h");
           wanted->duration = *duration;
         },
         "For so long (1s to 1d)")
      ->type_name("DURATION")
      ->default_str(format_duration(wanted->duration));
  return [wanted, &options] { return trace(options, *wanted); };
}

Run add_untrace(CLI::App& app, const Options& options) {
  app.description(untrace_help);
  app.footer(exit_codes);
  const auto block = std::make_shared<Cidr>();
  add_block(app, *block, "The block that is traced, as `lektctl traces` shows it");
  return [block, &options] { return untrace(options, *block); };
}

Run add_compact(CLI::App& app, const Options& options) {
  app.description(compact_help);
  app.footer(exit_codes);
  return [&options] { return run_compact(options); };
}

}  // namespace lekt::control::command
