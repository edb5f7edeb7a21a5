// Prints a stream of packets with the meaning of every byte: the quickest way to learn the protocol.
#pragma once

#include <cstdint>
#include <string>

#include "common/bytes.h"
#include "common/catalogue.h"

namespace lekt {

enum class Direction : std::uint8_t {
  detect,     ///< the direction in which more of the bytes make sense
  to_server,  ///< handshake, responses, heartbeats
  to_client,  ///< accept, reject, requests, updates
};

struct Annotation {
  std::string text;  ///< lines that end with a line feed; nothing in them can control a terminal
  Direction direction = Direction::detect;  ///< the one that was used
  std::size_t packets = 0;
  bool complete = false;       ///< all bytes were packets of the protocol
  bool wrong = false;          ///< the last packet breaks a rule; otherwise, if not complete, it is cut off
  std::size_t understood = 0;  ///< bytes of complete packets
};

/// Annotates `bytes`, which begin at the start of a packet (of any phase). One line an item:
///
///     0008  00 00 00 01              number of known methods: 1
///
/// Ends at the first thing that is wrong or missing, and says what it is. Never throws on input, whatever it
/// is.
Annotation annotate(ByteView bytes, Direction direction, const MethodCatalogue& catalogue);

}  // namespace lekt
