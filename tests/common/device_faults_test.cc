// Everything that can be wrong with a datagram of a device session, a line each: what nobody answers, and what is a fault
// of the body, with the words in which it is told. What is wrong with single items is in device_items_test.cc.
#include <gtest/gtest.h>

#include "common/device_packets.h"
#include "common/text.h"
#include "tests/common/device_examples.h"
#include "tests/support/datagrams.h"
#include "tests/support/support.h"

namespace lekt {
namespace {

using test::datagram_example;
using test::datagram_examples;
using test::DatagramExample;
using test::hex;

/// A change of an example's bytes: at a place, from the end on, or of its length.
struct Change {
  std::size_t at;
  const char* digits;                    ///< written over what is there
  std::size_t size = std::string::npos;  ///< then it is cut to this size, or filled up with zeros
};

Bytes changed(std::string_view example, const Change& change) {
  Bytes bytes = datagram_example(example).bytes;
  const Bytes written = hex(change.digits);
  bytes.replace(change.at, written.size(), written);
  if (change.size != std::string::npos) bytes.resize(change.size);
  return bytes;
}

/// "nothing" for a datagram that gets no answer, "right", or what is wrong with the body.
std::string judged(Direction direction, const Bytes& datagram) {
  const auto result = test::round_trip_datagram_guarded(direction, datagram);
  if (!result.has_head) return "nothing";
  return result.encoded ? "right" : result.fault;
}

struct WrongDatagram {
  const char* example;
  Change change;
  const char* judgement;
};

TEST(DeviceFaults, of_the_head_get_nothing) {
  for (const DatagramExample& example : datagram_examples()) {
    const Change changes[] = {
        {0, "00"},                // LEKT
        {3, "74"},                // "LEKt"
        {4, "00"},                // type
        {4, "48"},                // 'H', which is no datagram
        {4, "5a"},                // 'Z'
        {8, "0000000000000000"},  // registration 0
        {0, "", 0},               // nothing at all
        {0, "", 4},
        {0, "", 23},
        {0, "", limits::datagram_bytes_max + 1},
    };
    for (const Change& change : changes)
      EXPECT_EQ(judged(example.direction, changed(example.name, change)), "nothing")
          << example.name << " " << change.at << " " << change.digits;
  }
}

TEST(DeviceFaults, of_a_number_get_nothing) {
  for (const DatagramExample& example : datagram_examples()) {
    const bool is_numbered = std::string_view("QDSEMF").find(example.bytes[4]) != std::string_view::npos;
    const Bytes other = changed(example.name, {16, is_numbered ? "00000000" : "00000001"});
    EXPECT_EQ(judged(example.direction, other), "nothing") << example.name;
    if (is_numbered) {
      EXPECT_EQ(judged(example.direction, changed(example.name, {16, "ffffffff"})), "right") << example.name;
    }
  }
}

TEST(DeviceFaults, of_the_direction_get_nothing) {
  for (const DatagramExample& example : datagram_examples()) {
    const char type = example.bytes[4];
    if (type == 'M' || type == 'N') continue;
    const Direction other =
        example.direction == Direction::to_server ? Direction::to_client : Direction::to_server;
    EXPECT_EQ(judged(other, example.bytes), "nothing") << example.name;
  }
}

TEST(DeviceFaults, of_the_size_of_a_request_get_nothing) {
  for (const char* example : {"connection_request", "registration_request"})
    for (const std::size_t size : {24u, 40u, 63u, 65u, 1152u})
      EXPECT_EQ(judged(Direction::to_server, changed(example, {0, "", size})), "nothing") << example << size;
}

TEST(DeviceFaults, of_the_size_of_an_acknowledgment_or_a_bye_get_nothing) {
  for (const char* example : {"acknowledgment", "bye"})
    for (const std::size_t size : {25u, 64u, 1152u})
      EXPECT_EQ(judged(Direction::to_server, changed(example, {0, "", size})), "nothing") << example << size;
}

TEST(DeviceFaults, of_bodies_are_told) {
  const WrongDatagram table[] = {
      {"connection_accept", {0, "", 43}, "the datagram is cut off: it has 43 bytes"},
      {"connection_accept", {0, "", 24}, "the datagram is cut off: it has 24 bytes"},
      {"connection_accept", {0, "", 45}, "the datagram has 45 bytes; \"connection accept (2)\" has 44"},
      {"connection_accept", {24, "0000"}, "the port is 0; 1 to 65535 would be right"},
      {"registration_accept", {0, "", 25}, "the datagram has 25 bytes; \"registration accept (4)\" has 24"},
      {"get_device_config", {0, "", 28}, "the datagram has 28 bytes; \"getDeviceConfig (5)\" has 24"},
      {"device_config", {0, "", 39}, "the datagram is cut off: it has 39 bytes"},
      {"device_config", {40, "1f"}, "byte 0 of the string is 0x1f; 0x20 to 0x7e would be right"},
      {"device_config", {42, "7f"}, "byte 2 of the string is 0x7f; 0x20 to 0x7e would be right"},
      {"device_config", {154, "c3"}, "byte 114 of the string is 0xc3; 0x20 to 0x7e would be right"},
      {"device_config", {40, "00", 41}, "byte 0 of the string is 0x00; 0x20 to 0x7e would be right"},
      {"device_config", {0, "", 24 + 16 + 1025}, "the string has 1025 bytes; at most 1024 would be right"},
      {"set_device_config", {0, "", 43}, "the datagram is cut off: it has 43 bytes"},
      {"set_device_config", {0, "", 45}, "the rules have 1 byte; a multiple of 8 would be right"},
      {"set_device_config", {0, "", 75}, "the rules have 31 bytes; a multiple of 8 would be right"},
      {"set_time", {0, "", 39}, "the datagram is cut off: it has 39 bytes"},
      {"set_time", {0, "", 41}, "the datagram has 41 bytes; \"espSetTime (8)\" has 40"},
      {"set_time", {32, "000003e8"}, "the time has 1000 milliseconds; 0 to 999 would be right"},
      {"set_time", {32, "ffffffff"}, "the time has 4294967295 milliseconds; 0 to 999 would be right"},
      {"set_time", {36, "00015181"}, "the zone is 86401; -86400 to 86400 would be right"},
      {"set_time", {36, "fffeae7f"}, "the zone is -86401; -86400 to 86400 would be right"},
      {"set_time", {36, "80000000"}, "the zone is -2147483648; -86400 to 86400 would be right"},
      {"screen", {24, "00"}, "an item of kind 0 came; 1 to 6 would be right"},
      {"screen", {0, "", 78}, "the item \"cursor\" is cut off by the end of the datagram"},
      {"screen", {78, "02"}, "shown 2 came in the item \"cursor\"; 0 or 1 would be right"},
      {"input", {0, "", 27}, "the datagram is cut off: it has 27 bytes"},
      {"input", {28, "04"}, "an item of kind 4 came; 1 to 3 would be right"},
      {"input", {0, "", 39}, "the item \"chord\" is cut off by the end of the datagram"},
  };
  for (const auto& [example, change, judgement] : table)
    EXPECT_EQ(judged(datagram_example(example).direction, changed(example, change)), judgement) << example;
}

TEST(DeviceFaults, are_none_where_nobody_looks_or_a_value_is_at_its_edge) {
  const std::pair<const char*, Change> table[] = {
      {"connection_request", {5, "ffffff"}},     // version and EXTRA
      {"connection_request", {20, "ffffffff"}},  // acknowledged
      {"connection_request", {24, "ff"}},        // the zeros
      {"connection_request", {63, "ff"}},
      {"registration_request", {40, "ff"}},
      {"connection_accept", {26, "ffff"}},  // behind the port
      {"device_config", {40, "20"}},
      {"device_config", {40, "7e"}},
      {"device_config", {0, "", 40}},           // no string: unusable, and not malformed
      {"set_device_config", {0, "", 44}},       // no rule
      {"set_device_config", {44, "ffffffff"}},  // a rule that nobody knows
      {"set_time", {24, "8000000000000000"}},
      {"set_time", {32, "000003e7"}},
      {"set_time", {36, "00015180"}},
      {"set_time", {36, "fffeae80"}},
      {"failure_that_ends", {24, "ff00"}},  // a text that is no UTF-8
      {"acknowledgment", {20, "ffffffff"}},
      {"bye", {7, "01"}},  // EXTRA
  };
  for (const auto& [example, change] : table)
    EXPECT_EQ(judged(datagram_example(example).direction, changed(example, change)), "right")
        << example << " " << change.at;
}

}  // namespace
}  // namespace lekt
