// The last hour in samples of ten seconds, for the page's charts. In memory only: it begins with the process.
//
// One thread samples, any number of threads ask.
#pragma once

#include <cstddef>
#include <cstdint>
#include <deque>
#include <functional>
#include <thread>
#include <vector>

#include "common/mutex.h"
#include "server/operators/status.h"

namespace lekt::admin {

/// What happened between two looks at the totals.
struct Sample {
  std::int64_t second = 0;  ///< the end of the sample, in Unix seconds
  std::size_t clients = 0;
  std::size_t sessions = 0;
  double heartbeats = 0;  ///< per second, as are the next two
  double joins = 0;
  double changes = 0;
  std::uint64_t commits = 0;
  double commit_mean_seconds = 0;
  double commit_max_seconds = 0;  ///< an upper bound: that of the histogram's highest bucket in use

  template <class Self, class Io>
  static void fields(Self& self, Io& io) {
    io.time("time", self.second);
    io.field("clients", self.clients);
    io.field("sessions", self.sessions);
    io.field("heartbeats_per_second", self.heartbeats);
    io.field("joins_per_second", self.joins);
    io.field("changes_per_second", self.changes);
    io.field("commits", self.commits);
    io.field("commit_mean_seconds", self.commit_mean_seconds);
    io.field("commit_max_seconds", self.commit_max_seconds);
  }
};

/// The sample between two looks that were `duration_seconds` apart.
Sample sample_between(const Totals& before, const Totals& after, double duration_seconds);

class History {
 public:
  static constexpr std::size_t samples_max = 360;

  void add(Sample sample);
  /// The samples that end after the given second, the oldest first.
  std::vector<Sample> since(std::int64_t second) const;

 private:
  mutable Mutex mutex_;
  std::deque<Sample> samples_ LEKT_GUARDED_BY(mutex_);
};

/// The thread that fills a history.
class Sampler {
 public:
  /// `look` is called on the sampler's thread as long as this object lives.
  Sampler(History& history, std::function<Totals()> look,
          std::chrono::milliseconds interval = std::chrono::seconds(10));
  ~Sampler();

 private:
  void run();

  History& history_;
  const std::function<Totals()> look_;
  const std::chrono::milliseconds interval_;
  Mutex mutex_;
  ConditionVariable ended_;
  bool ends_ LEKT_GUARDED_BY(mutex_) = false;
  std::thread thread_;
};

}  // namespace lekt::admin
