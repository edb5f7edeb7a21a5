// Work that may wait for a disk, or for the reader of a pipe, on a thread of its own. Who has such work never
// waits for it.
//
// Jobs are carried out one after the other, in the order in which they came. Each says how many bytes it keeps
// in memory; one that does not fit in with those that wait is refused. A job owns all that it uses: when one of
// them hangs at the end, it is left behind with its thread, and those behind it are never carried out.
//
// The lock is held for some instructions.
#pragma once

#include <chrono>
#include <cstddef>
#include <functional>
#include <memory>
#include <thread>
#include <utility>

namespace lekt {

class DiskThread {
 public:
  using Milliseconds = std::chrono::milliseconds;
  using Job = std::function<void()>;

  static constexpr std::size_t queue_bytes_max = 8 * 1024 * 1024;

  /// The thread is started with the first job.
  explicit DiskThread(std::size_t bytes_max = queue_bytes_max);
  /// Waits as finish() does: for a job that hangs some hundred milliseconds, and a second at most.
  ~DiskThread();
  DiskThread(const DiskThread&) = delete;
  DiskThread& operator=(const DiskThread&) = delete;

  // ---- From any thread ----

  /// False when it does not fit, or the thread cannot be started; then the job is dropped.
  bool post(std::size_t bytes, Job job);
  /// A small one, of which there are few, has room always.
  bool post_last(Job job) { return post(0, std::move(job)); }
  /// Waits until all earlier jobs are done. Gives up, with false, when no job has ended for `patience`, or
  /// `limit` is over.
  bool finish(Milliseconds patience, Milliseconds limit);

 private:
  struct Shared;
  static void run(Shared& shared);

  const std::shared_ptr<Shared> shared_;  ///< with the thread, which may outlive this
  std::thread thread_;
};

}  // namespace lekt
