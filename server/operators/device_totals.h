// Every number that operators see of devices, named once, as in totals.h: their numbers are a part of Totals, and there
// only while the server takes devices.
//
// Prometheus' names begin with `lekt_device_`.
#pragma once

#include <cstddef>
#include <cstdint>
#include <utility>
#include <vector>

#include "common/errors.h"
#include "server/operators/histogram.h"
#include "server/operators/labelled.h"

namespace lekt {

inline constexpr LabelledMetric device_datagrams_metric{"lekt_device_datagrams_total", "direction",
                                                        "Datagrams of devices, and to them."};
inline constexpr LabelledMetric device_bytes_metric{"lekt_device_bytes_total", "direction",
                                                    "Bytes in these datagrams."};
inline constexpr LabelledMetric device_sessions_metric{
    "lekt_device_sessions", "state",
    "Sessions of devices: selecting a host, active, away (not heard at the moment), waiting (without a "
    "registration)."};
inline constexpr LabelledMetric device_ports_metric{
    "lekt_device_ports", "state",
    "Ports for devices: free, used by a registration, taken by another program."};

/// What the thread of devices counts: numbers that only grow, and begin at 0 with the process.
template <class Count, class Durations>
struct DeviceCounts {
  Count registrations{};
  Count datagrams_received{};
  Count datagrams_sent{};
  Count bytes_received{};
  Count bytes_sent{};
  Count repeated{};
  Count duplicates{};
  Count out_of_order{};
  Count malformed{};
  Count inputs{};
  Count screens{};
  Durations rtt{};
  Durations echo{};

  /// The list: `io` visits one set, or several side by side.
  template <class Io, class... Self>
  static void counts(Io& io, Self&... self) {
    io.counter("registrations", "Registrations of devices (packet 3) that were made.", self.registrations...);
    io.counter("datagrams_received", Labelled{device_datagrams_metric, "received"},
               self.datagrams_received...);
    io.counter("datagrams_sent", Labelled{device_datagrams_metric, "sent"}, self.datagrams_sent...);
    io.counter("bytes_received", Labelled{device_bytes_metric, "received"}, self.bytes_received...);
    io.counter("bytes_sent", Labelled{device_bytes_metric, "sent"}, self.bytes_sent...);
    io.counter("repeated", "Messages that were sent to devices once more.", self.repeated...);
    io.counter("duplicates", "Messages that a device has sent, and that had come before.",
               self.duplicates...);
    io.counter("out_of_order", "Messages of devices that came before an earlier one.", self.out_of_order...);
    io.counter("malformed", "Datagrams that break a rule, or belong to nobody (E916).", self.malformed...);
    io.counter("inputs", "Inputs of devices that were taken.", self.inputs...);
    io.counter("screens", "Screens that were sent to devices.", self.screens...);
    io.histogram("rtt", "From a message to a device until it was acknowledged.", self.rtt...);
    io.histogram("echo", "From an input that was taken until the next screen was sent.", self.echo...);
  }
};

/// How things are now.
template <class Gauge>
struct DeviceGauges {
  Gauge sessions_selecting{};
  Gauge sessions_active{};
  Gauge sessions_away{};
  Gauge sessions_waiting{};
  Gauge ports_free{};
  Gauge ports_used{};
  Gauge ports_taken{};

  /// The list, as that of DeviceCounts.
  template <class Io, class... Self>
  static void gauges(Io& io, Self&... self) {
    io.gauge("sessions_selecting", Labelled{device_sessions_metric, "selecting"}, self.sessions_selecting...);
    io.gauge("sessions_active", Labelled{device_sessions_metric, "active"}, self.sessions_active...);
    io.gauge("sessions_away", Labelled{device_sessions_metric, "away"}, self.sessions_away...);
    io.gauge("sessions_waiting", Labelled{device_sessions_metric, "waiting"}, self.sessions_waiting...);
    io.gauge("ports_free", Labelled{device_ports_metric, "free"}, self.ports_free...);
    io.gauge("ports_used", Labelled{device_ports_metric, "used"}, self.ports_used...);
    io.gauge("ports_taken", Labelled{device_ports_metric, "taken"}, self.ports_taken...);
  }
};

struct DeviceTotals : DeviceCounts<std::uint64_t, Histogram::Copy>, DeviceGauges<std::size_t> {
  std::vector<std::pair<ErrorCode, std::uint64_t>> alerts;  ///< those above 0, ascending

  std::size_t sessions() const {
    return sessions_selecting + sessions_active + sessions_away + sessions_waiting;
  }

  template <class Self, class Io>
  static void fields(Self& self, Io& io) {
    DeviceGauges::gauges(io, self);
    DeviceCounts::counts(io, self);
    io.codes("alerts", "lekt_device_alerts_total", "Alerts about devices (docs/errors.md).", self.alerts);
  }
};

}  // namespace lekt
