// Bytes to be sent: small packets, copied, between stretches of shared bytes that were encoded once.
//
// An Output owns its copies and refers to shared bytes without owning them. Code that keeps an Output beyond the
// moment in which it was filled must also keep the ChangeView that the bytes belong to. One thread.
#pragma once

#include <cstddef>
#include <vector>

#include "common/bytes.h"

namespace lekt {

class Output {
 public:
  /// The end of the output, to append copied bytes to. The reference holds until another member is called.
  Bytes& copied() { return copied_; }

  /// Appends shared bytes, which the caller keeps alive.
  void share(ByteView bytes) {
    if (bytes.empty()) return;
    seal();
    parts_.push_back({bytes.data(), 0, bytes.size()});
    size_shared_ += bytes.size();
  }

  std::size_t size() const { return copied_.size() + size_shared_; }
  bool only_copies() const { return parts_.empty(); }

  void clear() {
    copied_.clear();
    parts_.clear();
    sealed_ = 0;
    size_shared_ = 0;
  }

  /// Calls take(ByteView) for every stretch in order, skipping the first `skip` bytes, until it returns
  /// false.
  template <class Take>
  void each(std::size_t skip, Take&& take) {
    seal();
    for (const Part& part : parts_) {
      if (skip >= part.size) {
        skip -= part.size;
        continue;
      }
      const char* data = part.shared != nullptr ? part.shared : copied_.data() + part.offset;
      if (!take(ByteView(data + skip, part.size - skip))) return;
      skip = 0;
    }
  }

  /// Replaces `bytes` by a copy of at most `most` bytes after the first `skip` ones.
  void copy(std::size_t skip, std::size_t most, Bytes& bytes) {
    bytes.clear();
    each(skip, [&](ByteView part) {
      bytes.append(part.substr(0, most - bytes.size()));
      return bytes.size() < most;
    });
  }

 private:
  struct Part {
    const char* shared;  ///< null: a stretch of copied_
    std::size_t offset;
    std::size_t size;
  };

  void seal() {
    if (sealed_ == copied_.size()) return;
    parts_.push_back({nullptr, sealed_, copied_.size() - sealed_});
    sealed_ = copied_.size();
  }

  Bytes copied_;
  std::vector<Part> parts_;
  std::size_t sealed_ = 0;       ///< copied_ up to here has its parts
  std::size_t size_shared_ = 0;  ///< bytes in shared parts
};

/// The whole output as one string; for tests and tools.
inline Bytes flatten(Output& output) {
  Bytes bytes;
  output.each(0, [&](ByteView part) {
    bytes.append(part);
    return true;
  });
  return bytes;
}

}  // namespace lekt
