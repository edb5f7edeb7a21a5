// What the servers of lekt-device-bench share: sockets on loopback, and the one epoll instance that each of them has.
#pragma once

#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/epoll.h>
#include <sys/socket.h>

#include <cerrno>
#include <cstdint>
#include <cstdio>
#include <system_error>

#include "common/descriptor.h"

namespace lekt::bench {

inline void say_ready() {
  std::puts("ready");
  std::fflush(stdout);
}

inline void expect(bool succeeded) {
  if (!succeeded) throw std::system_error(errno, std::generic_category());
}

inline sockaddr_in loopback(std::uint16_t port) {
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  address.sin_port = htons(port);
  return address;
}

/// `type`: SOCK_DGRAM or SOCK_STREAM.
inline Descriptor bound_socket(int type, std::uint16_t port) {
  Descriptor socket(::socket(AF_INET, type | SOCK_NONBLOCK | SOCK_CLOEXEC, 0));
  expect(socket.is_open());
  const int on = 1;
  // Connections of an earlier run may still fade away.
  if (type == SOCK_STREAM) expect(setsockopt(socket.value(), SOL_SOCKET, SO_REUSEADDR, &on, sizeof on) == 0);
  const sockaddr_in address = loopback(port);
  expect(bind(socket.value(), reinterpret_cast<const sockaddr*>(&address), sizeof address) == 0);
  return socket;
}

inline Descriptor new_epoll() {
  Descriptor epoll(epoll_create1(EPOLL_CLOEXEC));
  expect(epoll.is_open());
  return epoll;
}

/// `key` comes back with its events.
inline void watch(const Descriptor& epoll, const Descriptor& socket, std::uint32_t events,
                  std::uint64_t key) {
  epoll_event event{};
  event.events = events;
  event.data.u64 = key;
  expect(epoll_ctl(epoll.value(), EPOLL_CTL_ADD, socket.value(), &event) == 0);
}

}  // namespace lekt::bench
