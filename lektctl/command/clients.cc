// `lektctl clients` and `lektctl client`: who is here, and what is one of them doing?
#include <chrono>
#include <memory>

#include "common/calendar.h"
#include "common/errors.h"
#include "common/printable.h"
#include "lektctl/command/commands.h"
#include "lektctl/command/output.h"
#include "server/operators/clock.h"

namespace lekt::lektctl {

namespace {

using storage::ClientQuery;

constexpr const char* clients_help = R"(Lists the clients that are here, from the database.

It works whether the server runs or not. A client is connected, or waiting: it has not come back since the restart,
or the server does not run. That one has come back reaches the database within 5 seconds; `lektctl client` asks the
server.)";

constexpr const char* clients_footer = R"(
Examples:
  lektctl clients
  lektctl clients --block 10.0.0.0/24 --method tcp
  lektctl clients --name kitchen         who has this in its name; a name is what a client says, and no proof
  lektctl clients --status waiting
  lektctl clients --status removed       who has gone and is still remembered
  lektctl clients --sort last_heard      who was silent for longest first
  lektctl clients --json | jq -r .address

With --json: {"address","status","methods","sessions","since","last_heard","last_change","sequence","reason"} a line.
Exit codes: 0 done, also when there is none; 1 the database cannot be read; 2 wrong usage.)";

constexpr const char* client_help =
    R"(Tells everything about one client: its state, sessions, changes, rejects and bans.

State, changes and bans come from the database. Sessions and rejects are known to the running server only.)";

constexpr const char* client_footer = R"(
Examples:
  lektctl client 10.0.0.7

With --json: one object, {"client","sessions","changes","rejects","bans"}; sessions and rejects are null when the
server cannot be reached.
Exit codes: 0 something is known of the client; 1 nothing is (E803), or the database cannot be read; 2 wrong usage.)";

/// How many of the newest changes and rejects of one client are shown.
constexpr std::size_t history_shown = 20;

std::vector<std::string> cells_of(const storage::StoredClient& client) {
  const bool gone = client.status == storage::ClientStatus::removed;
  return {to_string(client.address),
          std::string(to_string(client.status)),
          gone ? client.reason : std::to_string(client.sessions),
          time_text(client.since),
          time_text(gone ? client.second : client.heard),
          client.methods};
}

int list_clients(const Options& options, const ClientQuery& query) {
  storage::Reader reader(options.instance.database);
  const bool gone = query.status == storage::ClientStatus::removed;
  const Table table({{"ADDRESS", 15},
                     {"STATUS", 9},
                     {gone ? "REASON" : "SESSIONS", 8},
                     {"SINCE (UTC)", 19},
                     {gone ? "REMOVED" : "LAST HEARD", 19},
                     {"METHODS"}},
                    output_size().columns);
  // All is read before anything is written: a slow reader of our output must not hold an old state of the
  // database, which would make its log grow.
  std::string text = options.json ? "" : table.head();
  reader.clients(query, [&](storage::StoredClient&& client) {
    text += options.json ? to_line(to_json(client)) + "\n" : table.row(cells_of(client));
  });
  print(text);
  return exit_done;
}

void add_method(CLI::App& app, ClientQuery& query) {
  app.add_option("--method", query.method, "Only clients that offer this method, by its name")
      ->type_name("NAME");
}

void add_name(CLI::App& app, ClientQuery& query) {
  app.add_option("--name", query.name, "Only clients with this in their name, whatever its case")
      ->type_name("TEXT");
}

void add_status_option(CLI::App& app, ClientQuery& query) {
  app.add_option_function<std::string>(
         "--status",
         [&query](const std::string& text) {
           query.status = storage::parse_client_status(text);
           if (!query.status)
             refuse("--status \"" + printable(text) + "\" is not one of connected, waiting, removed");
         },
         "Only clients in this state [default: connected and waiting]")
      ->type_name("connected|waiting|removed");
}

void add_sort(CLI::App& app, ClientQuery& query) {
  app.add_option_function<std::string>(
         "--sort",
         [&query](const std::string& text) {
           if (text == "address")
             query.order = ClientQuery::Order::address;
           else if (text == "since")
             query.order = ClientQuery::Order::since;
           else if (text == "last_heard")
             query.order = ClientQuery::Order::heard;
           else if (text == "name")
             query.order = ClientQuery::Order::name;
           else
             refuse("--sort \"" + printable(text) + "\" is not one of address, since, last_heard, name");
         },
         "By address; by since when, the newest first; who was\nsilent for longest first; or by name, those "
         "without "
         "one\nlast")
      ->type_name("address|since|last_heard|name")
      ->default_str("address");
}

/// How long to wait for the server, whose silence must not hold back what the database knows.
constexpr std::chrono::milliseconds live_wait = control::ControlClient::notice;

struct KnownClient {
  Address address;
  std::optional<storage::StoredClient> client;
  std::optional<std::vector<SessionStatus>> sessions;  ///< nothing when the server cannot be reached
  std::vector<storage::StoredChange> changes;
  std::optional<std::vector<RejectStatus>> rejects;  ///< nothing when the server cannot be reached
  std::vector<storage::Ban> bans;

  template <class Self, class Io>
  static void fields(Self& self, Io& io) {
    io.field("address", self.address);
    io.field("client", self.client);
    io.field("sessions", self.sessions);
    io.field("changes", self.changes);
    io.field("rejects", self.rejects);
    io.field("bans", self.bans);
  }

  bool is_nothing() const {
    return !client && (!sessions || sessions->empty()) && changes.empty() && (!rejects || rejects->empty()) &&
           bans.empty();
  }
};

void ask_server(const control::Instance& instance, KnownClient& known) {
  try {
    control::ControlClient server = control::reach(instance);
    known.sessions = server.ask(control::AskSessions{known.address}, live_wait);
    known.rejects =
        server.ask(control::AskRejects{.block = Block(known.address), .count = history_shown}, live_wait);
  } catch (const CodedError& error) {
    print_status(std::string(error.what()) + "; " + (known.sessions ? "" : "sessions and ") +
                 "rejects are not shown");
  }
}

/// The server is asked first: what the database says after that is not older.
KnownClient gather(const control::Instance& instance, Address address) {
  storage::Reader reader(instance.database);
  KnownClient known;
  known.address = address;
  ask_server(instance, known);
  if (const auto client = reader.client(address))
    known.client = as_connected(*client, known.sessions ? known.sessions->size() : 0);
  for (storage::Ban& ban : reader.bans())
    if (ban.block.contains(address) && !ban.is_over(wall_seconds())) known.bans.push_back(std::move(ban));
  known.changes = reader.changes({.block = Block(address), .count_max = history_shown});
  return known;
}

std::string describe_state(const KnownClient& known) {
  const std::string address = to_string(known.address);
  if (!known.client) return address + " is not here, and not remembered.\n";
  const storage::StoredClient& client = *known.client;
  const bool removed = client.status == storage::ClientStatus::removed;
  const std::string state =
      removed ? " was here until " + time_text(client.second)
              : " is " + std::string(to_string(client.status)) + ", here since " + time_text(client.since);
  const std::string why = removed ? why_removed(client.reason) : "";
  return address + state + " UTC, last heard " + time_text(client.heard) + ".\n" +
         (why.empty() ? "" : "Removed: " + why + "\n") +
         "Methods: " + (client.methods.empty() ? "none" : printable(client.methods)) + "\n";
}

std::string describe_sessions(const std::vector<SessionStatus>& sessions, std::size_t width) {
  if (sessions.empty()) return {};
  const Table table({{"SESSION", 10},
                     {"PORT", 5},
                     {"SILENT FOR", 10},
                     {"UNREAD", 10},
                     {"TLS", 3},
                     {"SLOWED", 6},
                     {"METHODS"}},
                    width);
  std::string lines = "\n" + table.head();
  for (const SessionStatus& session : sessions)
    lines +=
        table.row({std::to_string(session.session), std::to_string(session.port),
                   describe_seconds(session.silent_seconds), bytes_text(session.waiting_bytes),
                   session.tls ? "yes" : "no", session.slowed ? "yes" : "no", session.methods.value_or("")});
  return lines;
}

std::string describe_changes(const std::vector<storage::StoredChange>& changes, std::size_t width) {
  if (changes.empty()) return {};
  const Table table({{"CHANGED (UTC)", 19}, {"KIND", 7}, {"REASON", 8}, {"METHODS"}}, width);
  std::string lines = "\n" + table.head();
  for (const storage::StoredChange& change : changes)
    lines += table.row(
        {time_text(change.second), std::string(to_string(change.kind)), change.reason, change.methods});
  return lines;
}

std::string describe_rejects(const std::vector<RejectStatus>& rejects, std::size_t width) {
  if (rejects.empty()) return {};
  const Table table({{"REJECTED (UTC)", 19}, {"CODE", 4}, {"MESSAGE"}}, width);
  std::string lines = "\n" + table.head();
  for (const RejectStatus& reject : rejects)
    lines += table.row({time_text(reject.second), code_text(reject.code), reject.message});
  return lines;
}

std::string describe_bans(const std::vector<storage::Ban>& bans, std::size_t width) {
  std::string lines;
  for (const storage::Ban& ban : bans)
    lines += cut("Banned by " + to_short_string(ban.block) + " since " + time_text(ban.second) + " UTC" +
                     (ban.until ? ", until " + time_text(*ban.until) + " UTC" : "") +
                     (ban.reason.empty() ? "" : ": " + printable(ban.reason)),
                 width) +
             "\n";
  return lines;
}

int show_client(const Options& options, Address address) {
  const KnownClient known = gather(options.instance, address);
  if (known.is_nothing())
    throw CodedError(ErrorCode::not_found,
                     "nothing is known of " + to_string(address) +
                         "; see `lektctl clients`, or the server's log for how it was refused");
  if (options.json) {
    print_json(to_json(known));
    return exit_done;
  }
  const std::size_t width = output_size().columns;
  print(describe_state(known) + describe_bans(known.bans, width) +
        describe_sessions(known.sessions.value_or(std::vector<SessionStatus>{}), width) +
        describe_changes(known.changes, width) +
        describe_rejects(known.rejects.value_or(std::vector<RejectStatus>{}), width));
  return exit_done;
}

}  // namespace

Run add_clients(CLI::App& app, const Options& options) {
  app.description(clients_help);
  app.footer(clients_footer);
  const auto query = std::make_shared<ClientQuery>();
  add_block_option(app, query->block, "Only clients with these addresses");
  add_method(app, *query);
  add_name(app, *query);
  add_status_option(app, *query);
  add_sort(app, *query);
  return [query, &options] { return list_clients(options, *query); };
}

Run add_client(CLI::App& app, const Options& options) {
  app.description(client_help);
  app.footer(client_footer);
  const auto address = std::make_shared<Address>();
  add_address(app, *address, "The client's address");
  return [address, &options] { return show_client(options, *address); };
}

}  // namespace lekt::lektctl
