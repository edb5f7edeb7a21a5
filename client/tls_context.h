// What OpenSSL needs to know before a connection: versions, authorities, the client's certificate.
#pragma once

#include <asio/ssl/context.hpp>

#include "client/tls.h"

namespace lekt {

/// Loads the options' files into a context, which asks for the server's certificate from then on. Throws CodedError E705,
/// which names the file and what is wrong with it.
void load_tls_files(asio::ssl::context& context, const TlsOptions& options);

/// Makes a context from the options' files. Throws like load_tls_files().
asio::ssl::context make_tls_context(const TlsOptions& options);

}  // namespace lekt
