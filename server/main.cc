// lektd: reads the settings, runs the server, turns trouble into a message and an exit status.
#include <cstdio>
#include <exception>
#include <new>
#include <variant>

#include "common/errors.h"
#include "server/configuration.h"
#include "server/log.h"
#include "server/server.h"

namespace {

constexpr int exit_failed = 1;

int serve(int argc, char** argv) {
  const auto result = lekt::read_configuration(argc, argv);
  if (const auto* exit = std::get_if<lekt::EarlyExit>(&result)) {
    std::fputs(exit->text.c_str(), exit->status == 0 ? stdout : stderr);
    return exit->status;
  }
  const auto& configuration = std::get<lekt::Configuration>(result);
  lekt::start_log(configuration.log_level, configuration.log_format);
  lekt::Server server(configuration);
  server.run();
  return 0;
}

}  // namespace

int main(int argc, char** argv) {
  try {
    return serve(argc, argv);
  } catch (const lekt::CodedError& error) {
    std::fprintf(stderr, "lektd: %s\n", error.what());
  } catch (const std::bad_alloc&) {
    // Without memory for a message, too: the code is short enough for a string that needs none.
    std::fprintf(stderr, "lektd: %s there is not enough memory\n",
                 lekt::code_text(lekt::ErrorCode::start_failed).c_str());
  } catch (const std::exception& error) {
    const lekt::CodedError coded(lekt::ErrorCode::start_failed, error.what());
    std::fprintf(stderr, "lektd: %s\n", coded.what());
  }
  return exit_failed;
}
