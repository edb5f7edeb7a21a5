// lekt-storage-bench: how large the database becomes, and large databases to start from.
//
//     lekt-storage-bench fill --database FILE --clients 1000000
//     lekt-storage-bench churn --changes 10000000 --addresses 10000 --seconds 86400 [--json FILE]
//
// Sizes are in bytes. Exit codes: see --help.
#include <CLI/CLI.hpp>
#include <cstdio>
#include <exception>
#include <fstream>
#include <nlohmann/json.hpp>
#include <optional>
#include <random>
#include <stdexcept>
#include <string>

#include "bench/micro/temp_directory.h"
#include "bench/storage/churn.h"
#include "bench/storage/fill.h"
#include "common/duration.h"

namespace {

using namespace lekt;
using namespace lekt::bench;

constexpr int exit_failed = 1;
constexpr int exit_usage = 2;
constexpr int exit_unbounded = 3;

nlohmann::json to_json(const Extent& extent) { return {{"largest", extent.largest}, {"last", extent.last}}; }

nlohmann::json to_json(const ChurnSettings& settings, const ChurnResult& result) {
  return {{"settings",
           {{"changes", settings.changes},
            {"addresses", settings.addresses},
            {"seconds", settings.seconds},
            {"turns_per_second", settings.turns_per_second},
            {"heard_every_seconds", settings.heard_every.count()},
            {"retention_seconds", settings.retention.count()},
            {"durable", false},
            {"seed", settings.seed}}},
          {"changes", result.changes},
          {"changes_per_second", result.changes_per_second},
          {"encodings_of_full_list", result.encodings_of_full_list},
          {"database_bytes", to_json(result.database)},
          {"database_bytes_until_a_tenth", to_json(result.database_early)},
          {"wal_bytes", to_json(result.wal)},
          {"wal_bytes_until_a_tenth", to_json(result.wal_early)},
          {"log_entries", result.log_entries},
          {"rows",
           {{"present", result.rows_present},
            {"removed", result.rows_removed},
            {"changes", result.rows_changes}}},
          {"rss_bytes_at_a_tenth", result.rss_early},
          {"rss_bytes_growth", result.rss_growth},
          {"bounded", result.bounded ? nlohmann::json(*result.bounded) : nlohmann::json()}};
}

void print_extent(const char* name, const Extent& early, const Extent& late) {
  std::printf("%-28s largest until a tenth %zu, largest after %zu, last %zu bytes\n", name, early.largest,
              late.largest, late.last);
}

void print(const ChurnResult& result) {
  std::printf("%-28s %llu, %.0f a second\n", "changes", static_cast<unsigned long long>(result.changes),
              result.changes_per_second);
  print_extent("database file", result.database_early, result.database);
  print_extent("write-ahead log", result.wal_early, result.wal);
  std::printf("%-28s %zu present, %zu removed, %zu changes for operators\n", "rows", result.rows_present,
              result.rows_removed, result.rows_changes);
  std::printf("%-28s %zu in memory, full list encoded %llu times\n", "entries of the change log",
              result.log_entries, static_cast<unsigned long long>(result.encodings_of_full_list));
  std::printf("%-28s %lld bytes at a tenth, %+lld bytes from there to the end\n", "resident memory",
              static_cast<long long>(result.rss_early), static_cast<long long>(result.rss_growth));
}

/// Opens the file before the long run, so that a wrong name is told at once.
std::optional<std::ofstream> open_json(const std::string& path) {
  if (path.empty()) return std::nullopt;
  std::ofstream file(path);
  if (!file) throw std::runtime_error("--json " + path + ": the file cannot be written");
  return file;
}

int run_churn(ChurnSettings settings, const std::string& json_path) {
  auto json = open_json(json_path);
  std::optional<TempDirectory> temporary;
  if (settings.directory.empty()) settings.directory = temporary.emplace().path();
  std::printf("seed %llu (--seed repeats it); commits do not wait for the disk, sizes are what is measured\n",
              static_cast<unsigned long long>(settings.seed));
  std::fflush(stdout);
  const ChurnResult result = churn(settings);
  print(result);
  if (json) *json << to_json(settings, result).dump(2) << '\n';
  if (json && !json->flush())
    throw std::runtime_error("--json " + json_path + ": the file cannot be written");
  if (!result.bounded) std::printf("whether the files stay bounded cannot be told from so few changes\n");
  if (result.bounded.value_or(true)) return 0;
  std::fprintf(stderr, "lekt-storage-bench: a file went on growing after the first tenth of the changes\n");
  return exit_unbounded;
}

std::chrono::seconds seconds_of(const std::string& flag, const std::string& text) {
  const auto duration = parse_duration(text);
  if (!duration || *duration % std::chrono::seconds(1) != std::chrono::seconds(0))
    throw CLI::ValidationError(flag,
                               "'" + text + "' is not allowed: write whole seconds, as in 90s, 10m or 7d");
  return std::chrono::duration_cast<std::chrono::seconds>(*duration);
}

void check(const ChurnSettings& settings) {
  const std::uint64_t turns = std::uint64_t{settings.seconds} * settings.turns_per_second;
  if (settings.changes / turns >= settings.addresses)
    throw CLI::ValidationError("--changes",
                               std::to_string(settings.changes / turns + 1) +
                                   " changes in a turn need as many --addresses, or more --seconds");
  if (!settings.directory.empty() && std::filesystem::exists(settings.directory / "lekt.db"))
    throw CLI::ValidationError(
        "--directory", "'" + settings.directory.string() + "' already holds a lekt.db; name one without");
}

int run(int count, char** arguments) {
  CLI::App app("How large the coordinator's database becomes, and large databases to start from.",
               "lekt-storage-bench");
  app.footer(
      "Exit codes: 0 done; 1 trouble with files or the database; 2 wrong usage;\n"
      "3 churn: database or write-ahead log grew by more than a tenth after the first tenth of the changes.");
  app.require_subcommand(1);

  FillSettings fill_settings;
  auto* filling = app.add_subcommand("fill", "writes a database with many clients, for measuring a start");
  filling->add_option("--database", fill_settings.database, "new file to write")->required();
  filling->add_option("--clients", fill_settings.clients, "clients to store")
      ->required()
      ->check(CLI::Range(1U, 16'000'000U));
  filling
      ->add_option_function<std::string>(
          "--first",
          [&](const std::string& text) {
            const auto address = parse_address(text);
            if (!address) throw CLI::ValidationError("--first", "'" + text + "' is not an IPv4 address");
            fill_settings.first = *address;
          },
          "address of the first client; the others have those after it")
      ->default_str("10.0.0.0");
  filling->add_option("--port", fill_settings.port, "that all clients offer (default: different ones)");

  ChurnSettings churn_settings;
  churn_settings.seed = std::random_device()();
  std::string retention = "7d";
  std::string heard_every = "5m";
  std::string json_path;
  auto* churning = app.add_subcommand("churn", "joins and leaves of a day in fast motion; prints the sizes");
  churning->add_option("--changes", churn_settings.changes, "joins and leaves in all")
      ->check(CLI::Range(std::uint64_t{10}, std::uint64_t{10'000'000'000}))
      ->capture_default_str();
  churning->add_option("--addresses", churn_settings.addresses, "addresses that come and go at random")
      ->check(CLI::Range(1U, 16'000'000U))
      ->capture_default_str();
  churning->add_option("--seconds", churn_settings.seconds, "of virtual time for all changes")
      ->check(CLI::Range(1U, 1'000'000'000U))
      ->capture_default_str();
  churning->add_option("--turns", churn_settings.turns_per_second, "transactions in a second of virtual time")
      ->check(CLI::Range(1U, 1000U))
      ->capture_default_str();
  churning->add_option("--heard-every", heard_every, "how often each client is noted as heard; 0s: never")
      ->capture_default_str();
  churning->add_option("--retention", retention, "how long removals are remembered")->capture_default_str();
  churning
      ->add_option("--directory", churn_settings.directory,
                   "where the database is made and left (default: a temporary one, removed at the end)")
      ->check(CLI::ExistingDirectory);
  churning->add_option("--seed", churn_settings.seed, "of the random choices (default: a new one)");
  churning->add_option("--json", json_path, "file that gets the result as well");
  try {
    app.parse(count, arguments);
    churn_settings.retention = seconds_of("--retention", retention);
    churn_settings.heard_every = seconds_of("--heard-every", heard_every);
    if (*churning) check(churn_settings);
  } catch (const CLI::ParseError& error) {
    return app.exit(error) == 0 ? 0 : exit_usage;
  }
  if (*churning) return run_churn(churn_settings, json_path);
  fill(fill_settings);
  return 0;
}

}  // namespace

int main(int count, char** arguments) {
  try {
    return run(count, arguments);
  } catch (const std::exception& error) {
    std::fprintf(stderr, "lekt-storage-bench: %s\n", error.what());
    return exit_failed;
  }
}
