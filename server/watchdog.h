// Whether the server's threads still turn: what the service manager's watchdog is told.
//
// Each thread counts the turns of its loop, and the main thread looks now and then whether all counts have
// moved. It compares counts and no times: so a pause of the whole process, after which every thread would
// look late, is not taken for a thread that hangs.
#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

namespace lekt {

/// Counted by one thread, read by another.
class TurnCount {
 public:
  void add() { turns_.store(turns_.load(std::memory_order_relaxed) + 1, std::memory_order_relaxed); }
  std::uint64_t read() const { return turns_.load(std::memory_order_relaxed); }

 private:
  std::atomic<std::uint64_t> turns_{0};
};

class Watchdog {
 public:
  /// A thread that has not turned between so many looks hangs.
  static constexpr int looks_max = 2;

  /// `turns` outlives the watchdog.
  void watch(std::string name, const TurnCount& turns);

  /// Call it in even intervals, in each of which a healthy thread turns several times. Yields the names of
  /// the threads that hang.
  std::vector<std::string> look();

 private:
  struct Thread {
    std::string name;
    const TurnCount* turns;
    std::uint64_t seen;
    int looks_without_turn = 0;
  };
  std::vector<Thread> threads_;
};

}  // namespace lekt
