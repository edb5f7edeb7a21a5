// Blocks of IPv4 addresses in CIDR notation (RFC 4632), and the question whether an address is among those
// that may come.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "common/address.h"

namespace lekt {

/// The addresses whose first `prefix` bits are those of `network`; its other bits are 0.
struct Cidr {
  Ipv4Address network;
  std::uint8_t prefix = 32;

  bool contains(Ipv4Address address) const;
  bool operator==(const Cidr&) const = default;
};

/// "10.0.0.0/8"; a single address is "10.0.0.7/32".
std::string to_string(const Cidr& cidr);

/// An address, or an address with a prefix of 0 to 32. Nothing when the address has bits behind the prefix:
/// it is then not clear what was meant.
std::optional<Cidr> parse_cidr(std::string_view text);

/// Which addresses may come: all that are allowed and not denied. An empty list of allowed blocks allows all.
struct AddressRules {
  std::vector<Cidr> allowed;
  std::vector<Cidr> denied;

  bool admits(Ipv4Address address) const;
  bool operator==(const AddressRules&) const = default;
};

}  // namespace lekt
