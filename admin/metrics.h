// The server's numbers for Prometheus (docs/metrics.md), made from one look at its totals when they are asked for.
#pragma once

#include <prometheus/collectable.h>
#include <prometheus/metric_family.h>

#include <string>
#include <vector>

#include "server/operators/operations.h"

namespace lekt::admin {

class Metrics : public prometheus::Collectable {
 public:
  /// The operations outlive this object.
  Metrics(const Operations& operations, std::string version)
      : operations_(operations), version_(std::move(version)) {}

  std::vector<prometheus::MetricFamily> Collect() const override;

 private:
  const Operations& operations_;
  std::string version_;
};

inline constexpr auto metrics_type = "text/plain; version=0.0.4; charset=utf-8";

/// The metrics in Prometheus' text format.
std::string metrics_text(const prometheus::Collectable& metrics);

}  // namespace lekt::admin
