// Prints a stream of packets with the meaning of every byte. It is the quickest way to learn the protocol.
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
  std::string text;  ///< lines, each with its line feed; nothing in them can control a terminal
  Direction direction = Direction::detect;  ///< the direction that was given or detected
  std::size_t packets = 0;
  bool complete = false;       ///< all bytes belonged to packets of the protocol
  bool wrong = false;          ///< the last packet breaks a rule; otherwise, if not complete, it is cut off
  std::size_t understood = 0;  ///< bytes of complete packets
};

/// Annotates `bytes`, which begin at the start of a packet (of any phase). Each item is one line:
///
///     0008  00 00 00 01              number of known methods: 1
///
/// Ends at the first thing that is wrong or missing, and says what it is. Never throws, whatever the input.
Annotation annotate(ByteView bytes, Direction direction, const MethodCatalogue& catalogue);

}  // namespace lekt
