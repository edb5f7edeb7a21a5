// The newest view of the change log, behind one version number.
//
// The writer publishes; each worker keeps a copy of the pointer, and compares a number to see whether it is the
// newest. So an unchanged heartbeat reads one shared number and takes no lock. A worker takes the lock once for each
// publication.
//
// Guarantee: a thread that begins to look after publish() has returned sees that view or a later one. The writer
// completes joins after publishing, so nobody can hear of a join from its client before the server would tell it.
//
// The version is sequentially consistent: a thread that asks to be woken by the next view (Worker::view_was_published())
// and then finds no newer one is certain to be woken.
#pragma once

#include <atomic>
#include <cstdint>
#include <memory>
#include <utility>

#include "common/mutex.h"
#include "server/core/change_view.h"

namespace lekt {

class PublishedView {
 public:
  using Pointer = std::shared_ptr<const ChangeView>;

  explicit PublishedView(Pointer view) : view_(std::move(view)) {}

  /// Publishes a view. Only the writer's thread calls it.
  void publish(Pointer view) {
    // The old view may be the last reference to large pieces: it is released outside the lock.
    const MutexLock lock(mutex_);
    view_.swap(view);
    version_.fetch_add(1);
  }

  /// One thread's copy of the pointer.
  class Reader {
   public:
    explicit Reader(const PublishedView& published) : published_(published) { take(); }

    /// Looks for a newer view. A view that view() returned before may be gone then.
    void refresh() {
      if (published_.version_.load() != version_) take();
    }
    const Pointer& view() const { return view_; }

   private:
    void take() {
      const MutexLock lock(published_.mutex_);
      version_ = published_.version_.load(std::memory_order_relaxed);
      view_ = published_.view_;
    }

    const PublishedView& published_;
    std::uint64_t version_ = 0;
    Pointer view_;
  };

 private:
  mutable Mutex mutex_;
  std::atomic<std::uint64_t> version_{1};
  Pointer view_ LEKT_GUARDED_BY(mutex_);
};

}  // namespace lekt
