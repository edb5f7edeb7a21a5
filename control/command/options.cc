#include "control/command/options.h"

#include <charconv>
#include <filesystem>
#include <system_error>

#include "common/duration.h"
#include "common/errors.h"
#include "common/text.h"
#include "control/time.h"

namespace lekt::control::command {

namespace {

Cidr parse_block(const std::string& name, const std::string& text) {
  const auto block = parse_cidr(text);
  if (!block)
    refuse(name + " \"" + escape(text) +
           "\" is not an IPv4 address or a block of them without bits behind its prefix, such as 10.0.0.7 or "
           "10.0.0.0/8");
  return *block;
}

/// Of a server that was started here, or of the one that the Debian package has installed.
std::filesystem::path default_database() {
  const std::filesystem::path here = "lekt.db";
  const std::filesystem::path installed = "/var/lib/lekt";
  std::error_code ignored;
  const bool is_installed = std::filesystem::is_directory(installed, ignored);
  return !std::filesystem::exists(here, ignored) && is_installed ? installed / here : here;
}

}  // namespace

void refuse(const std::string& message) { throw CodedError(ErrorCode::operator_usage_wrong, message); }

void add_options(CLI::App& app, Options& options) {
  options.instance.database = default_database();
  app.add_option(
         "--database", options.instance.database,
         "The server's database [default: ./lekt.db, or\n/var/lib/lekt/lekt.db if only that is there]")
      ->type_name("PATH")
      ->envname("LEKT_DATABASE")
      ->take_last();
  app.add_option("--control-socket", options.instance.socket,
                 "The server's Unix socket [default: the database's path with\n.sock]")
      ->type_name("PATH")
      ->envname("LEKT_CONTROL_SOCKET")
      ->take_last();
  app.add_flag("--json", options.json, "JSON instead of text, one object a line");
}

void add_address(CLI::App& app, Ipv4Address& address, const std::string& help) {
  app.add_option_function<std::string>(
         "ADDRESS",
         [&address](const std::string& text) {
           const auto parsed = parse_ipv4(text);
           if (!parsed)
             refuse("ADDRESS \"" + escape(text) + "\" is not an IPv4 address, for example 10.0.0.7");
           address = *parsed;
         },
         help)
      ->required();
}

void add_block(CLI::App& app, Cidr& block, const std::string& help) {
  app.add_option_function<std::string>(
         "CIDR", [&block](const std::string& text) { block = parse_block("CIDR", text); }, help)
      ->required();
}

CLI::Option* add_block_option(CLI::App& app, std::optional<Cidr>& block, const std::string& help) {
  return app
      .add_option_function<std::string>(
          "--block", [&block](const std::string& text) { block = parse_block("--block", text); }, help)
      ->type_name("CIDR");
}

void add_file(CLI::App& app, std::filesystem::path& file, const std::string& help) {
  app.add_option("FILE", file, help)->required();
}

void add_count(CLI::App& app, std::size_t& count, std::size_t max, const std::string& help) {
  app.add_option_function<std::string>(
         "--count",
         [&count, max](const std::string& text) {
           std::size_t number = 0;
           const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
           if (error != std::errc() || end != text.data() + text.size() || number == 0 || number > max)
             refuse("--count \"" + escape(text) + "\" is not a number from 1 to " + std::to_string(max));
           count = number;
         },
         help)
      ->type_name("N")
      ->default_str(std::to_string(count));
}

std::int64_t parse_time(const std::string& flag, const std::string& text, std::int64_t now) {
  if (const auto duration = parse_duration(text))
    return now - std::chrono::duration_cast<std::chrono::seconds>(*duration).count();
  if (const auto second = parse_iso(text)) return *second;
  refuse(flag + " \"" + escape(text) +
         "\" is neither a time in UTC, such as 2026-01-02T11:00:00Z or 2026-01-02, nor a duration before "
         "now, such "
         "as 2h (units are s, m, h, d)");
}

}  // namespace lekt::control::command
