#include "tls/server_certificates.h"

#include <openssl/err.h>
#include <openssl/ssl.h>
#include <openssl/x509.h>

#include <algorithm>
#include <ctime>
#include <string>
#include <system_error>

#include "common/errors.h"
#include "tls/openssl_error.h"

namespace lekt {

namespace {

/// Never asks for a pass phrase, as OpenSSL would do at the terminal from which the server was started, even in
/// the middle of a reload. Notes that the key has one.
int refuse_pass_phrase(char*, int, int, void* asked) {
  *static_cast<bool*>(asked) = true;
  return -1;
}

/// Runs one step of loading and names the file when it fails. A reload reads again, in the thread that accepts: so
/// a pipe, which would be empty or wait then, is refused from the beginning.
template <class Load>
void load(SSL_CTX& context, const std::filesystem::path& path, const std::string& what, Load load) {
  const auto fail = [&](const std::string& why) {
    throw CodedError(ErrorCode::tls_unusable, "cannot use " + path.string() + " as " + what + ": " + why);
  };
  std::error_code ignored;
  if (std::filesystem::exists(path, ignored) && !std::filesystem::is_regular_file(path, ignored))
    fail("it is not a regular file; it is read again at each reload");
  bool has_pass_phrase = false;
  SSL_CTX_set_default_passwd_cb(&context, refuse_pass_phrase);
  SSL_CTX_set_default_passwd_cb_userdata(&context, &has_pass_phrase);
  ERR_clear_error();
  const bool is_loaded = load(path.c_str()) == 1;
  const unsigned long error = ERR_get_error();
  ERR_clear_error();
  SSL_CTX_set_default_passwd_cb_userdata(&context, nullptr);
  if (!is_loaded && has_pass_phrase)
    fail("it has a pass phrase, for which nobody is asked; write it without: openssl pkey -in FILE -out NEW");
  if (!is_loaded) fail(openssl_text(error));
}

/// When the certificate expires, as a Unix second; 0 if there is none.
std::int64_t end_of(const X509* certificate) {
  tm time{};
  if (certificate == nullptr || ASN1_TIME_to_tm(X509_get0_notAfter(certificate), &time) != 1) return 0;
  return timegm(&time);
}

/// When the first to expire of the server's own certificate and of those that sign it does so.
std::int64_t end_of_chain(SSL_CTX& context) {
  std::int64_t end = end_of(SSL_CTX_get0_certificate(&context));
  STACK_OF(X509)* chain = nullptr;
  SSL_CTX_get0_chain_certs(&context, &chain);
  for (int index = 0; index < sk_X509_num(chain); ++index)
    end = std::min(end, end_of(sk_X509_value(chain, index)));
  return end;
}

/// When the first of the authorities of clients expires; 0 without any.
std::int64_t end_of_authorities(SSL_CTX& context) {
  std::int64_t end = 0;
  const STACK_OF(X509_OBJECT)* const objects = X509_STORE_get0_objects(SSL_CTX_get_cert_store(&context));
  for (int index = 0; index < sk_X509_OBJECT_num(objects); ++index) {
    const X509* const certificate = X509_OBJECT_get0_X509(sk_X509_OBJECT_value(objects, index));
    if (certificate == nullptr) continue;
    end = end == 0 ? end_of(certificate) : std::min(end, end_of(certificate));
  }
  return end;
}

}  // namespace

std::vector<CertificateFile> load_server_certificates(SSL_CTX& context, const TlsSettings& settings) {
  load(context, settings.certificate, "a certificate (PEM)",
       [&](const char* path) { return SSL_CTX_use_certificate_chain_file(&context, path); });
  load(context, settings.key, "the key of that certificate (PEM, without a pass phrase)",
       [&](const char* path) { return SSL_CTX_use_PrivateKey_file(&context, path, SSL_FILETYPE_PEM); });
  std::vector<CertificateFile> expires{{settings.certificate, end_of_chain(context)}};
  if (settings.client_authorities.empty()) return expires;
  load(context, settings.client_authorities, "the authorities of clients (PEM)",
       [&](const char* path) { return SSL_CTX_load_verify_locations(&context, path, nullptr); });
  SSL_CTX_set_verify(&context, SSL_VERIFY_PEER | SSL_VERIFY_FAIL_IF_NO_PEER_CERT, nullptr);
  expires.push_back({settings.client_authorities, end_of_authorities(context)});
  return expires;
}

}  // namespace lekt
