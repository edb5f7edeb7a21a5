#include "client/certificate_check.h"

#include <openssl/bio.h>
#include <openssl/ssl.h>
#include <openssl/x509_vfy.h>
#include <openssl/x509v3.h>

#include <ctime>
#include <memory>

#include "common/errors.h"
#include "common/text.h"

namespace lekt {

namespace {

using Bio = std::unique_ptr<BIO, decltype(&BIO_free)>;

Bio memory() { return {BIO_new(BIO_s_mem()), BIO_free}; }

/// A text that the maker of the certificate chose, changed so that it cannot control a terminal.
std::string text_of(const Bio& bio) {
  const char* bytes = nullptr;
  const long size = BIO_get_mem_data(bio.get(), &bytes);
  return escape({bytes, static_cast<std::size_t>(size)});
}

/// A name in words: "CN = coordinator".
std::string text_of(const X509_NAME* name) {
  const Bio bio = memory();
  X509_NAME_print_ex(bio.get(), name, 0, XN_FLAG_ONELINE);
  return text_of(bio);
}

/// A time in words: "Nov 20 07:08:41 2026 GMT".
std::string text_of(const ASN1_TIME* time) {
  const Bio bio = memory();
  ASN1_TIME_print(bio.get(), time);
  return text_of(bio);
}

/// The names of a certificate in words: "DNS:coordinator, IP Address:10.0.0.1".
std::string names_in(const X509* certificate) {
  const int position = X509_get_ext_by_NID(certificate, NID_subject_alt_name, -1);
  if (position < 0) return "no name";
  const Bio bio = memory();
  X509V3_EXT_print(bio.get(), X509_get_ext(certificate, position), 0, 0);
  return text_of(bio);
}

std::string describe_trouble(int error, const X509* certificate) {
  switch (error) {
    case X509_V_ERR_CERT_HAS_EXPIRED:
      return "expired at " + text_of(X509_get0_notAfter(certificate)) + "; it has to be renewed";
    case X509_V_ERR_CERT_NOT_YET_VALID:
      return "is valid only from " + text_of(X509_get0_notBefore(certificate)) +
             " on; compare the clock of this machine";
    case X509_V_ERR_UNABLE_TO_GET_ISSUER_CERT:
    case X509_V_ERR_UNABLE_TO_GET_ISSUER_CERT_LOCALLY:
    case X509_V_ERR_UNABLE_TO_VERIFY_LEAF_SIGNATURE:
    case X509_V_ERR_DEPTH_ZERO_SELF_SIGNED_CERT:
    case X509_V_ERR_SELF_SIGNED_CERT_IN_CHAIN:
      return "is signed by \"" + text_of(X509_get_issuer_name(certificate)) +
             "\", which is not trusted; if it should be, name its certificate (--ca)";
    default:
      return std::string("cannot be used: ") + X509_verify_cert_error_string(error);
  }
}

void warn_of_expiry(const std::string& whose, const X509* certificate,
                    std::chrono::system_clock::time_point now, std::vector<std::string>& warnings) {
  const ASN1_TIME* const end = X509_get0_notAfter(certificate);
  std::time_t soon = std::chrono::system_clock::to_time_t(now + expiry_warning_before);
  if (X509_cmp_time(end, &soon) > 0) return;
  std::time_t present = std::chrono::system_clock::to_time_t(now);
  const bool over = X509_cmp_time(end, &present) < 0;
  warnings.push_back(Rejection{ErrorCode::certificate_expires,
                               whose + " \"" + text_of(X509_get_subject_name(certificate)) + "\" " +
                                   (over ? "expired at " : "expires at ") + text_of(end) +
                                   (over ? "; have it renewed" : "; have it renewed before")}
                         .text());
}

}  // namespace

std::vector<std::string> expiry_warnings(SSL& ssl, std::chrono::system_clock::time_point now) {
  std::vector<std::string> warnings;
  const STACK_OF(X509)* const chain = SSL_get0_verified_chain(&ssl);
  for (int i = 0; i < sk_X509_num(chain); ++i)
    warn_of_expiry(i == 0 ? "the server's certificate" : "a certificate above the server's",
                   sk_X509_value(chain, i), now, warnings);
  if (const X509* const own = SSL_get_certificate(&ssl))
    warn_of_expiry("the client's certificate", own, now, warnings);
  return warnings;
}

bool CertificateCheck::accepts(bool sound, asio::ssl::verify_context& context) {
  if (names_host_(sound, context)) return true;
  X509_STORE_CTX* const state = context.native_handle();
  const X509* const certificate = X509_STORE_CTX_get_current_cert(state);
  const bool of_server = X509_STORE_CTX_get_error_depth(state) == 0;
  trouble_ = std::string(of_server ? "the server's certificate" : "a certificate above the server's") +
             " \"" + text_of(X509_get_subject_name(certificate)) + "\" ";
  if (!sound) {
    trouble_ += describe_trouble(X509_STORE_CTX_get_error(state), certificate);
    return false;
  }
  X509_STORE_CTX_set_error(state, X509_V_ERR_HOSTNAME_MISMATCH);
  trouble_ += "is for " + names_in(certificate) + " and not for " + host_ +
              "; connect to a name that it has, or have one made for this host";
  return false;
}

}  // namespace lekt
