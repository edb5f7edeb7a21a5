// Cuts bytes into chunks: how a stream may arrive.
#pragma once

#include <algorithm>
#include <cstdint>

#include "common/bytes.h"

namespace lekt::fuzz {

/// Seed 0: byte by byte. Any other: sizes from 1 to 40 that follow from the seed. For range-based for loops.
class Chunks {
 public:
  Chunks(ByteView bytes, std::uint32_t seed) : bytes_(bytes), seed_(seed) {}

  class Iterator {
   public:
    Iterator(ByteView rest, std::uint32_t seed) : rest_(rest), state_(seed), varies_(seed != 0) { choose(); }

    ByteView operator*() const { return rest_.substr(0, size_); }
    Iterator& operator++() {
      rest_.remove_prefix(size_);
      choose();
      return *this;
    }
    bool operator!=(const Iterator& end) const { return rest_.size() != end.rest_.size(); }

   private:
    void choose() {
      state_ = state_ * 1664525 + 1013904223;
      size_ = std::min<std::size_t>(varies_ ? 1 + (state_ >> 16) % 40 : 1, rest_.size());
    }

    ByteView rest_;
    std::uint32_t state_;
    bool varies_;
    std::size_t size_ = 0;
  };

  Iterator begin() const { return {bytes_, seed_}; }
  Iterator end() const { return {{}, seed_}; }

 private:
  ByteView bytes_;
  std::uint32_t seed_;
};

}  // namespace lekt::fuzz
