#include "client/device_dtls.h"

#include <openssl/ssl.h>

#include <asio/ssl/context.hpp>
#include <asio/ssl/verify_context.hpp>
#include <memory>

#include "client/certificate_check.h"
#include "client/tls_context.h"
#include "common/address.h"

namespace lekt {

DtlsContext make_dtls_context(const TlsOptions& options) {
  DtlsContext made = DtlsContext::for_client();
  SSL_CTX_up_ref(made.native_handle());
  asio::ssl::context loader(made.native_handle());  // gives up its own reference in the end
  load_tls_files(loader, options);
  return made;
}

DtlsServerCheck make_dtls_check(const std::string& host) {
  const auto check = std::make_shared<CertificateCheck>(host);
  // An address is no name.
  return {parse_address(host) ? "" : host, [check](bool sound, X509_STORE_CTX& chain) -> std::string {
            asio::ssl::verify_context context(&chain);
            return check->accepts(sound, context) ? "" : check->trouble();
          }};
}

}  // namespace lekt
