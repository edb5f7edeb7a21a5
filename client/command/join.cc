// `lekt join`: stays a member and prints who comes and goes.
#include <csignal>
#include <iomanip>
#include <memory>
#include <sstream>

#include "client/client.h"
#include "client/command/arguments.h"
#include "client/command/atomic_file.h"
#include "client/command/command_queue.h"
#include "client/command/commands.h"
#include "client/command/output.h"
#include "common/errors.h"
#include "common/limits.h"

namespace lekt::command {

namespace {

using namespace std::chrono_literals;

constexpr const char* join_help =
    R"(Joins the network, prints who is there, then each change as it comes.

  + 10.0.0.7 tcp:7890    a client joined (or was there already), and how to connect to it
  ~ 10.0.0.7 tcp:7891    it can now be reached in this way
  - 10.0.0.9             it has left

You are listed too, under the address by which others know you. Changes go to standard output, what happens
to the connection goes to standard error. When the connection ends, lekt connects again by itself, waits
0.5 s to 30 s between attempts, and prints nothing twice. Ctrl-C leaves; a second Ctrl-C ends at once.)";

constexpr const char* join_footer = R"(
Methods (--method) say how others can connect to you; without any you are listed, and nobody can:
  tcp:4000        method 1: they can open a TCP connection to port 4000
  chat:0a0b       a method of --catalogue by its name, with its content in hexadecimal
  2:0a0b          a method by its index; if it is not in --catalogue, these bytes are sent as they are, padded
                  with zeros to a multiple of 4, and have to be what the server's catalogue says

Formats (--format):
  text   as above
  json   one object a line: {"event":"added","address":"10.0.0.7","methods":[{"index":1,"name":"tcp","port":7890}]}
         event is added, changed (with methods_before) or removed (without methods); methods other than tcp have
         "hex" in place of "port", and no name if they are not in the catalogue
  hosts, prometheus
         nothing is printed; the file --output always holds the whole list, and is replaced as a whole when it changes.
         It stays as it is while the server is away, and after lekt has left.
         hosts: one line a peer, for example for dnsmasq:   10.0.0.7 lekt-10-0-0-7  # tcp:7890
         prometheus: a file for file_sd_configs; FILE ends in .json. The targets are the peers' tcp ports, with the labels
         __meta_lekt_server, __meta_lekt_address and, for each method, __meta_lekt_method_NAME with its port or
         hexadecimal; '-' in NAME becomes '_', and a method that is not in --catalogue has its index for a name

Commands (--exec): `sh -c COMMAND` is run for each change, in order, one at a time, with these variables:
  LEKT_EVENT            added, changed or removed
  LEKT_ADDRESS          10.0.0.7
  LEKT_METHODS          "tcp:7890 chat:0a0b"; empty when removed
  LEKT_METHODS_BEFORE   the same before the change; empty when added
  LEKT_TCP_PORT         the port of the first tcp method; empty if there is none
With --output, the file holds the change before the command is run. A command that fails is reported and ends nothing. With --count, lekt waits for all commands; after Ctrl-C only
for the one that runs.

Exit codes: 0 left, by Ctrl-C, SIGTERM or --count; 1 the server refuses this client for good, or the output
failed; 2 wrong usage.)";

enum class JoinFormat { text, json, hosts, prometheus };

/// What is kept in the file --output, and not printed.
bool is_for_file(JoinFormat format) {
  return format == JoinFormat::hosts || format == JoinFormat::prometheus;
}

struct JoinOptions {
  std::string server;
  std::vector<std::string> methods;
  MethodCatalogue catalogue;
  std::chrono::milliseconds interval = 5s;
  std::optional<Ipv4Address> source;
  std::optional<TlsOptions> tls;
  JoinFormat format = JoinFormat::text;
  std::string output;
  std::string command;
  std::uint64_t count = 0;
};

std::string seconds_text(std::chrono::milliseconds duration) {
  std::ostringstream text;
  text << std::fixed << std::setprecision(1) << std::chrono::duration<double>(duration).count() << " s";
  return text.str();
}

std::string tcp_port_text(const Offer& offer) {
  if (offer.methods.empty() || offer.methods.front().index != tcp_index) return "";
  return std::to_string(ByteReader(offer.methods.front().information).u32());
}

CommandRun run_for(const PeerChange& change, const MethodCatalogue& catalogue) {
  std::string title = text_of(change, catalogue);
  title.pop_back();
  return {title,
          {"LEKT_EVENT=" + std::string(name_of(change.kind)), "LEKT_ADDRESS=" + to_string(change.address),
           "LEKT_METHODS=" + describe(change.now, catalogue),
           "LEKT_METHODS_BEFORE=" + describe(change.before, catalogue),
           "LEKT_TCP_PORT=" + tcp_port_text(change.now)}};
}

ClientOptions client_options(const JoinOptions& options) {
  return {.server = options.server,
          .methods = parse_methods(options.methods, options.catalogue),
          .interval = options.interval,
          .source = options.source,
          .tls = options.tls,
          .catalogue = options.catalogue};
}

class Member : public ClientHandler {
 public:
  explicit Member(const JoinOptions& options) : options_(options), client_(client_options(options), *this) {
    if (!options.command.empty()) commands_ = std::make_unique<CommandQueue>(options.command);
  }

  int run() {
    client_.run();
    if (commands_ && count_reached()) commands_->finish();
    return refused_ ? exit_failed : exit_done;
  }

  Client& client() { return client_; }

 private:
  void on_joined() override { print_status("joined " + options_.server); }

  void on_change(const PeerChange& change) override {
    file_is_current_ = false;
    if (options_.format == JoinFormat::text) print(text_of(change, options_.catalogue));
    if (options_.format == JoinFormat::json) print(json_of(change, options_.catalogue));
    if (commands_) runs_.push_back(run_for(change, options_.catalogue));
  }

  void on_synchronised() override {
    if (is_for_file(options_.format) && !file_is_current_) {
      replace_file(options_.output, file_text());
      file_is_current_ = true;
    }
    // Only now: a command may read the file.
    for (CommandRun& run : runs_) commands_->add(std::move(run));
    runs_.clear();
    ++answers_;
    if (count_reached()) client_.stop();
  }

  void on_disconnected(const Disconnection& end) override {
    if (!end.permanent) return print_status(end.reason + "; next attempt in " + seconds_text(end.retry_in));
    print_status(end.reason + "; trying again would not help");
    refused_ = true;
    client_.stop();
  }

  std::string file_text() const {
    const auto text_of_peers = options_.format == JoinFormat::hosts ? hosts_of : prometheus_of;
    return text_of_peers(client_.peers(), options_.catalogue, options_.server);
  }

  bool count_reached() const { return options_.count != 0 && answers_ >= options_.count; }

  const JoinOptions& options_;
  std::unique_ptr<CommandQueue> commands_;
  std::vector<CommandRun> runs_;  ///< for the changes of the answer that is being told
  std::uint64_t answers_ = 0;
  bool file_is_current_ = false;
  bool refused_ = false;
  Client client_;
};

Client* signalled_client = nullptr;

/// While it lives, SIGINT and SIGTERM stop the client. The second one ends the program.
class StopOnSignal {
 public:
  explicit StopOnSignal(Client& client) {
    signalled_client = &client;
    struct sigaction action {};
    action.sa_handler = [](int) { signalled_client->stop(); };
    action.sa_flags = static_cast<int>(SA_RESETHAND | SA_RESTART);
    ::sigaction(SIGINT, &action, nullptr);
    ::sigaction(SIGTERM, &action, nullptr);
  }
  ~StopOnSignal() {
    ::signal(SIGINT, SIG_DFL);
    ::signal(SIGTERM, SIG_DFL);
    signalled_client = nullptr;
  }
  StopOnSignal(const StopOnSignal&) = delete;
  StopOnSignal& operator=(const StopOnSignal&) = delete;
};

void check(const JoinOptions& options) {
  const bool is_file = is_for_file(options.format);
  const std::string format = options.format == JoinFormat::hosts ? "--format hosts" : "--format prometheus";
  if (is_file && options.output.empty())
    throw CodedError(ErrorCode::usage_wrong,
                     format + " needs --output FILE, the file that it keeps up to date");
  if (!is_file && !options.output.empty())
    throw CodedError(
        ErrorCode::usage_wrong,
        "--output belongs to --format hosts and --format prometheus; redirect the others with '> FILE'");
  if (options.format == JoinFormat::prometheus && !options.output.ends_with(".json"))
    throw CodedError(ErrorCode::usage_wrong, "--output \"" + escape(options.output) +
                                                 "\" has to end in .json, or Prometheus will not read it");
}

int run_join(const JoinOptions& options) {
  check(options);
  Member member(options);
  const StopOnSignal stop_on_signal(member.client());
  return member.run();
}

}  // namespace

Run add_join(CLI::App& app) {
  const auto options = std::make_shared<JoinOptions>();
  app.description(join_help);
  app.footer(join_footer);
  add_server(app, options->server);
  app.add_option("--method", options->methods,
                 "How others can connect to you, for example tcp:4000\n(repeatable)")
      ->type_name("tcp:PORT|NAME:HEX|INDEX:HEX")
      ->allow_extra_args(false);
  add_catalogue(app, options->catalogue);
  add_duration(
      app, "--interval",
      "From one heartbeat to the next; keep it well below the\nserver's --heartbeat-timeout, 90s by default",
      options->interval, 10ms, 24h);
  add_source(app, options->source);
  add_tls(app, options->tls);
  add_choice(app, "--format", "How the list and its changes are written; see below", options->format,
             {{"text", JoinFormat::text},
              {"json", JoinFormat::json},
              {"hosts", JoinFormat::hosts},
              {"prometheus", JoinFormat::prometheus}});
  app.add_option("--output", options->output, "The file that --format hosts or prometheus rewrites")
      ->type_name("FILE");
  app.add_option("--exec", options->command, "Run this shell command for each change; see below")
      ->type_name("COMMAND");
  add_number(app, "--count",
             "Leave after N answers to heartbeats; 1 prints the list\nand leaves (default: stay)",
             options->count);
  return [options] { return run_join(*options); };
}

}  // namespace lekt::command
