// The last hour in samples of ten seconds, for the page's charts. In memory only: it begins with the process.
//
// One thread samples, any number of threads ask.
#pragma once

#include <condition_variable>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <functional>
#include <mutex>
#include <nlohmann/json.hpp>
#include <thread>
#include <vector>

#include "server/status.h"

namespace lekt::admin {

/// What happened between two looks at the totals.
struct Sample {
  std::int64_t second = 0;  ///< Unix seconds, at its end
  std::size_t clients = 0;
  std::size_t sessions = 0;
  double heartbeats = 0;  ///< a second, as are the next two
  double joins = 0;
  double changes = 0;
  std::uint64_t commits = 0;
  double commit_mean_seconds = 0;
  double commit_max_seconds = 0;  ///< at most: the upper bound of the histogram's highest bucket
};

nlohmann::ordered_json to_json(const Sample& sample);

/// `duration_seconds` passed from `before` to `after`.
Sample sample_between(const Totals& before, const Totals& after, double duration_seconds);

class History {
 public:
  static constexpr std::size_t samples_max = 360;

  void add(Sample sample);
  /// Those after the second, the oldest first.
  std::vector<Sample> since(std::int64_t second) const;

 private:
  mutable std::mutex mutex_;
  std::deque<Sample> samples_;
};

/// The thread that fills a history.
class Sampler {
 public:
  /// `look` is called from the sampler's thread until its end.
  Sampler(History& history, std::function<Totals()> look,
          std::chrono::milliseconds interval = std::chrono::seconds(10));
  ~Sampler();

 private:
  void run();

  History& history_;
  const std::function<Totals()> look_;
  const std::chrono::milliseconds interval_;
  std::mutex mutex_;
  std::condition_variable ended_;
  bool ends_ = false;
  std::thread thread_;
};

}  // namespace lekt::admin
