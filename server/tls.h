// TLS for listeners of their own: what a certificate is loaded into, and the stream of one connection.
//
// OpenSSL works on the connection's non-blocking socket itself, and not through asio::ssl::stream: that keeps
// four buffers of 17 KB for each connection and can only write in the background, while this fits the way in
// which connections work (read when readable, send what the socket takes) and gives its buffers back between
// records.
//
// No session is resumed, so that a client certificate is asked for each time; nothing is renegotiated.
#pragma once

#include <asio/error_code.hpp>
#include <asio/ssl/context.hpp>
#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <memory>
#include <string>

#include "common/bytes.h"

namespace lekt {

struct TlsSettings {
  std::filesystem::path certificate;         ///< PEM: the server's own first, then those that sign it
  std::filesystem::path key;                 ///< PEM
  std::filesystem::path client_authorities;  ///< PEM; when given, clients have to show a certificate of these
  bool allow_1_2 = false;                    ///< besides TLS 1.3

  bool operator==(const TlsSettings&) const = default;
};

/// One connection's TLS. The socket is its owner's and outlives it. One thread.
class TlsStream {
 public:
  enum class Progress : std::uint8_t { done, wants_socket, failed };

  TlsStream(asio::ssl::context& context, int socket);

  /// Goes on with the handshake. Waits for nothing: call it again when the socket is ready (wants_output()).
  Progress shake_hands();
  /// Whether it has to wait until the socket can be written, and not until it can be read.
  bool wants_output() const { return wants_output_; }

  /// Like a non-blocking read of a socket: would_block, or eof when the client has ended the stream.
  std::size_t read_some(char* buffer, std::size_t size, asio::error_code& error);
  /// Like a non-blocking send of a socket. What was not taken has to be offered again, with what follows it.
  std::size_t send(ByteView bytes, asio::error_code& error);
  /// Tells the client that nothing more comes, as far as the socket takes it now.
  void end();

  /// Why the handshake failed, in words.
  const std::string& failure() const { return failure_; }

 private:
  struct Free {
    void operator()(SSL* ssl) const { SSL_free(ssl); }
  };

  std::size_t finish(int result, std::size_t done, asio::error_code& error);

  std::unique_ptr<SSL, Free> ssl_;
  std::string failure_;
  bool wants_output_ = false;
};

/// Certificates and rules for many streams; it outlives none of them, they share what they need. Any thread
/// may make streams.
class TlsContext {
 public:
  /// Reads the files; throws CodedError E510.
  explicit TlsContext(const TlsSettings& settings);

  std::unique_ptr<TlsStream> stream(int socket) { return std::make_unique<TlsStream>(context_, socket); }

  /// When the server's certificate expires, in words ("Jan  2 00:00:00 2027 GMT"), and whether it has.
  const std::string& expires() const { return expires_; }
  bool has_expired() const { return expired_; }

 private:
  asio::ssl::context context_;
  std::string expires_;
  bool expired_ = false;
};

/// The alert access_denied (RFC 8446, section 6.2) as it is sent before a handshake: the only way to refuse a
/// client of TLS without the cost of one.
inline constexpr ByteView tls_access_denied{"\x15\x03\x03\x00\x02\x02\x31", 7};

}  // namespace lekt
