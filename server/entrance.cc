#include "server/entrance.h"

#include <asio/buffer.hpp>

namespace lekt {

Entrance::Step Entrance::step(Socket& socket) {
  if (proxied_) return read_proxy_header(socket);
  if (tls_context_ != nullptr) return shake_hands(socket);
  open_ = true;
  return Step::open;
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
    const std::size_t before = received_.size();
    received_.resize(before + missing);
    received_.resize(before + socket.read_some(asio::buffer(received_.data() + before, missing), error_));
    if (would_block(error_)) return Step::wait;
    if (error_) return Step::lost;
  }
}

Entrance::Step Entrance::shake_hands(Socket& socket) {
  if (tls_ == nullptr) tls_ = tls_context_->stream(socket.native_handle());
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
