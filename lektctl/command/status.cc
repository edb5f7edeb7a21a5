// `lektctl status`: how is the server?
#include "lektctl/command/status.h"

#include <algorithm>
#include <optional>

#include "common/calendar.h"
#include "common/errors.h"
#include "common/printable.h"
#include "lektctl/command/commands.h"
#include "storage/lock_holder.h"

namespace lekt::lektctl {

namespace {

constexpr const char* status_help = R"(Tells how the server is.

When it runs: version, uptime, clients, sessions, handshakes in progress, rates, limits that clients have hit, the
last commit, sizes, warnings. When it does not: what the database knows of it.)";

constexpr const char* status_footer = R"(
Examples:
  lektctl status
  lektctl status --json | jq .server.totals.clients

Exit codes: 0 the server runs; 1 it does not, or cannot be reached; 2 wrong usage.)";

/// How many handshakes are shown, the oldest first.
constexpr std::size_t handshakes_shown = 10;

std::string milliseconds_text(double seconds) { return number_text(seconds * 1000) + " ms"; }

void describe_clients(const Totals& totals, Lines& lines) {
  std::string clients = count_text(totals.clients, "client");
  if (totals.waiting > 0)
    clients += ", " + std::to_string(totals.waiting) + " of them waited for (" +
               describe_seconds(totals.grace_seconds_left) + " more)";
  clients +=
      "; " + count_text(totals.sessions, "session") + ", " + count_text(totals.connections, "connection");
  if (totals.bans > 0) clients += "; " + count_text(totals.bans, "ban");
  lines.add("Clients", clients);
}

void describe_handshakes(const Status& server, Lines& lines) {
  const std::size_t all = server.totals.handshakes;
  if (all == 0) return lines.add("Handshakes", "none in progress");
  lines.add("Handshakes", std::to_string(all) + " in progress, the oldest first:");
  std::size_t shown = 0;
  for (const HandshakeStatus& handshake : server.in_progress) {
    if (shown++ == handshakes_shown) break;
    lines.add("", to_string(handshake.address) + " in " + printable(handshake.phase) + " for " +
                      describe_seconds(handshake.age_seconds) + (handshake.tls ? ", TLS" : ""));
  }
}

void describe_rates(const Rates& rates, Lines& lines) {
  if (rates.window_seconds == 0) return;
  lines.add("Rates", number_text(rates.heartbeats) + " heartbeats/s, " + number_text(rates.joins) +
                         " joins/s, " + number_text(rates.leaves) + " leaves/s, " +
                         number_text(rates.changes) + " changes/s, " + number_text(rates.connections) +
                         " connections/s, " + bytes_text(rates.sent_bytes) + "/s sent (over " +
                         describe_seconds(rates.window_seconds) + ")");
}

/// Describes which change log it is; adds no line for a database that has not been told apart yet.
void describe_identity(const std::string& identity, Lines& lines) {
  if (!identity.empty()) lines.add("Identity", printable(identity) + " of the change log");
}

void describe_storage(const Status& server, Lines& lines) {
  const Totals& totals = server.totals;
  lines.add("Database", printable(server.database) + ": " + bytes_text(totals.database_bytes) +
                            ", write-ahead log " + bytes_text(totals.wal_bytes) + "; " +
                            std::string(to_string(totals.storage)));
  describe_identity(server.identity, lines);
  if (totals.last_commit == 0) return lines.add("Last commit", "none since the start");
  std::string last = time_text(totals.last_commit) + ", took " +
                     milliseconds_text(server.last_commit_seconds) + "; " +
                     count_text(totals.commits, "commit") + " since the start, on average " +
                     milliseconds_text(totals.commit.mean_seconds());
  if (totals.commits_failed > 0) last += ", " + std::to_string(totals.commits_failed) + " failed";
  lines.add("Last commit", last);
}

/// Describes the certificates; adds no line without TLS.
void describe_certificates(const Totals& totals, Lines& lines) {
  if (totals.certificate_expires == 0) return;
  const std::int64_t authorities = totals.client_authorities_expire;
  lines.add("Certificate",
            "expires at " + time_text(totals.certificate_expires) + " UTC" +
                (authorities == 0 ? "" : "; authorities of clients at " + time_text(authorities) + " UTC"));
}

/// Describes trouble with the log; adds no line as long as the log is written.
void describe_log(const Totals& totals, Lines& lines) {
  const double blocked = totals.log_blocked_seconds;
  const std::uint64_t lost = totals.log_lines_lost;
  if (blocked == 0 && lost == 0) return;
  lines.add("Log", (blocked > 0 ? "not taken by its output for " + describe_seconds(blocked)
                                : std::string("written")) +
                       "; " + count_text(lost, "line") + " lost since the start");
}

void describe_whereabouts(const Status& server, Lines& lines) {
  std::string name = "Listens on";
  for (const ListenStatus& listener : server.whereabouts.listening) {
    lines.add(name, printable(listener.address) + " (" + printable(listener.kind) +
                        (listener.passed ? ", passed by the service manager)" : ")"));
    name.clear();
  }
  std::string waiting;
  for (const std::string& setting : server.whereabouts.needs_restart)
    waiting += (waiting.empty() ? "" : ", ") + printable(setting);
  if (!waiting.empty()) lines.add("RESTART", "is needed for what has changed: " + waiting);
}

void describe_limits(const Totals& totals, Lines& lines) {
  if (totals.codes.empty()) return lines.add("Limits hit", "none since the start");
  lines.add("Limits hit", "since the start:");
  for (const auto& [code, times] : totals.codes)
    lines.add("", code_text(code) + " " + std::to_string(times) + "x: " + meaning_of(code_text(code)));
}

void describe_traces(const std::vector<TraceStatus>& traces, Lines& lines) {
  for (const TraceStatus& trace : traces)
    lines.add("Trace", to_short_string(trace.block) + " into " + printable(trace.file) + ", " +
                           describe_seconds(trace.seconds_left) + " more" +
                           (trace.lost > 0 ? "; it lacks " + std::to_string(trace.lost) + " entries" : ""));
}

void describe_running(const Status& server, Lines& lines) {
  const Totals& totals = server.totals;
  lines.add("Server", "lektd " + printable(server.version) + ", process " + std::to_string(server.process) +
                          ", runs since " + time_text(totals.started) + " UTC (" +
                          describe_seconds(totals.uptime_seconds) + ")");
  if (server.threads_silent > 0)
    lines.add("", std::to_string(server.threads_silent) + " of " + count_text(server.threads, "thread") +
                      " did not answer within a second");
  describe_clients(totals, lines);
  describe_handshakes(server, lines);
  describe_rates(server.rates, lines);
  describe_whereabouts(server, lines);
  describe_storage(server, lines);
  describe_certificates(totals, lines);
  describe_log(totals, lines);
  describe_limits(totals, lines);
  describe_traces(server.traces, lines);
}

void describe_stored(const KnownStatus& known, Lines& lines) {
  const storage::StoredServer& stored = *known.stored;
  if (known.process)
    lines.add("Server", "cannot be reached; " + storage::process_text(*known.process) + " has its database");
  else
    lines.add("Server", stored.stopped ? "does not run; stopped at " + time_text(*stored.stopped) + " UTC"
                                       : "cannot be reached, and has not stopped cleanly");
  lines.add("", printable(known.reason.value_or("")));
  lines.add("Last start", time_text(stored.started) + " UTC, lektd " + printable(stored.version));
  lines.add("Clients", count_text(stored.clients, "client") + " stored" +
                           (known.process ? "" : ", waited for after the next start"));
  lines.add("Database", bytes_text(stored.database_bytes) + ", write-ahead log " +
                            bytes_text(stored.wal_bytes) + "; newest change " +
                            std::to_string(stored.log.sequence));
  describe_identity(stored.identity, lines);
}

void describe_warnings(const std::vector<storage::Warning>& warnings, Lines& lines) {
  for (const storage::Warning& warning : warnings)
    lines.add("WARNING", code_text(warning.code) + " since " + time_text(warning.second) + ": " +
                             printable(warning.message));
}

}  // namespace

KnownStatus gather_status(const control::Instance& instance, std::chrono::milliseconds wait) {
  KnownStatus known;
  try {
    known.server = control::reach(instance).request(control::to_request(control::AskStatus{}), wait);
    known.running = true;
  } catch (const CodedError& error) {
    known.reason = error.what();
  }
  if (known.running) {
    const auto server = control::ControlClient::read<Status>(known.server);
    known.process = server.process;
    known.warnings = server.warnings;
  } else if (const auto holder = storage::lock_holder(instance.database)) {
    known.process = *holder;
  }
  try {
    storage::Reader reader(instance.database);
    known.stored = reader.server();
    known.codes = reader.codes();
    if (!known.running) known.warnings = reader.warnings();
  } catch (const CodedError&) {
    if (!known.running) throw;
  }
  return known;
}

std::string describe_status(const KnownStatus& known, std::size_t width) {
  Lines lines(width);
  describe_warnings(known.warnings, lines);
  if (known.running)
    describe_running(control::ControlClient::read<Status>(known.server), lines);
  else
    describe_stored(known, lines);
  if (known.warnings.empty()) lines.add("Warnings", "none");
  return lines.text();
}

Run add_status(CLI::App& app, const Options& options) {
  app.description(status_help);
  app.footer(status_footer);
  return [&options] {
    const KnownStatus known = gather_status(options.instance);
    if (options.json)
      print_json(to_json(known));
    else
      print(describe_status(known, output_size().columns));
    return known.running ? exit_done : exit_failed;
  };
}

}  // namespace lekt::lektctl
