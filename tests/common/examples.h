// The golden packets: the same bytes as in docs/protocol.md, whose examples are `lekt decode`'s own output.
//
// A document's example is a fenced block whose info string is "text NAME"; NAME is the example's name here.
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
  Bytes bytes;  ///< from the hexadecimal in examples.cc
  Bytes built;  ///< from the packet's struct, by the writer under test

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

/// The document's example `name`, as it stands there. Throws std::runtime_error when there is none.
std::string documented_example(std::string_view name);
/// The names of all examples in the document.
std::vector<std::string> documented_example_names();

/// The bytes of an annotated example: its column of hexadecimal.
Bytes bytes_of_annotation(std::string_view text);

}  // namespace lekt::test
