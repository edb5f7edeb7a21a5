// Certificates and rules for many DTLS sessions (docs/device-protocol.md, "DTLS").
//
// DTLS 1.2 only; no session is resumed and nothing is renegotiated. Only suites whose keys are made anew for each session
// (ECDHE) and that seal a record as a whole (AEAD): others add up to 93 bytes to a datagram, and these at most
// dtls_record_bytes.
#pragma once

#include <openssl/types.h>

#include <cstddef>
#include <memory>
#include <vector>

#include "tls/server_certificates.h"

struct ssl_method_st;

namespace lekt {

/// The most bytes of one datagram, with all that DTLS adds to it.
inline constexpr std::size_t dtls_datagram_bytes_max = 1200;
/// What DTLS adds at most to a datagram: head 13, number 8, seal 16.
inline constexpr std::size_t dtls_record_bytes = 37;

/// A context need not outlive its sessions, which share what they need. Any thread may make sessions.
class DtlsContext {
 public:
  /// Makes a server's context from its files; throws CodedError E510.
  explicit DtlsContext(const TlsSettings& settings);

  /// Makes a client's context, which trusts nobody until authorities are loaded into it. Throws std::bad_alloc.
  static DtlsContext for_client();

  SSL_CTX* native_handle() const { return context_.get(); }

  /// A server's files of certificates, as load_server_certificates() returns them.
  const std::vector<CertificateFile>& expires() const { return expires_; }

 private:
  struct Free {
    void operator()(SSL_CTX* context) const;
  };

  explicit DtlsContext(const ssl_method_st* method);

  std::unique_ptr<SSL_CTX, Free> context_;
  std::vector<CertificateFile> expires_;
};

}  // namespace lekt
