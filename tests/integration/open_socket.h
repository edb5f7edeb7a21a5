// A socket that a program is started with, in the service manager's way (sd_listen_fds(3)).
#pragma once

#include <arpa/inet.h>
#include <sys/socket.h>

#include <cerrno>
#include <cstdint>
#include <system_error>

#include "common/descriptor.h"

namespace lekt::test {

/// A socket of 127.0.0.1 that programs inherit.
class OpenSocket {
 public:
  explicit OpenSocket(int type) : socket_(::socket(AF_INET, type, 0)) {
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    socklen_t size = sizeof(address);
    if (bind(socket_.value(), reinterpret_cast<const sockaddr*>(&address), size) != 0)
      throw std::system_error(errno, std::generic_category(), "bind");
    if (type == SOCK_STREAM && listen(socket_.value(), 1) != 0)
      throw std::system_error(errno, std::generic_category(), "listen");
    if (getsockname(socket_.value(), reinterpret_cast<sockaddr*>(&address), &size) != 0)
      throw std::system_error(errno, std::generic_category(), "getsockname");
    port_ = ntohs(address.sin_port);
  }

  int value() const { return socket_.value(); }
  std::uint16_t port() const { return port_; }

 private:
  Descriptor socket_;
  std::uint16_t port_ = 0;
};

}  // namespace lekt::test
