// Times as operators read and write them: ISO 8601, UTC, whole seconds. Knows no clock.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace lekt {

/// Unix seconds in words: "2026-01-02T11:00:00Z".
std::string to_iso(std::int64_t second);

/// Unix seconds for names of files: "20260102T110000Z".
std::string to_compact_iso(std::int64_t second);

/// Reads a date, or a date and a time of that day, in UTC: "2026-01-02", "2026-01-02T11:00", "2026-01-02
/// 11:00:00", "2026-01-02T11:00:00Z". Nothing for any other text.
std::optional<std::int64_t> parse_iso(std::string_view text);

/// A duration for tables, in its two largest units: "3d 4h", "5m 12s", "0.8s".
std::string describe_seconds(double seconds);

}  // namespace lekt
