// What the load generator of devices is run against, each a process of its own that serves until SIGTERM or SIGINT and
// says "ready" on standard output when it does.
#pragma once

#include <cstddef>
#include <cstdint>

namespace lekt::bench {

/// The floor: a socket for each of `devices` ports of 127.0.0.1 from `first` on, and one epoll instance. It answers each
/// datagram with its first 24 bytes, which are as many as an acknowledgment has.
void run_device_echo(std::uint16_t first, std::size_t devices);

/// The front of devices, as in lektd, at `contact` of 127.0.0.1, with dedicated ports from `first` to `last`. Instead of a
/// database there is a thread that takes every join. Everybody works on the host at port `host` of 127.0.0.1; 0: there is
/// none.
void run_device_front(std::uint16_t contact, std::uint16_t first, std::uint16_t last, std::uint16_t host);

}  // namespace lekt::bench
