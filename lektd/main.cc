// lektd: reads the settings, runs the server, turns trouble into a message and an exit status.
#include <algorithm>
#include <cerrno>
#include <cstdio>
#include <cstring>
#include <exception>
#include <filesystem>
#include <new>
#include <optional>
#include <string>
#include <utility>
#include <variant>
#include <vector>

#include "admin/admin.h"
#include "common/errors.h"
#include "common/standard_descriptors.h"
#include "control/control_server.h"
#include "control/instance.h"
#include "lektd/configuration.h"
#include "lektd/server.h"
#include "lektd/service_manager.h"
#include "lektd/signals.h"
#include "server/operators/log.h"

namespace {

constexpr int exit_failed = 1;

namespace service_manager = lekt::service_manager;

/// What the text of an error begins with: in the journal the priority of an error (sd-daemon(3)).
const char* error_mark() { return service_manager::journal_reads_standard_error() ? "<3>" : ""; }

int fail(const char* message) {
  lekt::write_last_words((std::string(error_mark()) + "lektd: " + message + "\n").c_str());
  return exit_failed;
}

void print(const std::string& text) {
  if (std::fputs(text.c_str(), stdout) < 0 || std::fflush(stdout) != 0)
    throw lekt::CodedError(lekt::ErrorCode::output_failed,
                           std::string("cannot write to standard output: ") + std::strerror(errno));
}

lekt::PassedSockets kind_of(const std::vector<service_manager::PassedSocket>& passed) {
  if (passed.empty()) return lekt::PassedSockets::none;
  const bool with_tls = std::ranges::any_of(passed, &service_manager::PassedSocket::tls);
  return with_tls ? lekt::PassedSockets::with_tls : lekt::PassedSockets::plain;
}

/// The journal wants lines of a form of its own, unless another was asked for.
void start_log(const lekt::Configuration& configuration) {
  lekt::LogFormat format = configuration.log_format;
  lekt::LineWriter::Write write;
  if (format == lekt::LogFormat::text && service_manager::journal_reads_standard_error()) {
    format = service_manager::journal_takes_entries() ? lekt::LogFormat::entry : lekt::LogFormat::prefixed;
    if (format == lekt::LogFormat::entry) write = service_manager::write_to_journal;
  }
  lekt::start_log(configuration.log_level, format, std::move(write));
}

/// Asks the server that runs with these settings to reload. Without a control socket, the server is sent a signal if
/// the service manager says which process it is, and the result is in its log.
int ask_to_reload(const lekt::Configuration& configuration) {
  if (!configuration.control_socket.empty()) {
    const lekt::control::Instance instance{configuration.database, configuration.control_socket};
    std::puts(lekt::control::describe_reload(lekt::control::reload(instance)).c_str());
    return 0;
  }
  const auto process = service_manager::signal_reload();
  if (!process)
    throw lekt::CodedError(lekt::ErrorCode::control_unreachable,
                           "there is no control socket (--control-socket none) through which to ask the "
                           "server; send it SIGHUP, and read in its log what came of it");
  std::puts(
      ("sent SIGHUP to process " + std::to_string(*process) + "; its log says what came of it").c_str());
  return 0;
}

lekt::admin::AdminSettings admin_settings(const lekt::Configuration& configuration) {
  const lekt::ListenAddress& listen = configuration.admin.value();
  return {listen.address, listen.port, configuration.admin_hosts, {configuration.database, LEKT_VERSION}};
}

int serve(int argc, char** argv) {
  std::vector<service_manager::PassedSocket> passed = service_manager::take_sockets();
  const lekt::PassedSockets kind = kind_of(passed);
  const auto result = lekt::read_configuration(argc, argv, kind);
  if (const auto* exit = std::get_if<lekt::EarlyExit>(&result)) {
    if (exit->status == 2)
      std::fprintf(stderr, "%s%s", error_mark(), exit->text.c_str());
    else
      print(exit->text);
    if (!exit->error.empty()) (void)fail(exit->error.c_str());
    return exit->status;
  }
  const auto& configuration = std::get<lekt::Configuration>(result);
  if (configuration.reload) return ask_to_reload(configuration);
  lekt::signals::hold();
  start_log(configuration);
  for (const std::string& variable : configuration.unknown_variables)
    lekt::log_event(lekt::LogLevel::warn, "variable_unknown", {{"message", variable}});
  const auto read_again = [argc, argv, kind] {
    auto again = lekt::read_configuration(argc, argv, kind);
    if (const auto* exit = std::get_if<lekt::EarlyExit>(&again))
      throw lekt::CodedError(lekt::ErrorCode::setting_invalid, exit->wrong);
    return std::get<lekt::Configuration>(std::move(again));
  };
  lekt::Server server(configuration, read_again, std::move(passed));
  std::optional<lekt::control::ControlServer> control;
  if (!configuration.control_socket.empty()) {
    control.emplace(
        lekt::control::ControlServer::Settings{configuration.control_socket, configuration.database},
        server.operations());
    server.also_listens({"control", std::filesystem::absolute(configuration.control_socket).string()});
  }
  std::optional<lekt::admin::Admin> admin;
  if (configuration.admin) {
    admin.emplace(admin_settings(configuration), server.operations());
    lekt::ListenAddress address = *configuration.admin;
    address.port = admin->port();
    server.also_listens({"admin", address.text()});
  }
  server.run();
  return 0;
}

}  // namespace

int main(int argc, char** argv) {
  lekt::open_standard_descriptors();
  lekt::signals::end_at_once();
  try {
    const int status = serve(argc, argv);
    lekt::flush_log();
    return status;
  } catch (const lekt::signals::StartEnded& ended) {
    lekt::log_event(lekt::LogLevel::info, "stopped", {{"message", ended.what()}});
    lekt::flush_log();
    return 0;
  } catch (const lekt::CodedError& error) {
    return fail(error.what());
  } catch (const std::bad_alloc&) {
    // Without memory for a message, too: the code is short enough for a string that needs none.
    lekt::write_last_words(error_mark());
    lekt::write_last_words("lektd: ");
    lekt::write_last_words(lekt::code_text(lekt::ErrorCode::start_failed));
    lekt::write_last_words(" there is not enough memory\n");
    return exit_failed;
  } catch (const std::exception& error) {
    return fail(lekt::CodedError(lekt::ErrorCode::start_failed, error.what()).what());
  }
}
