// lekt-bench: the load generator. docs/performance.md tells the method; `lekt-bench --help` the modes.

#include <CLI/CLI.hpp>
#include <cstdio>
#include <fstream>
#include <functional>
#include <map>
#include <nlohmann/json.hpp>

#include "bench/load/descriptors.h"
#include "bench/load/flags.h"
#include "bench/load/modes.h"

namespace lekt::bench {
namespace {

constexpr const char* footer = R"(
Times in results are microseconds, unless their name says otherwise; latencies of a fixed rate count from when a
request was due. server_cpu_us_each is the processor time of all the server's threads per request (give its --pid).

Exit status: 0 measured; 1 the server refused, was lost or answered wrongly; 2 wrong usage.

Examples:
  lektd --listen 127.0.0.1:7890 --threads 1 --max-heartbeat-rate 1000000 --max-connection-rate 1000000 &
  lekt-bench beat --server 127.0.0.1:7890 --pid $! --clients 1000 --time 5s
  lekt-bench beat --server 127.0.0.1:7890 --clients 1000 --rate 20000
  lekt-bench churn --server 127.0.0.1:7890 --clients 100 --joins 1000 --interval 1s --time 30s)";

/// The options that all modes have.
void add_common(CLI::App& app, Options& options, std::string& json) {
  add_server(app, options.target, options.pid);
  static const std::map<std::string, Peer> peers{{"lekt", Peer::lekt},
                                                 {"floor", Peer::floor},
                                                 {"redis", Peer::redis},
                                                 {"etcd", Peer::etcd},
                                                 {"mosquitto", Peer::mosquitto}};
  app.add_option_function<std::string>(
         "--peer",
         [&options](const std::string& name) {
           const auto found = peers.find(name);
           if (found == peers.end())
             throw CLI::ValidationError("--peer",
                                        "\"" + name + "\" is not lekt, floor, redis, etcd or mosquitto");
           options.peer = found->second;
         },
         "what the server is: lekt, floor, redis, etcd or mosquitto")
      ->type_name("NAME")
      ->default_str("lekt");
  app.add_option("--clients", options.clients, "clients, each with an address of its own from 127.1.0.1 on")
      ->type_name("N")
      ->check(CLI::Range(1, 1'000'000).description(""))
      ->capture_default_str();
  app.add_option("--at-once", options.at_once, "joins under way at the same time")
      ->type_name("N")
      ->check(CLI::Range(1, 20'000).description(""))
      ->capture_default_str();
  app.add_option("--json", json, "write the result to this file as well")->type_name("FILE");
}

void add_beat(CLI::App& app, Options& options) {
  app.add_option("--from", options.from, "where redis (an id) or etcd (a revision) continues")
      ->type_name("ID");
  app.add_flag("--changing", options.changing, "others come and go meanwhile: answers may have any changes");
  app.add_option("--changes", options.changes, "clients in each answer")
      ->type_name("N")
      ->capture_default_str();
  app.add_option("--rate", options.rate, "requests a second of all clients; 0: each asks again when answered")
      ->type_name("N")
      ->capture_default_str();
  add_duration(app, "--warm-up", options.warm_up, "not measured");
  add_duration(app, "--time", options.time, "measured");
}

void add_churn(CLI::App& app, Options& options) {
  app.add_option("--joins", options.joins, "joins a second")->type_name("N")->capture_default_str();
  add_duration(app, "--stay", options.stay, "a client leaves after so long");
  add_duration(app, "--interval", options.interval, "between two heartbeats of each --clients");
  add_duration(app, "--time", options.time, "measured");
}

int run(int argc, char** argv) {
  CLI::App app("lekt-bench: loads a coordinator, or what it is compared with, and says what that cost.",
               "lekt-bench");
  app.footer(footer);
  app.require_subcommand(1);
  Options options;
  std::string json;
  using Mode = nlohmann::ordered_json (*)(const Options&);
  Mode mode = nullptr;
  const auto add = [&](const char* name, const char* help, Mode function) -> CLI::App& {
    CLI::App& command = *app.add_subcommand(name, help);
    add_common(command, options, json);
    command.callback([&mode, function] { mode = function; });
    return command;
  };
  add_beat(add("beat", "heartbeats of clients that are there", run_beat), options);
  add("join", "clients join and stay", run_join);
  add_churn(add("churn", "clients beat at an interval while others join and leave", run_churn), options);
  add("rush", "all clients connect at the same moment and take the full list", run_rush);
  add("idle", "clients join and say nothing; memory of each", run_idle);
  try {
    app.parse(argc, argv);
  } catch (const CLI::ParseError& error) {
    return app.exit(error) == 0 ? 0 : 2;
  }
  raise_descriptor_limit();
  const nlohmann::ordered_json result = mode(options);
  std::puts(result.dump(2).c_str());
  if (json.empty()) return 0;
  std::ofstream file(json);
  file << result.dump(2) << '\n';
  if (!file.flush()) throw BenchError("cannot write " + json);
  return 0;
}

}  // namespace
}  // namespace lekt::bench

int main(int argc, char** argv) {
  try {
    return lekt::bench::run(argc, argv);
  } catch (const std::exception& error) {
    std::fprintf(stderr, "lekt-bench: %s\n", error.what());
    return 1;
  }
}
