// The metrics: their document, their values, and what Prometheus' own checker says.
#include <gtest/gtest.h>

#include <algorithm>
#include <cstdlib>
#include <fstream>
#include <map>
#include <regex>
#include <sstream>

#include "admin/metrics.h"
#include "tests/admin/fake_server.h"
#include "tests/support/paths.h"

namespace lekt::admin {

namespace {

struct Documented {
  std::string type;
  std::string labels;
  std::string help;

  bool operator==(const Documented&) const = default;
};

std::ostream& operator<<(std::ostream& out, const Documented& documented) {
  return out << documented.type << " | " << documented.labels << " | " << documented.help;
}

/// The rows `name` | type | labels | help of docs/metrics.md.
std::map<std::string, Documented> documented_metrics() {
  static const std::regex row(R"(\| `([a-z_]+)` \| (\w+) \| ([^|]*) \| ([^|]*) \|)");
  std::istringstream text(test::read_text(test::source_file("docs/metrics.md")));
  std::map<std::string, Documented> result;
  std::smatch found;
  for (std::string line; std::getline(text, line);)
    if (std::regex_match(line, found, row)) result[found[1]] = {found[2], found[3], found[4]};
  return result;
}

std::string type_name(prometheus::MetricType type) {
  if (type == prometheus::MetricType::Histogram) return "histogram";
  return type == prometheus::MetricType::Counter ? "counter" : "gauge";
}

std::string label_names(const prometheus::MetricFamily& family) {
  std::string names;
  for (const auto& label : family.metric.at(0).label)
    names += (names.empty() ? "`" : ", `") + label.name + "`";
  return names;
}

class MetricsTest : public testing::Test {
 protected:
  std::string text() const { return metrics_text(metrics_); }
  bool has_line(const std::string& line) const {
    return ("\n" + text()).find("\n" + line + "\n") != std::string::npos;
  }

  test::FakeOperations operations_;
  Metrics metrics_{operations_, "0.1.0"};
};

}  // namespace

TEST_F(MetricsTest, say_where_the_server_listens_and_what_waits_for_a_restart) {
  EXPECT_TRUE(has_line("lekt_listener_info{kind=\"plain\",address=\"0.0.0.0:7890\"} 1")) << text();
  EXPECT_TRUE(has_line("lekt_listener_info{kind=\"admin\",address=\"127.0.0.1:9890\"} 1"));
  EXPECT_TRUE(has_line("lekt_setting_needs_restart{setting=\"threads\"} 1"));
}

TEST_F(MetricsTest, the_document_has_exactly_those_that_are_served) {
  std::map<std::string, Documented> served;
  for (const auto& family : metrics_.Collect())
    served[family.name] = {type_name(family.type), label_names(family), family.help};
  EXPECT_EQ(documented_metrics(), served);
}

TEST_F(MetricsTest, numbers_are_those_of_the_totals) {
  for (const std::string line : {"lekt_build_info{version=\"0.1.0\"} 1",
                                 "lekt_clients 120",
                                 "lekt_clients_waiting 3",
                                 "lekt_sessions 131",
                                 "lekt_connections 140",
                                 "lekt_handshakes 2",
                                 "lekt_bans 1",
                                 "lekt_restart_grace_remaining_seconds 12.5",
                                 "lekt_database_size_bytes 1200000",
                                 "lekt_wal_size_bytes 400000",
                                 "lekt_wal_held_bytes 4096",
                                 "lekt_last_commit_timestamp_seconds 1767351598",
                                 "lekt_change_sequence 500",
                                 "lekt_connections_accepted_total 900",
                                 "lekt_joins_total 700",
                                 "lekt_leaves_total 569",
                                 "lekt_heartbeats_total 80000",
                                 "lekt_pushes_total 640",
                                 "lekt_full_lists_total 650",
                                 "lekt_received_bytes_total 1600000",
                                 "lekt_sent_bytes_total 9000000",
                                 "lekt_changes_total{kind=\"added\"} 300",
                                 "lekt_changes_total{kind=\"removed\"} 180",
                                 "lekt_commits_total 410",
                                 "lekt_commits_failed_total 1",
                                 "lekt_certificate_expiry_timestamp_seconds 1767438000",
                                 "lekt_client_authority_expiry_timestamp_seconds 0",
                                 "lekt_log_blocked_seconds 0",
                                 "lekt_log_lines_lost_total 7",
                                 "lekt_trace_entries_lost_total 3",
                                 "lekt_codes_total{code=\"E102\"} 4",
                                 "lekt_codes_total{code=\"E404\"} 17",
                                 "lekt_warning{code=\"E605\"} 1",
                                 "lekt_device_sessions{state=\"selecting\"} 3",
                                 "lekt_device_sessions{state=\"active\"} 40",
                                 "lekt_device_sessions{state=\"away\"} 5",
                                 "lekt_device_sessions{state=\"waiting\"} 2",
                                 "lekt_device_ports{state=\"free\"} 950",
                                 "lekt_device_ports{state=\"used\"} 45",
                                 "lekt_device_ports{state=\"taken\"} 6",
                                 "lekt_device_registrations_total 60",
                                 "lekt_device_datagrams_total{direction=\"received\"} 7000",
                                 "lekt_device_datagrams_total{direction=\"sent\"} 6900",
                                 "lekt_device_bytes_total{direction=\"received\"} 420000",
                                 "lekt_device_bytes_total{direction=\"sent\"} 980000",
                                 "lekt_device_repeated_total 31",
                                 "lekt_device_duplicates_total 12",
                                 "lekt_device_out_of_order_total 4",
                                 "lekt_device_malformed_total 9",
                                 "lekt_device_inputs_total 2500",
                                 "lekt_device_screens_total 2600",
                                 "lekt_device_alerts_total{code=\"E918\"} 1",
                                 "lekt_device_rtt_seconds_count 2400",
                                 "lekt_device_echo_seconds_count 2300",
                                 "process_start_time_seconds 1767348000"})
    EXPECT_TRUE(has_line(line)) << line << "\n" << text();
}

TEST_F(MetricsTest, of_devices_are_there_only_while_the_server_takes_devices) {
  EXPECT_NE(text().find("lekt_device_"), std::string::npos);
  operations_.change([](Status& status) { status.totals.devices.reset(); });
  EXPECT_EQ(text().find("lekt_device_"), std::string::npos) << text();
}

TEST_F(MetricsTest, storage_is_in_exactly_one_state) {
  for (const auto now : {StorageState::usable, StorageState::busy, StorageState::failed}) {
    operations_.change([&](Status& status) { status.totals.storage = now; });
    for (const std::string state : {"usable", "busy", "failed"})
      EXPECT_TRUE(
          has_line("lekt_storage_state{state=\"" + state + "\"} " + (state == to_string(now) ? "1" : "0")));
  }
}

TEST_F(MetricsTest, buckets_add_up_and_the_last_one_holds_all) {
  EXPECT_TRUE(has_line("lekt_commit_seconds_bucket{le=\"0.001\"} 0")) << text();
  EXPECT_TRUE(has_line("lekt_commit_seconds_bucket{le=\"0.0025\"} 400")) << text();
  EXPECT_TRUE(has_line("lekt_commit_seconds_bucket{le=\"0.025\"} 410")) << text();
  EXPECT_TRUE(has_line("lekt_commit_seconds_bucket{le=\"+Inf\"} 410")) << text();
  EXPECT_TRUE(has_line("lekt_commit_seconds_count 410"));
  EXPECT_TRUE(has_line("lekt_commit_seconds_sum 0.9"));
  // One answer took longer than the highest bound.
  EXPECT_TRUE(has_line("lekt_answer_seconds_bucket{le=\"5\"} 79999")) << text();
  EXPECT_TRUE(has_line("lekt_answer_seconds_bucket{le=\"+Inf\"} 80000"));
}

TEST_F(MetricsTest, the_process_is_measured) {
  std::map<std::string, double> values;
  for (const auto& family : metrics_.Collect())
    if (family.name.starts_with("process_"))
      values[family.name] = std::max(family.metric.at(0).gauge.value, family.metric.at(0).counter.value);
  EXPECT_GT(values.at("process_resident_memory_bytes"), 1e6);
  EXPECT_GT(values.at("process_virtual_memory_bytes"), values.at("process_resident_memory_bytes"));
  EXPECT_GE(values.at("process_open_fds"), 3);
  EXPECT_GT(values.at("process_max_fds"), values.at("process_open_fds"));
  EXPECT_GE(values.at("process_threads"), 1);
  EXPECT_GT(values.at("process_cpu_seconds_total"), 0);
}

TEST_F(MetricsTest, the_process_has_one_more_open_file_for_one_that_is_opened) {
  const auto files = [&] {
    for (const auto& family : metrics_.Collect())
      if (family.name == "process_open_fds") return family.metric.at(0).gauge.value;
    return 0.0;
  };
  const double before = files();
  const std::ifstream file("/proc/self/stat");
  EXPECT_EQ(files(), before + 1);
}

TEST_F(MetricsTest, promtool_has_nothing_to_say) {
  if (std::system("promtool --version >/dev/null 2>&1") != 0)
    GTEST_SKIP() << "promtool is not installed (Debian: apt install prometheus)";
  const test::TempDirectory directory;
  const std::string in = (directory.path() / "in").string(), out = (directory.path() / "out").string();
  std::ofstream(in) << text();
  const int status = std::system(("promtool check metrics <" + in + " >" + out + " 2>&1").c_str());
  EXPECT_EQ(status, 0) << test::read_text(out);
  EXPECT_EQ(test::read_text(out), "");
}

}  // namespace lekt::admin
