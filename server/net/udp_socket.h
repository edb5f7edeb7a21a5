// A UDP socket over IPv4 that knows at which of the machine's addresses a datagram came, and answers from that one. A
// device takes answers only from the address that it asked (docs/device-protocol.md).
//
// It never waits. Used by one thread.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>

#include "common/address.h"
#include "common/bytes.h"
#include "common/descriptor.h"
#include "devices/handler_log.h"

namespace lekt {

class UdpSocket {
 public:
  struct Arrival {
    DeviceEndpoint from;
    Address local;      ///< where it came
    ByteView datagram;  ///< a part of the buffer; cut to it if it was longer
  };

  /// Port 0 picks a free one. Throws std::system_error.
  UdpSocket(Address address, std::uint16_t port);

  /// Asks the kernel for a buffer of this size, for a socket to which many come at once. It may give less.
  void ask_for_buffer(int bytes);

  /// The next datagram that waits; nothing when none does.
  std::optional<Arrival> receive(std::span<char> buffer);
  /// False when the kernel does not take it: it is lost then, as on the way.
  bool send(Address local, const DeviceEndpoint& to, ByteView datagram);

  std::uint16_t port() const { return port_; }
  int descriptor() const { return descriptor_.value(); }

 private:
  Descriptor descriptor_;
  std::uint16_t port_ = 0;
};

}  // namespace lekt
