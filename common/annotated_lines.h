// The lines of an annotation: an offset, up to eight bytes, and what they mean. Packets and datagrams are printed alike.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include "common/bytes.h"
#include "common/packets.h"

namespace lekt {

/// Prints bytes in their order, each once. Bytes and text belong to the caller and outlive the lines.
class AnnotatedLines {
 public:
  /// Begins with the byte at `start`.
  AnnotatedLines(ByteView bytes, std::size_t start, std::string& out)
      : bytes_(bytes), printed_(start), out_(out) {}

  /// Prints the bytes between the end of the last item and `end`, with the meaning in the first line. Prints a line
  /// even if there are no bytes. The meaning has no control characters.
  void print_to(std::size_t end, std::string_view meaning);

  /// The end of the last item.
  std::size_t printed() const { return printed_; }

 private:
  ByteView bytes_;
  std::size_t printed_;
  std::string& out_;
};

/// The first item of a packet: "handshake, version 0.0.0".
std::string name_and_version(std::string_view name, const Version& version);

/// The time as " (2026-11-21T01:02:03Z)", to stand behind the number; nothing for 0, for times before 1970 and for a
/// year that does not have four digits.
std::string calendar_text(std::int64_t timestamp);

}  // namespace lekt
