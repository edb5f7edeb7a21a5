#include "server/tls.h"

#include <openssl/err.h>
#include <openssl/ssl.h>
#include <openssl/x509.h>

#include <asio/error.hpp>
#include <new>

#include "common/errors.h"

namespace lekt {

namespace {

/// OpenSSL's oldest error in words, and none is left behind.
std::string take_error() {
  const unsigned long code = ERR_get_error();
  ERR_clear_error();
  const char* reason = code == 0 ? nullptr : ERR_reason_error_string(code);
  return reason == nullptr ? "the connection was closed" : reason;
}

/// Runs one step of loading and names the file when it fails.
template <class Load>
void load(const std::filesystem::path& path, const std::string& what, Load load) {
  asio::error_code error;
  load(error);
  ERR_clear_error();
  if (error)
    throw CodedError(ErrorCode::tls_unusable,
                     "cannot use " + path.string() + " as " + what + ": " + error.message());
}

/// When the certificate expires.
std::string describe(const ASN1_TIME* time) {
  const std::unique_ptr<BIO, decltype(&BIO_free)> out(BIO_new(BIO_s_mem()), BIO_free);
  if (out == nullptr || ASN1_TIME_print(out.get(), time) != 1) return "unknown";
  char* text = nullptr;
  const long size = BIO_get_mem_data(out.get(), &text);
  return {text, static_cast<std::size_t>(size)};
}

void set_rules(SSL_CTX* context, bool allow_1_2) {
  SSL_CTX_set_min_proto_version(context, allow_1_2 ? TLS1_2_VERSION : TLS1_3_VERSION);
  SSL_CTX_set_session_cache_mode(context, SSL_SESS_CACHE_OFF);
  SSL_CTX_set_num_tickets(context, 0);
  SSL_CTX_set_options(context, SSL_OP_NO_TICKET | SSL_OP_NO_RENEGOTIATION | SSL_OP_NO_COMPRESSION |
                                   SSL_OP_CIPHER_SERVER_PREFERENCE);
  SSL_CTX_set_mode(context, SSL_MODE_ENABLE_PARTIAL_WRITE | SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER |
                                SSL_MODE_RELEASE_BUFFERS);
}

}  // namespace

// ---- Stream ----

TlsStream::TlsStream(asio::ssl::context& context, int socket) : ssl_(SSL_new(context.native_handle())) {
  if (ssl_ == nullptr || SSL_set_fd(ssl_.get(), socket) != 1) throw std::bad_alloc();
}

TlsStream::Progress TlsStream::shake_hands() {
  ERR_clear_error();
  const int result = SSL_accept(ssl_.get());
  if (result == 1) return Progress::done;
  const int reason = SSL_get_error(ssl_.get(), result);
  wants_output_ = reason == SSL_ERROR_WANT_WRITE;
  if (wants_output_ || reason == SSL_ERROR_WANT_READ) return Progress::wants_socket;
  failure_ = take_error();
  const long verdict = SSL_get_verify_result(ssl_.get());
  if (verdict != X509_V_OK) failure_ += std::string(" (") + X509_verify_cert_error_string(verdict) + ")";
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
  set_rules(context_.native_handle(), settings.allow_1_2);
  load(settings.certificate, "a certificate (PEM)", [&](asio::error_code& error) {
    context_.use_certificate_chain_file(settings.certificate.string(), error);
  });
  load(settings.key, "the key of that certificate (PEM, without a pass phrase)",
       [&](asio::error_code& error) {
         context_.use_private_key_file(settings.key.string(), asio::ssl::context::pem, error);
       });
  if (!settings.client_authorities.empty()) {
    load(settings.client_authorities, "the authorities of clients (PEM)", [&](asio::error_code& error) {
      context_.load_verify_file(settings.client_authorities.string(), error);
    });
    context_.set_verify_mode(asio::ssl::verify_peer | asio::ssl::verify_fail_if_no_peer_cert);
  }
  const ASN1_TIME* end = X509_get0_notAfter(SSL_CTX_get0_certificate(context_.native_handle()));
  expires_ = describe(end);
  expired_ = X509_cmp_current_time(end) < 0;
}

}  // namespace lekt
