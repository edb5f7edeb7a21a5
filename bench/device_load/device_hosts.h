// What stands behind a server of devices in a measurement: hosts, and the floor of working on one. Each is a process of its
// own that serves until SIGTERM or SIGINT and says "ready" on standard output when it does.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>

namespace lekt::bench {

/// What a host does beyond greeting with `$` and echoing every byte.
struct HostManners {
  bool floods = false;  ///< writes lines as fast as it can, and reads nothing
  std::string answer;   ///< if there is one, the first bytes of a connection get it in place of an echo
};

/// A host at this port of 127.0.0.1. It knows nothing of telnet, whose commands nobody sends to it unasked.
void run_device_host(std::uint16_t port, const HostManners& manners);

/// The floor of what a server of devices does with a host: for each device a socket at a port of 127.0.0.1 from `first` on
/// and a connection to the host, and one epoll instance. What comes from the one goes to the other as it is.
void run_device_relay(std::uint16_t first, std::size_t devices, std::uint16_t host);

}  // namespace lekt::bench
