// The type of the clients' sockets: without the type-erased executor, which would cost each one 16 bytes
// more.
#pragma once

#include <asio/error.hpp>
#include <asio/io_context.hpp>
#include <asio/ip/tcp.hpp>

namespace lekt {

using Socket = asio::basic_stream_socket<asio::ip::tcp, asio::io_context::executor_type>;

/// What a non-blocking call says when there is nothing to do now.
inline bool would_block(const asio::error_code& error) {
  return error == asio::error::would_block || error == asio::error::try_again;
}

}  // namespace lekt
