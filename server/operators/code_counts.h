// How often each code of the catalogue was given out: limits that were hit, clients that were refused.
//
// Any thread counts and reads; one thread takes what is new to where operators see it later.
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

  void count(ErrorCode code) { counts_.at(index_of(code)).fetch_add(1, std::memory_order_relaxed); }

  /// The counts above 0 since the process began, ascending by code.
  std::vector<Count> totals() const {
    std::vector<Count> totals;
    for (const ErrorInfo& info : error_catalogue())
      if (const auto count = counts_.at(index_of(info.code)).load(std::memory_order_relaxed))
        totals.push_back({info.code, count});
    return totals;
  }

  /// The counts above 0 since the last call, ascending by code. Only one thread calls it.
  std::vector<Count> take() {
    std::vector<Count> taken;
    for (const Count& total : totals()) {
      std::uint64_t& before = taken_.at(index_of(total.code));
      if (total.count > before) taken.push_back({total.code, total.count - before});
      before = total.count;
    }
    return taken;
  }

 private:
  static std::size_t index_of(ErrorCode code) { return static_cast<std::size_t>(code); }

  static constexpr std::size_t codes = 1000;  // a code has three digits
  std::array<std::atomic<std::uint64_t>, codes> counts_{};
  std::array<std::uint64_t, codes> taken_{};
};

}  // namespace lekt
