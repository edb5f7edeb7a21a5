// Decides whether the server's certificate is good, and says in words what is wrong with it.
//
// OpenSSL checks signatures, dates and purposes; this class compares the name. Private to the library. Each TLS
// connection has one, on its own thread, for as long as its handshake lasts.
#pragma once

#include <asio/ssl/host_name_verification.hpp>
#include <chrono>
#include <string>
#include <vector>

namespace lekt {

class CertificateCheck {
 public:
  /// `host` is what the client was told to connect to: a name or an IPv4 address.
  explicit CertificateCheck(const std::string& host) : host_(host), names_host_(host) {}

  /// Whether a certificate is good. OpenSSL asks for each one, from the authority's down to the server's; `sound` is
  /// OpenSSL's own verdict.
  bool accepts(bool sound, asio::ssl::verify_context& context);

  /// What is wrong with which certificate, and what would be right, in one printable line. Empty if all is well.
  const std::string& trouble() const { return trouble_; }

 private:
  std::string host_;
  asio::ssl::host_name_verification names_host_;
  std::string trouble_;
};

/// How long before a certificate expires the warnings begin.
inline constexpr std::chrono::days expiry_warning_before{14};

/// Warnings about the certificates of an established connection that will expire soon or have expired: the
/// server's, those above it, and the client's own. Each is one printable line that begins with E709.
std::vector<std::string> expiry_warnings(SSL& ssl, std::chrono::system_clock::time_point now);

}  // namespace lekt
