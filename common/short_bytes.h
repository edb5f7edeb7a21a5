// Bytes that are short nearly always, and of which there are very many: up to 15 of them take 16 bytes and no heap,
// where Bytes takes 32.
//
// They are set as a whole and then only read. Not synchronized.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <utility>

#include "common/bytes.h"

namespace lekt {

class ShortBytes {
 public:
  static constexpr std::size_t inline_bytes_max = 15;

  ShortBytes() = default;
  /// Copies the bytes; at most 4 GiB.
  explicit ShortBytes(ByteView bytes) {
    if (bytes.size() <= inline_bytes_max) {
      bytes.copy(memory_.data(), bytes.size());
      memory_.back() = static_cast<char>(bytes.size());
      return;
    }
    const Far far{new char[bytes.size()], static_cast<std::uint32_t>(bytes.size())};
    bytes.copy(far.bytes, bytes.size());
    std::memcpy(memory_.data(), &far, far_bytes);
    memory_.back() = far_mark;
  }
  ShortBytes(ShortBytes&& other) noexcept : memory_(std::exchange(other.memory_, {})) {}
  ShortBytes& operator=(ShortBytes&& other) noexcept {
    std::swap(memory_, other.memory_);
    return *this;
  }
  ~ShortBytes() {
    if (is_far()) delete[] far().bytes;
  }

  ByteView view() const {
    return is_far() ? ByteView(far().bytes, far().size)
                    : ByteView(memory_.data(), static_cast<std::uint8_t>(memory_.back()));
  }
  std::size_t size() const { return view().size(); }

 private:
  /// More bytes than fit are on the heap. All but the padding at the end lies in the first bytes of the memory.
  struct Far {
    char* bytes;
    std::uint32_t size;
  };
  static constexpr std::size_t far_bytes = offsetof(Far, size) + sizeof(Far::size);
  static constexpr char far_mark = inline_bytes_max + 1;

  bool is_far() const { return memory_.back() == far_mark; }
  Far far() const {
    Far far{};
    std::memcpy(&far, memory_.data(), far_bytes);
    return far;
  }

  std::array<char, inline_bytes_max + 1>
      memory_{};  ///< the last one: how many of the others are used, or far_mark
};

static_assert(sizeof(ShortBytes) == 16);

}  // namespace lekt
