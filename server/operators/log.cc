#include "server/operators/log.h"

#include <fmt/format.h>
#include <poll.h>
#include <spdlog/logger.h>
#include <spdlog/sinks/sink.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <cctype>
#include <cerrno>
#include <climits>
#include <csignal>
#include <new>
#include <nlohmann/json.hpp>
#include <system_error>
#include <utility>

#include "common/calendar.h"
#include "common/duration.h"
#include "common/errors.h"
#include "common/printable.h"
#include "common/text.h"

namespace lekt {

namespace {

using namespace std::chrono_literals;
using namespace std::string_view_literals;

/// How long the end of the process waits for a standard error that takes nothing, and for one that takes it
/// slowly.
constexpr auto flush_patience = 300ms;
constexpr auto flush_limit = 2s;

std::atomic<LogFormat> log_format = LogFormat::text;
/// Made once, and never destroyed: its thread may wait for standard error when the process ends.
std::atomic<LineWriter*> log_writer = nullptr;

/// Puts lines, which come as they are to be written, into the queue of the writer's thread.
class QueueSink final : public spdlog::sinks::sink {
 public:
  void log(const spdlog::details::log_msg& message) override {
    try {
      log_writer.load()->write(std::string(message.payload.data(), message.payload.size()));
    } catch (const std::bad_alloc&) {
      log_writer.load()->note_lost();
    }
  }
  void flush() override {}  // which would wait: flush_log() does it, with a limit
  void set_pattern(const std::string&) override {}
  void set_formatter(std::unique_ptr<spdlog::formatter>) override {}
};

/// Made and never destroyed as the writer is. Without a lock: a sink of ours, and a level that is atomic.
std::atomic<spdlog::logger*> logger = nullptr;

spdlog::level::level_enum to_spdlog(LogLevel level) {
  switch (level) {
    case LogLevel::trace:
      return spdlog::level::trace;
    case LogLevel::debug:
      return spdlog::level::debug;
    case LogLevel::info:
      return spdlog::level::info;
    case LogLevel::warn:
      return spdlog::level::warn;
    case LogLevel::error:
      return spdlog::level::err;
    case LogLevel::off:
      break;
  }
  return spdlog::level::off;
}

std::string_view level_name(LogLevel level) {
  return level == LogLevel::warn ? "warning" : level_names[static_cast<std::size_t>(level)];
}

/// The priorities of syslog(3).
char priority(LogLevel level) {
  switch (level) {
    case LogLevel::error:
      return '3';
    case LogLevel::warn:
      return '4';
    case LogLevel::info:
      return '6';
    default:
      return '7';
  }
}

/// "2026-11-21T01:02:03.123Z"
std::string line_time() {
  const auto now = std::chrono::floor<std::chrono::milliseconds>(std::chrono::system_clock::now());
  const auto second = std::chrono::floor<std::chrono::seconds>(now);
  // Most of the work is the same for all lines of a second.
  thread_local std::chrono::sys_seconds known{};
  thread_local std::string text;
  if (text.empty() || known != second) {
    text = to_iso(second.time_since_epoch().count());
    text.pop_back();
    known = second;
  }
  return fmt::format("{}.{:03}Z", text, (now - second).count());
}

std::string json_text(std::string_view text) {
  using Json = nlohmann::json;
  return Json(std::string(text)).dump(-1, ' ', true, Json::error_handler_t::replace);
}

/// The value as `encode` writes it, or as much of it as a line has room for, with its whole length.
template <class Encode>
std::string fitted(std::string_view value, Encode encode) {
  constexpr std::size_t longest_escape = 6;  // a backslash, a 'u' and four digits
  std::string text;
  for (const std::size_t kept : {log_value_bytes_max - 40, log_value_bytes_max / longest_escape - 40}) {
    if (value.size() <= kept)
      text = encode(value);
    else
      text = encode(std::string(value.substr(0, kept)) + "... (" + std::to_string(value.size()) + " bytes)");
    if (text.size() <= log_value_bytes_max) break;
  }
  return text;
}

std::string value_of(const LogField& field) {
  if (field.kind != LogField::Kind::list) return field.value;
  return field.parts.empty() ? "nothing" : fmt::format("{}", fmt::join(field.parts, ", "));
}

std::string in_text(const LogField& field) {
  return " " + std::string(field.key) + "=" + fitted(value_of(field), quote_if_needed);
}

/// The journal takes capital letters, digits and underscores as the name of a field.
std::string in_entry(const LogField& field) {
  std::string name = "LEKT_" + std::string(field.key);
  std::ranges::transform(name, name.begin(), [](unsigned char letter) { return std::toupper(letter); });
  return name + "=" + fitted(value_of(field), printable) + '\0';
}

std::string json_list(const std::vector<std::string>& parts) {
  std::string list = "[";
  for (const std::string& part : parts) {
    const std::string text = json_text(part);
    const char* const comma = list.size() > 1 ? "," : "";
    if (list.size() + text.size() + 10 > log_value_bytes_max) return list + comma + R"("..."])";
    list += comma + text;
  }
  return list + "]";
}

std::string in_json(const LogField& field) {
  const auto entry = [&](const std::string& value, const char* suffix = "") {
    return "," + json_text(std::string(field.key) + suffix) + ":" + value;
  };
  switch (field.kind) {
    case LogField::Kind::number:
      return entry(field.value);
    case LogField::Kind::truth:
      return entry(field.value == "yes" ? "true" : "false");
    case LogField::Kind::duration:
      return entry(fmt::format("{}", std::chrono::duration<double>(*parse_duration(field.value)).count()),
                   "_seconds");
    case LogField::Kind::list:
      return entry(json_list(field.parts));
    case LogField::Kind::text:
      break;
  }
  return entry(fitted(field.value, json_text));
}

/// The line, with as many of the fields as it has room for, and what says that some are missing.
std::string with_fields(std::string line, std::initializer_list<LogField> fields,
                        std::string (*encode)(const LogField&), std::string_view cut, std::string_view end) {
  for (const LogField& field : fields) {
    const std::string text = encode(field);
    if (line.size() + text.size() + cut.size() + end.size() > log_line_bytes_max) {
      line += cut;
      break;
    }
    line += text;
  }
  line += end;
  return line;
}

std::string make_text(std::string head, std::string_view event, std::initializer_list<LogField> fields,
                      std::string_view end) {
  return with_fields(head + "event=" + std::string(event), fields, in_text, " cut=yes", end);
}

std::string make_json(LogLevel level, std::string_view event, std::initializer_list<LogField> fields) {
  const std::string head = fmt::format(R"({{"time":"{}","level":"{}","event":{})", line_time(),
                                       level_name(level), json_text(event));
  return with_fields(head, fields, in_json, R"(,"cut":true)", "}\n");
}

std::string make_entry(LogLevel level, std::string_view event, std::initializer_list<LogField> fields) {
  const std::string head = fmt::format("MESSAGE={}\0PRIORITY={}\0LEKT_EVENT={}\0"sv,
                                       make_text("", event, fields, ""), priority(level), event);
  return head + with_fields("", fields, in_entry, "LEKT_CUT=yes\0"sv, "\n");
}

std::string make_line(LogFormat format, LogLevel level, std::string_view event,
                      std::initializer_list<LogField> fields) {
  switch (format) {
    case LogFormat::json:
      return make_json(level, event, fields);
    case LogFormat::prefixed:
      return make_text(fmt::format("<{}>", priority(level)), event, fields, "\n");
    case LogFormat::entry:
      return make_entry(level, event, fields);
    case LogFormat::text:
      break;
  }
  return make_text(fmt::format("{} {} ", line_time(), level_name(level)), event, fields, "\n");
}

std::string describe_loss(std::uint64_t lost) {
  return make_line(log_format, LogLevel::warn, "log_lines_lost", {{"count", lost}});
}

// ---- Crashes ----

constexpr std::array crash_signals = {SIGABRT, SIGSEGV, SIGBUS, SIGILL, SIGFPE};
std::array<struct sigaction, crash_signals.size()> before_us;

/// Waits for the thread of the log, which still runs. Afterwards the signal does what it did without us: the sanitizers
/// have their handlers there.
void flush_and_crash(int signal, siginfo_t* information, void*) {
  for (std::size_t index = 0; index < crash_signals.size(); ++index)
    if (crash_signals[index] == signal) sigaction(signal, &before_us[index], nullptr);
  flush_log();
  // A fault of the program's own happens again as soon as this returns; what somebody has sent does not.
  if (information->si_code <= 0) raise(signal);
}

void flush_before_crashes() {
  struct sigaction action {};
  action.sa_sigaction = flush_and_crash;
  action.sa_flags = SA_SIGINFO | SA_ONSTACK;
  for (std::size_t index = 0; index < crash_signals.size(); ++index)
    sigaction(crash_signals[index], &action, &before_us[index]);
}

}  // namespace

LogField::LogField(std::string_view key_given, std::chrono::milliseconds value_given)
    : key(key_given), value(format_duration(value_given)), kind(Kind::duration) {}

void start_log(LogLevel level, LogFormat format, LineWriter::Write write) {
  log_format = format;
  if (log_writer == nullptr) {
    try {
      log_writer = write ? new LineWriter(std::move(write), describe_loss)
                         : new LineWriter(STDERR_FILENO, describe_loss);
    } catch (const std::system_error& error) {
      throw CodedError(ErrorCode::start_failed,
                       "cannot start the thread of the log: " + error.code().message() +
                           "; raise the limits of threads and memory");
    }
    logger = new spdlog::logger("lektd", std::make_shared<QueueSink>());
    flush_before_crashes();
  }
  set_log_level(level);
}

void set_log_level(LogLevel level) {
  if (spdlog::logger* const started = logger) started->set_level(to_spdlog(level));
}

bool log_enabled(LogLevel level) {
  const spdlog::logger* const started = logger.load(std::memory_order_acquire);
  return started != nullptr && level != LogLevel::off && started->should_log(to_spdlog(level));
}

bool flush_log() {
  LineWriter* const writer = log_writer;
  return writer == nullptr || writer->flush(flush_patience, flush_limit);
}

LineWriter::State log_state() {
  const LineWriter* const writer = log_writer;
  return writer == nullptr ? LineWriter::State{} : writer->state();
}

/// Goes around the queue: this has to work without memory, too.
void write_last_words(std::string_view text) {
  if (!flush_log()) return;
  pollfd writable{STDERR_FILENO, POLLOUT, 0};
  while (!text.empty() && poll(&writable, 1, flush_patience / 1ms) > 0) {
    const ssize_t written = ::write(STDERR_FILENO, text.data(), std::min<std::size_t>(text.size(), PIPE_BUF));
    if (written < 0 && errno == EINTR) continue;
    if (written <= 0) return;
    text.remove_prefix(static_cast<std::size_t>(written));
  }
}

void log_event(LogLevel level, std::string_view event, std::initializer_list<LogField> fields) {
  if (!log_enabled(level)) return;
  try {
    const std::string line = make_line(log_format, level, event, fields);
    logger.load()->log(spdlog::source_loc{}, to_spdlog(level), spdlog::string_view_t(line));
  } catch (const std::bad_alloc&) {
    log_writer.load()->note_lost();
  }
}

}  // namespace lekt
