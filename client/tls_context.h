// What OpenSSL needs to know before a connection: versions, authorities, the client's certificate.
#pragma once

#include <asio/ssl/context.hpp>

#include "client/tls.h"

namespace lekt {

/// Makes a context from the options' files. Throws CodedError E705, which names the file and what is wrong with
/// it.
asio::ssl::context make_tls_context(const TlsOptions& options);

}  // namespace lekt
