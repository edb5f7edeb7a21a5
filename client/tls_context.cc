#include "client/tls_context.h"

#include <openssl/err.h>
#include <openssl/ssl.h>

#include "common/errors.h"
#include "common/text.h"

namespace lekt {

namespace {

using asio::ssl::context;
using Error = asio::error_code;

[[noreturn]] void refuse(const std::string& what, const std::filesystem::path& path,
                         const std::string& reason) {
  throw CodedError(ErrorCode::usage_wrong,
                   what + " \"" + escape(path.string()) + "\" cannot be used: " + reason);
}

/// Refuses anything but a regular file. The files are read again for each connection, on the client's thread: a pipe
/// would be empty the second time, and one that nobody writes to would block the thread forever.
void require_file(const std::string& what, const std::filesystem::path& path) {
  std::error_code error;
  const auto status = std::filesystem::status(path, error);
  if (std::filesystem::exists(status) && !std::filesystem::is_regular_file(status))
    refuse(what, path, "it is no regular file; it is read again for each connection");
}

void trust(context& made, const std::filesystem::path& authorities) {
  Error error;
  require_file("the file of trusted authorities", authorities);
  if (authorities.empty())
    made.set_default_verify_paths(error);
  else
    made.load_verify_file(authorities.string(), error);
  if (error) refuse("the file of trusted authorities", authorities, error.message());
}

void show(context& made, const std::filesystem::path& certificate, const std::filesystem::path& key) {
  // This comes first: without it, OpenSSL would ask for a password on the terminal, even for a certificate.
  made.set_password_callback([](std::size_t, context::password_purpose) { return ""; });
  require_file("the client's certificate", certificate);
  require_file("the client's key", key);
  Error error;
  made.use_certificate_chain_file(certificate.string(), error);
  const std::string expected = error.category() == asio::error::get_ssl_category()
                                   ? "; a PEM file without a password is expected"
                                   : "";
  if (error) refuse("the client's certificate", certificate, error.message() + expected);

  made.use_private_key_file(key.string(), context::pem, error);
  const bool of_ssl = error.category() == asio::error::get_ssl_category();
  if (of_ssl && ERR_GET_LIB(error.value()) == ERR_LIB_X509)
    refuse("the client's key", key,
           "it does not belong to the certificate \"" + escape(certificate.string()) + "\"");
  if (error) refuse("the client's key", key, error.message() + "; a PEM file without a password is expected");
}

}  // namespace

void load_tls_files(context& made, const TlsOptions& options) {
  if (options.certificate.empty() != options.key.empty())
    throw CodedError(ErrorCode::usage_wrong,
                     "a client's certificate and its key belong together, and only one of them is given");
  made.set_verify_mode(asio::ssl::verify_peer);
  trust(made, options.authorities);
  if (!options.certificate.empty()) show(made, options.certificate, options.key);
}

context make_tls_context(const TlsOptions& options) {
  context made(context::tls_client);
  ::SSL_CTX_set_min_proto_version(made.native_handle(), TLS1_2_VERSION);
  load_tls_files(made, options);
  return made;
}

}  // namespace lekt
