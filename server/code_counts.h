// How often each code of the catalogue was given out: limits that were hit, clients that were refused.
//
// Any thread counts; one thread takes the counts to where operators see them.
#pragma once

#include <array>
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <vector>

#include "common/errors.h"

namespace lekt {

class CodeCounts {
 public:
  struct Count {
    ErrorCode code;
    std::uint64_t count;
  };

  void count(ErrorCode code) {
    counts_.at(static_cast<std::size_t>(code)).fetch_add(1, std::memory_order_relaxed);
  }

  /// Those above 0 since the last call, ascending by code.
  std::vector<Count> take() {
    std::vector<Count> taken;
    for (const ErrorInfo& info : error_catalogue())
      if (const auto count = counts_.at(static_cast<std::size_t>(info.code)).exchange(0))
        taken.push_back({info.code, count});
    return taken;
  }

 private:
  std::array<std::atomic<std::uint64_t>, 1000> counts_{};  // a code has three digits
};

}  // namespace lekt
