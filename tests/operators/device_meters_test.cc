// What is counted of devices reaches the totals, JSON and nothing else.
#include "server/operators/device_meters.h"

#include <gtest/gtest.h>

#include "server/operators/device_status.h"
#include "server/operators/json.h"

namespace lekt {
namespace {

using namespace std::chrono_literals;

/// Gives each number of the list a value of its own: 1, 2, 3...
struct Numbering {
  template <class Names>
  void counter(const char*, const Names&, Meter& meter) {
    meter.add(++last);
  }
  void gauge(const char*, const Labelled&, std::atomic<std::size_t>& gauge) { gauge = ++last; }
  void histogram(const char*, const char*, Histogram& histogram) {
    for (std::uint64_t times = ++last; times-- > 0;) histogram.add(1ms);
  }

  std::uint64_t last = 0;
};

/// Expects the same numbers.
struct Numbered {
  template <class Names>
  void counter(const char* name, const Names&, std::uint64_t number) {
    EXPECT_EQ(number, ++last) << name;
  }
  void gauge(const char* name, const Labelled&, std::size_t number) { EXPECT_EQ(number, ++last) << name; }
  void histogram(const char* name, const char*, const Histogram::Copy& copy) {
    EXPECT_EQ(copy.count(), ++last) << name;
  }

  std::uint64_t last = 0;
};

TEST(DeviceMeters, are_in_the_totals_each_in_its_own_place) {
  DeviceMeters meters;
  Numbering numbering;
  DeviceMeters::counts(numbering, meters);
  DeviceMeters::gauges(numbering, meters);
  const DeviceTotals totals = totals_of(meters);
  Numbered numbered;
  DeviceTotals::counts(numbered, totals);
  DeviceTotals::gauges(numbered, totals);
  EXPECT_EQ(numbered.last, numbering.last);
  EXPECT_EQ(totals.sessions(), totals.sessions_selecting + totals.sessions_active + totals.sessions_away +
                                   totals.sessions_waiting);
}

TEST(DeviceMeters, count_alerts_by_their_code) {
  DeviceMeters meters;
  EXPECT_TRUE(totals_of(meters).alerts.empty());
  meters.alerts.count(ErrorCode::uid_in_use);
  meters.alerts.count(ErrorCode::ports_exhausted);
  meters.alerts.count(ErrorCode::uid_in_use);
  EXPECT_EQ(to_line(to_json(totals_of(meters)).at("alerts")), R"({"E903":1,"E918":2})");
}

TEST(DeviceTotals, are_null_in_the_totals_of_a_server_without_devices) {
  Totals totals;
  EXPECT_EQ(to_json(totals).at("devices"), nullptr);
  EXPECT_FALSE(from_json<Totals>(to_json(totals)).devices);
  totals.devices.emplace().sessions_away = 3;
  EXPECT_EQ(to_json(totals).at("devices").at("sessions_away"), 3u);
  EXPECT_EQ(from_json<Totals>(to_json(totals)).devices.value().sessions_away, 3u);
}

TEST(DeviceQuery, fits_when_all_that_is_asked_for_does) {
  DeviceStatus device;
  device.address = Address::v4(0x0a0ae196);
  device.type = "PDT9090_E5";
  device.state = "away";
  EXPECT_TRUE(DeviceQuery().fits(device));
  EXPECT_TRUE((DeviceQuery{parse_block("10.10.225.0/24"), "pdt*", "away"}.fits(device)));
  EXPECT_FALSE((DeviceQuery{parse_block("10.10.226.0/24"), "pdt*", "away"}.fits(device)));
  EXPECT_FALSE((DeviceQuery{parse_block("10.10.225.0/24"), "pdt", "away"}.fits(device)));
  EXPECT_FALSE((DeviceQuery{parse_block("10.10.225.0/24"), "pdt*", "active"}.fits(device)));
}

}  // namespace
}  // namespace lekt
