// `lekt device`: a hand-held terminal as a program.
#include <unistd.h>

#include <memory>

#include "client/command/arguments.h"
#include "client/command/commands.h"
#include "client/command/device_program/device_options.h"
#include "client/command/device_program/own_string.h"
#include "client/command/device_program/ticket_file.h"
#include "client/command/device_program/typed_text.h"
#include "client/device_dtls.h"
#include "client/server_name.h"
#include "common/device_packets.h"
#include "common/parse_number.h"

namespace lekt::command {

namespace {

using namespace std::chrono_literals;

constexpr const char* device_help =
    R"(Is a hand-held terminal: draws the screen of a session on the server, and sends what is typed.

The session and its host live on the server. Out of range, with another address, or after this program was killed, the
same command shows the same screen again. In the first row are the device's own messages until the server shows
something; [Linking] and [Out of Range] at the upper right mean that the server does not answer.

  Ctrl-] q    ends the session                  Ctrl-] d    leaves it on the server
)";

constexpr const char* device_footer = R"(
Without a terminal, or with --expect, --send, --print or --count, it is a script: it connects, does each --expect and
--send in the order in which they are given, and ends. Without any it ends when the server shows the first screen, which
is a health check:
  lekt device --server 10.0.0.1 --ticket none --expect 'Select a host' --send '1\r' --expect 'login:' --print
What happens to the device is told on standard error, with the server's time. A session stays on the server if its ticket
is kept, and is ended otherwise.

TEXT of --expect is looked for in each row of the screen, once everything that was sent before has come to the server.
TEXT of --send is typed, and has these escapes:
  \r \n   enter                      \xNN     a control character: \x03 is ctrl c
  \t      tab                        \{KEY}   up, down, left, right, insert, delete, home, end, page up,
  \b      backspace                           page down, F1 to F24
  \e      escape                     \\       \
A host may take an escape and what follows at once for one key. Then wait with --expect for what the escape does.

--print waits until nothing on the screen has changed for half a second, since a screen comes in parts; what a host is
slower with is waited for with --expect. A screen that never rests is printed when the time of --timeout is over.

The ticket, with which a device comes back to its session, is kept in $XDG_STATE_HOME/lekt/device-UID, or
~/.local/state/lekt/device-UID. It is a secret.

Exit codes: 0 everything was done, also if the host hangs up at the end of it, or the user has left; 1 it was not, the
server has ended the session or cannot be reached: the last line on standard error has the code; 2 wrong usage.)";

constexpr std::uint64_t count_max = 10'000;

struct DeviceFlags {
  DeviceOptions options;
  std::optional<TlsOptions> tls;
  std::optional<std::string> uid;
  std::optional<std::string> type;
  std::optional<std::string> string;
  std::optional<std::string> ticket;
  std::optional<std::uint16_t> rows;
  std::optional<std::uint16_t> columns;
  std::uint64_t count = 1;
  bool has_count = false;
};

[[noreturn]] void refuse_device(const std::string& reason) {
  throw CodedError(ErrorCode::usage_wrong, reason);
}

/// Adds a flag that takes a whole number from `first` to `last`.
void add_ranged(CLI::App& app, const std::string& flag, const std::string& help, const std::string& type,
                std::uint16_t first, std::uint16_t last, std::function<void(std::uint16_t)> use) {
  app.add_option_function<std::string>(
         flag,
         [=](const std::string& text) {
           const auto number = parse_number<std::uint16_t>(text);
           if (!number || *number < first || *number > last)
             refuse_device(flag + " \"" + escape(text) + "\" is not a number from " + std::to_string(first) +
                           " to " + std::to_string(last));
           use(*number);
         },
         help)
      ->type_name(type);
}

void add_device_server(CLI::App& app, std::string& server) {
  app.add_option_function<std::string>(
         "--server",
         [&server](const std::string& text) {
           server = parse_server_name(text).host;
           if (text.find(':') != text.npos)
             refuse_device("server \"" + escape(text) + "\": its port for devices is given with --port");
         },
         "Where the server is: a name or IPv4 address")
      ->type_name("HOST")
      ->required();
}

/// The steps of the script. The parser keeps the values of each flag, and the order of all flags.
std::vector<DeviceScript::Step> steps_of(const CLI::App& app) {
  std::vector<DeviceScript::Step> steps;
  std::size_t expects = 0;
  std::size_t sends = 0;
  for (const CLI::Option* option : app.parse_order()) {
    if (option->get_name() == "--expect") {
      const std::string& text = option->results().at(expects++);
      if (text.empty()) refuse_device("--expect is empty");
      steps.emplace_back(DeviceScript::Expect{text});
    } else if (option->get_name() == "--send") {
      steps.emplace_back(DeviceScript::Send{parse_typed_text(option->results().at(sends++))});
    }
  }
  return steps;
}

std::string string_of(const DeviceFlags& flags) {
  if (flags.string && (flags.uid || flags.type))
    refuse_device("--string says the whole string, so there is no use for --uid and --type");
  if (flags.rows.has_value() != flags.columns.has_value())
    refuse_device("--rows and --columns belong together");
  std::string string = flags.string.value_or("");
  if (flags.string)
    check_own_string(string);
  else
    string = make_own_string(flags.uid.value_or(own_uid()), flags.type.value_or("lekt"), LEKT_VERSION);
  return flags.rows ? with_size(string, *flags.rows, *flags.columns) : string;
}

std::optional<std::filesystem::path> ticket_of(const DeviceFlags& flags, const DeviceString& device) {
  if (flags.count > 1 && flags.ticket.value_or("none") != "none")
    refuse_device("--ticket is for one device; of --count devices no ticket is kept");
  if (flags.count > 1 || flags.ticket == "none") return std::nullopt;
  if (flags.ticket) return *flags.ticket;
  if (!device.names_anybody())
    refuse_device(
        "the string has no uid, by which the file of the ticket would be named; --ticket FILE names it, and "
        "--ticket none "
        "keeps no ticket");
  const std::filesystem::path path = ticket_path(device.uid);
  TicketFile::make_directory_of(path);
  return path;
}

int run_device(DeviceFlags& flags, const CLI::App& app) {
  DeviceOptions& options = flags.options;
  options.steps = steps_of(app);
  options.string = string_of(flags);
  options.has_size = flags.rows.has_value();
  if (flags.count > count_max)
    refuse_device("--count " + std::to_string(flags.count) + " is more than " + std::to_string(count_max));
  if (flags.count > 1 && options.own_port != 0)
    refuse_device("--client-port is for one device; --count devices have a port each");
  options.count = flags.count;
  if (flags.tls)
    options.dtls.emplace(std::make_shared<const DtlsContext>(make_dtls_context(*flags.tls)), options.server);
  options.ticket = ticket_of(flags, read_own_string(options.string));
  const bool is_script = !options.steps.empty() || options.prints || flags.has_count ||
                         ::isatty(STDIN_FILENO) == 0 || ::isatty(STDOUT_FILENO) == 0;
  return is_script ? run_device_script(options) : run_device_in_terminal(options);
}

}  // namespace

Run add_device(CLI::App& app) {
  const auto flags = std::make_shared<DeviceFlags>();
  DeviceOptions& options = flags->options;
  app.description(device_help);
  app.footer(device_footer);
  add_device_server(app, options.server);
  add_ranged(app, "--port", "The server's port for devices (1 to 65535)", "N", 1, 65535,
             [&options](std::uint16_t port) { options.server_port = port; });
  add_source(app, options.source);
  add_ranged(app, "--client-port",
             "The device's own port, for example 3771; 0 is any that is\nfree (default)", "N", 0, 65535,
             [&options](std::uint16_t port) { options.own_port = port; });
  add_dtls(app, flags->tls);
  app.add_option("--uid", flags->uid, "The device's name, which stays (default: user@machine)")
      ->type_name("UID");
  app.add_option("--type", flags->type, "What kind of device it is (default: lekt)")->type_name("TYPE");
  app.add_option("--string", flags->string,
                 "The whole string that the device says of itself, in place\nof --uid and --type")
      ->type_name("TEXT");
  add_ranged(app, "--rows", "Rows of the screen (default: those of the terminal, or 24)", "N", 1,
             limits::screen_rows_max, [flags = flags.get()](std::uint16_t rows) { flags->rows = rows; });
  add_ranged(app, "--columns", "Columns of the screen (default: those of the terminal, or 80)", "N", 1,
             limits::screen_columns_max,
             [flags = flags.get()](std::uint16_t columns) { flags->columns = columns; });
  app.add_option("--ticket", flags->ticket, "Keep the ticket in this file; none keeps none")
      ->type_name("FILE");
  app.add_option("--expect", "Wait until the screen shows this text (repeatable)")
      ->type_name("TEXT")
      ->expected(1)
      ->multi_option_policy(CLI::MultiOptionPolicy::TakeAll)
      ->allow_extra_args(false);
  app.add_option("--send", "Type this text; see below (repeatable)")
      ->type_name("TEXT")
      ->expected(1)
      ->multi_option_policy(CLI::MultiOptionPolicy::TakeAll)
      ->allow_extra_args(false);
  app.add_flag("--print", options.prints,
               "Print the screen at the end, once nothing has changed for\n500ms or the time is over");
  add_number(app, "--count", "Be N devices with the uids UID-1, UID-2, ... at once, each\ndoing the script",
             flags->count);
  add_duration(app, "--timeout", "How long a script may take", options.timeout, 10ms, 24h);
  return [flags, &app] {
    flags->has_count = app.count("--count") > 0;
    return run_device(*flags, app);
  };
}

}  // namespace lekt::command
