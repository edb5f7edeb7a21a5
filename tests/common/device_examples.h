// The golden datagrams: the same bytes as in docs/device-protocol.md (tests/common/documented.h).
#pragma once

#include <ostream>
#include <string>
#include <vector>

#include "common/annotate.h"
#include "common/bytes.h"
#include "common/device_packets.h"

namespace lekt::test {

struct DatagramExample {
  std::string name;
  Direction direction;
  Bytes bytes;  ///< from the hexadecimal in device_examples.cc
  Bytes built;  ///< from the structs, by the writer under test

  /// How GoogleTest names it.
  friend void PrintTo(const DatagramExample& example, std::ostream* out) { *out << example.name; }
};

/// At least one of each datagram.
const std::vector<DatagramExample>& datagram_examples();
const DatagramExample& datagram_example(std::string_view name);

inline constexpr std::uint64_t example_registration = 0x0123456789abcdef;

}  // namespace lekt::test
