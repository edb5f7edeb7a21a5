// What the threads of the server count about themselves. Each owns its meters and counts without a lock; those who look
// at the server read them.
#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <optional>

#include "server/operators/histogram.h"
#include "server/operators/totals.h"

namespace lekt {

/// The counters of one thread.
using Meters = Counts<Meter, Histogram>;

/// The meters of one worker.
struct WorkerMeters : Meters {};

/// The meters of the writer, and what it alone knows of the present.
struct WriterMeters : Meters {
  std::atomic<std::uint64_t> last_commit_nanoseconds{0};
  std::atomic<std::int64_t> last_commit{0};  ///< Unix seconds
  std::atomic<std::uint64_t> sequence{0};
  std::atomic<std::size_t> clients{0};
  std::atomic<std::size_t> waiting{0};
  std::atomic<std::int64_t> grace_milliseconds_left{0};
  std::atomic<std::uint64_t> wal_bytes_held{0};
  std::atomic<StorageState> storage{StorageState::usable};
};

/// Adds what a thread has counted to the sums, and what it says of the present: a visitor of both sets, side by side.
struct Adding {
  template <class Names>
  void counter(const char*, const Names&, std::uint64_t& sum, const Meter& meter) {
    sum += meter.value();
  }
  void gauge(const char*, const Labelled&, std::size_t& sum, const std::atomic<std::size_t>& now) {
    sum += now.load(std::memory_order_relaxed);
  }
  void histogram(const char*, const char*, Histogram::Copy& sum, const Histogram& durations) {
    sum += durations.copy();
  }
};

/// Adds the counters of a thread, without its durations.
inline void add_counters(Totals& totals, const Meters& meters) {
  Adding adding;
  Meters::counters(adding, totals, meters);
}

/// Adds the durations of a thread.
inline void add_durations(Totals& totals, const Meters& meters) {
  Adding adding;
  Meters::durations(adding, totals, meters);
}

/// Counts into a histogram, from begin() to the end of its life; nothing when it did not begin.
class Stopwatch {
 public:
  explicit Stopwatch(Histogram& histogram) : histogram_(histogram) {}
  ~Stopwatch() {
    if (begun_) histogram_.add(std::chrono::steady_clock::now() - *begun_);
  }
  Stopwatch(const Stopwatch&) = delete;
  Stopwatch& operator=(const Stopwatch&) = delete;

  void begin() {
    if (!begun_) begun_ = std::chrono::steady_clock::now();
  }

 private:
  Histogram& histogram_;
  std::optional<std::chrono::steady_clock::time_point> begun_;
};

}  // namespace lekt
