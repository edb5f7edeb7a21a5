#include "server/operators/disk_thread.h"

#include <algorithm>
#include <cstdint>
#include <deque>
#include <new>
#include <system_error>
#include <utility>

#include "common/mutex.h"
#include "server/operators/quiet_thread.h"

namespace lekt {

namespace {

using namespace std::chrono_literals;

/// How long the end waits for a job that hangs, and for all of them.
constexpr auto end_patience = 300ms;
constexpr auto end_limit = 1s;

}  // namespace

struct DiskThread::Shared {
  struct Waiting {
    std::size_t bytes;
    Job job;
  };

  const std::size_t bytes_max;
  Mutex mutex{};
  ConditionVariable changed{};
  std::deque<Waiting> queue LEKT_GUARDED_BY(mutex){};
  std::size_t bytes LEKT_GUARDED_BY(mutex) = 0;     ///< of the jobs in the queue and of the one under way
  std::uint64_t posted LEKT_GUARDED_BY(mutex) = 0;  ///< jobs, since the beginning
  std::uint64_t done LEKT_GUARDED_BY(mutex) = 0;
  bool ends LEKT_GUARDED_BY(mutex) = false;
};

DiskThread::DiskThread(std::size_t bytes_max) : shared_(new Shared{.bytes_max = bytes_max}) {}

DiskThread::~DiskThread() {
  if (!thread_.joinable()) return;
  const bool has_finished = finish(end_patience, end_limit);
  {
    const MutexLock lock(shared_->mutex);
    shared_->ends = true;
    shared_->changed.notify_all();
  }
  has_finished ? thread_.join() : thread_.detach();
}

bool DiskThread::post(std::size_t bytes, Job job) {
  const MutexLock lock(shared_->mutex);
  if (bytes > shared_->bytes_max - std::min(shared_->bytes, shared_->bytes_max)) return false;
  try {
    if (!thread_.joinable()) thread_ = start_without_signals([shared = shared_] { run(*shared); });
    shared_->queue.push_back({bytes, std::move(job)});
  } catch (const std::system_error&) {
    return false;
  } catch (const std::bad_alloc&) {
    return false;
  }
  shared_->bytes += bytes;
  ++shared_->posted;
  shared_->changed.notify_all();
  return true;
}

bool DiskThread::finish(Milliseconds patience, Milliseconds limit) {
  const auto end = std::chrono::steady_clock::now() + limit;
  const MutexLock lock(shared_->mutex);
  const std::uint64_t posted = shared_->posted;
  while (shared_->done < posted) {
    const auto until = std::min(std::chrono::steady_clock::now() + patience, end);
    const std::uint64_t done = shared_->done;
    if (!shared_->changed.wait_until(shared_->mutex, until,
                                     [&]() LEKT_REQUIRES(shared_->mutex) { return shared_->done != done; }))
      return false;
  }
  return true;
}

void DiskThread::run(Shared& shared) {
  const MutexLock lock(shared.mutex);
  while (true) {
    shared.changed.wait(shared.mutex,
                        [&]() LEKT_REQUIRES(shared.mutex) { return shared.ends || !shared.queue.empty(); });
    if (shared.ends) return;
    Shared::Waiting next = std::move(shared.queue.front());
    shared.queue.pop_front();
    {
      const MutexPause pause(shared.mutex);
      next.job();
      next.job = nullptr;
    }
    shared.bytes -= next.bytes;
    ++shared.done;
    shared.changed.notify_all();
  }
}

}  // namespace lekt
