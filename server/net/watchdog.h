// Finds out whether the server's threads still make progress: for `lektctl health`, for the warnings, and for the
// service manager's watchdog.
//
// Each thread counts the turns of its loop, and the main thread looks once a second whether all counts have moved. It
// counts awake time (common/time.h), so a pause of the whole process, after which every thread would look late, is
// not taken for a thread that hangs. The main thread cannot find itself, so those who ask look whether it still looks.
#pragma once

#include <atomic>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "common/mutex.h"
#include "common/time.h"
#include "server/operators/status.h"

namespace lekt {

/// The turns of a loop, counted by one thread and read by others.
class TurnCount {
 public:
  void add() { turns_.store(turns_.load(std::memory_order_relaxed) + 1, std::memory_order_relaxed); }
  std::uint64_t read() const { return turns_.load(std::memory_order_relaxed); }

  /// Whether the thread is in a LongStep.
  bool may_take_long() const { return long_step_.load(std::memory_order_relaxed); }

 private:
  friend class LongStep;
  std::atomic<std::uint64_t> turns_{0};
  std::atomic<bool> long_step_{false};
};

/// As long as it lives, its thread does something that may rightly take minutes without a turn: it compacts the
/// database, or reads it again. Not nested.
class LongStep {
 public:
  explicit LongStep(TurnCount& turns) : turns_(turns) { set(true); }
  ~LongStep() { set(false); }
  LongStep(const LongStep&) = delete;
  LongStep& operator=(const LongStep&) = delete;

 private:
  void set(bool begun) {
    turns_.add();
    turns_.long_step_.store(begun, std::memory_order_relaxed);
  }

  TurnCount& turns_;
};

class Watchdog {
 public:
  using Steady = std::chrono::steady_clock::time_point;

  /// A thread that has not turned for this long hangs. The writer waits for the disk, and Linux gives a disk 30 s
  /// (/sys/block/*/device/timeout) before it takes a command for lost: what takes longer is no slow disk.
  static constexpr AwakeTime patience_max = std::chrono::seconds(30);
  /// The same in a LongStep: as long as an operator waits for a compaction.
  static constexpr AwakeTime long_patience = std::chrono::minutes(5);

  explicit Watchdog(Steady now);

  /// Watches a thread. `turns` outlives the watchdog.
  void watch(std::string name, const TurnCount& turns);

  /// Threads hang sooner from now on, unless this is longer than patience_max.
  void hurry(AwakeTime patience);

  /// Looks at all threads. The main thread calls it once a second.
  void look(Steady now);

  /// The threads that hung at the last look. Any thread may ask.
  std::vector<HangingThread> hanging() const;

  /// For how long the thread of this name had not turned at the last look. Any thread may ask.
  AwakeTime silence_of(const std::string& name) const;

  /// The main thread when it has not looked for too long. Any thread may ask. A process that goes on after a pause
  /// seems to be hanging too: ask again after a moment.
  std::optional<HangingThread> hanging_main(Steady now) const;

 private:
  struct Thread {
    std::string name;
    const TurnCount* turns;
    std::uint64_t seen;
    AwakeTime turned_at;
  };

  mutable Mutex mutex_;
  AwakeClock clock_ LEKT_GUARDED_BY(mutex_);
  AwakeTime now_ LEKT_GUARDED_BY(mutex_){0};
  AwakeTime patience_ LEKT_GUARDED_BY(mutex_) = patience_max;
  Steady looked_at_ LEKT_GUARDED_BY(mutex_);
  std::vector<Thread> threads_ LEKT_GUARDED_BY(mutex_);
};

/// The name of a worker's thread.
std::string worker_name(std::size_t index);
/// The name of the thread that serves devices.
inline constexpr const char* device_thread_name = "devices";

/// What is said of threads that hang (E620); there are some.
Rejection describe_hanging(const std::vector<HangingThread>& threads);

}  // namespace lekt
