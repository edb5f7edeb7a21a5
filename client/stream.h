// The bytes of one connection: over TCP, or over TLS over TCP.
//
// It moves bytes and says in words why TLS failed; its owner decides when to do what. A plain stream costs one
// comparison more than its socket. Private to the library. It lives on the thread that runs the io_context.
// Handlers keep the owner, and so the stream, alive.
#pragma once

#include <asio.hpp>
#include <asio/ssl.hpp>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "client/certificate_check.h"
#include "client/tls.h"

namespace lekt {

class Stream {
 public:
  using Socket = asio::ip::tcp::socket;
  using Error = asio::error_code;

  explicit Stream(asio::io_context& context) : socket_(context) {}

  Socket& socket() { return socket_; }

  /// Begins TLS on the connected socket with the server called `host`. Throws CodedError E705 if a file in the
  /// options cannot be used.
  template <class Handler>
  void async_handshake(const TlsOptions& options, const std::string& host, Handler handler) {
    tls_ = std::make_unique<Tls>(socket_, options, host);
    tls_->stream.async_handshake(asio::ssl::stream_base::client, std::move(handler));
  }

  template <class Buffer, class Handler>
  void async_read_some(const Buffer& buffer, Handler handler) {
    if (tls_) return tls_->stream.async_read_some(buffer, std::move(handler));
    socket_.async_read_some(buffer, std::move(handler));
  }

  template <class Buffer, class Handler>
  void async_write(const Buffer& buffer, Handler handler) {
    if (tls_) return asio::async_write(tls_->stream, buffer, std::move(handler));
    asio::async_write(socket_, buffer, std::move(handler));
  }

  /// Tells the server that nothing more will be sent; reading goes on. `owner` stays alive until this is sent.
  void end_sending(std::shared_ptr<void> owner);

  /// Whether TLS failed, and not the socket below it.
  static bool is_of_tls(const Error& error) { return error.category() == asio::error::get_ssl_category(); }

  /// Explains an error of a TLS stream in one printable line: what failed, which certificate if it was one, and
  /// what would be right.
  std::string explain(const Error& error) const;

  /// Warnings about certificates of a TLS stream that will expire soon, once its handshake is over. See
  /// expiry_warnings().
  std::vector<std::string> warnings() const;

 private:
  struct Tls {
    Tls(Socket& socket, const TlsOptions& options, const std::string& host);

    asio::ssl::context context;
    asio::ssl::stream<Socket&> stream;
    CertificateCheck check;
    std::string last_words;  ///< the bytes that say that nothing more will be sent
  };

  Socket socket_;
  std::unique_ptr<Tls> tls_;  ///< null for a plain stream
};

}  // namespace lekt
