// `lektctl changes`: what happened, and what happens.
#include <chrono>
#include <memory>

#include "common/errors.h"
#include "lektctl/command/commands.h"
#include "lektctl/command/output.h"
#include "server/operators/clock.h"

namespace lekt::lektctl {

namespace {

using storage::ChangeQuery;
using storage::StoredChange;

constexpr const char* changes_help =
    R"(Shows who came, went, or changed its methods: the newest changes, the oldest of them first.

The database keeps the newest 10,000. With --follow it goes on as they happen, until Ctrl-C; restarts of the server
and a restored database do not end it.)";

constexpr const char* changes_footer = R"(
Examples:
  lektctl changes
  lektctl changes --since 2h
  lektctl changes --since 2026-01-02T11:00:00Z --block 10.0.0.7
  lektctl changes --follow

With --json: {"sequence","time","kind","address","methods","reason"} a line; kind is added, changed or removed, and
the reason is that of a removal: closed, lost, not back, or a code that `lektctl explain` knows.
Exit codes: 0 done, also when there is none; 1 the database cannot be read; 2 wrong usage.)";

constexpr std::chrono::seconds follow_interval{1};

struct ChangesArguments {
  std::string since;
  std::size_t count = 20;
  std::optional<Block> block;
  bool follow = false;
};

class Printer {
 public:
  explicit Printer(bool json)
      : json_(json),
        table_({{"TIME (UTC)", 19}, {"KIND", 7}, {"ADDRESS", 15}, {"REASON", 8}, {"METHODS"}},
               output_size().columns) {
    if (!json_) print(table_.head());
  }

  void operator()(const StoredChange& change) const {
    if (json_) return print_json(to_json(change));
    print(table_.row({time_text(change.second), std::string(to_string(change.kind)),
                      to_string(change.address), change.reason, change.methods}));
  }

 private:
  bool json_;
  Table table_;
};

/// Looks at the database again and again. Each look opens it anew, since a restore puts another file in its place.
class Follower {
 public:
  Follower(const Options& options, const ChangesArguments& arguments, const Printer& printer,
           std::uint64_t sequence)
      : options_(options), arguments_(arguments), printer_(printer), sequence_(sequence) {}

  [[noreturn]] void run() {
    while (true) {
      flush();
      sleep_while_read(follow_interval);
      try {
        look();
        trouble_.clear();
      } catch (const CodedError& error) {
        if (error.code() == ErrorCode::output_failed) throw;
        if (trouble_ != error.what())
          print_status(std::string(error.what()) + "; waiting until it can be read");
        trouble_ = error.what();
      }
    }
  }

 private:
  void look() {
    storage::Reader reader(options_.instance.database);
    const LogState log = reader.server().log;
    ChangeQuery query{.after = sequence_, .block = arguments_.block.value_or(Block::everyone())};
    if (log.sequence < sequence_) {
      print_status("an older state of the database was restored; its changes since then follow");
      query.after = 0;
      query.since = log.history_begins;
    }
    const std::vector<StoredChange> changes = reader.changes(query);
    if (!arguments_.block && query.after != 0 && !changes.empty() && changes.front().sequence > sequence_ + 1)
      print_status("there were more changes than the database keeps; " +
                   std::to_string(changes.front().sequence - sequence_ - 1) + " are not shown");
    for (const StoredChange& change : changes) printer_(change);
    sequence_ = changes.empty() ? log.sequence : changes.back().sequence;
  }

  using LogState = storage::LogState;

  const Options& options_;
  const ChangesArguments& arguments_;
  const Printer& printer_;
  std::uint64_t sequence_;
  std::string trouble_;
};

int run_changes(const Options& options, const ChangesArguments& arguments) {
  ChangeQuery query{.block = arguments.block.value_or(Block::everyone())};
  if (arguments.since.empty())
    query.count_max = arguments.count;
  else
    query.since = parse_time("--since", arguments.since, wall_seconds());
  std::uint64_t sequence = 0;
  std::vector<StoredChange> changes;
  {
    storage::Reader reader(options.instance.database);
    sequence = reader.server().log.sequence;
    changes = reader.changes(query);
  }
  const Printer printer(options.json);
  for (const StoredChange& change : changes) printer(change);
  // Changes that were made between the two looks are shown already.
  if (!changes.empty()) sequence = std::max(sequence, changes.back().sequence);
  if (arguments.follow) Follower(options, arguments, printer, sequence).run();
  return exit_done;
}

}  // namespace

Run add_changes(CLI::App& app, const Options& options) {
  app.description(changes_help);
  app.footer(changes_footer);
  const auto arguments = std::make_shared<ChangesArguments>();
  CLI::Option* since =
      app.add_option(
             "--since", arguments->since,
             "All since this time in UTC (2026-01-02T11:00:00Z, 2026-01-02), or\nsince so long ago (2h)")
          ->type_name("TIME");
  add_count(app, arguments->count, 1'000'000, "Without --since: so many, the newest");
  app.get_option("--count")->excludes(since);
  add_block_option(app, arguments->block, "Only of these addresses");
  app.add_flag("--follow,-f", arguments->follow, "Go on until Ctrl-C");
  return [arguments, &options] { return run_changes(options, *arguments); };
}

}  // namespace lekt::lektctl
