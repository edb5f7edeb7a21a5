// Bytes on the wire: a cursor that reads and cannot overrun, and a writer that appends.
//
// Integers are big-endian (docs/protocol.md, "Everywhere"). Bytes are kept in std::string: it holds up to 15
// of them without using the heap, and SQLite and Protocol Buffers accept it directly.
//
// Neither class throws on input, knows packets, or keeps a reference beyond its own life.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

namespace lekt {

using Bytes = std::string;
using ByteView = std::string_view;

/// The number of zero bytes that align the next item to 4 bytes after `size` bytes.
constexpr std::size_t padding_of(std::size_t size) { return (4 - size % 4) % 4; }
constexpr std::size_t padded(std::size_t size) { return size + padding_of(size); }

/// Reads from a view. When the bytes run out, the reader remembers it instead of reporting it at each step:
/// every later read yields zero or an empty view, and the caller asks ran_short() once, at the end. Invariant:
/// consumed() never exceeds the size given at construction, whatever is called.
class ByteReader {
 public:
  explicit ByteReader(ByteView bytes) : bytes_(bytes) {}

  std::uint8_t u8() { return static_cast<std::uint8_t>(integer<1>()); }
  std::uint16_t u16() { return static_cast<std::uint16_t>(integer<2>()); }
  std::uint32_t u24() { return static_cast<std::uint32_t>(integer<3>()); }
  std::uint32_t u32() { return static_cast<std::uint32_t>(integer<4>()); }
  std::uint64_t u64() { return integer<8>(); }
  std::int32_t i32() { return static_cast<std::int32_t>(integer<4>()); }
  std::int64_t i64() { return static_cast<std::int64_t>(integer<8>()); }

  /// The next `size` bytes, as a view into the input; empty if fewer are left.
  ByteView take(std::size_t size) {
    if (ran_short_ || size > bytes_.size() - position_) {
      ran_short_ = true;
      return {};
    }
    const ByteView taken = bytes_.substr(position_, size);
    position_ += size;
    return taken;
  }

  bool ran_short() const { return ran_short_; }
  std::size_t consumed() const { return position_; }
  std::size_t left() const { return bytes_.size() - position_; }

 private:
  /// Reads a big-endian number; 0 if fewer bytes are left. If the compiler knows the size, it makes this one load.
  template <std::size_t size>
  std::uint64_t integer() {
    const ByteView taken = take(size);
    if (taken.size() != size) return 0;
    std::uint64_t value = 0;
    for (std::size_t index = 0; index < size; ++index)
      value = value << 8 | static_cast<std::uint8_t>(taken.data()[index]);
    return value;
  }

  ByteView bytes_;
  std::size_t position_ = 0;
  bool ran_short_ = false;
};

/// Appends bytes and integers to a string that the caller owns.
class ByteWriter {
 public:
  explicit ByteWriter(Bytes& out) : out_(out) {}

  void u8(std::uint8_t value) { integer(value, 1); }
  void u16(std::uint16_t value) { integer(value, 2); }
  void u24(std::uint32_t value) { integer(value, 3); }
  void u32(std::uint32_t value) { integer(value, 4); }
  void u64(std::uint64_t value) { integer(value, 8); }
  void i32(std::int32_t value) { integer(static_cast<std::uint32_t>(value), 4); }
  void i64(std::int64_t value) { integer(static_cast<std::uint64_t>(value), 8); }
  void bytes(ByteView value) { out_.append(value); }
  void zeros(std::size_t count) { out_.append(count, '\0'); }

 private:
  void integer(std::uint64_t value, int size) {
    std::array<char, 8> bytes;
    for (int index = 0; index < size; ++index)
      bytes[static_cast<std::size_t>(index)] = static_cast<char>(value >> 8 * (size - 1 - index) & 0xff);
    out_.append(bytes.data(), static_cast<std::size_t>(size));
  }

  Bytes& out_;
};

}  // namespace lekt
