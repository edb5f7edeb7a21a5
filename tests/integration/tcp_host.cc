#include "tests/integration/tcp_host.h"

#include <arpa/inet.h>
#include <poll.h>
#include <sys/socket.h>

#include <array>
#include <cerrno>
#include <stdexcept>
#include <system_error>
#include <utility>

namespace lekt::test {

namespace {

[[noreturn]] void fail_as(const char* what) { throw std::system_error(errno, std::generic_category(), what); }

sockaddr_in place_of(const std::string& address, std::uint16_t port) {
  sockaddr_in place{};
  place.sin_family = AF_INET;
  place.sin_port = htons(port);
  if (inet_pton(AF_INET, address.c_str(), &place.sin_addr) != 1) throw std::invalid_argument(address);
  return place;
}

const sockaddr* as_generic(const sockaddr_in& place) { return reinterpret_cast<const sockaddr*>(&place); }

Descriptor tcp_socket(int flags = 0) {
  Descriptor made(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC | flags, 0));
  if (!made.is_open()) fail_as("socket");
  return made;
}

Descriptor listening_at(const std::string& address, int waiting_max = SOMAXCONN) {
  Descriptor made = tcp_socket();
  const sockaddr_in place = place_of(address, 0);
  if (::bind(made.value(), as_generic(place), sizeof place) != 0) fail_as("bind");
  if (::listen(made.value(), waiting_max) != 0) fail_as("listen");
  return made;
}

std::uint16_t port_of(const Descriptor& socket) {
  sockaddr_in place{};
  socklen_t size = sizeof place;
  if (::getsockname(socket.value(), reinterpret_cast<sockaddr*>(&place), &size) != 0) fail_as("getsockname");
  return ntohs(place.sin_port);
}

}  // namespace

TcpStream::TcpStream(int descriptor) : descriptor_(descriptor) {}

TcpStream TcpStream::connect(const std::string& address, std::uint16_t port) {
  Descriptor made = tcp_socket();
  const sockaddr_in place = place_of(address, port);
  if (::connect(made.value(), as_generic(place), sizeof place) != 0) fail_as("connect");
  return TcpStream(made.release());
}

bool TcpStream::send(ByteView bytes) const {
  while (!bytes.empty()) {
    const ssize_t sent = ::send(descriptor_.value(), bytes.data(), bytes.size(), MSG_NOSIGNAL);
    if (sent < 0 && errno != EINTR) return false;
    if (sent > 0) bytes.remove_prefix(static_cast<std::size_t>(sent));
  }
  return true;
}

Bytes TcpStream::receive() const {
  std::array<char, 64 * 1024> buffer;
  ssize_t size = 0;
  while ((size = ::recv(descriptor_.value(), buffer.data(), buffer.size(), 0)) < 0 && errno == EINTR) {
  }
  return size <= 0 ? Bytes() : Bytes(buffer.data(), static_cast<std::size_t>(size));
}

void TcpStream::finish() const { ::shutdown(descriptor_.value(), SHUT_RDWR); }

TcpHost::TcpHost(std::string address, Serve serve)
    : address_(std::move(address)),
      serve_(std::move(serve)),
      listener_(listening_at(address_)),
      port_(port_of(listener_)),
      accepting_([this] { run(); }) {}

TcpHost::~TcpHost() {
  {
    const std::lock_guard lock(mutex_);
    stopping_ = true;
    for (const TcpStream& stream : streams_) stream.finish();
  }
  ::shutdown(listener_.value(), SHUT_RDWR);
  accepting_.join();
  for (std::thread& thread : serving_) thread.join();
}

void TcpHost::run() {
  while (true) {
    const int accepted = ::accept4(listener_.value(), nullptr, nullptr, SOCK_CLOEXEC);
    if (accepted < 0 && errno == EINTR) continue;
    if (accepted < 0) return;
    const std::lock_guard lock(mutex_);
    const TcpStream& stream = streams_.emplace_back(accepted);
    if (stopping_) return;
    ++connections_;
    serving_.emplace_back([this, &stream] {
      serve_(stream);
      stream.finish();
    });
  }
}

SilentPlace::SilentPlace(std::string address)
    : address_(std::move(address)), listener_(listening_at(address_, 0)), port_(port_of(listener_)) {
  const sockaddr_in place = place_of(address_, port_);
  // The queue of those that nobody accepts holds one; what comes then is dropped.
  for (int number = 0; number < 2; ++number) {
    connecting_.push_back(tcp_socket(SOCK_NONBLOCK));
    ::connect(connecting_.back().value(), as_generic(place), sizeof place);
  }
}

std::uint16_t free_port(const std::string& address) { return port_of(listening_at(address)); }

TcpHost::Serve listen_only(SharedText& typed) {
  return [&typed](const TcpStream& user) {
    for (Bytes bytes; !(bytes = user.receive()).empty();) typed.add(bytes);
  };
}

}  // namespace lekt::test
