#include "admin/page.h"
#include "common/text.h"

namespace lekt::admin {

namespace {

/// As RFC 4648 has it, with padding: the form in which a policy names a hash.
std::string to_base64(const Bytes& bytes) {
  constexpr std::string_view digits = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
  std::string text;
  for (std::size_t at = 0; at < bytes.size(); at += 3) {
    std::uint32_t group = 0;
    for (std::size_t index = 0; index < 3; ++index)
      group = group << 8 |
              (at + index < bytes.size() ? std::to_integer<std::uint32_t>(std::byte(bytes[at + index])) : 0);
    for (std::size_t index = 0; index < 4; ++index)
      text += at + index > bytes.size() ? '=' : digits[group >> (18 - 6 * index) & 63];
  }
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
