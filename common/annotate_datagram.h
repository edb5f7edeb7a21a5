// Explains one datagram of a device session, byte by byte, in the form of common/annotate.h.
#pragma once

#include <cstddef>
#include <string>

#include "common/annotate.h"
#include "common/bytes.h"

namespace lekt {

struct DatagramAnnotation {
  std::string text;  ///< lines, each with its line feed; nothing in them can control a terminal
  /// The direction that was given or detected; to_client means towards the device. It stays `detect` if the
  /// datagram does not tell: an acknowledgment looks the same in both directions.
  Direction direction = Direction::detect;
  std::size_t understood = 0;  ///< bytes before what is wrong
  bool complete = false;       ///< every byte has its meaning, and no rule is broken
};

/// Annotates a datagram; `index` is its number in the headline, from 1. Never throws, whatever the bytes are.
DatagramAnnotation annotate_datagram(ByteView datagram, Direction direction, std::size_t index = 1);

}  // namespace lekt
