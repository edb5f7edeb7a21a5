// An IPv4 address: who a client is (docs/protocol.md, "Who a client is").
#pragma once

#include <compare>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>

namespace lekt {

struct Ipv4Address {
  std::uint32_t value = 0;  ///< 127.0.0.1 is 0x7f000001

  auto operator<=>(const Ipv4Address&) const = default;
};

/// The address in dotted form, "10.0.0.7".
std::string to_string(Ipv4Address address);

/// The address written as four decimal numbers with dots; nothing else is one ("10.1" and "010.0.0.1" are
/// not).
std::optional<Ipv4Address> parse_ipv4(std::string_view text);

}  // namespace lekt

template <>
struct std::hash<lekt::Ipv4Address> {
  // Addresses of one network differ in their low bits; the multiplication spreads them over all buckets.
  std::size_t operator()(lekt::Ipv4Address address) const noexcept {
    return static_cast<std::size_t>(address.value * 0x9e3779b97f4a7c15ULL >> 16);
  }
};
