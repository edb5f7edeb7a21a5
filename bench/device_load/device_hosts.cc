#include "bench/device_load/device_hosts.h"

#include <netinet/tcp.h>

#include <array>
#include <string>
#include <unordered_map>
#include <utility>
#include <vector>

#include "bench/device_load/bench_sockets.h"

namespace lekt::bench {

namespace {

constexpr int waiting_guests_max = 4096;
constexpr std::size_t flood_bytes = 64 * 1024;

void send_at_once(const Descriptor& socket) {
  const int on = 1;
  expect(setsockopt(socket.value(), IPPROTO_TCP, TCP_NODELAY, &on, sizeof on) == 0);
}

/// A listing, as programs write it.
std::string flood_lines() {
  std::string lines;
  for (std::size_t number = 0; lines.size() < flood_bytes; ++number)
    lines += std::to_string(number * 7919) + "  article in rack " + std::to_string(number % 97) +
             ", not counted yet\r\n";
  return lines;
}

/// A host and those that are connected to it.
class Host {
 public:
  Host(std::uint16_t port, const HostManners& manners)
      : manners_(manners), epoll_(new_epoll()), listener_(bound_socket(SOCK_STREAM, port)) {
    if (manners.floods) lines_ = flood_lines();
    expect(listen(listener_.value(), waiting_guests_max) == 0);
    watch(epoll_, listener_, EPOLLIN, static_cast<std::uint64_t>(listener_.value()));
  }

  void turn() {
    std::array<epoll_event, 64> events;
    const int count = epoll_wait(epoll_.value(), events.data(), events.size(), -1);
    for (int index = 0; index < count; ++index) {
      const int ready = static_cast<int>(events[static_cast<std::size_t>(index)].data.u64);
      if (ready == listener_.value())
        accept_guest();
      else if (!serve(guests_.at(ready)))
        guests_.erase(ready);
    }
  }

 private:
  struct Guest {
    Descriptor socket;
    bool is_answered = false;
    std::size_t line = 0;  ///< where the flood goes on
  };

  void accept_guest() {
    Descriptor socket(accept4(listener_.value(), nullptr, nullptr, SOCK_NONBLOCK | SOCK_CLOEXEC));
    if (!socket.is_open()) return;
    send_at_once(socket);
    ::send(socket.value(), "$", 1, MSG_NOSIGNAL);
    const int number = socket.value();
    watch(epoll_, socket, manners_.floods ? EPOLLOUT : EPOLLIN, static_cast<std::uint64_t>(number));
    guests_.emplace(number, Guest{std::move(socket)});
  }

  /// False when the guest has left.
  bool serve(Guest& guest) {
    if (manners_.floods) return flood(guest);
    const ssize_t size = recv(guest.socket.value(), buffer_.data(), buffer_.size(), 0);
    if (size <= 0) return size < 0 && errno == EAGAIN;
    if (!manners_.answer.empty() && !std::exchange(guest.is_answered, true))
      return ::send(guest.socket.value(), manners_.answer.data(), manners_.answer.size(), MSG_NOSIGNAL) > 0;
    return ::send(guest.socket.value(), buffer_.data(), static_cast<std::size_t>(size), MSG_NOSIGNAL) == size;
  }

  bool flood(Guest& guest) {
    const ssize_t size =
        ::send(guest.socket.value(), lines_.data() + guest.line, lines_.size() - guest.line, MSG_NOSIGNAL);
    if (size < 0) return errno == EAGAIN;
    guest.line = (guest.line + static_cast<std::size_t>(size)) % lines_.size();
    return true;
  }

  const HostManners& manners_;
  std::string lines_;
  Descriptor epoll_;
  Descriptor listener_;
  std::unordered_map<int, Guest> guests_;
  std::array<char, 4096> buffer_;
};

/// A device of the relay, whose address is that of its last datagram.
struct Relayed {
  Descriptor device;
  Descriptor host;
  sockaddr_in address{};
};

void relay_to_host(Relayed& relayed, std::array<char, 2048>& buffer) {
  socklen_t size_of_address = sizeof relayed.address;
  const ssize_t size = recvfrom(relayed.device.value(), buffer.data(), buffer.size(), 0,
                                reinterpret_cast<sockaddr*>(&relayed.address), &size_of_address);
  if (size > 0) ::send(relayed.host.value(), buffer.data(), static_cast<std::size_t>(size), MSG_NOSIGNAL);
}

void relay_to_device(const Relayed& relayed, std::array<char, 2048>& buffer) {
  const ssize_t size = recv(relayed.host.value(), buffer.data(), buffer.size(), 0);
  if (size > 0)
    sendto(relayed.device.value(), buffer.data(), static_cast<std::size_t>(size), 0,
           reinterpret_cast<const sockaddr*>(&relayed.address), sizeof relayed.address);
}

/// A connection to a host, whose greeting has come: no device has said anything that it could be for.
Descriptor connected_to(std::uint16_t port) {
  Descriptor socket(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
  expect(socket.is_open());
  send_at_once(socket);
  const sockaddr_in address = loopback(port);
  expect(connect(socket.value(), reinterpret_cast<const sockaddr*>(&address), sizeof address) == 0);
  char greeting = 0;
  expect(recv(socket.value(), &greeting, 1, 0) == 1);
  return socket;
}

}  // namespace

void run_device_host(std::uint16_t port, const HostManners& manners) {
  Host host(port, manners);
  say_ready();
  for (;;) host.turn();
}

void run_device_relay(std::uint16_t first, std::size_t devices, std::uint16_t host) {
  const Descriptor epoll = new_epoll();
  std::vector<Relayed> all;
  for (std::size_t number = 0; number < devices; ++number) {
    const Relayed& relayed = all.emplace_back(
        Relayed{bound_socket(SOCK_DGRAM, static_cast<std::uint16_t>(first + number)), connected_to(host)});
    watch(epoll, relayed.device, EPOLLIN, 2 * number);
    watch(epoll, relayed.host, EPOLLIN, 2 * number + 1);
  }
  say_ready();
  std::array<char, 2048> buffer;
  std::array<epoll_event, 64> events;
  for (;;) {
    const int count = epoll_wait(epoll.value(), events.data(), events.size(), -1);
    for (int index = 0; index < count; ++index) {
      const std::uint64_t key = events[static_cast<std::size_t>(index)].data.u64;
      Relayed& relayed = all[key / 2];
      if (key % 2 == 0)
        relay_to_host(relayed, buffer);
      else
        relay_to_device(relayed, buffer);
    }
  }
}

}  // namespace lekt::bench
