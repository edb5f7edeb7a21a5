// What comes on a connection before the first byte of LEKT: the header of a trusted proxy, the TLS handshake, or both
// in this order.
//
// OpenSSL sees nothing until the first TLS record is complete and has been judged; until then a connection takes no
// more memory than the bytes it has sent. OpenSSL's work is by far the most expensive thing that a stranger can ask
// for, so it happens only in shake_hands(), for which the connection waits its turn.
//
// An entrance reads no byte beyond that. It waits for nothing and has no deadline: its connection has both. Once it is
// open, it only keeps the TLS stream that goes on. One thread.
#pragma once

#include <asio/error_code.hpp>
#include <cstdint>
#include <memory>

#include "common/bytes.h"
#include "common/errors.h"
#include "server/core/proxy_header.h"
#include "server/net/socket.h"
#include "server/net/tls.h"

namespace lekt {

class Entrance {
 public:
  enum class Step : std::uint8_t {
    wait,          ///< until the socket is ready; see wants_output()
    client_named,  ///< proxy_header() is complete: decide about the client, then go on
    wants_turn,    ///< call shake_hands(), in turn with others
    open,          ///< LEKT may begin
    refused,       ///< see rejection()
    lost,          ///< see error()
  };

  /// `tls`: null for plain text.
  Entrance(bool proxied, std::shared_ptr<TlsContext> tls) : tls_context_(std::move(tls)), proxied_(proxied) {}

  Step step(Socket& socket);
  /// Goes on with the TLS handshake.
  Step shake_hands(Socket& socket);

  /// Whether TLS comes next, and has not begun.
  bool begins_tls() const { return tls_context_ != nullptr && tls_ == nullptr; }
  bool wants_output() const { return tls_ != nullptr && tls_->wants_output(); }
  const ProxyHeader& proxy_header() const { return proxy_header_; }
  const Rejection& rejection() const { return rejection_; }
  const asio::error_code& error() const { return error_; }

  bool is_open() const { return open_; }
  /// The TLS stream that goes on, once the entrance is open; null for plain text.
  TlsStream* tls() const { return tls_.get(); }

  /// What a refused client can be told at this moment: the reject; before OpenSSL's part, a TLS alert; during it,
  /// nothing.
  ByteView last_words(ByteView reject) const {
    if (tls_context_ == nullptr) return reject;
    if (tls_ != nullptr) return {};
    return rejection_.code == ErrorCode::tls_handshake_failed ? tls_unexpected_message : tls_access_denied;
  }

 private:
  Step read_proxy_header(Socket& socket);
  Step read_first_record(Socket& socket);
  bool read_missing(Socket& socket, std::size_t missing);

  std::shared_ptr<TlsContext> tls_context_;
  std::unique_ptr<TlsStream> tls_;
  Bytes received_;  ///< the beginning of a proxy's header, or of the first record
  ProxyHeader proxy_header_;
  Rejection rejection_{};
  asio::error_code error_;
  bool proxied_;  ///< and its header is not complete
  bool open_ = false;
};

}  // namespace lekt
