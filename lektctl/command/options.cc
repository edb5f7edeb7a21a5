#include "lektctl/command/options.h"

#include <algorithm>
#include <system_error>

#include "common/calendar.h"
#include "common/duration.h"
#include "common/errors.h"
#include "common/parse_number.h"
#include "common/printable.h"

namespace lekt::lektctl {

namespace {

Block block_in(const std::string& name, const std::string& text) {
  const auto block = parse_block(text);
  if (!block) refuse(name + " \"" + printable(text) + "\" is not " + expected_block(text));
  return *block;
}

}  // namespace

void refuse(const std::string& message) { throw CodedError(ErrorCode::operator_usage_wrong, message); }

void add_options(CLI::App& app, Options& options) {
  app.add_option("--database", options.instance.database,
                 "The server's database [default: as its settings' file says,\nor ./lekt.db]")
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

void add_address(CLI::App& app, Address& address, const std::string& help) {
  app.add_option_function<std::string>(
         "ADDRESS",
         [&address](const std::string& text) {
           const auto parsed = parse_address(text);
           if (!parsed)
             refuse("ADDRESS \"" + printable(text) + "\" is not an IPv4 address, for example 10.0.0.7");
           address = *parsed;
         },
         help)
      ->required();
}

void add_block(CLI::App& app, Block& block, const std::string& help, const std::string& name) {
  app.add_option_function<std::string>(
         name, [&block, name](const std::string& text) { block = block_in(name, text); }, help)
      ->required();
}

CLI::Option* add_block_option(CLI::App& app, Block& block, const std::string& help) {
  return app
      .add_option_function<std::string>(
          "--block", [&block](const std::string& text) { block = block_in("--block", text); }, help)
      ->type_name("CIDR");
}

CLI::Option* add_block_option(CLI::App& app, std::optional<Block>& block, const std::string& help) {
  return app
      .add_option_function<std::string>(
          "--block", [&block](const std::string& text) { block = block_in("--block", text); }, help)
      ->type_name("CIDR");
}

void add_file(CLI::App& app, std::filesystem::path& file, const std::string& help) {
  app.add_option("FILE", file, help)->required();
}

CLI::Option* add_choice(CLI::App& app, const std::string& name, std::span<const std::string_view> words,
                        std::string& word, const std::string& help) {
  const auto joined = [words](const std::string& separator) {
    std::string all;
    for (const std::string_view one : words) all += (all.empty() ? "" : separator) + std::string(one);
    return all;
  };
  return app
      .add_option_function<std::string>(
          name,
          [=, &word](const std::string& text) {
            if (std::ranges::find(words, text) == words.end())
              refuse(name + " \"" + printable(text) + "\" is not one of " + joined(", "));
            word = text;
          },
          help)
      ->type_name(joined("|"));
}

CLI::Option* add_count(CLI::App& app, std::size_t& count, std::size_t max, const std::string& help) {
  return app
      .add_option_function<std::string>(
          "--count",
          [&count, max](const std::string& text) {
            const auto number = parse_number<std::size_t>(text).value_or(0);
            if (number == 0 || number > max)
              refuse("--count \"" + printable(text) + "\" is not a number from 1 to " + std::to_string(max));
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
  refuse(flag + " \"" + printable(text) +
         "\" is neither a time in UTC, such as 2026-01-02T11:00:00Z or 2026-01-02, nor a duration before "
         "now, such "
         "as 2h (units are s, m, h, d)");
}

}  // namespace lekt::lektctl
