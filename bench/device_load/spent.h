// Processor time that a server has used during a part of a run.
#pragma once

#include <sys/types.h>

#include <chrono>
#include <cstdint>
#include <nlohmann/json.hpp>
#include <optional>

#include "bench/load/report.h"
#include "bench/load/usage.h"

namespace lekt::bench {

/// Processor time of the server since the object was made, if the server is known.
class Spent {
 public:
  explicit Spent(pid_t pid) {
    if (pid == 0) return;
    usage_.emplace(pid);
    began_ = usage_->processor_time();
  }
  void report(nlohmann::ordered_json& result, std::uint64_t count) const {
    if (!usage_) return;
    const auto used = usage_->processor_time() - began_;
    result["server_cpu_seconds"] = seconds(used);
    if (count != 0) result["server_cpu_us_each"] = microseconds(used) / static_cast<double>(count);
  }

 private:
  std::optional<ServerUsage> usage_;
  std::chrono::nanoseconds began_{0};
};

}  // namespace lekt::bench
