#include "common/address.h"

#include <arpa/inet.h>

namespace lekt {

std::string to_string(Address address) {
  std::string text;
  for (int shift = 24; shift >= 0; shift -= 8) {
    text += std::to_string(address.as_v4() >> shift & 0xff);
    if (shift != 0) text += '.';
  }
  return text;
}

std::optional<Address> parse_address(std::string_view text) {
  in_addr parsed{};
  if (inet_pton(AF_INET, std::string(text).c_str(), &parsed) != 1) return std::nullopt;
  if (text.find('\0') != text.npos) return std::nullopt;
  return Address::v4(ntohl(parsed.s_addr));
}

}  // namespace lekt
