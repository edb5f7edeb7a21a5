#include "common/annotate_datagram.h"
#include "common/device_packets.h"
#include "tests/fuzz/fuzzers.h"
#include "tests/support/datagrams.h"

namespace lekt::fuzz {

namespace {

/// Whether the datagram is right in this direction.
bool try_direction(Direction direction, ByteView input) {
  const test::DatagramRoundTrip result = test::round_trip_datagram(direction, input);
  require(test::keeps_the_law(input, result),
          "what is read is written back the same, what is not has a reason");
  const bool is_right = result.encoded.has_value();
  if (is_right) {
    const auto again = test::round_trip_datagram(direction, *result.encoded);
    require(again.encoded == result.encoded, "what is written can be read");
    Bytes acknowledging = *result.encoded;
    set_acknowledged(acknowledging, 0x01020304);
    require(test::round_trip_datagram(direction, acknowledging).encoded == acknowledging,
            "what is acknowledged can be said anew");
  }
  const DatagramAnnotation annotation = annotate_datagram(input, direction);
  require(annotation.complete == is_right, "all that is right is explained, and nothing else");
  require(test::are_plain_lines(annotation.text), "only printable lines come out");
  return is_right;
}

/// The input as the text of a failure.
void try_failure(ByteView input) {
  const std::size_t room = input.empty() ? 0 : static_cast<std::uint8_t>(input.front()) % 64;
  const std::size_t bytes_max = limits::datagram_head_bytes + room;
  const Bytes failure = encode_failure(1, {ErrorCode::host_unreachable, Bytes(input)}, bytes_max);
  require(failure.size() <= bytes_max, "a failure is never larger than it may be");
  require(failure.size() + 3 >= bytes_max || failure.size() == limits::datagram_head_bytes + input.size(),
          "a failure is cut by less than a character");
  require(test::round_trip_datagram(Direction::to_client, failure).encoded == failure,
          "a failure can be read");
}

}  // namespace

void fuzz_datagram(ByteView input) {
  const bool to_server = try_direction(Direction::to_server, input);
  const bool to_device = try_direction(Direction::to_client, input);
  const DatagramAnnotation detected = annotate_datagram(input, Direction::detect);
  require(detected.complete == (to_server || to_device), "the direction is detected that is right");
  require(test::are_plain_lines(detected.text), "only printable lines come out");
  try_failure(input);
}

}  // namespace lekt::fuzz
