// The newest rejects, for the operator who asks why a client is not served. Bounded; any thread.
#pragma once

#include <cstddef>
#include <deque>
#include <optional>
#include <string>
#include <vector>

#include "common/block.h"
#include "common/errors.h"
#include "common/mutex.h"
#include "server/operators/clock.h"
#include "server/operators/status.h"

namespace lekt {

class RecentRejects {
 public:
  static constexpr std::size_t kept_max = 1000;

  /// Adds a reject. `peer` is how the address is shown; for a client that uses IPv6, it is the only name.
  void note(Address address, const std::string& peer, const Rejection& rejection) {
    const MutexLock lock(mutex_);
    if (rejects_.size() == kept_max) rejects_.pop_front();
    rejects_.push_back({wall_seconds(), address, rejection.code, rejection.message, peer});
  }

  /// The newest rejects first, of the given addresses or of all.
  std::vector<RejectStatus> list(const std::optional<Block>& block, std::size_t count_max) const {
    const MutexLock lock(mutex_);
    std::vector<RejectStatus> found;
    for (auto reject = rejects_.rbegin(); reject != rejects_.rend() && found.size() < count_max; ++reject)
      if (!block || block->contains(reject->address)) found.push_back(*reject);
    return found;
  }

 private:
  mutable Mutex mutex_;
  std::deque<RejectStatus> rejects_ LEKT_GUARDED_BY(mutex_);
};

}  // namespace lekt
