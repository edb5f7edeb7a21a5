// The golden packets: the same bytes as in docs/protocol.md, whose examples are `lekt decode`'s own output
// (tests/common/documented.h).
#pragma once

#include <ostream>
#include <string>
#include <string_view>
#include <vector>

#include "common/annotate.h"
#include "common/bytes.h"
#include "common/packets.h"
#include "tests/support/round_trip.h"

namespace lekt::test {

struct Example {
  std::string name;
  PacketForm form;
  Bytes bytes;             ///< from the hexadecimal in examples.cc
  Bytes built;             ///< from the packet's struct, by the writer under test
  Features features = {};  ///< in force

  Direction direction() const { return from_server(form) ? Direction::to_client : Direction::to_server; }
  ReadContext context() const;

  /// How GoogleTest names it.
  friend void PrintTo(const Example& example, std::ostream* out) { *out << example.name; }
};

/// One of each packet and of each form of information.
const std::vector<Example>& packet_examples();

/// The first conversation of the document: what one side sent, from its first packet on.
Bytes conversation_to_server();
Bytes conversation_to_client();

}  // namespace lekt::test
