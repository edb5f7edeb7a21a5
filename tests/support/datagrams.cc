#include "tests/support/datagrams.h"

#include <algorithm>
#include <stdexcept>
#include <vector>

#include "common/device_packets.h"
#include "common/printable.h"

namespace lekt::test {

namespace {

template <class Bodies>
DatagramRoundTrip copy_datagram(const std::optional<DatagramHead>& head,
                                BodyOrFault<Bodies> (*read)(const DatagramHead&, ByteView),
                                ByteView datagram) {
  DatagramRoundTrip result;
  result.has_head = head.has_value();
  if (!head) return result;
  const auto body = read(*head, datagram);
  if (const auto* fault = std::get_if<std::string>(&body))
    result.fault = *fault;
  else
    result.encoded =
        std::visit([&](const auto& one) { return encode_datagram(*head, one); }, std::get<Bodies>(body));
  return result;
}

/// A datagram with zeros where nobody looks: in C, in G, and behind the port in P.
Bytes without_filler(ByteView datagram) {
  Bytes bytes(datagram);
  if (bytes.size() <= limits::datagram_head_bytes) return bytes;
  const auto type = static_cast<DatagramType>(bytes[4]);
  const auto from = type == DatagramType::connection_request     ? limits::datagram_head_bytes
                    : type == DatagramType::registration_request ? limits::datagram_head_bytes + sizeof(Token)
                                                                 : bytes.size();
  std::fill(bytes.begin() + static_cast<std::ptrdiff_t>(std::min(from, bytes.size())), bytes.end(), '\0');
  if (type == DatagramType::connection_accept && bytes.size() >= 28) bytes[26] = bytes[27] = '\0';
  return bytes;
}

}  // namespace

DatagramRoundTrip round_trip_datagram(Direction direction, ByteView datagram) {
  if (direction == Direction::to_server)
    return copy_datagram(read_head_to_server(datagram), read_body_to_server, datagram);
  if (direction == Direction::to_client)
    return copy_datagram(read_head_to_device(datagram), read_body_to_device, datagram);
  throw std::invalid_argument("a datagram is read by one side");
}

DatagramRoundTrip round_trip_datagram_guarded(Direction direction, ByteView datagram) {
  const std::vector<char> copy(datagram.begin(), datagram.end());
  return round_trip_datagram(direction, {copy.data(), copy.size()});
}

bool keeps_the_law(ByteView datagram, const DatagramRoundTrip& result) {
  if (result.encoded)
    return result.has_head && result.fault.empty() && *result.encoded == without_filler(datagram);
  return !result.has_head || (!result.fault.empty() && is_plain_text(result.fault));
}

bool are_plain_lines(std::string_view text) {
  while (!text.empty()) {
    const std::size_t end = text.find('\n');
    if (end == text.npos || !is_plain_text(text.substr(0, end))) return false;
    text.remove_prefix(end + 1);
  }
  return true;
}

}  // namespace lekt::test
