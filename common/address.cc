#include "common/address.h"

#include <arpa/inet.h>

namespace lekt {

std::string to_string(Ipv4Address address) {
  std::string text;
  for (int shift = 24; shift >= 0; shift -= 8) {
    text += std::to_string(address.value >> shift & 0xff);
    if (shift != 0) text += '.';
  }
  return text;
}

std::optional<Ipv4Address> parse_ipv4(std::string_view text) {
  in_addr parsed{};
  if (inet_pton(AF_INET, std::string(text).c_str(), &parsed) != 1) return std::nullopt;
  if (text.find('\0') != text.npos) return std::nullopt;
  return Ipv4Address{ntohl(parsed.s_addr)};
}

}  // namespace lekt
