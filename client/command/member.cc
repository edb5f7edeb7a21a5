#include "client/command/member.h"

#include <signal.h>
#include <unistd.h>

#include <iomanip>
#include <sstream>
#include <utility>

#include "client/command/arguments.h"
#include "client/command/commands.h"
#include "client/command/output.h"
#include "client/server_name.h"
#include "common/errors.h"

namespace lekt::command {

namespace {

using namespace std::chrono_literals;

constexpr auto look_every = 1s;               // at a reader that was away, at inherited children
constexpr auto patience_with_reader = 500ms;  // after a signal
constexpr auto patience_with_state = 2s;      // at the end; a program without it asks for the whole list
constexpr auto patience_with_signal = 50ms;   // how often a signal is looked for in between

std::string seconds_text(std::chrono::milliseconds duration) {
  std::ostringstream text;
  text << std::fixed << std::setprecision(1) << std::chrono::duration<double>(duration).count() << " s";
  return text.str();
}

ClientOptions client_options(const JoinOptions& options) {
  return {.server = options.server,
          .methods = parse_methods(options.methods, options.catalogue),
          .interval = options.interval,
          .source = options.source,
          .tls = options.tls,
          .catalogue = options.catalogue,
          .state = options.state.empty() ? std::nullopt : read_state_file(options.state, options.catalogue)};
}

Client* volatile signalled_client = nullptr;
volatile sig_atomic_t signals_seen = 0;

/// A handler of its own for the second signal: process 1 of a container has no default that would end it.
void on_stop_signal(int number) {
  if (signals_seen != 0) ::_exit(128 + number);
  signals_seen = 1;
  if (Client* const client = signalled_client) client->stop();
}

}  // namespace

bool is_for_file(JoinFormat format) {
  return format == JoinFormat::hosts || format == JoinFormat::prometheus;
}

StopOnSignal::StopOnSignal() {
  struct sigaction action {};
  action.sa_handler = on_stop_signal;
  action.sa_flags = static_cast<int>(SA_RESTART);
  ::sigaction(SIGINT, &action, nullptr);
  ::sigaction(SIGTERM, &action, nullptr);
  // The parent may have set SIGCHLD to be ignored, which is inherited; here the ends of commands matter.
  ::signal(SIGCHLD, SIG_DFL);
  sigset_t both;
  sigemptyset(&both);
  sigaddset(&both, SIGINT);
  sigaddset(&both, SIGTERM);
  ::pthread_sigmask(SIG_UNBLOCK, &both, nullptr);
}

StopOnSignal::~StopOnSignal() {
  ::signal(SIGINT, SIG_DFL);
  ::signal(SIGTERM, SIG_DFL);
}

void StopOnSignal::watch(Client* client) {
  signalled_client = client;
  if (client != nullptr && has_come()) client->stop();
}

bool StopOnSignal::has_come() { return signals_seen != 0; }

Member::Member(const JoinOptions& options)
    : options_(options),
      server_(to_string(parse_server_name(options.server))),
      is_first_process_(::getpid() == 1),
      client_(client_options(options), *this) {
  const bool has_file = is_for_file(options.format);
  std::optional<OutputFile> file;
  if (has_file) file.emplace(options.output);
  if (!options.state.empty()) state_file_.emplace(options.state);
  if (!options.command.empty() || !options.batch_command.empty()) {
    const bool batch = !options.batch_command.empty();
    commands_ = std::make_unique<CommandQueue>(
        CommandQueue::Options{.command = batch ? options.batch_command : options.command,
                              .batch = batch,
                              .limit = options.command_limit,
                              .reaps = is_first_process_},
        options.catalogue);
  }
  if (has_file) {
    keeper_ =
        std::make_unique<FileKeeper>(*std::move(file), [commands = commands_.get()](std::uint64_t version) {
          if (commands != nullptr) commands->release(version);
        });
  } else {
    printer_ = std::make_unique<ListPrinter>(
        STDOUT_FILENO,
        options.format == JoinFormat::text ? ListPrinter::Format::text : ListPrinter::Format::json,
        options.catalogue, PatientWriter::Options{.on_gone = [this] { client_.stop(); }});
  }
}

int Member::run() {
  while (client_.run_for(look_every)) look_around();
  const bool finished = finish();
  if (printer_ && printer_->is_gone()) {
    print_status(
        Rejection{ErrorCode::output_failed, "nobody reads standard output any more, so this program has left"}
            .text());
    return exit_failed;
  }
  return refused_ || (count_reached() && !finished) ? exit_failed : exit_done;
}

void Member::look_around() {
  if (printer_) printer_->flush(client_.peers());
  if (state_file_) state_file_->keep(client_);
  if (is_first_process_ && !commands_) reap_strangers(-1);
}

/// Finishes the work: after --count all of it, until a signal comes; after a signal the reader gets a moment.
/// Returns whether all was done.
bool Member::finish() {
  const auto wait_for = [this](auto& work) {
    if (!count_reached()) return true;
    while (!work.finish(patience_with_signal))
      if (StopOnSignal::has_come() || work.has_failed()) return false;
    return true;
  };
  if (state_file_) state_file_->finish(client_, patience_with_state);
  const bool is_kept = !keeper_ || wait_for(*keeper_);
  if (commands_ && is_kept) wait_for(*commands_);
  if (!printer_) return is_kept;
  const bool is_printed = count_reached() ? wait_for(*printer_) : printer_->finish(patience_with_reader);
  if (!is_printed) printer_->flush(client_.peers());  // the printer says what is wrong
  return is_printed;
}

void Member::on_joined() {
  const Endpoints endpoints = *client_.endpoints();
  print_status("joined " + server_text(options_.server, endpoints) + " from " + own_text(endpoints));
  is_complete_ = false;
  tell({.kind = ConnectionEvent::Kind::joined, .server = server_, .address = endpoints.own});
  hand_over();
}

void Member::on_warning(const std::string& warning) { print_status(warning); }

void Member::on_change(const PeerChange& change) {
  file_is_current_ = false;
  if (printer_) printer_->add(change);
  if (commands_) reasons_.emplace_back(change);
}

void Member::on_synchronised() {
  if (keeper_ && !file_is_current_) {
    keeper_->put(file_text(), ++version_);
    file_is_current_ = true;
  }
  if (!std::exchange(is_complete_, true))
    tell({.kind = ConnectionEvent::Kind::complete, .server = server_, .peers = client_.peers().size()});
  hand_over();
  if (state_file_) {
    state_file_->changed();
    state_file_->keep(client_);
  }
  ++answers_;
  if (count_reached()) client_.stop();
}

void Member::on_disconnected(const Disconnection& end) {
  const ConnectionEvent event = event_of(end, server_);
  // An attempt that fails like the one before is no news for a program.
  if (!told_ || told_->kind != event.kind || told_->code() != event.code()) {
    tell(event);
    hand_over();
  }
  if (end.others_left) return print_status(end.reason + "; trying its next address");
  if (!end.permanent) return print_status(end.reason + "; next attempt in " + seconds_text(end.retry_in));
  print_status(end.reason + "; trying again would not help");
  refused_ = true;
  client_.stop();
}

void Member::tell(const ConnectionEvent& event) {
  told_ = event;
  if (printer_) printer_->add(event);
  if (commands_) reasons_.emplace_back(event);
}

/// Hands the news to the printer and the commands. If a file is kept, commands run for a change once the file has it.
void Member::hand_over() {
  if (printer_) printer_->flush(client_.peers());
  if (commands_ && !reasons_.empty()) commands_->add(std::exchange(reasons_, {}), version_);
}

std::string Member::file_text() const {
  const auto text_of_peers = options_.format == JoinFormat::hosts ? hosts_of : prometheus_of;
  return text_of_peers(client_.peers(), options_.catalogue, options_.server);
}

}  // namespace lekt::command
