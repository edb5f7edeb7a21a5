// What the threads of the server count about themselves. Each owns its meters and counts without a lock;
// whoever looks at the server reads them.
#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <optional>

#include "server/histogram.h"
#include "server/status.h"

namespace lekt {

/// Of one worker.
struct WorkerMeters {
  Meter connections_accepted;
  Meter joins;
  Meter leaves;
  Meter heartbeats;
  Meter full_lists;
  Meter received_bytes;
  Meter sent_bytes;
  Histogram join;
  Histogram answer;
};

/// Of the writer.
struct WriterMeters {
  Meter added;
  Meter removed;
  Meter commits;
  Meter commits_failed;
  Histogram commit;
  std::atomic<std::uint64_t> last_commit_nanoseconds{0};
  std::atomic<std::int64_t> last_commit{0};  ///< Unix seconds
  std::atomic<std::uint64_t> sequence{0};
  std::atomic<std::size_t> clients{0};
  std::atomic<std::size_t> waiting{0};
  std::atomic<std::int64_t> grace_milliseconds_left{0};
  std::atomic<std::uint64_t> wal_bytes_held{0};
  std::atomic<StorageState> storage{StorageState::usable};
};

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
