// `lektctl bans`, `rejects` and `traces`.
#include <memory>

#include "control/command/commands.h"
#include "control/command/output.h"
#include "control/requests.h"
#include "control/time.h"

namespace lekt::control::command {

namespace {

constexpr const char* bans_help = R"(Lists whom the operator has banned, the latest first.

It works whether the server runs or not.)";

constexpr const char* bans_footer = R"(
With --json: {"block","since","reason"} a line.
Exit codes: 0 done, also when there is none; 1 the database cannot be read; 2 wrong usage.)";

constexpr const char* rejects_help =
    R"(Lists the clients that the running server has refused, the newest first.

It remembers some hundreds of them. How often each code was given is in `lektctl status`; all of them are in the
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
With --json: {"block","file","left_seconds","file_bytes"} a line.
Exit codes: 0 done, also when there is none; 1 the server cannot be reached; 2 wrong usage.)";

/// The list as a table or as JSON lines. `cells` makes a row of an element.
template <class Cells>
int print_list(const Options& options, const Json& list, const Table& table, Cells cells) {
  if (!options.json) print(table.head());
  for (const Json& element : list) {
    if (options.json)
      print_json(element);
    else
      print(table.row(cells(element)));
  }
  return exit_done;
}

int list_bans(const Options& options) {
  const Json bans = to_json(storage::Reader(options.instance.database).bans());
  const Table table({{"BLOCK", 18}, {"SINCE (UTC)", 19}, {"REASON"}}, output_size().columns);
  return print_list(options, bans, table, [](const Json& ban) {
    return std::vector{text(ban, "block"), time_text(ban.at("since")), text(ban, "reason")};
  });
}

struct RejectArguments {
  std::optional<Cidr> block;
  std::size_t count = 20;
};

int list_rejects(const Options& options, const RejectArguments& arguments) {
  Json request{{"command", "rejects"}, {"count", arguments.count}};
  if (arguments.block) request["block"] = to_string(*arguments.block);
  const Json rejects = reach(options.instance).request(request);
  const Table table({{"TIME (UTC)", 19}, {"ADDRESS", 15}, {"CODE", 4}, {"MESSAGE"}}, output_size().columns);
  return print_list(options, rejects, table, [](const Json& reject) {
    return std::vector{time_text(reject.at("time")), text(reject, "address"), text(reject, "code"),
                       text(reject, "message")};
  });
}

int list_traces(const Options& options) {
  const Json status = reach(options.instance).request({{"command", "status"}});
  const Table table({{"BLOCK", 18}, {"ENDS IN", 8}, {"SIZE", 8}, {"FILE"}}, output_size().columns);
  return print_list(options, status.at("traces"), table, [](const Json& trace) {
    return std::vector{text(trace, "block"), describe_seconds(trace.at("left_seconds").get<double>()),
                       bytes_text(trace.at("file_bytes").get<double>()), text(trace, "file")};
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
  const auto arguments = std::make_shared<RejectArguments>();
  add_block_option(app, arguments->block, "Only of these addresses");
  add_count(app, arguments->count, rejects_max, "So many, at most " + std::to_string(rejects_max));
  return [arguments, &options] { return list_rejects(options, *arguments); };
}

Run add_traces(CLI::App& app, const Options& options) {
  app.description(traces_help);
  app.footer(traces_footer);
  return [&options] { return list_traces(options); };
}

}  // namespace lekt::control::command
