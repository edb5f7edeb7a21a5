// The log: one line an event, `event=name key=value ...`, or one JSON object a line.
//
// Values may come from a peer: they are escaped, so that nothing in them can begin a line, a field or a
// terminal sequence. At info: start and stop, joins, leaves with their reason, rejects with their code.
// Nothing per heartbeat. Callable from any thread.
#pragma once

#include <array>
#include <cstdint>
#include <initializer_list>
#include <string>
#include <string_view>
#include <type_traits>
#include <vector>

namespace lekt {

enum class LogLevel : std::uint8_t { trace, debug, info, warn, error, off };
/// `journal` is text for systemd's journal: a line begins with its priority, <3> to <7> (sd-daemon(3)), in
/// place of its level, and has no time, since the journal notes its own.
/// As --log-level has them.
inline constexpr std::array level_names = {"trace", "debug", "info", "warn", "error", "off"};

enum class LogFormat : std::uint8_t { text, json, journal };

/// Sets up the log on standard error. Before this call nothing is logged.
void start_log(LogLevel level, LogFormat format);
/// For what is logged from now on.
void set_log_level(LogLevel level);
bool log_enabled(LogLevel level);
/// Writes out what is buffered.
void flush_log();

struct LogField {
  std::string_view key;
  std::string value;
  bool number = false;

  LogField(std::string_view key_given, std::string value_given)
      : key(key_given), value(std::move(value_given)) {}
  LogField(std::string_view key_given, const char* value_given) : key(key_given), value(value_given) {}
  LogField(std::string_view key_given, std::string_view value_given) : key(key_given), value(value_given) {}
  template <class Number>
  requires std::is_integral_v<Number> LogField(std::string_view key_given, Number value_given)
      : key(key_given), value(std::to_string(value_given)), number(true) {}
};

/// Does nothing when the level is not enabled; ask log_enabled() first where building the fields is work.
void log_event(LogLevel level, std::string_view event, std::initializer_list<LogField> fields = {});

}  // namespace lekt
