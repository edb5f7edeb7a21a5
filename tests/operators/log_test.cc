#include "server/operators/log.h"

#include <gtest/gtest.h>

#include <nlohmann/json.hpp>
#include <regex>

namespace lekt {
namespace {

using namespace std::chrono_literals;
using namespace std::string_literals;

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

TEST(Log, json_has_truth_values_numbers_of_seconds_and_lists) {
  const auto fields = [] {
    log_event(LogLevel::info, "started",
              {{"tls", true},
               {"restart_grace", std::chrono::milliseconds(1500)},
               {"changed", std::vector<std::string>{"max-clients", "log-level"}},
               {"needs_restart", std::vector<std::string>{}}});
  };
  const auto line = nlohmann::json::parse(logged(LogFormat::json, fields));
  EXPECT_EQ(line.at("tls"), true);
  EXPECT_EQ(line.at("restart_grace_seconds"), 1.5);
  EXPECT_EQ(line.at("changed"), (std::vector<std::string>{"max-clients", "log-level"}));
  EXPECT_EQ(line.at("needs_restart"), std::vector<std::string>{});
  EXPECT_EQ(behind_time(logged(LogFormat::text, fields)),
            "info event=started tls=yes restart_grace=1500ms changed=\"max-clients, log-level\" "
            "needs_restart=nothing\n");
}

TEST(Log, a_long_value_is_cut_and_says_how_long_it_was) {
  for (const std::string& part : {std::string("x"), std::string("\xff"), std::string("\x01")})
    for (const LogFormat format : {LogFormat::text, LogFormat::json}) {
      std::string value;
      while (value.size() < 60'000) value += part;
      const std::string line = logged(format, [&] {
        log_event(LogLevel::info, "join", {{"methods", value}});
      });
      EXPECT_LE(line.size(), log_value_bytes_max + 100);
      EXPECT_NE(line.find("... (60000 bytes)"), line.npos) << line;
      if (format == LogFormat::json) {
        EXPECT_TRUE(nlohmann::json::accept(line)) << line;
      }
    }
}

TEST(Log, a_long_list_is_cut_and_the_line_goes_on) {
  const std::vector<std::string> list(1000, "max-clients");
  const std::string line = logged(LogFormat::json, [&] {
    log_event(LogLevel::info, "reloaded", {{"changed", list}, {"needs_restart", 1}});
  });
  EXPECT_LE(line.size(), log_value_bytes_max + 200);
  EXPECT_NE(line.find(R"(,"max-clients","..."],"needs_restart":1})"), line.npos) << line;
}

TEST(Log, a_line_has_an_upper_length_whatever_is_in_it) {
  const std::string value(2000, '"');
  const std::vector<std::string> list(1000, "max-clients");
  for (const LogFormat format : {LogFormat::text, LogFormat::json}) {
    const std::string line = logged(format, [&] {
      log_event(LogLevel::info, "x",
                {{"a", value}, {"b", list}, {"c", list}, {"d", list}, {"e", list}, {"f", 1}});
    });
    EXPECT_LE(line.size(), log_line_bytes_max);
    EXPECT_EQ(std::count(line.begin(), line.end(), '\n'), 1);
    EXPECT_NE(line.find("cut"), line.npos) << line;
    if (format == LogFormat::json) {
      EXPECT_TRUE(nlohmann::json::accept(line)) << line;
    }
  }
}

TEST(Log, an_entry_for_the_journal_has_each_value_as_a_field) {
  const std::string entry = logged(LogFormat::entry, [] {
    log_event(LogLevel::warn, "leave",
              {{"address", "10.0.0.7"}, {"reason", "E301\nPRIORITY=0"}, {"held", 1500ms}});
  });
  EXPECT_EQ(entry,
            "MESSAGE=event=leave address=10.0.0.7 reason=\"E301\\nPRIORITY=0\" held=1500ms\0PRIORITY=4\0"
            "LEKT_EVENT=leave\0LEKT_ADDRESS=10.0.0.7\0LEKT_REASON=E301\\nPRIORITY=0\0LEKT_HELD=1500ms\0\n"s);
}

TEST(Log, an_entry_for_the_journal_is_as_long_as_two_lines_at_most) {
  const std::string value(2000, 'x');
  const std::string entry = logged(LogFormat::entry, [&] {
    log_event(LogLevel::info, "x", {{"a", value}, {"b", value}, {"c", value}, {"d", value}, {"e", value}});
  });
  EXPECT_LE(entry.size(), 2 * log_line_bytes_max);
  EXPECT_NE(entry.find("LEKT_CUT=yes\0\n"s), entry.npos) << entry;
}

TEST(Log, a_line_for_the_journal_begins_with_its_priority_and_has_no_time) {
  const std::string lines = logged(
      LogFormat::prefixed,
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
