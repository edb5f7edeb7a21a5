#include "common/calendar.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <chrono>
#include <cstdio>

namespace lekt {

namespace {

using namespace std::chrono;

/// Takes a number of exactly this many digits from the front of the text.
std::optional<int> take_number(std::string_view& text, std::size_t digits) {
  if (text.size() < digits) return std::nullopt;
  int number = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + digits, number);
  if (error != std::errc() || end != text.data() + digits || text.front() == '-') return std::nullopt;
  text.remove_prefix(digits);
  return number;
}

bool take_one_of(std::string_view& text, std::string_view allowed) {
  if (text.empty() || allowed.find(text.front()) == allowed.npos) return false;
  text.remove_prefix(1);
  return true;
}

std::optional<sys_days> take_date(std::string_view& text) {
  const auto number_of_year = take_number(text, 4);
  if (!number_of_year || !take_one_of(text, "-")) return std::nullopt;
  const auto number_of_month = take_number(text, 2);
  if (!number_of_month || !take_one_of(text, "-")) return std::nullopt;
  const auto number_of_day = take_number(text, 2);
  if (!number_of_day) return std::nullopt;
  const year_month_day date{year(*number_of_year), month(static_cast<unsigned>(*number_of_month)),
                            day(static_cast<unsigned>(*number_of_day))};
  if (!date.ok()) return std::nullopt;
  return sys_days(date);
}

/// Takes a time such as "11:00" or "11:00:00" from the front of the text.
std::optional<seconds> take_time(std::string_view& text) {
  const auto hour = take_number(text, 2);
  if (!hour || *hour > 23 || !take_one_of(text, ":")) return std::nullopt;
  const auto minute = take_number(text, 2);
  if (!minute || *minute > 59) return std::nullopt;
  const seconds whole_minutes = hours(*hour) + minutes(*minute);
  if (!take_one_of(text, ":")) return whole_minutes;
  const auto second = take_number(text, 2);
  if (!second || *second > 59) return std::nullopt;
  return whole_minutes + seconds(*second);
}

struct TimeUnit {
  const char* name;
  std::int64_t seconds;
};
constexpr std::array time_units = {TimeUnit{"d", 86'400}, TimeUnit{"h", 3'600}, TimeUnit{"m", 60},
                                   TimeUnit{"s", 1}};

}  // namespace

std::string to_iso(std::int64_t second) {
  const sys_seconds point{seconds(second)};
  const auto day_begins = floor<days>(point);
  const year_month_day date(day_begins);
  const hh_mm_ss time(point - day_begins);
  std::array<char, 40> text{};
  std::snprintf(text.data(), text.size(), "%04d-%02u-%02uT%02d:%02d:%02dZ", static_cast<int>(date.year()),
                static_cast<unsigned>(date.month()), static_cast<unsigned>(date.day()),
                static_cast<int>(time.hours().count()), static_cast<int>(time.minutes().count()),
                static_cast<int>(time.seconds().count()));
  return text.data();
}

std::string to_compact_iso(std::int64_t second) {
  std::string text = to_iso(second);
  std::erase_if(text, [](char letter) { return letter == '-' || letter == ':'; });
  return text;
}

std::optional<std::int64_t> parse_iso(std::string_view text) {
  const auto date = take_date(text);
  if (!date) return std::nullopt;
  sys_seconds point = *date;
  if (!text.empty()) {
    if (!take_one_of(text, "T ")) return std::nullopt;
    const auto time = take_time(text);
    if (!time) return std::nullopt;
    point += *time;
    take_one_of(text, "Z");
  }
  if (!text.empty()) return std::nullopt;
  return point.time_since_epoch().count();
}

std::string describe_seconds(double value) {
  if (value < 10) {
    std::array<char, 16> text{};
    std::snprintf(text.data(), text.size(), "%.1fs", std::max(value, 0.0));
    return text.data();
  }
  auto left = static_cast<std::int64_t>(std::min(value, 1e12));
  for (std::size_t index = 0; index < time_units.size(); ++index) {
    if (left < time_units[index].seconds) continue;
    const std::string first = std::to_string(left / time_units[index].seconds) + time_units[index].name;
    left %= time_units[index].seconds;
    if (index + 1 == time_units.size() || left < time_units[index + 1].seconds) return first;
    return first + " " + std::to_string(left / time_units[index + 1].seconds) + time_units[index + 1].name;
  }
  return "0s";
}

}  // namespace lekt
