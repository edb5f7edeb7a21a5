// `lektctl bans`, `rejects` and `traces`.
#include <memory>

#include "common/calendar.h"
#include "control/messages.h"
#include "lektctl/command/commands.h"
#include "lektctl/command/output.h"
#include "server/operators/clock.h"

namespace lekt::lektctl {

namespace {

constexpr const char* bans_help = R"(Lists whom the operator has banned, the latest first.

It works whether the server runs or not.)";

constexpr const char* bans_footer = R"(
With --json: {"block","since","until","reason"} a line.
Exit codes: 0 done, also when there is none; 1 the database cannot be read; 2 wrong usage.)";

constexpr const char* rejects_help =
    R"(Lists the clients that the running server has refused, the newest first.

It remembers the last 1,000 of them. How often each code was given is in `lektctl status`; all of them are in the
server's log.)";

constexpr const char* rejects_footer = R"(
Examples:
  lektctl rejects
  lektctl rejects --block 10.0.0.7 --count 100

With --json: {"time","address","code","message"} a line.
Exit codes: 0 done, also when there is none; 1 the server cannot be reached; 2 wrong usage.)";

constexpr const char* traces_help =
    R"(Lists the protocol traces that the running server writes: see `lektctl trace`.)";

constexpr const char* traces_footer = R"(
With --json: {"block","file","left_seconds","file_bytes","lost"} a line.
Exit codes: 0 done, also when there is none; 1 the server cannot be reached; 2 wrong usage.)";

int list_bans(const Options& options) {
  // Bans that are over stay in the database of a stopped server until its next start.
  std::vector<storage::Ban> bans = storage::Reader(options.instance.database).bans();
  std::erase_if(bans, [now = wall_seconds()](const storage::Ban& ban) { return ban.is_over(now); });
  const Table table({{"BLOCK", 18}, {"SINCE (UTC)", 19}, {"UNTIL (UTC)", 19}, {"REASON"}},
                    output_size().columns);
  return print_list(options, bans, table, [](const storage::Ban& ban) {
    return std::vector{to_short_string(ban.block), time_text(ban.second), time_text(ban.until.value_or(0)),
                       ban.reason};
  });
}

int list_rejects(const Options& options, const control::AskRejects& wanted) {
  const std::vector<RejectStatus> rejects = control::reach(options.instance).ask(wanted);
  const Table table({{"TIME (UTC)", 19}, {"ADDRESS", 15}, {"CODE", 4}, {"MESSAGE"}}, output_size().columns);
  return print_list(options, rejects, table, [](const RejectStatus& reject) {
    return std::vector{time_text(reject.second), reject.peer, code_text(reject.code), reject.message};
  });
}

int list_traces(const Options& options) {
  const Status status = control::reach(options.instance).ask(control::AskStatus{});
  const Table table({{"BLOCK", 18}, {"ENDS IN", 8}, {"SIZE", 8}, {"FILE"}}, output_size().columns);
  return print_list(options, status.traces, table, [](const TraceStatus& trace) {
    return std::vector{to_short_string(trace.block), describe_seconds(trace.seconds_left),
                       bytes_text(trace.bytes), trace.file};
  });
}

}  // namespace

Run add_bans(CLI::App& app, const Options& options) {
  app.description(bans_help);
  app.footer(bans_footer);
  return [&options] { return list_bans(options); };
}

Run add_rejects(CLI::App& app, const Options& options) {
  app.description(rejects_help);
  app.footer(rejects_footer);
  const auto wanted = std::make_shared<control::AskRejects>();
  add_block_option(app, wanted->block, "Only of these addresses");
  add_count(app, wanted->count, control::rejects_max,
            "So many, at most " + std::to_string(control::rejects_max));
  return [wanted, &options] { return list_rejects(options, *wanted); };
}

Run add_traces(CLI::App& app, const Options& options) {
  app.description(traces_help);
  app.footer(traces_footer);
  return [&options] { return list_traces(options); };
}

}  // namespace lekt::lektctl
