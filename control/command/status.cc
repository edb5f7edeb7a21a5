// `lektctl status`: how is the server?
#include "control/command/status.h"

#include <algorithm>
#include <optional>

#include "common/errors.h"
#include "common/text.h"
#include "control/command/commands.h"
#include "control/time.h"

namespace lekt::control::command {

namespace {

constexpr const char* status_help = R"(Tells how the server is.

When it runs: version, uptime, clients, sessions, handshakes in progress, rates, limits that clients have hit, the
last commit, sizes, warnings. When it does not: what the database knows of it.)";

constexpr const char* status_footer = R"(
Examples:
  lektctl status
  lektctl status --json | jq .server.totals.clients

Exit codes: 0 the server runs; 1 it does not, or cannot be reached; 2 wrong usage.)";

/// Of handshakes, the oldest.
constexpr std::size_t handshakes_shown = 10;

/// "Name        value", cut to the width.
class Lines {
 public:
  explicit Lines(std::size_t width) : width_(width) {}

  void add(const std::string& name, const std::string& value) {
    constexpr std::size_t name_width = 14;
    std::string line = name;
    line.resize(std::max(name_width, name.size()), ' ');
    add(line + value);
  }
  void add(const std::string& line) { text_ += cut(line, width_) + "\n"; }
  std::string text() const { return text_; }

 private:
  std::size_t width_;
  std::string text_;
};

double number(const Json& object, const char* key) { return object.at(key).get<double>(); }
std::uint64_t count(const Json& object, const char* key) { return object.at(key).get<std::uint64_t>(); }
std::string safe_text(const Json& object, const char* key) { return escape(text(object, key)); }

std::string milliseconds_text(double seconds) { return number_text(seconds * 1000) + " ms"; }

/// "E404 x 12 (...)": what the code means is at hand for the tired.
std::string meaning_of(const std::string& code) {
  for (const ErrorInfo& known : error_catalogue())
    if (code_text(known.code) == code) return std::string(known.meaning);
  return {};
}

void describe_clients(const Json& totals, Lines& lines) {
  std::string clients = count_text(count(totals, "clients"), "client");
  if (count(totals, "waiting") > 0)
    clients += ", " + std::to_string(count(totals, "waiting")) + " of them waited for (" +
               describe_seconds(number(totals, "grace_left_seconds")) + " more)";
  clients += "; " + count_text(count(totals, "sessions"), "session") + ", " +
             count_text(count(totals, "connections"), "connection");
  if (count(totals, "bans") > 0) clients += "; " + count_text(count(totals, "bans"), "ban");
  lines.add("Clients", clients);
}

void describe_handshakes(const Json& server, Lines& lines) {
  const std::uint64_t all = count(server.at("totals"), "handshakes");
  if (all == 0) return lines.add("Handshakes", "none in progress");
  lines.add("Handshakes", std::to_string(all) + " in progress, the oldest first:");
  std::size_t shown = 0;
  for (const Json& handshake : server.at("in_progress")) {
    if (shown++ == handshakes_shown) break;
    lines.add("", safe_text(handshake, "address") + " in " + safe_text(handshake, "phase") + " for " +
                      describe_seconds(number(handshake, "age_seconds")) +
                      (handshake.at("tls").get<bool>() ? ", TLS" : ""));
  }
}

void describe_rates(const Json& rates, Lines& lines) {
  if (number(rates, "window_seconds") == 0) return;
  lines.add("Rates", number_text(number(rates, "heartbeats")) + " heartbeats/s, " +
                         number_text(number(rates, "joins")) + " joins/s, " +
                         number_text(number(rates, "leaves")) + " leaves/s, " +
                         number_text(number(rates, "changes")) + " changes/s, " +
                         number_text(number(rates, "connections")) + " connections/s, " +
                         bytes_text(number(rates, "sent_bytes")) + "/s sent (over " +
                         describe_seconds(number(rates, "window_seconds")) + ")");
}

void describe_storage(const Json& server, Lines& lines) {
  const Json& totals = server.at("totals");
  const Json& commit = totals.at("commit");
  lines.add("Database", safe_text(server, "database") + ": " + bytes_text(number(totals, "database_bytes")) +
                            ", log " + bytes_text(number(totals, "wal_bytes")) + "; " +
                            safe_text(totals, "storage"));
  if (totals.at("last_commit").is_null()) return lines.add("Last commit", "none since the start");
  std::string last = time_text(totals.at("last_commit")) + ", took " +
                     milliseconds_text(number(server, "last_commit_seconds")) + "; " +
                     count_text(count(totals, "commits"), "commit") + " since the start, on average " +
                     milliseconds_text(number(commit, "mean_seconds"));
  if (count(totals, "commits_failed") > 0)
    last += ", " + std::to_string(count(totals, "commits_failed")) + " failed";
  lines.add("Last commit", last);
}

void describe_limits(const Json& totals, Lines& lines) {
  const Json& codes = totals.at("codes");
  if (codes.empty()) return lines.add("Limits hit", "none since the start");
  lines.add("Limits hit", "since the start:");
  for (const auto& [code, times] : codes.items())
    lines.add("", escape(code) + " " + std::to_string(times.get<std::uint64_t>()) + "x: " + meaning_of(code));
}

void describe_traces(const Json& traces, Lines& lines) {
  for (const Json& trace : traces)
    lines.add("Trace", safe_text(trace, "block") + " into " + safe_text(trace, "file") + ", " +
                           describe_seconds(number(trace, "left_seconds")) + " more");
}

void describe_running(const Json& server, Lines& lines) {
  const Json& totals = server.at("totals");
  lines.add("Server", "lektd " + safe_text(server, "version") + ", process " +
                          std::to_string(count(server, "process")) + ", runs since " +
                          time_text(totals.at("started")) + " UTC (" +
                          describe_seconds(number(totals, "uptime_seconds")) + ")");
  if (count(server, "threads_silent") > 0)
    lines.add("", std::to_string(count(server, "threads_silent")) + " of " +
                      count_text(count(server, "threads"), "thread") + " did not answer within a second");
  describe_clients(totals, lines);
  describe_handshakes(server, lines);
  describe_rates(server.at("rates"), lines);
  describe_storage(server, lines);
  describe_limits(totals, lines);
  describe_traces(server.at("traces"), lines);
}

void describe_stored(const Json& status, Lines& lines) {
  const Json& stored = status.at("stored");
  const bool clean = !stored.at("stopped").is_null();
  lines.add("Server", clean ? "does not run; stopped at " + time_text(stored.at("stopped")) + " UTC"
                            : "cannot be reached, and has not stopped cleanly");
  lines.add("", safe_text(status, "reason"));
  lines.add("Last start", time_text(stored.at("started")) + " UTC, lektd " + safe_text(stored, "version"));
  lines.add("Clients",
            count_text(count(stored, "clients"), "client") + " stored, waited for after the next start");
  lines.add("Database", bytes_text(number(stored, "database_bytes")) + ", log " +
                            bytes_text(number(stored, "wal_bytes")) + "; newest change " +
                            std::to_string(count(stored, "sequence")));
}

void describe_warnings(const Json& warnings, Lines& lines) {
  for (const Json& warning : warnings)
    lines.add("WARNING", safe_text(warning, "code") + " since " + time_text(warning.at("since")) + ": " +
                             safe_text(warning, "message"));
}

/// The server's own word; nothing, and why, when it has none.
std::optional<Json> ask_server(const Instance& instance, std::string& reason) {
  try {
    return reach(instance).request({{"command", "status"}});
  } catch (const CodedError& error) {
    reason = error.what();
    return std::nullopt;
  }
}

}  // namespace

Json gather_status(const Instance& instance) {
  std::string reason;
  const auto server = ask_server(instance, reason);
  Json status{{"running", server.has_value()},
              {"reason", server ? Json(nullptr) : Json(reason)},
              {"server", server.value_or(nullptr)},
              {"stored", nullptr},
              {"codes", Json::array()},
              {"warnings", server ? server->at("warnings") : Json::array()}};
  try {
    storage::Reader reader(instance.database);
    status["stored"] = to_json(reader.server());
    status["codes"] = to_json(reader.codes());
    if (!server) status["warnings"] = to_json(reader.warnings());
  } catch (const CodedError&) {
    if (!server) throw;
  }
  return status;
}

std::string describe_status(const Json& status, std::size_t width) {
  Lines lines(width);
  try {
    const bool running = status.at("running").get<bool>();
    describe_warnings(status.at("warnings"), lines);
    if (running) describe_running(status.at("server"), lines);
    if (!running) describe_stored(status, lines);
    if (status.at("warnings").empty()) lines.add("Warnings", "none");
  } catch (const Json::exception&) {
    throw CodedError(ErrorCode::control_unreachable,
                     "the server's status cannot be read; use the lektctl of its version");
  }
  return lines.text();
}

Run add_status(CLI::App& app, const Options& options) {
  app.description(status_help);
  app.footer(status_footer);
  return [&options] {
    const Json status = gather_status(options.instance);
    if (options.json)
      print_json(status);
    else
      print(describe_status(status, output_size().columns));
    return status.at("running").get<bool>() ? exit_done : exit_failed;
  };
}

}  // namespace lekt::control::command
