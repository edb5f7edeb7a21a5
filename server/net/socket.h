// The type of the clients' sockets, without the type-erased executor, which would cost each of them 16 bytes more.
#pragma once

#include <asio/error.hpp>
#include <asio/io_context.hpp>
#include <asio/ip/tcp.hpp>
#include <cstdint>

namespace lekt {

using Socket = asio::basic_stream_socket<asio::ip::tcp, asio::io_context::executor_type>;

/// Whether a non-blocking call failed only because there is nothing to do now.
inline bool would_block(const asio::error_code& error) {
  return error == asio::error::would_block || error == asio::error::try_again;
}

/// The port from which the other end has connected; 0 if the connection has just broken.
inline std::uint16_t port_of(const Socket& socket) {
  asio::error_code broken;
  const auto peer = socket.remote_endpoint(broken);
  return broken ? std::uint16_t{0} : peer.port();
}

}  // namespace lekt
