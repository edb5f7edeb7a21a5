// What all subcommands of lektctl are told, and how their arguments are read. A wrong value is named together
// with what is allowed (E808).
#pragma once

#include <CLI/CLI.hpp>
#include <cstdint>
#include <functional>
#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "common/address.h"
#include "common/block.h"
#include "lektctl/steer.h"

namespace lekt::lektctl {

struct Options {
  control::Instance instance;
  bool json = false;
};

/// Runs a subcommand after its arguments were parsed; returns the exit code. Throws CodedError.
using Run = std::function<int()>;

inline constexpr int exit_done = 0;
inline constexpr int exit_failed = 1;
inline constexpr int exit_usage = 2;

/// Adds --database, --control-socket and --json, which may stand before or after the subcommand.
void add_options(CLI::App& app, Options& options);

void add_address(CLI::App& app, Address& address, const std::string& help);
/// Adds a required positional argument. `name` stands for a block in the help; shell completion depends on it.
void add_block(CLI::App& app, Block& block, const std::string& help, const std::string& name = "CIDR");
/// Adds --block CIDR.
CLI::Option* add_block_option(CLI::App& app, Block& block, const std::string& help);
CLI::Option* add_block_option(CLI::App& app, std::optional<Block>& block, const std::string& help);
/// Adds --NAME WORD, where WORD is one of `words`.
CLI::Option* add_choice(CLI::App& app, const std::string& name, std::span<const std::string_view> words,
                        std::string& word, const std::string& help);
void add_file(CLI::App& app, std::filesystem::path& file, const std::string& help);
/// Adds --count N, from 1 to `max`.
CLI::Option* add_count(CLI::App& app, std::size_t& count, std::size_t max, const std::string& help);

/// Reads a time: "2026-01-02T11:00:00Z" and its shorter forms, or a duration before `now`. Throws CodedError E808.
std::int64_t parse_time(const std::string& flag, const std::string& text, std::int64_t now);

[[noreturn]] void refuse(const std::string& message);

}  // namespace lekt::lektctl
