#include "common/duration.h"

#include <array>
#include <charconv>
#include <cstdint>

namespace lekt {

namespace {

struct Unit {
  std::string_view name;
  std::int64_t milliseconds;
};

constexpr std::array units = {Unit{"d", 86'400'000}, Unit{"h", 3'600'000}, Unit{"m", 60'000}, Unit{"s", 1000},
                              Unit{"ms", 1}};

// A hundred years: far beyond any use, and far below what a 64-bit count of nanoseconds can hold when added
// to a clock.
constexpr std::int64_t milliseconds_max = 100LL * 365 * 86'400'000;

}  // namespace

std::optional<std::chrono::milliseconds> parse_duration(std::string_view text) {
  std::int64_t count = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), count);
  if (error != std::errc() || count < 0) return std::nullopt;
  const std::string_view name(end, static_cast<std::size_t>(text.data() + text.size() - end));
  for (const Unit& unit : units) {
    if (unit.name != name) continue;
    if (count > milliseconds_max / unit.milliseconds) return std::nullopt;
    return std::chrono::milliseconds(count * unit.milliseconds);
  }
  return std::nullopt;
}

std::string format_duration(std::chrono::milliseconds duration) {
  for (const Unit& unit : units)
    if (duration.count() % unit.milliseconds == 0 && (duration.count() != 0 || unit.name == "s"))
      return std::to_string(duration.count() / unit.milliseconds) + std::string(unit.name);
  return std::to_string(duration.count()) + "ms";
}

}  // namespace lekt
