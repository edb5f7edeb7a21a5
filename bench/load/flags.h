// Flags that load generators share.
#pragma once

#include <sys/types.h>

#include <CLI/CLI.hpp>
#include <chrono>
#include <string>

#include "bench/load/crew.h"

namespace lekt::bench {

/// A time as people write it, for example 500ms.
CLI::Option* add_duration(CLI::App& app, const std::string& flag, std::chrono::milliseconds& value,
                          const std::string& help);

/// --server, which has to be on loopback, and --pid.
void add_server(CLI::App& app, Target& target, pid_t& pid);

}  // namespace lekt::bench
