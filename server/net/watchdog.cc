#include "server/net/watchdog.h"

#include <algorithm>
#include <utility>

namespace lekt {

namespace {

/// A longer time between two looks, which are a second apart, is a pause of the process.
constexpr AwakeTime look_step_max = std::chrono::seconds(2);

double seconds_of(AwakeTime time) { return std::chrono::duration<double>(time).count(); }

}  // namespace

Watchdog::Watchdog(Steady now) : clock_(now, look_step_max), looked_at_(now) {}

void Watchdog::watch(std::string name, const TurnCount& turns) {
  const MutexLock lock(mutex_);
  threads_.push_back({std::move(name), &turns, turns.read(), now_});
}

void Watchdog::look(Steady now) {
  const MutexLock lock(mutex_);
  looked_at_ = now;
  now_ = clock_.advance(now);
  for (Thread& thread : threads_) {
    const std::uint64_t before = std::exchange(thread.seen, thread.turns->read());
    if (thread.seen != before) thread.turned_at = now_;
  }
}

void Watchdog::hurry(AwakeTime patience) {
  const MutexLock lock(mutex_);
  patience_ = std::min(patience_, patience);
}

std::vector<HangingThread> Watchdog::hanging() const {
  const MutexLock lock(mutex_);
  std::vector<HangingThread> hanging;
  for (const Thread& thread : threads_) {
    const AwakeTime silent = now_ - thread.turned_at;
    if (silent >= (thread.turns->may_take_long() ? long_patience : patience_))
      hanging.push_back({thread.name, seconds_of(silent)});
  }
  return hanging;
}

AwakeTime Watchdog::silence_of(const std::string& name) const {
  const MutexLock lock(mutex_);
  const auto found = std::ranges::find(threads_, name, &Thread::name);
  return found == threads_.end() ? AwakeTime(0) : now_ - found->turned_at;
}

std::optional<HangingThread> Watchdog::hanging_main(Steady now) const {
  const MutexLock lock(mutex_);
  const auto silent = std::chrono::duration_cast<AwakeTime>(now - looked_at_);
  if (silent < patience_) return std::nullopt;
  return HangingThread{"main", seconds_of(silent)};
}

std::string worker_name(std::size_t index) { return "worker " + std::to_string(index); }

Rejection describe_hanging(const std::vector<HangingThread>& threads) {
  std::string words;
  for (const HangingThread& thread : threads)
    words += (words.empty() ? "" : "; ") + ("the thread \"" + thread.name + "\" has made no progress for ") +
             std::to_string(static_cast<std::int64_t>(thread.silent_seconds)) + " s";
  return {ErrorCode::thread_hangs, words};
}

}  // namespace lekt
