#include "admin/history.h"

#include <algorithm>
#include <chrono>

#include "server/operators/clock.h"

namespace lekt::admin {

namespace {

/// The bound below which all commits between the two have stayed.
double highest_bound(const Histogram::Copy& before, const Histogram::Copy& after) {
  for (std::size_t bucket = after.counts.size(); bucket-- > 0;)
    if (after.counts[bucket] > before.counts[bucket])
      return Histogram::bounds[std::min(bucket, Histogram::bounds.size() - 1)];
  return 0;
}

}  // namespace

Sample sample_between(const Totals& before, const Totals& after, double duration_seconds) {
  const auto rate = [&](std::uint64_t first, std::uint64_t last) {
    return duration_seconds > 0 ? static_cast<double>(last - first) / duration_seconds : 0;
  };
  Sample sample;
  sample.clients = after.clients;
  sample.sessions = after.sessions;
  sample.heartbeats = rate(before.heartbeats, after.heartbeats);
  sample.joins = rate(before.joins, after.joins);
  sample.changes = rate(before.added + before.removed, after.added + after.removed);
  sample.commits = after.commit.count() - before.commit.count();
  if (sample.commits > 0)
    sample.commit_mean_seconds =
        (after.commit.sum_seconds - before.commit.sum_seconds) / static_cast<double>(sample.commits);
  sample.commit_max_seconds = highest_bound(before.commit, after.commit);
  return sample;
}

void History::add(Sample sample) {
  const MutexLock lock(mutex_);
  samples_.push_back(sample);
  if (samples_.size() > samples_max) samples_.pop_front();
}

std::vector<Sample> History::since(std::int64_t second) const {
  const MutexLock lock(mutex_);
  std::vector<Sample> samples;
  std::ranges::copy_if(samples_, std::back_inserter(samples),
                       [&](const Sample& sample) { return sample.second > second; });
  return samples;
}

Sampler::Sampler(History& history, std::function<Totals()> look, std::chrono::milliseconds interval)
    : history_(history), look_(std::move(look)), interval_(interval), thread_([this] { run(); }) {}

Sampler::~Sampler() {
  {
    const MutexLock lock(mutex_);
    ends_ = true;
  }
  ended_.notify_all();
  thread_.join();
}

void Sampler::run() {
  using Clock = std::chrono::steady_clock;
  Totals before = look_();
  Clock::time_point then = Clock::now();
  const MutexLock lock(mutex_);
  for (;;) {
    if (ended_.wait_until(mutex_, then + interval_, [this]() LEKT_REQUIRES(mutex_) { return ends_; })) return;
    Totals after = look_();
    const Clock::time_point now = Clock::now();
    Sample sample = sample_between(before, after, std::chrono::duration<double>(now - then).count());
    sample.second = wall_seconds();
    history_.add(sample);
    before = std::move(after);
    then = now;
  }
}

}  // namespace lekt::admin
