// The certificates of a server: what the settings name, loaded in one way for TLS and for DTLS.
#pragma once

#include <openssl/types.h>

#include <cstdint>
#include <filesystem>
#include <vector>

namespace lekt {

struct TlsSettings {
  std::filesystem::path certificate;         ///< PEM: the server's own first, then those that sign it
  std::filesystem::path key;                 ///< PEM
  std::filesystem::path client_authorities;  ///< PEM; if given, clients have to show a certificate of these
  bool allow_1_2 = false;                    ///< whether TLS 1.2 is allowed besides 1.3; DTLS is always 1.2

  bool operator==(const TlsSettings&) const = default;
};

/// A file with certificates.
struct CertificateFile {
  std::filesystem::path path;
  std::int64_t expires = 0;  ///< when the first of its certificates expires, in Unix seconds
};

/// How long before a certificate expires the warnings begin.
inline constexpr std::int64_t certificate_warning_seconds = 14 * 24 * 3600;

/// Reads the files into a context, which asks clients for a certificate from then on if there are authorities. Throws
/// CodedError E510, which names the file and what is wrong with it. Returns the files of certificates: the server's
/// first, then the one with the clients' authorities, if any.
std::vector<CertificateFile> load_server_certificates(SSL_CTX& context, const TlsSettings& settings);

}  // namespace lekt
