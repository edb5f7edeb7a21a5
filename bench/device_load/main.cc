// lekt-device-bench: the load generator of devices, and two servers for it. docs/performance.md tells the method;
// `lekt-device-bench --help` the modes.

#include <CLI/CLI.hpp>
#include <cstdio>
#include <fstream>
#include <iterator>
#include <nlohmann/json.hpp>
#include <stdexcept>

#include "bench/device_load/device_hosts.h"
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
  lekt-device-bench messages --echo --server 127.0.0.1:5000 --pid $! --devices 1000 --rate 10000

  lekt-device-bench host --port 2323 &
  lekt-device-bench front --port 3006 --first-port 5000 --last-port 6999 --host 2323 &
  lekt-device-bench keys --server 127.0.0.1:3006 --pid $! --devices 100 --rate 1000 --screen 24x80)";

struct Ports {
  std::uint16_t contact = 0;
  std::uint16_t first = 5000;
  std::uint16_t last = 6999;
  std::uint16_t host = 0;
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

void add_screen(CLI::App& app, DeviceCrew::Manner& manner) {
  app.add_option_function<std::string>(
         "--screen",
         [&manner](const std::string& text) {
           const std::size_t by = text.find('x');
           const bool is_size = by != std::string::npos &&
                                CLI::detail::lexical_cast(text.substr(0, by), manner.rows) &&
                                CLI::detail::lexical_cast(text.substr(by + 1), manner.columns);
           if (!is_size || manner.rows == 0 || manner.columns < 10)
             throw CLI::ValidationError(
                 "--screen",
                 "\"" + text + "\" is not ROWSxCOLUMNS with 10 columns or more, for example 24x80");
         },
         "rows and columns of each device")
      ->type_name("SIZE")
      ->default_str("16x26");
}

void add_rate(CLI::App& app, DeviceOptions& options, const std::string& what) {
  app.add_option("--rate", options.rate, what + " a second of all devices")
      ->type_name("N")
      ->check(CLI::PositiveNumber)
      ->capture_default_str();
}

std::string contents_of(const std::string& file) {
  std::ifstream stream(file, std::ios::binary);
  if (!stream) throw std::runtime_error("cannot read " + file);
  return {std::istreambuf_iterator<char>(stream), {}};
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
  add_rate(messages, options, "messages");
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
  idle.add_flag("--hosted", options.manner.hosted, "each works on a host, whose greeting it sees");
  add_screen(idle, options.manner);
  CLI::App& keys = add("keys", "users type, and see each key when their host has echoed it", run_device_keys);
  add_rate(keys, options, "keys");
  keys.add_flag("--relay", options.echo, "the server is that of `relay`, and its first port is given");
  add_screen(keys, options.manner);
  add_duration(keys, "--delay", options.manner.delay, "of each datagram, each way");
  keys.add_option("--loss", options.manner.loss, "so many of all datagrams are lost, each way; needs --delay")
      ->type_name("SHARE")
      ->check(CLI::Range(0.0, 0.9).description(""))
      ->needs("--delay");
  add_duration(keys, "--warm-up", options.warm_up, "not measured");
  add_duration(keys, "--time", options.time, "measured");
  CLI::App& picture = add("picture", "bytes of the screens that follow a user's first key and the second one",
                          run_device_picture);
  add_screen(picture, options.manner);
  CLI::App& flood = add("flood", "devices show what their hosts write", run_device_flood);
  add_screen(flood, options.manner);
  add_duration(flood, "--time", options.time, "measured; memory also after a quarter of it");

  CLI::App& echo = *app.add_subcommand("echo", "serves as the floor of `messages`: answers each datagram");
  add_port(echo, "--first-port", ports.first, "the port of the first device on 127.0.0.1");
  add_devices(echo, options, "devices, each with a port of its own");
  CLI::App& front = *app.add_subcommand("front", "serves devices as lektd does, without a database");
  add_port(front, "--port", ports.contact, "the contact port on 127.0.0.1");
  front.get_option("--port")->required();
  add_port(front, "--first-port", ports.first, "the first of the dedicated ports");
  add_port(front, "--last-port", ports.last, "the last of them");
  front.add_option("--host", ports.host, "the port on 127.0.0.1 of the host that everybody works on")
      ->type_name("PORT");
  CLI::App& relay = *app.add_subcommand(
      "relay", "serves as the floor of `keys`: passes bytes on between devices and a host");
  add_port(relay, "--first-port", ports.first, "the port of the first device on 127.0.0.1");
  add_devices(relay, options, "devices, each with a port of its own");
  relay.add_option("--host", ports.host, "the port of the host on 127.0.0.1")->type_name("PORT")->required();
  CLI::App& host = *app.add_subcommand("host", "a host that echoes");
  HostManners manners;
  std::string answer;
  add_port(host, "--port", ports.contact, "on 127.0.0.1");
  host.get_option("--port")->required();
  host.add_flag("--flood", manners.floods, "it writes as fast as it can instead");
  host.add_option("--answer", answer, "what the first key gets in place of an echo")->type_name("FILE");
  try {
    app.parse(argc, argv);
  } catch (const CLI::ParseError& error) {
    return app.exit(error) == 0 ? 0 : 2;
  }
  raise_descriptor_limit();
  if (!answer.empty()) manners.answer = contents_of(answer);
  if (mode != nullptr)
    std::puts(mode(options).dump(2).c_str());
  else if (echo.parsed())
    run_device_echo(ports.first, options.devices);
  else if (relay.parsed())
    run_device_relay(ports.first, options.devices, ports.host);
  else if (host.parsed())
    run_device_host(ports.contact, manners);
  else
    run_device_front(ports.contact, ports.first, ports.last, ports.host);
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
