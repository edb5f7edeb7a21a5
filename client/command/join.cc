// `lekt join`: stays a member and prints who comes and goes.
#include <memory>

#include "client/command/arguments.h"
#include "client/command/commands.h"
#include "client/command/member.h"
#include "client/command/output.h"
#include "common/errors.h"

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
Nobody can offer method 3006, device: with it the server itself lists the devices that it serves.

Formats (--format):
  text   as above
  json   one object a line: {"event":"added","address":"10.0.0.7","methods":[{"index":1,"name":"tcp","port":7890}]}
         event is added, changed (with methods_before) or removed (without methods); in place of "port", device has
         "text" and other methods have "hex", and no name if they are not in the catalogue
  hosts, prometheus
         nothing is printed; the file --output always holds the whole list, and is replaced as a whole when it changes.
         It stays as it is while the server is away, and after lekt has left.
         hosts: one line a peer, for example for dnsmasq:   10.0.0.7 lekt-10-0-0-7  # tcp:7890
         prometheus: a file for file_sd_configs; FILE ends in .json. The targets are the peers' tcp ports, with the labels
         __meta_lekt_server, __meta_lekt_address and, for each method, __meta_lekt_method_NAME with its port, text or
         hexadecimal; '-' in NAME becomes '_', and a method that is not in --catalogue has its index for a name

Events of the connection, with --format json and for commands:
  joined     the server has registered you: {"event":"joined","server":"10.0.0.1:7890","address":"10.0.0.7"}
  complete   all is told, the list is the server's as of now: {"event":"complete","peers":3}
  lost       there is no connection; told again when the code changes:
             {"event":"lost","server":"10.0.0.1:7890","code":"E701","reason":"E701 cannot ...","retry_in_ms":500}
  refused    the same, and it is the server that says so; retry_in_ms is null when lekt does not try again

Commands: --exec runs `sh -c COMMAND` for each event, one at a time, with these variables. Its standard input has
the event as a line of JSON, as --format json prints it.
  LEKT_EVENT            added, changed or removed; joined, complete, lost or refused
  LEKT_ADDRESS          10.0.0.7
  LEKT_METHODS          "tcp:7890 chat:0a0b"; empty when removed; what is longer than 32 KiB ends in "..."
  LEKT_METHODS_BEFORE   the same before the change; empty when added
  LEKT_TCP_PORT         the port of the first tcp method; empty if there is none
  LEKT_SERVER, LEKT_PEERS, LEKT_CODE, LEKT_REASON, LEKT_RETRY_IN_MS: of the events of the connection
--exec-batch runs COMMAND once for all events that wait, for example for the whole list after joining: they are the lines
of its standard input, LEKT_EVENT is batch, and LEKT_EVENTS says how many.
While a command runs, at most one event of each peer waits: what happens to it meanwhile is told in one. With --output,
the file holds a change before the command is run for it. A command that fails is reported and ends nothing; one that
ends with exit code 75 is run again after 1 s, then 2 s, up to a minute. One that runs longer than --exec-timeout is
ended. With --count, lekt waits for all commands; after Ctrl-C only for the one that runs, for 5 s.

After a restart: with --state, the file holds the list, its timestamp and the identity of the log that gave it, a few
seconds old at most. A lekt that starts with it has the server send only what has changed since, if it is the same log;
otherwise the whole list. What is printed and which commands are run is the same: everyone who is there, as added. A file
that cannot be used is reported (E715), and written anew.

A reader who does not keep up: when more than 4 MiB wait for whoever reads standard output, changes are left out. When
he has read the rest, the line "! N changes were left out; ...", or {"event":"skipped","changes":N}, says that he has
to forget all, and everything is told as after a start. The same after an error, for example of a full disk.

Exit codes: 0 left, by Ctrl-C, SIGTERM or --count; 1 the server refuses this client for good, --output cannot be
written before joining, not everything could be written before leaving by --count, or nobody reads standard output any
more; 2 wrong usage.)";

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
  if (!options.state.empty() && options.state == options.output)
    throw CodedError(ErrorCode::usage_wrong, "--state and --output need a file each");
  if (!options.command.empty() && !options.batch_command.empty())
    throw CodedError(ErrorCode::usage_wrong, "--exec and --exec-batch exclude each other");
  if (options.format == JoinFormat::prometheus && !options.output.ends_with(".json"))
    throw CodedError(ErrorCode::usage_wrong, "--output \"" + escape(options.output) +
                                                 "\" has to end in .json, or Prometheus will not read it");
}

/// Adds an option that refuses an empty text, which would mean the same as no option.
void add_text(CLI::App& app, const std::string& flag, const std::string& help, std::string& value,
              const std::string& type) {
  app.add_option_function<std::string>(
         flag,
         [flag, &value](const std::string& text) {
           if (text.empty()) throw CodedError(ErrorCode::usage_wrong, flag + " is empty");
           value = text;
         },
         help)
      ->type_name(type);
}

int run_join(const JoinOptions& options) {
  check(options);
  StopOnSignal stop_on_signal;  // before there are threads, so that it is ready when anything else is
  const PatientStatus patient_status;
  Member member(options);
  stop_on_signal.watch(&member.client());
  const int code = member.run();
  stop_on_signal.watch(nullptr);
  return code;
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
  add_text(app, "--output", "The file that --format hosts or prometheus rewrites", options->output, "FILE");
  add_text(app, "--state",
           "Keep in this file what is known, and continue from it at\nthe next start; see below",
           options->state, "FILE");
  add_text(app, "--exec", "Run this shell command for each event; see below", options->command, "COMMAND");
  add_text(app, "--exec-batch", "Run this shell command for all events that wait, which it\nreads; see below",
           options->batch_command, "COMMAND");
  add_duration(app, "--exec-timeout", "How long a command may run before it is ended", options->command_limit,
               100ms, 7 * 24h);
  add_number(app, "--count",
             "Leave after N answers to heartbeats; 1 prints the list\nand leaves (default: stay)",
             options->count);
  return [options] { return run_join(*options); };
}

}  // namespace lekt::command
