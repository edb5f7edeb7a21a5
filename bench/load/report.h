// What the modes share when they measure and report.
#pragma once

#include <chrono>
#include <cstdint>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>

#include "bench/load/crew.h"
#include "bench/load/histogram.h"
#include "bench/load/usage.h"

namespace lekt::bench {

inline double microseconds(std::chrono::nanoseconds time) { return static_cast<double>(time.count()) / 1000; }
inline double seconds(std::chrono::nanoseconds time) { return static_cast<double>(time.count()) / 1e9; }

/// {"p50": ..., "p90": ..., "p99": ..., "p999": ..., "max": ...}, in microseconds.
nlohmann::ordered_json percentiles(const Histogram& histogram);

/// A stretch of the run: what the server and the wire did between two calls.
class Window {
 public:
  Window(const Crew& crew, pid_t pid);

  void begin();
  /// {"seconds", "bytes_received", "bytes_sent", "server_cpu_seconds"}; and a rate and the server's time for
  /// each of `count` requests.
  nlohmann::ordered_json end(std::uint64_t count) const;

 private:
  const Crew& crew_;
  std::optional<ServerUsage> usage_;
  Time began_;
  std::chrono::nanoseconds processor_began_{0};
  std::uint64_t received_began_ = 0;
  std::uint64_t sent_began_ = 0;
};

/// Says on standard error how far a long run is: a line that is written over on a terminal, a line every ten
/// seconds elsewhere.
class Progress {
 public:
  explicit Progress(std::string what);
  ~Progress();
  Progress(const Progress&) = delete;
  Progress& operator=(const Progress&) = delete;

  /// Cheap enough to be called between two polls.
  void show(double share, std::uint64_t count);

 private:
  std::string what_;
  bool terminal_;
  bool shown_ = false;
  Time next_;
};

}  // namespace lekt::bench
