// `lektctl watch`: status and newest changes, all the time.
#include <chrono>
#include <sstream>

#include "common/errors.h"
#include "common/text.h"
#include "control/command/commands.h"
#include "control/command/screen.h"
#include "control/command/status.h"
#include "control/time.h"
#include "server/time.h"

namespace lekt::control::command {

namespace {

constexpr const char* watch_help = R"(Shows status and newest changes on the whole screen, anew each second.

q or Ctrl-C ends it. It goes on when the server stops, starts, or its database is restored.)";

constexpr const char* watch_footer = R"(
Examples:
  lektctl watch

Exit codes: 0 ended by q, Ctrl-C or SIGTERM; 2 wrong usage, or not a terminal.)";

constexpr std::chrono::seconds interval{1};

std::vector<std::string> lines_of(const std::string& text) {
  std::vector<std::string> lines;
  std::istringstream stream(text);
  for (std::string line; std::getline(stream, line);) lines.push_back(line);
  return lines;
}

void append(std::vector<std::string>& lines, const std::string& text) {
  for (std::string& line : lines_of(text)) lines.push_back(std::move(line));
}

/// The newest first, so many as fit.
std::string describe_changes(const Instance& instance, Size size, std::size_t rows_taken) {
  constexpr std::size_t headings = 2;
  if (size.rows <= rows_taken + headings) return {};
  const std::size_t rows = size.rows - rows_taken - headings;
  const Table table({{"TIME (UTC)", 19}, {"KIND", 7}, {"ADDRESS", 15}, {"METHODS"}}, size.columns);
  std::string text = "\n" + table.head();
  auto changes = storage::Reader(instance.database).changes({.count_max = rows});
  for (auto change = changes.rbegin(); change != changes.rend(); ++change)
    text += table.row({time_text(change->second), std::string(to_string(change->kind)),
                       to_string(change->address), change->methods});
  return text;
}

std::vector<std::string> look(const Instance& instance, Size size) {
  std::vector<std::string> lines = {
      time_text(wall_seconds()) + " UTC  " + escape(instance.database.string()) + "  (q ends)", ""};
  try {
    append(lines, describe_status(gather_status(instance), size.columns));
    append(lines, describe_changes(instance, size, lines.size()));
  } catch (const CodedError& error) {
    append(lines, escape(error.what()));
  }
  return lines;
}

int watch(const Instance& instance) {
  const Screen screen;
  auto event = Screen::Event::none;
  while (event != Screen::Event::ended) {
    screen.draw(look(instance, screen.size()));
    event = screen.wait(interval);
  }
  return exit_done;
}

}  // namespace

Run add_watch(CLI::App& app, const Options& options) {
  app.description(watch_help);
  app.footer(watch_footer);
  return [&options] {
    if (options.json) refuse("watch is for people; `lektctl status --json` is for programs");
    return watch(options.instance);
  };
}

}  // namespace lekt::control::command
