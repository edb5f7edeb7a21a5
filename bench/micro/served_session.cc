#include "bench/micro/served_session.h"

#include <array>
#include <cassert>

#include "common/packets.h"

namespace lekt::bench {

namespace {

/// As in server/net/connection.cc: what goes into one system call, and when pipelined answers are sent.
constexpr std::size_t gather_max = 64;
constexpr std::size_t output_bytes_max = 16 * 1024;

/// No time passes; what would be too fast is answered all the same.
constexpr AwakeTime now(1000);

/// Keeps the compiler from leaving out what nobody reads.
template <class Value>
void use(const Value& value) {
  asm volatile("" : : "g"(&value) : "memory");
}

}  // namespace

ServedSession::ServedSession(const PublishedView& published)
    : reader_(published), member_(1, Address::v4(0x0affffff), rules_, now) {
  const Bytes handshake = encode(HandshakePacket{});
  ByteView input = handshake;
  member_.begin();
  [[maybe_unused]] const Session::Action action = member_.next(input, now, output_.copied());
  assert(action.kind == Session::Action::Kind::join);
  member_.joined(reader_.view()->closing() + 1, now, output_.copied());
}

std::size_t ServedSession::receive(ByteView input) {
  std::size_t gathered = 0;
  output_.clear();
  reader_.refresh();
  for (;;) {
    const Session::Action action = member_.next(input, now, output_.copied());
    if (action.kind != Session::Action::Kind::answer) return gathered + gather();
    (void)member_.answer(action.timestamp, *reader_.view(), settings_, now, output_);
    if (output_.only_copies() && output_.size() < output_bytes_max) continue;
    gathered += gather();
    output_.clear();
  }
}

/// What send_from() does around each system call, with a socket that takes everything.
std::size_t ServedSession::gather() {
  std::size_t sent = 0;
  while (sent < output_.size()) sent += output_.only_copies() ? gather_copies(sent) : gather_parts(sent);
  return sent;
}

std::size_t ServedSession::gather_copies(std::size_t sent) {
  const ByteView part = ByteView(output_.copied()).substr(sent);
  use(part);
  return part.size();
}

std::size_t ServedSession::gather_parts(std::size_t sent) {
  std::array<ByteView, gather_max> parts;
  std::size_t count = 0;
  std::size_t size = 0;
  output_.each(sent, [&](ByteView part) {
    parts[count++] = part;
    size += part.size();
    return count < parts.size();
  });
  use(parts);
  return size;
}

Bytes heartbeat(std::int64_t timestamp) {
  HeartbeatPacket packet;
  packet.timestamp = timestamp;
  return encode(packet);
}

}  // namespace lekt::bench
