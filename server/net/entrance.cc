#include "server/net/entrance.h"

#include <asio/buffer.hpp>

namespace lekt {

namespace {

/// Whether the other side has closed or reset the connection, which makes a handshake of no use.
bool is_gone(Socket& socket, asio::error_code& error) {
  char byte = 0;
  const std::size_t size = socket.receive(asio::buffer(&byte, 1), Socket::message_peek, error);
  if (would_block(error))
    error = {};
  else if (!error && size == 0)
    error = asio::error::eof;
  return static_cast<bool>(error);
}

}  // namespace

Entrance::Step Entrance::step(Socket& socket) {
  if (proxied_) return read_proxy_header(socket);
  if (begins_tls()) return read_first_record(socket);
  if (tls_ != nullptr) return Step::wants_turn;
  open_ = true;
  return Step::open;
}

/// Reads the header of the proxy. False when not all of it is there now, or the connection is lost: then error_ says
/// which.
bool Entrance::read_missing(Socket& socket, std::size_t missing) {
  const std::size_t before = received_.size();
  received_.resize(before + missing);
  received_.resize(before + socket.read_some(asio::buffer(received_.data() + before, missing), error_));
  return !error_;
}

Entrance::Step Entrance::read_proxy_header(Socket& socket) {
  for (;;) {
    std::size_t missing = 0;
    switch (lekt::read_proxy_header(received_, proxy_header_, missing, rejection_)) {
      case ReadStatus::complete:
        proxied_ = false;
        received_ = {};
        return Step::client_named;
      case ReadStatus::wrong:
        return Step::refused;
      case ReadStatus::partial:
        break;
    }
    if (!read_missing(socket, missing)) return would_block(error_) ? Step::wait : Step::lost;
  }
}

Entrance::Step Entrance::read_first_record(Socket& socket) {
  for (;;) {
    std::size_t missing = 0;
    switch (judge_first_record(received_, missing, rejection_)) {
      case ReadStatus::complete:
        return Step::wants_turn;
      case ReadStatus::wrong:
        return Step::refused;
      case ReadStatus::partial:
        break;
    }
    if (!read_missing(socket, missing)) return would_block(error_) ? Step::wait : Step::lost;
  }
}

Entrance::Step Entrance::shake_hands(Socket& socket) {
  if (tls_ == nullptr) {
    if (is_gone(socket, error_)) return Step::lost;
    tls_ = tls_context_->stream(socket.native_handle(), received_);
    received_ = {};
  }
  switch (tls_->shake_hands()) {
    case TlsStream::Progress::wants_socket:
      return Step::wait;
    case TlsStream::Progress::failed:
      rejection_ = {ErrorCode::tls_handshake_failed, "the TLS handshake failed: " + tls_->failure()};
      return Step::refused;
    case TlsStream::Progress::done:
      break;
  }
  open_ = true;
  return Step::open;
}

}  // namespace lekt
