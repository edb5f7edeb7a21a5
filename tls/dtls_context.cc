#include "tls/dtls_context.h"

#include <openssl/ssl.h>

#include <new>

namespace lekt {

namespace {

constexpr const char* suites = "ECDHE+AESGCM:ECDHE+CHACHA20:ECDHE+AESCCM:!AESCCM8";

/// The most bytes of the other side's certificate and those that sign it. OpenSSL takes as much memory as a fragment of
/// a message announces, for ten messages at once, and 17 KB in any case.
constexpr long certificates_bytes_max = 16 * 1024;

}  // namespace

void DtlsContext::Free::operator()(SSL_CTX* context) const { SSL_CTX_free(context); }

DtlsContext::DtlsContext(const ssl_method_st* method) : context_(SSL_CTX_new(method)) {
  SSL_CTX* const context = context_.get();
  if (context == nullptr || SSL_CTX_set_min_proto_version(context, DTLS1_2_VERSION) != 1 ||
      SSL_CTX_set_max_proto_version(context, DTLS1_2_VERSION) != 1 ||
      SSL_CTX_set_cipher_list(context, suites) != 1 ||
      SSL_CTX_set_max_send_fragment(context, dtls_datagram_bytes_max) !=
          1)  // half of a session's buffers less
    throw std::bad_alloc();
  SSL_CTX_set_session_cache_mode(context, SSL_SESS_CACHE_OFF);
  SSL_CTX_set_max_cert_list(context, certificates_bytes_max);
  SSL_CTX_set_options(context, SSL_OP_NO_QUERY_MTU | SSL_OP_NO_TICKET | SSL_OP_NO_RENEGOTIATION |
                                   SSL_OP_NO_COMPRESSION | SSL_OP_CIPHER_SERVER_PREFERENCE);
}

DtlsContext::DtlsContext(const TlsSettings& settings) : DtlsContext(DTLS_server_method()) {
  expires_ = load_server_certificates(*context_, settings);
}

DtlsContext DtlsContext::for_client() {
  DtlsContext made(DTLS_client_method());
  SSL_CTX_set_verify(made.native_handle(), SSL_VERIFY_PEER, nullptr);
  return made;
}

}  // namespace lekt
