#include "tests/fault/proxy.h"

#include <arpa/inet.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <sys/socket.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <chrono>
#include <deque>
#include <optional>
#include <system_error>

#include "common/bytes.h"

namespace lekt::test {

namespace {

using namespace std::chrono_literals;
using Clock = std::chrono::steady_clock;

constexpr std::int64_t delay_max_milliseconds = 20;
constexpr std::int64_t piece_bytes_max = 40;
constexpr std::int64_t bytes_until_cut_max = 2000;  ///< about a setup and ten heartbeats

sockaddr_in address_of(std::uint32_t address, std::uint16_t port) {
  sockaddr_in result{};
  result.sin_family = AF_INET;
  result.sin_addr.s_addr = htonl(address);
  result.sin_port = htons(port);
  return result;
}

template <class Address>
auto* as_socket_address(Address& address) {
  return reinterpret_cast<sockaddr*>(&address);
}

Descriptor stream_socket() {
  Descriptor made(socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
  const int yes = 1;
  setsockopt(made.value(), IPPROTO_TCP, TCP_NODELAY, &yes, sizeof yes);
  setsockopt(made.value(), IPPROTO_IP, IP_BIND_ADDRESS_NO_PORT, &yes, sizeof yes);
  return made;
}

void reset_at_close(int socket) {
  const linger at_once{1, 0};
  setsockopt(socket, SOL_SOCKET, SO_LINGER, &at_once, sizeof at_once);
}

}  // namespace

/// A client's connection and the one to the server that goes with it.
class Proxy::Pair {
 public:
  Pair(Descriptor client, Descriptor server, Random& random)
      : ends_{std::move(client), std::move(server)},
        random_(random),
        bytes_until_cut_(random.between(1, bytes_until_cut_max)) {}

  int socket(std::size_t end) const { return ends_[end].value(); }
  bool is_over() const { return over_; }

  /// Takes what an end has sent, in small pieces with a delay each.
  void receive(std::size_t end, bool calm) {
    std::array<char, 4096> buffer{};
    const ssize_t size = recv(socket(end), buffer.data(), buffer.size(), MSG_DONTWAIT);
    if (size < 0 && errno == EAGAIN) return;
    Direction& direction = directions_[end];
    direction.has_ended = size <= 0;
    for (ByteView bytes(buffer.data(), static_cast<std::size_t>(std::max<ssize_t>(size, 0)));
         !bytes.empty();) {
      const auto piece = calm ? bytes.size() : static_cast<std::size_t>(random_.between(1, piece_bytes_max));
      const auto delay = std::chrono::milliseconds(calm ? 0 : random_.between(0, delay_max_milliseconds));
      direction.last_due = std::max(direction.last_due, Clock::now() + delay);
      direction.pieces.push_back({direction.last_due, Bytes(bytes.substr(0, piece))});
      bytes.remove_prefix(std::min(piece, bytes.size()));
    }
  }

  /// Passes on what is due. False when the connection was cut on the way.
  bool pass_on(bool calm) {
    for (std::size_t end = 0; end < directions_.size(); ++end) {
      Direction& direction = directions_[end];
      while (!direction.pieces.empty() && direction.pieces.front().due <= Clock::now()) {
        Bytes bytes = std::move(direction.pieces.front().bytes);
        direction.pieces.pop_front();
        const auto left = static_cast<std::size_t>(bytes_until_cut_);
        const bool cut = !calm && bytes.size() >= left;
        if (cut) bytes.resize(left);
        // What a socket does not take is lost with it; so small pieces do not fill one.
        if (send(socket(1 - end), bytes.data(), bytes.size(), MSG_NOSIGNAL) < 0) over_ = true;
        if (cut) return break_off(), false;
        if (!calm) bytes_until_cut_ -= static_cast<std::int64_t>(bytes.size());
      }
      if (direction.has_ended && direction.pieces.empty()) over_ = true;
    }
    return true;
  }

  bool listens_to(std::size_t end) const { return !directions_[end].has_ended; }

 private:
  struct Piece {
    Clock::time_point due;
    Bytes bytes;
  };
  struct Direction {
    std::deque<Piece> pieces;
    Clock::time_point last_due;
    bool has_ended = false;
  };

  /// Each end sees an end of the stream or a reset.
  void break_off() {
    for (const Descriptor& end : ends_)
      if (random_.chance(50)) reset_at_close(end.value());
    over_ = true;
  }

  std::array<Descriptor, 2> ends_;  ///< the client's and the server's
  std::array<Direction, 2> directions_;
  Random& random_;
  std::int64_t bytes_until_cut_;
  bool over_ = false;
};

Proxy::Proxy(std::uint16_t server, std::uint64_t seed)
    : server_(server), random_(seed), listener_(stream_socket()) {
  sockaddr_in address = address_of(INADDR_LOOPBACK, 0);
  socklen_t size = sizeof address;
  if (bind(listener_.value(), as_socket_address(address), size) != 0 ||
      listen(listener_.value(), SOMAXCONN) != 0 ||
      getsockname(listener_.value(), as_socket_address(address), &size) != 0)
    throw std::system_error(errno, std::generic_category(), "proxy");
  port_ = ntohs(address.sin_port);
  thread_ = std::thread([this] { run(); });
}

Proxy::~Proxy() {
  stopping_ = true;
  thread_.join();
}

void Proxy::accept() {
  sockaddr_in peer{};
  socklen_t size = sizeof peer;
  Descriptor client(accept4(listener_.value(), as_socket_address(peer), &size, SOCK_CLOEXEC));
  if (!client.is_open()) return;
  Descriptor server = stream_socket();
  peer.sin_port = 0;  // any
  sockaddr_in target = address_of(INADDR_LOOPBACK, server_);
  const bool connected = bind(server.value(), as_socket_address(peer), sizeof peer) == 0 &&
                         connect(server.value(), as_socket_address(target), sizeof target) == 0;
  if (connected) pairs_.emplace_back(std::move(client), std::move(server), random_);
}

void Proxy::run() {
  while (!stopping_) {
    std::vector<pollfd> waiting = {{listener_.value(), POLLIN, 0}};
    for (const Pair& pair : pairs_)
      for (const std::size_t end : {0, 1})
        waiting.push_back({pair.listens_to(end) ? pair.socket(end) : -1, POLLIN, 0});
    poll(waiting.data(), waiting.size(), 1);
    std::size_t index = 0;
    for (Pair& pair : pairs_) {
      for (const std::size_t end : {0, 1})
        if (waiting[++index].revents != 0) pair.receive(end, calm_);
      if (!pair.pass_on(calm_)) ++cuts_;
    }
    pairs_.remove_if([](const Pair& pair) { return pair.is_over(); });
    if (waiting.front().revents != 0) accept();
  }
}

}  // namespace lekt::test
