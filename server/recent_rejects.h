// The newest rejects, for the operator who asks why a client is not served. Bounded; any thread.
#pragma once

#include <cstddef>
#include <deque>
#include <mutex>
#include <optional>
#include <vector>

#include "common/cidr.h"
#include "common/errors.h"
#include "server/status.h"
#include "server/time.h"

namespace lekt {

class RecentRejects {
 public:
  static constexpr std::size_t kept_max = 1000;

  void note(Ipv4Address address, const Rejection& rejection) {
    const std::lock_guard lock(mutex_);
    if (rejects_.size() == kept_max) rejects_.pop_front();
    rejects_.push_back({wall_seconds(), address, rejection.code, rejection.message});
  }

  /// The newest first; of these addresses, or of all.
  std::vector<RejectStatus> list(const std::optional<Cidr>& block, std::size_t count_max) const {
    const std::lock_guard lock(mutex_);
    std::vector<RejectStatus> found;
    for (auto reject = rejects_.rbegin(); reject != rejects_.rend() && found.size() < count_max; ++reject)
      if (!block || block->contains(reject->address)) found.push_back(*reject);
    return found;
  }

 private:
  mutable std::mutex mutex_;
  std::deque<RejectStatus> rejects_;
};

}  // namespace lekt
