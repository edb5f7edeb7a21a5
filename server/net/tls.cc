#include "server/net/tls.h"

#include <openssl/err.h>
#include <openssl/ssl.h>
#include <openssl/x509.h>

#include <algorithm>
#include <asio/error.hpp>
#include <ctime>
#include <new>

#include "common/errors.h"
#include "common/text.h"

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

/// OpenSSL's oldest error in words, and none is left behind.
std::string take_error() {
  const unsigned long code = ERR_get_error();
  ERR_clear_error();
  const char* reason = code == 0 ? nullptr : ERR_reason_error_string(code);
  return reason == nullptr ? "the connection was closed" : reason;
}

/// Never asks for a pass phrase, as OpenSSL would do at the terminal from which the server was started, also in
/// the midst of a reload. Notes that there is one.
int refuse_pass_phrase(char*, int, int, void* asked) {
  *static_cast<bool*>(asked) = true;
  return -1;
}

/// Runs one step of loading and names the file when it fails. A reload reads again, in the thread that accepts: so
/// a pipe, which would be empty or wait then, is refused from the beginning.
template <class Load>
void load(SSL_CTX* context, const std::filesystem::path& path, const std::string& what, Load load) {
  const auto fail = [&](const std::string& why) {
    throw CodedError(ErrorCode::tls_unusable, "cannot use " + path.string() + " as " + what + ": " + why);
  };
  std::error_code ignored;
  if (std::filesystem::exists(path, ignored) && !std::filesystem::is_regular_file(path, ignored))
    fail("it is not a regular file; it is read again at each reload");
  bool has_pass_phrase = false;
  SSL_CTX_set_default_passwd_cb(context, refuse_pass_phrase);
  SSL_CTX_set_default_passwd_cb_userdata(context, &has_pass_phrase);
  asio::error_code error;
  load(error);
  ERR_clear_error();
  SSL_CTX_set_default_passwd_cb_userdata(context, nullptr);
  if (error && has_pass_phrase)
    fail("it has a pass phrase, for which nobody is asked; write it without: openssl pkey -in FILE -out NEW");
  if (error) fail(error.message());
}

/// When the certificate expires, as a Unix second; 0 if there is none.
std::int64_t end_of(const X509* certificate) {
  tm time{};
  if (certificate == nullptr || ASN1_TIME_to_tm(X509_get0_notAfter(certificate), &time) != 1) return 0;
  return timegm(&time);
}

/// When the first to expire of the server's own certificate and of those that sign it does so.
std::int64_t end_of_chain(SSL_CTX* context) {
  std::int64_t end = end_of(SSL_CTX_get0_certificate(context));
  STACK_OF(X509)* chain = nullptr;
  SSL_CTX_get0_chain_certs(context, &chain);
  for (int index = 0; index < sk_X509_num(chain); ++index)
    end = std::min(end, end_of(sk_X509_value(chain, index)));
  return end;
}

/// When the first of the authorities of clients expires; 0 without any.
std::int64_t end_of_authorities(SSL_CTX* context) {
  std::int64_t end = 0;
  const STACK_OF(X509_OBJECT)* const objects = X509_STORE_get0_objects(SSL_CTX_get_cert_store(context));
  for (int index = 0; index < sk_X509_OBJECT_num(objects); ++index) {
    const X509* const certificate = X509_OBJECT_get0_X509(sk_X509_OBJECT_value(objects, index));
    if (certificate == nullptr) continue;
    end = end == 0 ? end_of(certificate) : std::min(end, end_of(certificate));
  }
  return end;
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
  SSL_CTX* const context = context_.native_handle();
  set_rules(context, settings.allow_1_2);
  load(context, settings.certificate, "a certificate (PEM)", [&](asio::error_code& error) {
    context_.use_certificate_chain_file(settings.certificate.string(), error);
  });
  load(context, settings.key, "the key of that certificate (PEM, without a pass phrase)",
       [&](asio::error_code& error) {
         context_.use_private_key_file(settings.key.string(), asio::ssl::context::pem, error);
       });
  if (!settings.client_authorities.empty()) {
    load(context, settings.client_authorities, "the authorities of clients (PEM)",
         [&](asio::error_code& error) {
           context_.load_verify_file(settings.client_authorities.string(), error);
         });
    context_.set_verify_mode(asio::ssl::verify_peer | asio::ssl::verify_fail_if_no_peer_cert);
  }
  expires_.push_back({settings.certificate, end_of_chain(context)});
  if (!settings.client_authorities.empty())
    expires_.push_back({settings.client_authorities, end_of_authorities(context)});
}

}  // namespace lekt
