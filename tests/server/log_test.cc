#include "server/log.h"

#include <gtest/gtest.h>

#include <nlohmann/json.hpp>
#include <regex>

namespace lekt {
namespace {

/// What goes to standard error while the action runs.
template <class Action>
std::string logged(LogFormat format, Action&& action, LogLevel level = LogLevel::info) {
  testing::internal::CaptureStderr();
  start_log(level, format);
  action();
  flush_log();
  start_log(LogLevel::off, LogFormat::text);
  return testing::internal::GetCapturedStderr();
}

/// A line without its time.
std::string behind_time(const std::string& line) {
  const std::regex time(R"(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z )");
  return std::regex_replace(line, time, "", std::regex_constants::format_first_only);
}

TEST(Log, writes_one_line_an_event) {
  const std::string lines = logged(LogFormat::text, [] {
    log_event(LogLevel::info, "join", {{"address", "10.0.0.7"}, {"sessions", 2}});
    log_event(LogLevel::error, "storage_trouble", {});
  });
  EXPECT_EQ(behind_time(behind_time(lines)),
            "info event=join address=10.0.0.7 sessions=2\nerror event=storage_trouble\n");
}

TEST(Log, text_from_a_peer_cannot_begin_a_line_a_field_or_a_terminal_sequence) {
  const std::string line = logged(LogFormat::text, [] {
    log_event(LogLevel::info, "reject", {{"message", "x\nevent=join address=10.0.0.1 \"\x1b[2J\\\xff"}});
  });
  EXPECT_EQ(behind_time(line), R"(info event=reject message="x\nevent=join address=10.0.0.1 \"\x1b[2J\\\xff")"
                               "\n");
}

TEST(Log, an_empty_value_is_visible) {
  const std::string line = logged(LogFormat::text, [] {
    log_event(LogLevel::info, "join", {{"methods", ""}, {"code", "E101"}});
  });
  EXPECT_EQ(behind_time(line), "info event=join methods=\"\" code=E101\n");
}

TEST(Log, formatting_marks_in_a_value_mean_nothing) {
  const std::string line = logged(LogFormat::text, [] {
    log_event(LogLevel::info, "reject", {{"message", "{} %v %n {0}"}});
  });
  EXPECT_EQ(behind_time(line), "info event=reject message=\"{} %v %n {0}\"\n");
}

TEST(Log, json_is_one_object_a_line_whatever_is_in_it) {
  const std::string text = logged(LogFormat::json, [] {
    log_event(LogLevel::info, "reject",
              {{"message", "a\n\"},{\"event\":\"join\"\x1b\xff %v"}, {"sessions", 2}, {"code", "E101"}});
  });
  EXPECT_EQ(std::count(text.begin(), text.end(), '\n'), 1);
  const auto line = nlohmann::json::parse(text);
  EXPECT_EQ(line.at("event"), "reject");
  EXPECT_EQ(line.at("level"), "info");
  EXPECT_EQ(line.at("message"), "a\n\"},{\"event\":\"join\"\x1b\xef\xbf\xbd %v");
  EXPECT_EQ(line.at("sessions"), 2);
  EXPECT_EQ(line.at("code"), "E101");
  EXPECT_TRUE(line.contains("time"));
}

TEST(Log, for_the_journal_a_line_begins_with_its_priority_and_has_no_time) {
  const std::string lines = logged(
      LogFormat::journal,
      [] {
        log_event(LogLevel::error, "storage_trouble", {{"message", "x\n<0>event=join"}});
        log_event(LogLevel::warn, "wal_growing", {});
        log_event(LogLevel::info, "join", {{"sessions", 2}});
        log_event(LogLevel::debug, "change", {});
      },
      LogLevel::debug);
  EXPECT_EQ(lines,
            "<3>event=storage_trouble message=\"x\\n<0>event=join\"\n"
            "<4>event=wal_growing\n"
            "<6>event=join sessions=2\n"
            "<7>event=change\n");
}

TEST(Log, leaves_out_what_is_below_its_level) {
  const std::string lines = logged(
      LogFormat::text,
      [] {
        log_event(LogLevel::info, "join", {});
        log_event(LogLevel::error, "storage_trouble", {});
        EXPECT_FALSE(log_enabled(LogLevel::info));
        EXPECT_TRUE(log_enabled(LogLevel::warn));
      },
      LogLevel::warn);
  EXPECT_EQ(behind_time(lines), "error event=storage_trouble\n");
}

}  // namespace
}  // namespace lekt
