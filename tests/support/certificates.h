// Certificates for tests of TLS: authorities that a test makes up, and what they sign.
//
// Keys are elliptic (P-256), since they are made in a millisecond; all is PEM files below one directory. An
// authority holds its key in memory and writes only its certificate. No network, no openssl program. Throws
// std::runtime_error with OpenSSL's words when something cannot be made. Used from a test's own thread.
#pragma once

#include <openssl/types.h>

#include <chrono>
#include <filesystem>
#include <memory>
#include <string>

#include "tests/support/support.h"

namespace lekt::test {

/// The files of a certificate and of the key that belongs to it.
struct CertifiedKey {
  std::filesystem::path certificate;
  std::filesystem::path key;  ///< without a password, readable by its owner only
};

/// What a certificate says of its holder. It begins `age` ago and lasts until `lifetime` from now.
struct CertificateWishes {
  std::string common_name;
  std::string alternative_names = {};  ///< as OpenSSL writes them: "IP:127.0.0.1,DNS:localhost"
  std::string usage = "serverAuth";    ///< or "clientAuth"
  std::chrono::seconds age = std::chrono::hours(48);
  std::chrono::seconds lifetime = std::chrono::hours(24 * 30);  ///< negative: it has expired
};

class CertificateAuthority {
 public:
  /// Writes its own certificate to `directory`/`name`.pem.
  CertificateAuthority(std::filesystem::path directory, const std::string& name,
                       std::chrono::seconds lifetime = std::chrono::hours(24 * 30));

  const std::filesystem::path& certificate() const { return certificate_path_; }

  /// Signs a certificate for a new key: `directory`/`name`.pem and `name`.key. Files of that name are
  /// replaced, as who renews a certificate does it.
  CertifiedKey issue(const std::string& name, const CertificateWishes& wishes) const;

 private:
  std::filesystem::path directory_;
  std::filesystem::path certificate_path_;
  std::shared_ptr<EVP_PKEY> key_;
  std::shared_ptr<X509> certificate_;
};

/// One of each kind that a server or a client may show, in a directory of their own.
class TestCertificates {
 public:
  TestCertificates();

  const std::filesystem::path& directory() const { return directory_.path(); }

  /// For a server on 127.0.0.1 and localhost.
  static CertificateWishes for_server() { return {"lekt server", "IP:127.0.0.1,DNS:localhost"}; }
  static CertificateWishes for_client() { return {.common_name = "lekt client", .usage = "clientAuth"}; }

 private:
  TempDirectory directory_;

 public:
  const CertificateAuthority authority;
  const CertificateAuthority unknown_authority;  ///< one that nobody in a test trusts

  const std::filesystem::path ca;  ///< the authority's certificate: what --ca and --tls-client-ca name
  const CertifiedKey server;
  const CertifiedKey expired;         ///< the server's, a day ago
  const CertifiedKey not_yet_valid;   ///< the server's, from tomorrow on
  const CertifiedKey other_host;      ///< of the authority, for 192.0.2.1 and other.example
  const CertifiedKey unknown_server;  ///< the server's name, signed by the unknown authority
  const CertifiedKey client;
  const CertifiedKey expired_client;
  const CertifiedKey unknown_client;  ///< signed by the unknown authority
};

}  // namespace lekt::test
