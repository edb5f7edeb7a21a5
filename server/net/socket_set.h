// Which of many sockets have something to read: an epoll of their own, behind one descriptor of an io_context.
//
// Asio arms a descriptor anew for each datagram that is waited for, which is one system call more than the datagram
// takes. Here the thousand ports of devices are armed once, and Asio waits for the set.
//
// Used by one thread.
#pragma once

#include <sys/epoll.h>

#include <array>
#include <asio/io_context.hpp>
#include <asio/posix/stream_descriptor.hpp>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <span>

namespace lekt {

class SocketSet {
 public:
  /// How many sockets are given out at once.
  static constexpr std::size_t ready_max = 64;

  /// Throws std::system_error.
  explicit SocketSet(asio::io_context& io);

  /// Adds a socket, which take_ready() gives back by its key as long as something waits in it. A closed socket is no
  /// longer in the set. Throws std::system_error.
  void add(int socket, std::uint32_t key);

  /// Calls `ready` once when some socket has something to read; never when the set ends before.
  void wait(std::function<void()> ready);

  /// The keys of sockets in which something waits; valid until the next call.
  std::span<const std::uint32_t> take_ready();

 private:
  asio::posix::stream_descriptor epoll_;
  std::array<epoll_event, ready_max> events_{};
  std::array<std::uint32_t, ready_max> keys_{};
};

}  // namespace lekt
