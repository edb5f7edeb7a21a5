#include "bench/load/flags.h"

#include "common/address.h"
#include "common/duration.h"

namespace lekt::bench {

CLI::Option* add_duration(CLI::App& app, const std::string& flag, std::chrono::milliseconds& value,
                          const std::string& help) {
  return app
      .add_option_function<std::string>(
          flag,
          [&value, flag](const std::string& text) {
            const auto duration = parse_duration(text);
            if (!duration)
              throw CLI::ValidationError(flag, "\"" + text + "\" is not a duration, for example 500ms or 5s");
            value = *duration;
          },
          help)
      ->type_name("TIME")
      ->default_str(format_duration(value));
}

void add_server(CLI::App& app, Target& target, pid_t& pid) {
  app.add_option_function<std::string>(
         "--server",
         [&target](const std::string& text) {
           const std::size_t colon = text.rfind(':');
           target.address = text.substr(0, colon);
           const bool has_port =
               colon != std::string::npos && CLI::detail::lexical_cast(text.substr(colon + 1), target.port);
           if (!has_port || target.port == 0 || !parse_address(target.address))
             throw CLI::ValidationError("--server",
                                        "\"" + text + "\" is not ADDRESS:PORT, for example 127.0.0.1:7890");
           if (!target.address.starts_with("127."))
             throw CLI::ValidationError("--server", "only loopback (127.0.0.0/8) may be loaded");
         },
         "the server, on loopback")
      ->type_name("ADDRESS:PORT")
      ->required();
  app.add_option("--pid", pid, "the server's process; its processor time and memory are measured")
      ->type_name("PID");
}

}  // namespace lekt::bench
