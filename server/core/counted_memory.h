// Memory that is counted while it is held, wherever it is freed.
//
// The last holder frees shared memory, on any thread. The count is right all the same: each part carries its own
// share of the count, and takes it along.
#pragma once

#include <atomic>
#include <cstddef>
#include <memory>
#include <utility>

namespace lekt {

/// The bytes of all parts that are held. The count outlives the parts.
using MemoryCount = std::atomic<std::size_t>;

/// One part's share of a count, from its construction to its destruction.
class CountedMemory {
 public:
  CountedMemory() = default;
  CountedMemory(std::shared_ptr<MemoryCount> count, std::size_t bytes)
      : count_(std::move(count)), bytes_(bytes) {
    count_->fetch_add(bytes_, std::memory_order_relaxed);
  }
  ~CountedMemory() {
    if (count_ != nullptr) count_->fetch_sub(bytes_, std::memory_order_relaxed);
  }
  CountedMemory(const CountedMemory&) = delete;
  CountedMemory& operator=(CountedMemory&& other) noexcept {
    std::swap(count_, other.count_);
    std::swap(bytes_, other.bytes_);
    return *this;
  }

  std::size_t bytes() const { return bytes_; }

 private:
  std::shared_ptr<MemoryCount> count_;
  std::size_t bytes_ = 0;
};

}  // namespace lekt
