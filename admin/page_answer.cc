#include <openssl/evp.h>

#include "admin/page.h"
#include "common/text.h"

namespace lekt::admin {

namespace {

/// Base64 with padding: the form in which a policy names a hash.
std::string to_base64(const Bytes& bytes) {
  std::string text(4 * ((bytes.size() + 2) / 3) + 1, '\0');
  const int size =
      EVP_EncodeBlock(reinterpret_cast<unsigned char*>(text.data()),
                      reinterpret_cast<const unsigned char*>(bytes.data()), static_cast<int>(bytes.size()));
  text.resize(static_cast<std::size_t>(size));
  return text;
}

std::string hash_source(std::string_view sha256) {
  return "'sha256-" + to_base64(parse_hex(sha256).value()) + "'";
}

}  // namespace

Answer page_answer() {
  Answer answer;
  answer.type = "text/html; charset=utf-8";
  answer.body = page_text;
  answer.content_policy = "default-src 'none'; script-src " + hash_source(page_script_sha256) +
                          "; style-src " + hash_source(page_style_sha256) +
                          "; img-src data:; connect-src 'self'; base-uri 'none'; form-action 'none'; "
                          "frame-ancestors 'none'; require-trusted-types-for 'script'; trusted-types 'none'";
  return answer;
}

}  // namespace lekt::admin
