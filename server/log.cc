#include "server/log.h"

#include <spdlog/pattern_formatter.h>
#include <spdlog/sinks/stdout_sinks.h>
#include <spdlog/spdlog.h>

#include <nlohmann/json.hpp>

#include "common/text.h"

namespace lekt {

namespace {

LogFormat log_format = LogFormat::text;
std::shared_ptr<spdlog::logger> logger;

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

/// The priorities of syslog(3).
std::string_view priority(LogLevel level) {
  switch (level) {
    case LogLevel::error:
      return "<3>";
    case LogLevel::warn:
      return "<4>";
    case LogLevel::info:
      return "<6>";
    default:
      return "<7>";
  }
}

const char* pattern(LogFormat format) {
  switch (format) {
    case LogFormat::json:
      return R"({"time":"%Y-%m-%dT%H:%M:%S.%eZ","level":"%l",%v})";
    case LogFormat::journal:
      return "%v";
    case LogFormat::text:
      break;
  }
  return "%Y-%m-%dT%H:%M:%S.%eZ %l %v";
}

std::string json_text(std::string_view text) {
  using Json = nlohmann::json;
  return Json(std::string(text)).dump(-1, ' ', true, Json::error_handler_t::replace);
}

}  // namespace

void start_log(LogLevel level, LogFormat format) {
  log_format = format;
  logger = std::make_shared<spdlog::logger>("lektd", std::make_shared<spdlog::sinks::stderr_sink_mt>());
  logger->set_level(to_spdlog(level));
  logger->flush_on(spdlog::level::trace);
  logger->set_formatter(
      std::make_unique<spdlog::pattern_formatter>(pattern(format), spdlog::pattern_time_type::utc));
}

void set_log_level(LogLevel level) {
  if (logger != nullptr) logger->set_level(to_spdlog(level));
}

bool log_enabled(LogLevel level) { return logger != nullptr && logger->should_log(to_spdlog(level)); }

void flush_log() {
  if (logger != nullptr) logger->flush();
}

void log_event(LogLevel level, std::string_view event, std::initializer_list<LogField> fields) {
  if (!log_enabled(level)) return;
  std::string line;
  if (log_format == LogFormat::json) {
    line = "\"event\":" + json_text(event);
    for (const LogField& field : fields)
      line += "," + json_text(field.key) + ":" + (field.number ? field.value : json_text(field.value));
  } else {
    if (log_format == LogFormat::journal) line = priority(level);
    line += "event=" + std::string(event);
    for (const LogField& field : fields)
      line += " " + std::string(field.key) + "=" + quote_if_needed(field.value);
  }
  logger->log(to_spdlog(level), "{}", line);
}

}  // namespace lekt
