#include "client/command/tcp_streams.h"

#include <arpa/inet.h>
#include <netinet/in.h>

#include <algorithm>
#include <array>
#include <map>
#include <optional>
#include <utility>

namespace lekt::command {

namespace {

constexpr std::uint16_t ethertype_ipv4 = 0x0800;
constexpr std::uint16_t ethertype_ipv6 = 0x86dd;
constexpr std::uint8_t flag_syn = 0x02;
constexpr std::uint8_t flag_ack = 0x10;

struct Segment {
  std::string from;
  std::string to;
  std::uint32_t sequence = 0;  ///< the number of its first byte
  bool syn = false;
  bool ack = false;
  ByteView payload;
};

bool is_vlan(std::uint16_t type) { return type == 0x8100 || type == 0x88a8; }

/// The IP packet in a frame; empty if there is none.
ByteView ip_of(ByteView frame, std::uint32_t type) {
  ByteReader reader(frame);
  std::uint16_t carries = ethertype_ipv4;
  switch (type) {
    case link_type::null:
    case link_type::loop:
      reader.take(4);
      break;
    case link_type::ethernet:
      reader.take(12);
      carries = reader.u16();
      while (is_vlan(carries)) {
        reader.take(2);
        carries = reader.u16();
      }
      break;
    case link_type::linux_sll:
      reader.take(14);
      carries = reader.u16();
      break;
    case link_type::linux_sll2:
      carries = reader.u16();
      reader.take(18);
      break;
    case link_type::raw:
    case link_type::raw_bsd:
    case link_type::raw_openbsd:
    case link_type::ipv4:
    case link_type::ipv6:
      break;
    default:
      throw CaptureError("its link type " + std::to_string(type) +
                         " is not known; Ethernet, Linux cooked, loopback and raw IP can be read");
  }
  if (reader.ran_short() || (carries != ethertype_ipv4 && carries != ethertype_ipv6)) return {};
  return frame.substr(reader.consumed());
}

std::string endpoint(int family, ByteView address, std::uint16_t port) {
  std::array<char, INET6_ADDRSTRLEN> text{};
  ::inet_ntop(family, address.data(), text.data(), text.size());
  const std::string name = text.data();
  return (family == AF_INET6 ? "[" + name + "]" : name) + ":" + std::to_string(port);
}

/// The segment that follows the header of IP. `size` is the size that the packet states; the capture may have less,
/// and Ethernet may have padded it to more.
std::optional<Segment> segment_of(int family, ByteView from, ByteView to, ByteView bytes, std::size_t size) {
  bytes = bytes.substr(0, size);
  ByteReader reader(bytes);
  const std::uint16_t port_from = reader.u16();
  const std::uint16_t port_to = reader.u16();
  Segment segment;
  segment.sequence = reader.u32();
  reader.u32();
  const std::size_t header = static_cast<std::size_t>(reader.u8() >> 4) * 4;
  const std::uint8_t flags = reader.u8();
  if (reader.ran_short() || header < 20 || header > bytes.size()) return std::nullopt;
  segment.from = endpoint(family, from, port_from);
  segment.to = endpoint(family, to, port_to);
  segment.syn = (flags & flag_syn) != 0;
  segment.ack = (flags & flag_ack) != 0;
  segment.payload = bytes.substr(header);
  if (segment.syn) ++segment.sequence;
  return segment;
}

std::optional<Segment> segment_of(ByteView packet) {
  ByteReader reader(packet);
  const std::uint8_t first = reader.u8();
  if (first >> 4 == 4) {
    const std::size_t header = static_cast<std::size_t>(first & 0x0f) * 4;
    reader.take(1);
    const std::size_t said = reader.u16();
    reader.take(2);
    const bool is_fragment = (reader.u16() & 0x3fff) != 0;
    reader.take(1);
    const std::uint8_t protocol = reader.u8();
    reader.take(2);
    const ByteView from = reader.take(4);
    const ByteView to = reader.take(4);
    if (reader.ran_short() || is_fragment || protocol != IPPROTO_TCP || header < 20 || header > packet.size())
      return std::nullopt;
    // The length is 0 where the kernel leaves it to a network card that splits packets.
    const std::size_t size = said == 0 ? packet.size() : said;
    if (size < header) return std::nullopt;
    return segment_of(AF_INET, from, to, packet.substr(header), size - header);
  }
  if (first >> 4 != 6) return std::nullopt;
  reader.take(3);
  const std::size_t said = reader.u16();
  const std::uint8_t protocol = reader.u8();
  reader.take(1);
  const ByteView from = reader.take(16);
  const ByteView to = reader.take(16);
  if (reader.ran_short() || protocol != IPPROTO_TCP) return std::nullopt;
  return segment_of(AF_INET6, from, to, packet.substr(reader.consumed()), said == 0 ? packet.size() : said);
}

/// Puts the segments of one direction together.
class Assembly {
 public:
  bool begun() const { return begun_; }
  bool from_start() const { return from_start_; }
  std::uint32_t first_sequence() const { return first_; }

  void add(const Segment& segment) {
    if (!begun_) {
      begun_ = true;
      from_start_ = segment.syn;
      first_ = segment.sequence;
    }
    // Sequence numbers wrap, so the signed distance from the next expected byte tells early bytes from repeated ones.
    const auto distance =
        static_cast<std::int32_t>(segment.sequence - (first_ + static_cast<std::uint32_t>(bytes_.size())));
    ByteView payload = segment.payload;
    if (distance <= 0) {
      const auto known = static_cast<std::size_t>(-static_cast<std::int64_t>(distance));
      if (known >= payload.size()) return;
      bytes_.append(payload.substr(known));
      take_waiting();
    } else if (!payload.empty()) {
      Bytes& waiting = waiting_[bytes_.size() + static_cast<std::size_t>(distance)];
      if (waiting.size() < payload.size()) waiting = payload;
    }
  }

  TcpStream finish(std::string from) {
    TcpStream stream{std::move(from), std::move(bytes_), from_start_, 0, 0};
    if (waiting_.empty()) return stream;
    stream.gap = waiting_.begin()->first - stream.bytes.size();
    std::size_t end = 0;
    for (const auto& [place, bytes] : waiting_) {
      const std::size_t last = place + bytes.size();
      if (last > end) stream.behind_gap += last - std::max(place, end);
      end = std::max(end, last);
    }
    return stream;
  }

 private:
  void take_waiting() {
    while (!waiting_.empty() && waiting_.begin()->first <= bytes_.size()) {
      const auto [place, bytes] = *waiting_.begin();
      waiting_.erase(waiting_.begin());
      const std::size_t known = bytes_.size() - place;
      if (known < bytes.size()) bytes_.append(bytes, known);
    }
  }

  bool begun_ = false;
  bool from_start_ = false;
  std::uint32_t first_ = 0;
  Bytes bytes_;
  std::map<std::size_t, Bytes> waiting_;  ///< bytes that came early, by their place in the stream
};

struct Connection {
  std::string first;
  std::string second;
  bool client_known = false;
  Assembly of_first;
  Assembly of_second;
};

}  // namespace

TcpStreams tcp_streams(const Frames& frames) {
  TcpStreams streams;
  std::vector<Connection> connections;
  std::map<std::pair<std::string, std::string>, std::size_t> by_ends;
  for (const Bytes& frame : frames.frames) {
    const auto segment = segment_of(ip_of(frame, frames.link_type));
    if (!segment) {
      ++streams.frames_skipped;
      continue;
    }
    const auto ends = std::minmax(segment->from, segment->to);
    auto [found, is_new] = by_ends.try_emplace({ends.first, ends.second}, connections.size());
    // Another first sequence number at the same ports is another connection.
    if (!is_new && segment->syn && !segment->ack) {
      Connection& known = connections[found->second];
      Assembly& own = segment->from == known.first ? known.of_first : known.of_second;
      is_new = !own.begun() || !own.from_start() || own.first_sequence() != segment->sequence;
      if (is_new) found->second = connections.size();
    }
    if (is_new) {
      // The answer to a SYN also shows which side has connected.
      const bool reversed = segment->syn && segment->ack;
      connections.push_back({reversed ? segment->to : segment->from,
                             reversed ? segment->from : segment->to,
                             segment->syn,
                             {},
                             {}});
    }
    Connection& connection = connections[found->second];
    (segment->from == connection.first ? connection.of_first : connection.of_second).add(*segment);
  }
  for (Connection& connection : connections)
    streams.connections.push_back({connection.of_first.finish(connection.first),
                                   connection.of_second.finish(connection.second), connection.client_known});
  return streams;
}

}  // namespace lekt::command
