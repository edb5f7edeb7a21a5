// lektd: reads the settings, runs the server, turns trouble into a message and an exit status.
#include <algorithm>
#include <cstdio>
#include <exception>
#include <new>
#include <optional>
#include <utility>
#include <variant>
#include <vector>

#include "admin/admin.h"
#include "common/errors.h"
#include "control/control_server.h"
#include "control/instance.h"
#include "server/configuration.h"
#include "server/log.h"
#include "server/server.h"
#include "server/service_manager.h"

namespace {

constexpr int exit_failed = 1;

namespace service_manager = lekt::service_manager;

/// What an error begins with: in the journal the priority of one (sd-daemon(3)).
const char* error_mark() { return service_manager::journal_reads_standard_error() ? "<3>" : ""; }

lekt::PassedSockets kind_of(const std::vector<service_manager::PassedSocket>& passed) {
  if (passed.empty()) return lekt::PassedSockets::none;
  const bool with_tls = std::ranges::any_of(passed, &service_manager::PassedSocket::tls);
  return with_tls ? lekt::PassedSockets::with_tls : lekt::PassedSockets::plain;
}

/// The journal wants lines of its own form, unless another was asked for.
lekt::LogFormat log_format(const lekt::Configuration& configuration) {
  const bool is_text = configuration.log_format == lekt::LogFormat::text;
  return is_text && service_manager::journal_reads_standard_error() ? lekt::LogFormat::journal
                                                                    : configuration.log_format;
}

/// Tells whoever keeps the database now: the server that runs, or the database itself.
int change_bans(const lekt::Configuration& configuration) {
  const lekt::control::Instance instance{configuration.database, configuration.control_socket};
  for (const lekt::Cidr& block : configuration.bans)
    std::puts(lekt::control::describe_ban(lekt::control::ban(instance, block, "")).c_str());
  for (const lekt::Cidr& block : configuration.unbans)
    std::puts(lekt::control::describe_unban(lekt::control::unban(instance, block)).c_str());
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
    if (exit->status == 0)
      std::fputs(exit->text.c_str(), stdout);
    else
      std::fprintf(stderr, "%s%s", error_mark(), exit->text.c_str());
    return exit->status;
  }
  const auto& configuration = std::get<lekt::Configuration>(result);
  if (!configuration.bans.empty() || !configuration.unbans.empty()) return change_bans(configuration);
  lekt::start_log(configuration.log_level, log_format(configuration));
  const auto read_again = [argc, argv, kind] {
    auto again = lekt::read_configuration(argc, argv, kind);
    if (const auto* exit = std::get_if<lekt::EarlyExit>(&again))
      throw lekt::CodedError(lekt::ErrorCode::setting_invalid, exit->wrong);
    return std::get<lekt::Configuration>(std::move(again));
  };
  lekt::Server server(configuration, read_again, std::move(passed));
  std::optional<lekt::control::ControlServer> control;
  if (!configuration.control_socket.empty())
    control.emplace(
        lekt::control::ControlServer::Settings{configuration.control_socket, configuration.database},
        server.operations());
  std::optional<lekt::admin::Admin> admin;
  if (configuration.admin) admin.emplace(admin_settings(configuration), server.operations());
  server.run();
  return 0;
}

}  // namespace

int main(int argc, char** argv) {
  try {
    return serve(argc, argv);
  } catch (const lekt::CodedError& error) {
    std::fprintf(stderr, "%slektd: %s\n", error_mark(), error.what());
  } catch (const std::bad_alloc&) {
    // Without memory for a message, too: the code is short enough for a string that needs none.
    std::fprintf(stderr, "%slektd: %s there is not enough memory\n", error_mark(),
                 lekt::code_text(lekt::ErrorCode::start_failed).c_str());
  } catch (const std::exception& error) {
    const lekt::CodedError coded(lekt::ErrorCode::start_failed, error.what());
    std::fprintf(stderr, "%slektd: %s\n", error_mark(), coded.what());
  }
  return exit_failed;
}
