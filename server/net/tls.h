// TLS for listeners of their own: what a certificate is loaded into, and the stream of one connection.
//
// OpenSSL works on the connection's non-blocking socket itself, and not through asio::ssl::stream. The latter keeps
// four buffers of 17 KB for each connection and can only write in the background. This fits the way in which
// connections work (read when readable, send what the socket takes), and gives its buffers back between records.
//
// No session is resumed, so that the client is asked for its certificate each time. Nothing is renegotiated.
#pragma once

#include <asio/error_code.hpp>
#include <asio/ssl/context.hpp>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "common/bytes.h"
#include "common/errors.h"
#include "common/packets.h"
#include "tls/server_certificates.h"

namespace lekt {

/// One connection's TLS stream. The socket belongs to the stream's owner, and outlives the stream. One thread.
class TlsStream {
 public:
  enum class Progress : std::uint8_t { done, wants_socket, failed };

  /// A stream on a socket. `first` is what has already been read from the socket.
  TlsStream(asio::ssl::context& context, int socket, ByteView first);

  /// Goes on with the handshake. Waits for nothing: call it again when the socket is ready (wants_output()).
  Progress shake_hands();
  /// Whether the stream waits for the socket to become writable, and not readable.
  bool wants_output() const { return wants_output_; }

  /// Reads like a non-blocking read of a socket: would_block, or eof once the client has ended the stream.
  std::size_t read_some(char* buffer, std::size_t size, asio::error_code& error);
  /// Sends like a non-blocking send of a socket. Bytes that were not taken have to be offered again, with those after
  /// them.
  std::size_t send(ByteView bytes, asio::error_code& error);
  /// Tells the client that nothing more will come, as far as the socket takes it now.
  void end();

  /// Why the handshake failed, in words.
  const std::string& failure() const { return failure_; }

 private:
  struct Free {
    void operator()(SSL* ssl) const { SSL_free(ssl); }
  };

  bool has_used_up_first();
  std::size_t finish(int result, std::size_t done, asio::error_code& error);

  std::unique_ptr<SSL, Free> ssl_;
  int socket_;
  bool reads_first_ = true;  ///< whether it still reads `first`, and not yet the socket
  std::string failure_;
  bool wants_output_ = false;
};

/// Certificates and rules for many streams. It need not outlive them: they share what they need. Any thread may make
/// streams.
class TlsContext {
 public:
  /// Reads the files; throws CodedError E510.
  explicit TlsContext(const TlsSettings& settings);

  std::unique_ptr<TlsStream> stream(int socket, ByteView first) {
    return std::make_unique<TlsStream>(context_, socket, first);
  }

  /// The files of certificates: the server's first, then the one with the clients' authorities, if any.
  const std::vector<CertificateFile>& expires() const { return expires_; }

 private:
  asio::ssl::context context_;
  std::vector<CertificateFile> expires_;
};

/// Judges the beginning of what should be the first TLS record (RFC 8446, sections 5.1 and 4): one that holds a client's
/// hello of a usual length. While the record is partial, `missing` says how many bytes to add at least, and never
/// counts bytes beyond it. A wrong one yields E109.
ReadStatus judge_first_record(ByteView received, std::size_t& missing, Rejection& rejection);

/// The alerts unexpected_message and access_denied (RFC 8446, section 6.2) as they are sent before a handshake. They
/// are the only way to refuse a TLS client without the cost of a handshake.
inline constexpr ByteView tls_unexpected_message{"\x15\x03\x03\x00\x02\x02\x0a", 7};
inline constexpr ByteView tls_access_denied{"\x15\x03\x03\x00\x02\x02\x31", 7};

}  // namespace lekt
