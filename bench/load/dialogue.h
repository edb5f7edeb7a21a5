// What a client says to each kind of server, and what it expects to hear.
//
//     lekt        join: handshake, response; beat: heartbeat
//     floor       the same, answered by a server that only repeats bytes (floor.cc)
//     redis       join: SET and XADD, but nothing when it then beats; beat: XREAD from an id
//     etcd        join: nothing; beat: range with a lowest revision, through the HTTP gateway
//     mosquitto   join: CONNECT; no beat
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "bench/load/reply.h"
#include "common/address.h"
#include "common/bytes.h"

namespace lekt::bench {

enum class Peer : std::uint8_t { lekt, floor, redis, etcd, mosquitto };

struct Exchange {
  Bytes request;
  ReplyForm reply;
};

class Dialogue {
 public:
  /// `from`: where a beat continues: an id of Redis's stream, a revision of etcd. LEKT's clients keep their
  /// own timestamps.
  Dialogue(Peer peer, std::string from);

  /// What a client of this address says before it is there, in order.
  std::vector<Exchange> joining(Address address) const;
  /// Asks what has changed.
  Exchange beat(std::int64_t timestamp) const;

 private:
  Peer peer_;
  std::string from_;
  Exchange beat_;
};

/// The port that clients of the benchmark offer.
inline constexpr std::uint16_t offered_port = 7890;

}  // namespace lekt::bench
