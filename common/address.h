// The IP address of a client: who it is (docs/protocol.md, "Who a client is").
//
// It has room for both families: an IPv4 address is held in its mapped form, ::ffff:a.b.c.d (RFC 4291, section
// 2.5.5.2). How an address is written on the wire and in the database is up to the code there (common/packets.h,
// storage/address_column.h), and today all of that is IPv4.
#pragma once

#include <compare>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>

namespace lekt {

class Address {
 public:
  /// 0.0.0.0, which nobody has.
  constexpr Address() = default;
  /// An IPv4 address as a number: 127.0.0.1 is 0x7f000001.
  static constexpr Address v4(std::uint32_t value) { return Address(0, mapped | value); }

  constexpr bool is_v4() const { return high_ == 0 && low_ >> 32 == mapped >> 32; }
  /// The address as a number. It has to be an IPv4 address.
  constexpr std::uint32_t as_v4() const { return static_cast<std::uint32_t>(low_); }

  /// A number for hashing, which no two IPv4 addresses share.
  constexpr std::uint64_t folded() const { return high_ ^ low_; }

  /// Numerical order; IPv4 addresses stand together.
  constexpr auto operator<=>(const Address&) const = default;

 private:
  friend class Block;
  static constexpr std::uint64_t mapped = 0xffff'0000'0000;

  constexpr Address(std::uint64_t high, std::uint64_t low) : high_(high), low_(low) {}

  std::uint64_t high_ = 0;
  std::uint64_t low_ = mapped;
};

/// The address in dotted form, "10.0.0.7".
std::string to_string(Address address);

/// The address in `text`, which has to be four decimal numbers with dots: "10.1" and "010.0.0.1" are not
/// addresses.
std::optional<Address> parse_address(std::string_view text);

/// Whether the address is in 127.0.0.0/8, which every machine has for itself.
constexpr bool is_loopback(Address address) { return address.is_v4() && address.as_v4() >> 24 == 127; }

}  // namespace lekt

template <>
struct std::hash<lekt::Address> {
  // Addresses of one network differ in their low bits. The multiplication spreads them over all buckets.
  std::size_t operator()(lekt::Address address) const noexcept {
    return static_cast<std::size_t>(address.folded() * 0x9e3779b97f4a7c15ULL >> 16);
  }
};
