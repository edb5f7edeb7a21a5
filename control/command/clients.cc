// `lektctl clients` and `lektctl client`: who is here, and what is one of them doing?
#include <memory>

#include "common/errors.h"
#include "common/text.h"
#include "control/command/commands.h"
#include "control/command/output.h"
#include "control/time.h"

namespace lekt::control::command {

namespace {

using storage::ClientQuery;

constexpr const char* clients_help = R"(Lists the clients that are here, from the database.

It works whether the server runs or not. A client is connected, or waiting: it has not come back since the restart,
or the server does not run.)";

constexpr const char* clients_footer = R"(
Examples:
  lektctl clients
  lektctl clients --block 10.0.0.0/24 --method tcp
  lektctl clients --status waiting
  lektctl clients --status removed       who has gone and is still remembered
  lektctl clients --sort last_heard      who was silent for longest first
  lektctl clients --json | jq -r .address

With --json: {"address","status","methods","sessions","since","last_heard","last_change","sequence"} a line.
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

/// Of one client: its newest changes and rejects.
constexpr std::size_t history_shown = 20;

std::vector<std::string> cells_of(const storage::StoredClient& client) {
  return {to_string(client.address),       std::string(to_string(client.status)),
          std::to_string(client.sessions), time_text(client.since),
          time_text(client.heard),         client.methods};
}

int list_clients(const Options& options, const ClientQuery& query) {
  storage::Reader reader(options.instance.database);
  const Table table(
      {{"ADDRESS", 15}, {"STATUS", 9}, {"SESSIONS", 8}, {"SINCE (UTC)", 19}, {"LAST HEARD", 19}, {"METHODS"}},
      output_size().columns);
  if (!options.json) print(table.head());
  reader.clients(query, [&](storage::StoredClient&& client) {
    if (options.json) return print_json(to_json(client));
    print(table.row(cells_of(client)));
  });
  return exit_done;
}

void add_method(CLI::App& app, ClientQuery& query) {
  app.add_option("--method", query.method, "Only clients that offer this method, by its name")
      ->type_name("NAME");
}

void add_status_option(CLI::App& app, ClientQuery& query) {
  app.add_option_function<std::string>(
         "--status",
         [&query](const std::string& text) {
           query.status = storage::parse_client_status(text);
           if (!query.status)
             refuse("--status \"" + escape(text) + "\" is not one of connected, waiting, removed");
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
           else
             refuse("--sort \"" + escape(text) + "\" is not one of address, since, last_heard");
         },
         "By address; by since when, the newest first; or who was\nsilent for longest first")
      ->type_name("address|since|last_heard")
      ->default_str("address");
}

/// What the running server knows of a client; null when it cannot be reached.
void ask_server(const Instance& instance, const std::string& address, Json& known) {
  known["sessions"] = nullptr;
  known["rejects"] = nullptr;
  try {
    ControlClient server = reach(instance);
    known["sessions"] = server.request({{"command", "sessions"}, {"address", address}});
    known["rejects"] = server.request({{"command", "rejects"}, {"block", address}, {"count", history_shown}});
  } catch (const CodedError& error) {
    if (error.code() != ErrorCode::control_unreachable) throw;
    print_status(std::string(error.what()) + "; sessions and rejects are not shown");
  }
}

Json gather(const Instance& instance, Ipv4Address address) {
  storage::Reader reader(instance.database);
  const auto client = reader.client(address);
  Json bans = Json::array();
  for (const storage::Ban& ban : reader.bans())
    if (ban.block.contains(address)) bans.push_back(to_json(ban));
  Json known{{"address", to_string(address)},
             {"client", client ? to_json(*client) : Json(nullptr)},
             {"sessions", nullptr},
             {"changes", to_json(reader.changes({.block = {address, 32}, .count_max = history_shown}))},
             {"rejects", nullptr},
             {"bans", std::move(bans)}};
  ask_server(instance, to_string(address), known);
  return known;
}

std::string describe_state(const Json& known) {
  const Json& client = known.at("client");
  const std::string address = text(known, "address");
  if (client.is_null()) return address + " is not here, and not remembered.\n";
  const bool removed = text(client, "status") == "removed";
  const std::string state =
      removed ? " was here until " + time_text(client.at("last_change"))
              : " is " + text(client, "status") + ", here since " + time_text(client.at("since"));
  const std::string methods = text(client, "methods");
  return address + state + " UTC, last heard " + time_text(client.at("last_heard")) +
         ".\nMethods: " + (methods.empty() ? "none" : escape(methods)) + "\n";
}

std::string describe_sessions(const Json& sessions, std::size_t width) {
  if (sessions.is_null() || sessions.empty()) return {};
  const Table table({{"SESSION", 10}, {"SILENT FOR", 10}, {"UNREAD", 10}, {"TLS", 3}, {"SLOWED"}}, width);
  std::string lines = "\n" + table.head();
  for (const Json& session : sessions)
    lines += table.row({std::to_string(session.at("session").get<std::uint64_t>()),
                        describe_seconds(session.at("silent_seconds").get<double>()),
                        bytes_text(session.at("waiting_bytes").get<double>()),
                        session.at("tls").get<bool>() ? "yes" : "no",
                        session.at("slowed").get<bool>() ? "yes" : "no"});
  return lines;
}

std::string describe_changes(const Json& changes, std::size_t width) {
  if (changes.empty()) return {};
  const Table table({{"CHANGED (UTC)", 19}, {"KIND", 7}, {"METHODS"}}, width);
  std::string lines = "\n" + table.head();
  for (const Json& change : changes)
    lines += table.row({time_text(change.at("time")), text(change, "kind"), text(change, "methods")});
  return lines;
}

std::string describe_rejects(const Json& rejects, std::size_t width) {
  if (rejects.is_null() || rejects.empty()) return {};
  const Table table({{"REJECTED (UTC)", 19}, {"CODE", 4}, {"MESSAGE"}}, width);
  std::string lines = "\n" + table.head();
  for (const Json& reject : rejects)
    lines += table.row({time_text(reject.at("time")), text(reject, "code"), text(reject, "message")});
  return lines;
}

std::string describe_bans(const Json& bans, std::size_t width) {
  std::string lines;
  for (const Json& ban : bans) {
    const std::string reason = text(ban, "reason");
    lines += cut("Banned by " + text(ban, "block") + " since " + time_text(ban.at("since")) + " UTC" +
                     (reason.empty() ? "" : ": " + escape(reason)),
                 width) +
             "\n";
  }
  return lines;
}

bool is_known(const Json& known) {
  for (const char* key : {"client", "sessions", "changes", "rejects", "bans"})
    if (!known.at(key).empty()) return true;
  return false;
}

int show_client(const Options& options, Ipv4Address address) {
  const Json known = gather(options.instance, address);
  if (!is_known(known))
    throw CodedError(ErrorCode::not_found,
                     "nothing is known of " + to_string(address) +
                         "; see `lektctl clients`, or the server's log for how it was refused");
  if (options.json) {
    print_json(known);
    return exit_done;
  }
  const std::size_t width = output_size().columns;
  print(describe_state(known) + describe_bans(known.at("bans"), width) +
        describe_sessions(known.at("sessions"), width) + describe_changes(known.at("changes"), width) +
        describe_rejects(known.at("rejects"), width));
  return exit_done;
}

}  // namespace

Run add_clients(CLI::App& app, const Options& options) {
  app.description(clients_help);
  app.footer(clients_footer);
  const auto query = std::make_shared<ClientQuery>();
  app.add_option_function<std::string>(
         "--block",
         [query](const std::string& given) {
           const auto block = parse_cidr(given);
           if (!block)
             refuse("--block \"" + escape(given) + "\" is not an address or a block, such as 10.0.0.0/8");
           query->block = *block;
         },
         "Only clients with these addresses")
      ->type_name("CIDR");
  add_method(app, *query);
  add_status_option(app, *query);
  add_sort(app, *query);
  return [query, &options] { return list_clients(options, *query); };
}

Run add_client(CLI::App& app, const Options& options) {
  app.description(client_help);
  app.footer(client_footer);
  const auto address = std::make_shared<Ipv4Address>();
  add_address(app, *address, "The client's address");
  return [address, &options] { return show_client(options, *address); };
}

}  // namespace lekt::control::command
