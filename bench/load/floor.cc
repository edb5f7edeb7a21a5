// lekt-floor: the floor that a coordinator can be measured against.
//
// It speaks just enough LEKT for a client to join and to beat, and its answers are bytes that it made when it
// started: one epoll instance, one recv and one send a request, no state but how far a client is. A server
// that did less would not answer.

#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <CLI/CLI.hpp>
#include <array>
#include <cerrno>
#include <cstdio>
#include <memory>
#include <unordered_map>
#include <vector>

#include "bench/load/descriptors.h"
#include "common/catalogue.h"
#include "common/packets.h"

namespace lekt::bench {
namespace {

/// What a client sends, by size, and what it is told.
struct Step {
  std::size_t request_bytes;
  Bytes reply;
};

/// The conversation of a client with one TCP method; the last step is repeated.
std::vector<Step> conversation(std::size_t entries, std::size_t packet_bytes_max) {
  HandshakePacket handshake;
  handshake.support(tcp_index);
  RequestPacket request;
  request.index = tcp_index;
  ResponsePacket response;
  response.method = {tcp_index, tcp_information(7890)};
  Bytes answer;
  const std::size_t entry_bytes = encode(AddedEntry{{}, {response.method}, {}}).size();
  const std::size_t room = (packet_bytes_max - limits::update_header_bytes) / entry_bytes;
  for (std::size_t first = 0; first < entries; first += room) {
    UpdatePacket packet;
    packet.timestamp = 1;
    packet.count = static_cast<std::uint32_t>(std::min(room, entries - first));
    write(answer, packet);
    for (std::uint32_t index = 0; index < packet.count; ++index)
      write(answer,
            AddedEntry{
                Address::v4(0x7f020000 + static_cast<std::uint32_t>(first) + index), {response.method}, {}});
  }
  UpdatePacket closing;
  closing.timestamp = 1;
  write(answer, closing);
  return {{encode(handshake).size(), encode(AcceptPacket{}) + encode(request)},
          {encode(response).size(), encode(RequestPacket{})},
          {limits::heartbeat_bytes, answer}};
}

struct Guest {
  int socket = -1;
  std::uint8_t step = 0;
  bool blocked = false;
  std::size_t received = 0;
  std::size_t sent = 0;  ///< of the reply under way
};

class Floor {
 public:
  Floor(std::uint16_t port, std::vector<Step> steps) : steps_(std::move(steps)), buffer_(64 * 1024) {
    listener_ = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    const int yes = 1;
    setsockopt(listener_, SOL_SOCKET, SO_REUSEADDR, &yes, sizeof yes);
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    address.sin_port = htons(port);
    if (bind(listener_, reinterpret_cast<const sockaddr*>(&address), sizeof address) != 0 ||
        listen(listener_, SOMAXCONN) != 0)
      throw std::system_error(errno, std::generic_category(),
                              "cannot listen on port " + std::to_string(port));
    watch(listener_, EPOLLIN, EPOLL_CTL_ADD);
  }

  [[noreturn]] void run() {
    std::array<epoll_event, 128> events;
    for (;;) {
      const int count = epoll_wait(epoll_, events.data(), events.size(), -1);
      for (int index = 0; index < count; ++index) {
        const int socket = events[static_cast<std::size_t>(index)].data.fd;
        if (socket == listener_)
          accept_all();
        else
          serve(guests_[static_cast<std::size_t>(socket)]);
      }
    }
  }

 private:
  void watch(int socket, std::uint32_t interest, int operation) const {
    epoll_event event{};
    event.events = interest;
    event.data.fd = socket;
    epoll_ctl(epoll_, operation, socket, &event);
  }

  void accept_all() {
    for (;;) {
      const int socket = accept4(listener_, nullptr, nullptr, SOCK_NONBLOCK | SOCK_CLOEXEC);
      if (socket < 0) return;
      const int yes = 1;
      setsockopt(socket, IPPROTO_TCP, TCP_NODELAY, &yes, sizeof yes);
      if (guests_.size() <= static_cast<std::size_t>(socket))
        guests_.resize(static_cast<std::size_t>(socket) + 1);
      guests_[static_cast<std::size_t>(socket)] = {socket};
      watch(socket, EPOLLIN, EPOLL_CTL_ADD);
    }
  }

  void serve(Guest& guest) {
    if (guest.blocked) return reply(guest);
    const ssize_t size = recv(guest.socket, buffer_.data(), buffer_.size(), 0);
    if (size < 0 && errno == EAGAIN) return;
    if (size <= 0) {
      close(guest.socket);
      return;
    }
    guest.received += static_cast<std::size_t>(size);
    if (guest.received < steps_[guest.step].request_bytes) return;
    guest.received = 0;
    reply(guest);
  }

  void reply(Guest& guest) {
    const Bytes& bytes = steps_[guest.step].reply;
    const ssize_t sent =
        send(guest.socket, bytes.data() + guest.sent, bytes.size() - guest.sent, MSG_NOSIGNAL);
    if (sent > 0) guest.sent += static_cast<std::size_t>(sent);
    const bool blocked = guest.sent < bytes.size();
    if (blocked != guest.blocked) watch(guest.socket, blocked ? EPOLLOUT : EPOLLIN, EPOLL_CTL_MOD);
    guest.blocked = blocked;
    if (blocked) return;
    guest.sent = 0;
    if (guest.step + 1u < steps_.size()) ++guest.step;
  }

  std::vector<Step> steps_;
  std::vector<char> buffer_;
  int epoll_ = epoll_create1(EPOLL_CLOEXEC);
  int listener_ = -1;
  std::vector<Guest> guests_;  ///< by descriptor
};

}  // namespace
}  // namespace lekt::bench

int main(int argc, char** argv) {
  CLI::App app("lekt-floor: repeats the bytes of a coordinator's conversation, and does nothing else.",
               "lekt-floor");
  std::uint16_t port = 0;
  std::size_t clients = 0;
  std::size_t packet_bytes_max = lekt::limits::packet_bytes_default;
  app.add_option("--port", port, "listen on this port of 127.0.0.1")
      ->required()
      ->type_name("PORT")
      ->check(CLI::Range(1, 65'535).description(""));
  app.add_option("--clients", clients, "clients in each answer")->type_name("N")->capture_default_str();
  app.add_option("--max-packet-bytes", packet_bytes_max, "largest packet with clients")
      ->type_name("N")
      ->check(
          CLI::Range(lekt::limits::packet_bytes_floor, lekt::limits::packet_bytes_ceiling).description(""))
      ->capture_default_str();
  app.footer("\nExit status: 1 it cannot listen; 2 wrong usage. It serves until it is killed.");
  try {
    app.parse(argc, argv);
  } catch (const CLI::ParseError& error) {
    return app.exit(error) == 0 ? 0 : 2;
  }
  lekt::bench::raise_descriptor_limit();
  try {
    lekt::bench::Floor(port, lekt::bench::conversation(clients, packet_bytes_max)).run();
  } catch (const std::exception& error) {
    std::fprintf(stderr, "lekt-floor: %s\n", error.what());
    return 1;
  }
}
