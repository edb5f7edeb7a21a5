#include "tls/openssl_error.h"

#include <openssl/err.h>
#include <openssl/ssl.h>
#include <openssl/x509_vfy.h>

#include <system_error>

namespace lekt {

std::string openssl_text(unsigned long code) {
  if (ERR_SYSTEM_ERROR(code)) return std::system_category().message(ERR_GET_REASON(code));
  const char* const reason = ERR_reason_error_string(code);
  const char* const library = ERR_lib_error_string(code);
  if (reason == nullptr) return "OpenSSL gives no reason";
  return library == nullptr ? reason : std::string(reason) + " (" + library + ")";
}

std::string take_openssl_failure(const SSL& ssl) {
  const unsigned long code = ERR_get_error();
  ERR_clear_error();
  const char* const reason = code == 0 ? nullptr : ERR_reason_error_string(code);
  std::string failure = reason == nullptr ? "the connection was closed" : reason;
  const long verdict = SSL_get_verify_result(&ssl);
  if (verdict != X509_V_OK) failure += std::string(" (") + X509_verify_cert_error_string(verdict) + ")";
  return failure;
}

}  // namespace lekt
