#include "client/stream.h"

#include <openssl/err.h>
#include <openssl/ssl.h>

#include "client/tls_context.h"
#include "common/address.h"

namespace lekt {

namespace {

/// The server's alert, which OpenSSL reports as a reason of its own; -1 if the error is no alert.
int alert_of(unsigned long error) {
  const int reason = ERR_GET_REASON(error);
  return ERR_GET_LIB(error) == ERR_LIB_SSL && reason > SSL_AD_REASON_OFFSET ? reason - SSL_AD_REASON_OFFSET
                                                                            : -1;
}

/// An alert in words: "unknown ca", from "tlsv1 alert unknown ca".
std::string alert_text(const std::string& reason) {
  const std::string before = "alert ";
  const std::size_t place = reason.find(before);
  return reason.substr(place == reason.npos ? 0 : place + before.size());
}

/// What is likely to help against an alert of the server.
const char* remedy_of(int alert) {
  switch (alert) {
    case SSL_AD_CERTIFICATE_REQUIRED:
      return "the server wants a client's certificate (--cert, --key)";
    case SSL_AD_HANDSHAKE_FAILURE:
      return "the server may want a client's certificate (--cert, --key), or other ciphers";
    case SSL_AD_CERTIFICATE_EXPIRED:
      return "the client's certificate has to be renewed";
    case SSL_AD_UNKNOWN_CA:
      return "the server does not trust the authority that signed the client's certificate";
    case SSL_AD_PROTOCOL_VERSION:
      return "the server speaks other versions of TLS; this client speaks 1.2 and 1.3";
    default:
      return "look at the client's certificate (--cert), and at the server's log";
  }
}

/// Makes the alert that ends TLS. Asio's own shutdown would also wait for the server's alert, and take it away from the
/// reading that goes on. So OpenSSL writes into memory from here on.
std::string last_words_of(SSL& ssl) {
  BIO* const memory = BIO_new(BIO_s_mem());
  SSL_set0_wbio(&ssl, memory);  // owns it from now on
  SSL_shutdown(&ssl);
  const char* bytes = nullptr;
  const long size = BIO_get_mem_data(memory, &bytes);
  return {bytes, static_cast<std::size_t>(size)};
}

}  // namespace

Stream::Tls::Tls(Socket& socket, const TlsOptions& options, const std::string& host)
    : context(make_tls_context(options)), stream(socket, context), check(host) {
  // A server with several certificates chooses by the name. An address is no name.
  if (!parse_address(host)) SSL_set_tlsext_host_name(stream.native_handle(), host.c_str());
  stream.set_verify_callback(
      [this](bool sound, asio::ssl::verify_context& chain) { return check.accepts(sound, chain); });
}

void Stream::end_sending(std::shared_ptr<void> owner) {
  const auto end = [this, owner = std::move(owner)](const Error&, std::size_t) {
    Error ignored;
    socket_.shutdown(Socket::shutdown_send, ignored);
  };
  if (!tls_) return end({}, 0);
  tls_->last_words = last_words_of(*tls_->stream.native_handle());
  asio::async_write(socket_, asio::buffer(tls_->last_words), end);
}

std::vector<std::string> Stream::warnings() const {
  if (!tls_) return {};
  return expiry_warnings(*tls_->stream.native_handle(), std::chrono::system_clock::now());
}

std::string Stream::explain(const Error& error) const {
  if (!tls_->check.trouble().empty()) return tls_->check.trouble();
  if (!is_of_tls(error))
    return "the connection ended in the middle of the handshake (" + error.message() +
           "); if this is the server's port without TLS, connect without it";
  const auto code = static_cast<unsigned long>(error.value());
  const int alert = alert_of(code);
  const char* reason = ERR_reason_error_string(code);
  const std::string text = reason != nullptr ? reason : error.message();
  if (alert >= 0) return "the server sent the alert \"" + alert_text(text) + "\"; " + remedy_of(alert);
  if (ERR_GET_REASON(code) == SSL_R_WRONG_VERSION_NUMBER)
    return "the server does not speak TLS on this port; use its TLS port, or connect without TLS";
  return text;
}

}  // namespace lekt
