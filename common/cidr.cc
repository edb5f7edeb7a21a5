#include "common/cidr.h"

#include <algorithm>
#include <charconv>

namespace lekt {

namespace {

std::uint32_t mask_of(std::uint8_t prefix) { return prefix == 0 ? 0 : ~std::uint32_t{0} << (32 - prefix); }

bool any_contains(const std::vector<Cidr>& blocks, Ipv4Address address) {
  return std::ranges::any_of(blocks, [&](const Cidr& block) { return block.contains(address); });
}

}  // namespace

bool Cidr::contains(Ipv4Address address) const { return (address.value & mask_of(prefix)) == network.value; }

std::string to_string(const Cidr& cidr) {
  return to_string(cidr.network) + "/" + std::to_string(cidr.prefix);
}

std::optional<Cidr> parse_cidr(std::string_view text) {
  const std::size_t slash = text.find('/');
  const auto address = parse_ipv4(text.substr(0, slash));
  if (!address) return std::nullopt;
  Cidr cidr{*address};
  if (slash != text.npos) {
    const std::string_view digits = text.substr(slash + 1);
    const char* end_of_text = digits.data() + digits.size();
    const auto [end, error] = std::from_chars(digits.data(), end_of_text, cidr.prefix);
    if (error != std::errc() || end != end_of_text || cidr.prefix > 32) return std::nullopt;
  }
  if ((address->value & ~mask_of(cidr.prefix)) != 0) return std::nullopt;
  return cidr;
}

bool AddressRules::admits(Ipv4Address address) const {
  return !any_contains(denied, address) && (allowed.empty() || any_contains(allowed, address));
}

}  // namespace lekt
