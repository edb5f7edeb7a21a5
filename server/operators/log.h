// The log: one line an event, `event=name key=value ...`, or one JSON object a line, or an entry of systemd's journal.
//
// Values may come from a peer: they are escaped, so that nothing in them can begin a line, a field or a
// terminal sequence, and cut, so that a line has at most log_line_bytes_max bytes. At info: start and stop,
// joins, leaves with their reason, rejects with their code. Nothing per heartbeat. Callable from any thread;
// none waits for the reader of the log (line_writer.h).
#pragma once

#include <array>
#include <chrono>
#include <concepts>
#include <cstddef>
#include <cstdint>
#include <initializer_list>
#include <string>
#include <string_view>
#include <vector>

#include "server/operators/line_writer.h"

namespace lekt {

enum class LogLevel : std::uint8_t { trace, debug, info, warn, error, off };
/// The levels, as in --log-level.
inline constexpr std::array level_names = {"trace", "debug", "info", "warn", "error", "off"};

/// Two forms are for systemd's journal, which notes the time itself. A line in the form `prefixed` is text that begins
/// with its priority, <3> to <7>, in place of its level (sd-daemon(3)). An `entry` is what the journal keeps field by
/// field: MESSAGE, the text of the event; PRIORITY; LEKT_EVENT, its name; and LEKT_ADDRESS and the like, its values.
/// Each field ends with a zero byte, which is in no value, and the entry with a line feed.
enum class LogFormat : std::uint8_t { text, json, prefixed, entry };

/// The longest line, with its line feed: a pipe takes it in one piece, so that lines of several programs stay whole. An
/// entry for the journal, which has each value twice, has at most twice as many bytes.
inline constexpr std::size_t log_line_bytes_max = 4096;
/// The longest value in a line; the end of a longer one is replaced by its length.
inline constexpr std::size_t log_value_bytes_max = 1000;

/// Sets up the log, with a thread that writes it to its output (standard error, or what `write` writes to), and sees to
/// it that a crash waits for the lines before it. Before this call nothing is logged; each further one only changes level
/// and format.
/// Throws CodedError E509 when the thread cannot be started.
void start_log(LogLevel level, LogFormat format, LineWriter::Write write = {});
/// Sets the level for what is logged from now on.
void set_log_level(LogLevel level);
bool log_enabled(LogLevel level);
/// Waits until everything that was logged before is written; false if the output takes nothing for a few hundred
/// milliseconds, and the rest may be lost.
bool flush_log();
/// How long the output has to take nothing for the log to count as blocked.
inline constexpr std::chrono::seconds log_blocked_after{1};
/// The state of the log: how its output takes it.
LineWriter::State log_state();
/// Why the program ends, behind everything that was logged and whatever the level; as it is. Waits no longer
/// than flush_log(), and works without start_log(), too.
void write_last_words(std::string_view text);

/// A key and a value of a type that JSON knows. In text a truth value is yes or no, a duration as people
/// write them, a list its parts with commas between them; in JSON a duration is a number of seconds, and its
/// key ends with _seconds.
struct LogField {
  enum class Kind : std::uint8_t { text, number, truth, duration, list };

  std::string_view key;
  std::string value;
  Kind kind = Kind::text;
  std::vector<std::string> parts{};

  LogField(std::string_view key_given, std::string value_given)
      : key(key_given), value(std::move(value_given)) {}
  LogField(std::string_view key_given, const char* value_given) : key(key_given), value(value_given) {}
  LogField(std::string_view key_given, std::string_view value_given) : key(key_given), value(value_given) {}
  LogField(std::string_view key_given, std::same_as<bool> auto value_given)
      : key(key_given), value(value_given ? "yes" : "no"), kind(Kind::truth) {}
  LogField(std::string_view key_given,
           std::integral auto value_given) requires(!std::same_as<decltype(value_given), bool>)
      : key(key_given), value(std::to_string(value_given)), kind(Kind::number) {}
  LogField(std::string_view key_given, std::chrono::milliseconds value_given);
  LogField(std::string_view key_given, std::vector<std::string> parts_given)
      : key(key_given), kind(Kind::list), parts(std::move(parts_given)) {}
};

/// Does nothing when the level is not enabled; ask log_enabled() first where building the fields is work.
void log_event(LogLevel level, std::string_view event, std::initializer_list<LogField> fields = {});

}  // namespace lekt
