// Durations as people write them: "90s", "7d", "250ms".
#pragma once

#include <chrono>
#include <optional>
#include <string>
#include <string_view>

namespace lekt {

/// A whole number followed at once by ms, s, m, h or d; not negative. Nothing else is a duration, a bare
/// number neither.
std::optional<std::chrono::milliseconds> parse_duration(std::string_view text);

/// In the largest unit that holds it as a whole number: 90s, 7d, 1500ms.
std::string format_duration(std::chrono::milliseconds duration);

}  // namespace lekt
