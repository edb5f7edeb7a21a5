// How a client speaks TLS with the server: whom it trusts, and which certificate it shows.
#pragma once

#include <filesystem>

namespace lekt {

/// Options for TLS 1.2 or later. The server's certificate has to be valid and to name the host that the client was
/// given. All files are PEM, and are read again for each connection, so the next one uses a renewed certificate.
struct TlsOptions {
  /// Certificates of the authorities to trust. Empty: those that the machine trusts.
  std::filesystem::path authorities = {};
  /// The client's own certificate, for a server that asks for one, followed by those between it and its
  /// authority; and the key that belongs to it, without a password. Both or neither.
  std::filesystem::path certificate = {};
  std::filesystem::path key = {};
};

}  // namespace lekt
