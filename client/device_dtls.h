// A device's side of DTLS: which authorities it trusts and which certificate it shows, by the same options as TLS
// (client/tls.h).
#pragma once

#include <string>

#include "client/tls.h"
#include "tls/dtls_context.h"
#include "tls/dtls_session.h"

namespace lekt {

/// Reads the options' files. Throws CodedError E705, which names the file and what is wrong with it.
DtlsContext make_dtls_context(const TlsOptions& options);

/// Judges the server's certificate. `host` is what the device was told to use: a name or an IPv4 address, which the
/// certificate has to contain.
DtlsServerCheck make_dtls_check(const std::string& host);

}  // namespace lekt
