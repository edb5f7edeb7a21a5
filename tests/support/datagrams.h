// Reads one datagram of a device session and writes it again: what its tests and its fuzzer ask of every input.
//
// The law: what is read is written back byte by byte, but for bytes that nobody looks at, which are zeros then.
#pragma once

#include <optional>
#include <string>

#include "common/annotate.h"
#include "common/bytes.h"

namespace lekt::test {

struct DatagramRoundTrip {
  bool has_head = false;         ///< otherwise it is a datagram that gets no answer
  std::string fault;             ///< of the body; empty if none
  std::optional<Bytes> encoded;  ///< if it is right
};

/// As the receiving side reads it; Direction::detect is none.
DatagramRoundTrip round_trip_datagram(Direction direction, ByteView datagram);

/// The same, on a copy that ends where its memory ends: a sanitizer sees every read beyond it.
DatagramRoundTrip round_trip_datagram_guarded(Direction direction, ByteView datagram);

/// Whether the result keeps the law for `datagram`, and a body that is wrong has a reason of one line.
bool keeps_the_law(ByteView datagram, const DatagramRoundTrip& result);

/// Whether a text is lines that each end with a line feed and can do nothing to a terminal.
bool are_plain_lines(std::string_view text);

}  // namespace lekt::test
