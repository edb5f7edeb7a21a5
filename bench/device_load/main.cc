// lekt-device-bench: the load generator of devices, and two servers for it. docs/performance.md tells the method;
// `lekt-device-bench --help` the modes.

#include <CLI/CLI.hpp>
#include <cstdio>
#include <nlohmann/json.hpp>

#include "bench/device_load/device_modes.h"
#include "bench/device_load/device_servers.h"
#include "bench/load/descriptors.h"
#include "bench/load/flags.h"
#include "bench/load/reply.h"

namespace lekt::bench {
namespace {

constexpr const char* footer = R"(
Times in results are microseconds, unless their name says otherwise. server_cpu_us_each is the processor time of all the
server's threads per message or registration (give its --pid).

Exit status: 0 measured; 1 the server refused, was lost or answered wrongly; 2 wrong usage.

Examples:
  lekt-device-bench front --port 3006 --first-port 5000 --last-port 6999 &
  lekt-device-bench messages --server 127.0.0.1:3006 --pid $! --devices 1000 --rate 10000
  lekt-device-bench echo --first-port 5000 --devices 1000 &
  lekt-device-bench messages --echo --server 127.0.0.1:5000 --pid $! --devices 1000 --rate 10000)";

struct Ports {
  std::uint16_t contact = 0;
  std::uint16_t first = 5000;
  std::uint16_t last = 6999;
};

void add_port(CLI::App& app, const std::string& flag, std::uint16_t& port, const std::string& help) {
  app.add_option(flag, port, help)
      ->type_name("PORT")
      ->check(CLI::Range(1, 65'535).description(""))
      ->capture_default_str();
}

void add_devices(CLI::App& app, DeviceOptions& options, const std::string& help) {
  app.add_option("--devices", options.devices, help)
      ->type_name("N")
      ->check(CLI::Range(1, 60'000).description(""))
      ->capture_default_str();
}

int run(int argc, char** argv) {
  CLI::App app("lekt-device-bench: loads a front of devices, and says what that cost.", "lekt-device-bench");
  app.footer(footer);
  app.require_subcommand(1);
  DeviceOptions options;
  Ports ports;
  using Mode = nlohmann::ordered_json (*)(const DeviceOptions&);
  Mode mode = nullptr;
  const auto add = [&](const char* name, const char* help, Mode function) -> CLI::App& {
    CLI::App& command = *app.add_subcommand(name, help);
    add_server(command, options.server, options.pid);
    add_devices(command, options, "devices, each with an address of its own from 127.1.0.1 on");
    command.callback([&mode, function] { mode = function; });
    return command;
  };
  CLI::App& messages =
      add("messages", "registered devices send messages, each of which is acknowledged", run_device_messages);
  messages.add_option("--rate", options.rate, "messages a second of all devices")
      ->type_name("N")
      ->check(CLI::PositiveNumber)
      ->capture_default_str();
  messages.add_flag("--echo", options.echo, "the server is that of `echo`, and its first port is given");
  add_duration(messages, "--warm-up", options.warm_up, "not measured");
  add_duration(messages, "--time", options.time, "measured");
  CLI::App& registrations = add("register", "all devices register at once, and leave when all have screens",
                                run_device_registrations);
  registrations.add_option("--rounds", options.rounds, "so often; the slowest round counts")
      ->type_name("N")
      ->check(CLI::Range(1, 1'000'000).description(""))
      ->capture_default_str();
  CLI::App& idle = add("idle", "devices register and say nothing; memory of each, and what the server does",
                       run_device_idle);
  add_duration(idle, "--warm-up", options.warm_up, "not measured, after all have registered");
  add_duration(idle, "--time", options.time, "measured");

  CLI::App& echo = *app.add_subcommand("echo", "serves as the floor of `messages`: answers each datagram");
  add_port(echo, "--first-port", ports.first, "the port of the first device on 127.0.0.1");
  add_devices(echo, options, "devices, each with a port of its own");
  CLI::App& front = *app.add_subcommand("front", "serves devices as lektd does, without a database");
  add_port(front, "--port", ports.contact, "the contact port on 127.0.0.1");
  front.get_option("--port")->required();
  add_port(front, "--first-port", ports.first, "the first of the dedicated ports");
  add_port(front, "--last-port", ports.last, "the last of them");
  try {
    app.parse(argc, argv);
  } catch (const CLI::ParseError& error) {
    return app.exit(error) == 0 ? 0 : 2;
  }
  raise_descriptor_limit();
  if (mode != nullptr)
    std::puts(mode(options).dump(2).c_str());
  else if (echo.parsed())
    run_device_echo(ports.first, options.devices);
  else
    run_device_front(ports.contact, ports.first, ports.last);
  return 0;
}

}  // namespace
}  // namespace lekt::bench

int main(int argc, char** argv) {
  try {
    return lekt::bench::run(argc, argv);
  } catch (const std::exception& error) {
    std::fprintf(stderr, "lekt-device-bench: %s\n", error.what());
    return 1;
  }
}
