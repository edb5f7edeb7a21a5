// Durations as people write them: "90s", "7d", "250ms".
#pragma once

#include <chrono>
#include <optional>
#include <string>
#include <string_view>

namespace lekt {

/// Reads a whole number, not negative, followed at once by ms, s, m, h or d. Nothing else is a duration, not
/// even a bare number.
std::optional<std::chrono::milliseconds> parse_duration(std::string_view text);

/// The duration in the largest unit that makes it a whole number: 90s, 7d, 1500ms.
std::string format_duration(std::chrono::milliseconds duration);

}  // namespace lekt
