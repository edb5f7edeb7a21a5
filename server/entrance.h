// What comes on a connection before the first byte of LEKT: the header of a trusted proxy, the TLS handshake,
// or both, in this order.
//
// It reads no byte beyond that. It waits for nothing and has no deadline: its connection does both. Once it
// is open, it only keeps the TLS that goes on. One thread.
#pragma once

#include <asio/error_code.hpp>
#include <cstdint>
#include <memory>

#include "common/bytes.h"
#include "common/errors.h"
#include "server/proxy_header.h"
#include "server/socket.h"
#include "server/tls.h"

namespace lekt {

class Entrance {
 public:
  enum class Step : std::uint8_t {
    wait,          ///< until the socket is ready; see wants_output()
    client_named,  ///< proxy_header() is complete: decide about the client, then go on
    open,          ///< LEKT may begin
    refused,       ///< see rejection()
    lost,          ///< see error()
  };

  /// `tls`: null for plain text.
  Entrance(bool proxied, std::shared_ptr<TlsContext> tls) : tls_context_(std::move(tls)), proxied_(proxied) {}

  Step step(Socket& socket);

  bool wants_output() const { return tls_ != nullptr && tls_->wants_output(); }
  const ProxyHeader& proxy_header() const { return proxy_header_; }
  const Rejection& rejection() const { return rejection_; }
  const asio::error_code& error() const { return error_; }

  bool is_open() const { return open_; }
  /// Once it is open: the TLS that goes on; null for plain text.
  TlsStream* tls() const { return tls_.get(); }

  /// What can be said now to a client that is refused: the reject; before a TLS handshake an alert of TLS; in
  /// its midst nothing.
  ByteView last_words(ByteView reject) const {
    if (tls_context_ == nullptr) return reject;
    return tls_ == nullptr ? tls_access_denied : ByteView();
  }

 private:
  Step read_proxy_header(Socket& socket);
  Step shake_hands(Socket& socket);

  std::shared_ptr<TlsContext> tls_context_;
  std::unique_ptr<TlsStream> tls_;
  Bytes received_;  ///< the beginning of a proxy's header
  ProxyHeader proxy_header_;
  Rejection rejection_{};
  asio::error_code error_;
  bool proxied_;  ///< and its header is not complete
  bool open_ = false;
};

}  // namespace lekt
