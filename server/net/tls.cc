#include "server/net/tls.h"

#include <openssl/err.h>
#include <openssl/ssl.h>

#include <algorithm>
#include <asio/error.hpp>
#include <new>

#include "common/errors.h"
#include "common/text.h"
#include "tls/openssl_error.h"

namespace lekt {

namespace {

// The head of a record, and of the message in it: type 1 (a byte), length (3 bytes).
constexpr std::size_t record_head_bytes = 5;
constexpr std::size_t message_head_bytes = 4;
constexpr std::uint8_t handshake_record = 22;
constexpr std::uint8_t client_hello = 1;

/// What fits one record (RFC 8446, section 5.1). A hello has some hundred bytes, and less than 3 KB with a key for
/// the time after the elliptic curves. OpenSSL takes as much memory as is announced, up to 131 KB.
constexpr std::size_t hello_record_bytes_max = 16 * 1024;

/// The client's certificate and those that sign it. OpenSSL takes as much memory as is announced.
constexpr long client_certificates_bytes_max = 32 * 1024;

ReadStatus no_hello(Rejection& rejection, const std::string& what) {
  rejection = {ErrorCode::tls_handshake_failed, "the TLS handshake failed: " + what};
  return ReadStatus::wrong;
}

void set_rules(SSL_CTX* context, bool allow_1_2) {
  SSL_CTX_set_min_proto_version(context, allow_1_2 ? TLS1_2_VERSION : TLS1_3_VERSION);
  SSL_CTX_set_session_cache_mode(context, SSL_SESS_CACHE_OFF);
  SSL_CTX_set_num_tickets(context, 0);
  SSL_CTX_set_max_cert_list(context, client_certificates_bytes_max);
  SSL_CTX_set_options(context, SSL_OP_NO_TICKET | SSL_OP_NO_RENEGOTIATION | SSL_OP_NO_COMPRESSION |
                                   SSL_OP_CIPHER_SERVER_PREFERENCE);
  // A read that has met a message of TLS itself, such as a new key, returns. Otherwise it would go on as long as a
  // client sends nothing but those, and hold up everybody else of its worker.
  SSL_CTX_clear_mode(context, SSL_MODE_AUTO_RETRY);
  SSL_CTX_set_mode(context, SSL_MODE_ENABLE_PARTIAL_WRITE | SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER |
                                SSL_MODE_RELEASE_BUFFERS);
}

}  // namespace

// ---- The first record ----

ReadStatus judge_first_record(ByteView received, std::size_t& missing, Rejection& rejection) {
  constexpr std::size_t heads_bytes = record_head_bytes + message_head_bytes;
  // Plain text shows in its first byte, and may be shorter than these heads.
  if (!received.empty() && static_cast<std::uint8_t>(received.front()) != handshake_record)
    return no_hello(rejection, "the bytes \"" + escape(received.substr(0, record_head_bytes)) +
                                   "\" do not begin it; is the client set to use TLS?");
  if (received.size() < heads_bytes) {
    missing = heads_bytes - received.size();
    return ReadStatus::partial;
  }
  ByteReader reader(received.substr(3));
  const std::size_t record = reader.u16();
  const std::uint32_t message = reader.u32();
  const std::size_t hello = message & 0xffffff;
  if (message >> 24 != client_hello || record < message_head_bytes)
    return no_hello(rejection, "its first record holds no client's hello");
  if (record > hello_record_bytes_max || hello > hello_record_bytes_max)
    return no_hello(rejection, "its first record announces " + std::to_string(std::max(record, hello)) +
                                   " bytes (at most " + std::to_string(hello_record_bytes_max) + ")");
  if (received.size() >= record_head_bytes + record) return ReadStatus::complete;
  missing = record_head_bytes + record - received.size();
  return ReadStatus::partial;
}

// ---- Stream ----

TlsStream::TlsStream(asio::ssl::context& context, int socket, ByteView first)
    : ssl_(SSL_new(context.native_handle())), socket_(socket) {
  BIO* const in = BIO_new(BIO_s_mem());
  if (ssl_ == nullptr || in == nullptr || SSL_set_wfd(ssl_.get(), socket) != 1) {
    BIO_free(in);
    throw std::bad_alloc();
  }
  SSL_set0_rbio(ssl_.get(), in);
  BIO_set_mem_eof_return(in, -1);  // more is to come, by another way
  if (BIO_write(in, first.data(), static_cast<int>(first.size())) != static_cast<int>(first.size()))
    throw std::bad_alloc();
}

/// Whether the first record has been used up. From then on OpenSSL reads from the socket.
bool TlsStream::has_used_up_first() {
  if (!reads_first_ || BIO_pending(SSL_get_rbio(ssl_.get())) != 0) return false;
  if (SSL_set_rfd(ssl_.get(), socket_) != 1) throw std::bad_alloc();
  reads_first_ = false;
  return true;
}

TlsStream::Progress TlsStream::shake_hands() {
  for (;;) {
    ERR_clear_error();
    const int result = SSL_accept(ssl_.get());
    if (result == 1) {
      has_used_up_first();
      return Progress::done;
    }
    const int reason = SSL_get_error(ssl_.get(), result);
    wants_output_ = reason == SSL_ERROR_WANT_WRITE;
    if (reason == SSL_ERROR_WANT_READ && has_used_up_first()) continue;
    if (wants_output_ || reason == SSL_ERROR_WANT_READ) return Progress::wants_socket;
    break;
  }
  failure_ = take_openssl_failure(*ssl_);
  return Progress::failed;
}

std::size_t TlsStream::read_some(char* buffer, std::size_t size, asio::error_code& error) {
  ERR_clear_error();
  std::size_t done = 0;
  const int result = SSL_read_ex(ssl_.get(), buffer, size, &done);
  return finish(result, done, error);
}

std::size_t TlsStream::send(ByteView bytes, asio::error_code& error) {
  ERR_clear_error();
  std::size_t done = 0;
  const int result = SSL_write_ex(ssl_.get(), bytes.data(), bytes.size(), &done);
  return finish(result, done, error);
}

std::size_t TlsStream::finish(int result, std::size_t done, asio::error_code& error) {
  error = {};
  wants_output_ = false;
  if (result == 1) return done;
  const int system_error = errno;
  switch (SSL_get_error(ssl_.get(), result)) {
    case SSL_ERROR_WANT_WRITE:
      wants_output_ = true;
      [[fallthrough]];
    case SSL_ERROR_WANT_READ:
      error = asio::error::would_block;
      return 0;
    case SSL_ERROR_SYSCALL:
      if (system_error != 0) error = asio::error_code(system_error, asio::system_category());
      break;
    default:
      break;
  }
  ERR_clear_error();
  if (!error) error = asio::error::eof;
  return 0;
}

void TlsStream::end() {
  ERR_clear_error();
  SSL_shutdown(ssl_.get());
  ERR_clear_error();
}

// ---- Context ----

TlsContext::TlsContext(const TlsSettings& settings) : context_(asio::ssl::context::tls_server) {
  SSL_CTX* const context = context_.native_handle();
  set_rules(context, settings.allow_1_2);
  expires_ = load_server_certificates(*context, settings);
}

}  // namespace lekt
