// The subcommands of `lekt`. Each add_ function adds its flags and help to its CLI app, and returns the function
// that runs it.
#pragma once

#include <CLI/CLI.hpp>
#include <functional>
#include <string_view>

namespace lekt::command {

/// Runs a subcommand once its flags have been parsed, and returns the exit code. Throws CodedError.
using Run = std::function<int()>;

Run add_join(CLI::App& app);
Run add_peers(CLI::App& app);
Run add_ping(CLI::App& app);
Run add_decode(CLI::App& app);
Run add_device(CLI::App& app);

inline constexpr int exit_done = 0;
inline constexpr int exit_failed = 1;
inline constexpr int exit_usage = 2;

}  // namespace lekt::command
