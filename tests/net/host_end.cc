#include "tests/net/host_end.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cerrno>
#include <chrono>
#include <stdexcept>
#include <system_error>
#include <tuple>
#include <utility>

#include "tests/net/device_ends.h"

namespace lekt::test {

namespace {

using namespace std::chrono_literals;

constexpr auto host_patience = 10s;

sockaddr_in host_address(std::uint16_t port) {
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_port = htons(port);
  address.sin_addr.s_addr = htonl(own_address().as_v4());
  return address;
}

int check(int result, const char* what) {
  if (result < 0) throw std::system_error(errno, std::generic_category(), what);
  return result;
}

void set_option(int socket, int option, const void* value, socklen_t size) {
  check(setsockopt(socket, SOL_SOCKET, option, value, size), "setsockopt");
}

/// A socket of the address, and its port.
std::pair<Descriptor, std::uint16_t> bound_socket() {
  Descriptor socket(check(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0), "socket"));
  sockaddr_in address = host_address(0);
  socklen_t size = sizeof(address);
  check(bind(socket.value(), reinterpret_cast<const sockaddr*>(&address), size), "bind");
  check(getsockname(socket.value(), reinterpret_cast<sockaddr*>(&address), &size), "getsockname");
  return {std::move(socket), ntohs(address.sin_port)};
}

}  // namespace

HostSocket::HostSocket(int descriptor) : descriptor_(descriptor) {
  const timeval limit{std::chrono::seconds(host_patience).count(), 0};
  set_option(descriptor, SO_RCVTIMEO, &limit, sizeof(limit));
  set_option(descriptor, SO_SNDTIMEO, &limit, sizeof(limit));
}

bool HostSocket::send(ByteView bytes) {
  while (!bytes.empty()) {
    const ssize_t sent = ::send(descriptor_->value(), bytes.data(), bytes.size(), MSG_NOSIGNAL);
    if (sent < 0) return false;
    bytes.remove_prefix(static_cast<std::size_t>(sent));
  }
  return true;
}

Bytes HostSocket::receive(std::size_t size) {
  Bytes bytes(size, '\0');
  std::size_t received = 0;
  while (received < size) {
    const ssize_t count = recv(descriptor_->value(), bytes.data() + received, size - received, 0);
    if (count <= 0) break;
    received += static_cast<std::size_t>(count);
  }
  bytes.resize(received);
  return bytes;
}

std::size_t HostSocket::send_some(ByteView bytes) {
  const ssize_t sent = ::send(descriptor_->value(), bytes.data(), bytes.size(), MSG_NOSIGNAL | MSG_DONTWAIT);
  return sent < 0 ? 0 : static_cast<std::size_t>(sent);
}

Bytes HostSocket::receive_some() {
  Bytes bytes(4096, '\0');
  const ssize_t count = recv(descriptor_->value(), bytes.data(), bytes.size(), MSG_DONTWAIT);
  bytes.resize(count < 0 ? 0 : static_cast<std::size_t>(count));
  return bytes;
}

bool HostSocket::is_closed() {
  char byte = 0;
  const ssize_t count = recv(descriptor_->value(), &byte, 1, 0);
  return count == 0 || (count < 0 && errno == ECONNRESET);
}

void HostSocket::finish_sending() { shutdown(descriptor_->value(), SHUT_WR); }

void HostSocket::reset() {
  const linger at_once{1, 0};
  set_option(descriptor_->value(), SO_LINGER, &at_once, sizeof(at_once));
  close();
}

std::uint16_t HostSocket::peer_port() const {
  sockaddr_in address{};
  socklen_t size = sizeof(address);
  check(getpeername(descriptor_->value(), reinterpret_cast<sockaddr*>(&address), &size), "getpeername");
  return ntohs(address.sin_port);
}

std::size_t Flood::write_some() {
  while (rest_.size() < 4096) {
    const std::string number = std::to_string(next_++);
    rest_ += std::string(line_bytes - 2 - number.size(), '0') + number + "\r\n";
  }
  const std::size_t sent = socket_.send_some(rest_);
  rest_.erase(0, sent);
  return sent;
}

std::size_t Flood::highest_number(const std::string& screen) {
  const std::size_t last = screen.find_last_of("0123456789");
  return last == screen.npos ? 0 : std::stoul(screen.substr(screen.find_last_not_of("0123456789", last) + 1));
}

// A limit that is lower than descriptors that are open takes none of them away.
NoDescriptors::NoDescriptors() {
  check(getrlimit(RLIMIT_NOFILE, &before_), "getrlimit");
  const rlimit none{STDERR_FILENO + 1, before_.rlim_max};
  check(setrlimit(RLIMIT_NOFILE, &none), "setrlimit");
}

NoDescriptors::~NoDescriptors() { setrlimit(RLIMIT_NOFILE, &before_); }

HostEnd::HostEnd() : descriptor_(-1) {
  std::tie(descriptor_, port_) = bound_socket();
  check(listen(descriptor_.value(), 0), "listen");
}

std::string HostEnd::address() const { return to_string(own_address()); }

HostSocket HostEnd::accept() {
  pollfd waits{descriptor_.value(), POLLIN, 0};
  if (poll(&waits, 1, std::chrono::milliseconds(host_patience).count()) != 1)
    throw std::runtime_error("nobody has connected");
  return HostSocket(check(accept4(descriptor_.value(), nullptr, nullptr, SOCK_CLOEXEC), "accept"));
}

/// The kernel drops who comes when nobody accepts and its queue is full.
void HostEnd::fall_silent() {
  const sockaddr_in address = host_address(port_);
  for (int count = 0; count < 4; ++count) {
    Descriptor socket(check(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0), "socket"));
    connect(socket.value(), reinterpret_cast<const sockaddr*>(&address), sizeof(address));
    connecting_.push_back(std::move(socket));
  }
}

std::uint16_t unused_port() { return bound_socket().second; }

bool run_until(asio::io_context& io, const std::function<bool()>& condition) {
  const auto end = std::chrono::steady_clock::now() + host_patience;
  while (!condition()) {
    if (std::chrono::steady_clock::now() >= end) return false;
    io.restart();
    io.run_for(2ms);
  }
  return true;
}

}  // namespace lekt::test
