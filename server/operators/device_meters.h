// What the thread of devices counts about them, and how things are now. It alone writes, without a lock; any thread
// reads.
#pragma once

#include <atomic>
#include <cstddef>

#include "server/operators/code_counts.h"
#include "server/operators/device_totals.h"
#include "server/operators/meters.h"

namespace lekt {

struct DeviceMeters : DeviceCounts<Meter, Histogram>, DeviceGauges<std::atomic<std::size_t>> {
  CodeCounts alerts;
};

inline DeviceTotals totals_of(const DeviceMeters& meters) {
  DeviceTotals totals;
  Adding adding;
  DeviceMeters::counts(adding, totals, meters);
  DeviceMeters::gauges(adding, totals, meters);
  for (const CodeCounts::Count& alert : meters.alerts.totals())
    totals.alerts.emplace_back(alert.code, alert.count);
  return totals;
}

}  // namespace lekt
