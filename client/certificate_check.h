// Decides whether the server's certificate is good, and says in words what is wrong with it.
//
// OpenSSL checks signatures, dates and purposes; the name is compared here. Private to the library: one for
// each TLS connection, on its thread, alive for as long as its handshake.
#pragma once

#include <asio/ssl/host_name_verification.hpp>
#include <string>

namespace lekt {

class CertificateCheck {
 public:
  /// `host` is what the client was told to connect to: a name or an IPv4 address.
  explicit CertificateCheck(const std::string& host) : host_(host), names_host_(host) {}

  /// For each certificate from the authority's down to the server's; `sound` is OpenSSL's opinion.
  bool accepts(bool sound, asio::ssl::verify_context& context);

  /// What is wrong with which certificate, and what would be right: one printable line. Empty if all is well.
  const std::string& trouble() const { return trouble_; }

 private:
  std::string host_;
  asio::ssl::host_name_verification names_host_;
  std::string trouble_;
};

}  // namespace lekt
