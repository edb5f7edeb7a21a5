// How a client speaks TLS with the server: whom it trusts, and what it shows of itself.
#pragma once

#include <filesystem>

namespace lekt {

/// TLS 1.2 or later. The server's certificate has to be valid and to name the host that the client was given.
/// All files are PEM, and are read anew for each connection: a renewed certificate is taken up by the next.
struct TlsOptions {
  /// Certificates of the authorities to trust. Empty: those that this machine trusts.
  std::filesystem::path authorities = {};
  /// The client's own certificate, followed by those between it and its authority, for a server that asks for
  /// one; and the key that belongs to it, without a password. Both or neither.
  std::filesystem::path certificate = {};
  std::filesystem::path key = {};
};

}  // namespace lekt
