// An input that is read as a program: a byte after the other, and stretches of bytes behind their length. Behind the end
// everything is 0 or empty.
#pragma once

#include <algorithm>
#include <cstdint>

#include "common/bytes.h"

namespace lekt::fuzz {

class ByteProgram {
 public:
  explicit ByteProgram(ByteView input) : input_(input) {}

  bool is_over() const { return input_.empty(); }

  std::uint8_t byte() {
    if (input_.empty()) return 0;
    const auto value = static_cast<std::uint8_t>(input_.front());
    input_.remove_prefix(1);
    return value;
  }

  /// As many as the next byte says, or as there are.
  ByteView bytes() { return bytes(byte()); }

  /// As many, or as there are.
  ByteView bytes(std::size_t size) {
    const ByteView taken = input_.substr(0, size);
    input_.remove_prefix(taken.size());
    return taken;
  }

 private:
  ByteView input_;
};

}  // namespace lekt::fuzz
