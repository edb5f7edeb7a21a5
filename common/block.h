// Blocks of addresses in CIDR notation (RFC 4632), and rules that say which addresses may come.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "common/address.h"

namespace lekt {

/// The addresses that begin with the same bits.
class Block {
 public:
  /// 0.0.0.0/32, in which nobody is.
  constexpr Block() = default;
  /// The block of this one address.
  explicit constexpr Block(Address address) : first_(address) {}
  /// The addresses whose first `prefix` bits, 0 to 32, are those of an IPv4 address. Nothing if that address has bits
  /// beyond the prefix, because it is then unclear what was meant.
  static std::optional<Block> v4(Address first, std::uint32_t prefix);
  /// Every address that a client can have.
  static Block everyone() { return Block({0, Address::mapped}, v4_bits); }

  bool contains(Address address) const {
    return (address.high_ & high_mask()) == first_.high_ && (address.low_ & low_mask()) == first_.low_;
  }
  bool is_single() const { return prefix_ == bits; }
  /// How many addresses the block has, at most the largest number of 64 bits.
  std::uint64_t size() const {
    return bits - prefix_ < 64 ? std::uint64_t{1} << (bits - prefix_) : UINT64_MAX;
  }
  Address first() const { return first_; }
  Address last() const { return {first_.high_ | ~high_mask(), first_.low_ | ~low_mask()}; }
  /// The number behind the slash of a block of IPv4 addresses.
  std::uint8_t v4_prefix() const { return static_cast<std::uint8_t>(prefix_ - v4_bits); }

  bool operator==(const Block&) const = default;

 private:
  static constexpr std::uint8_t bits = 128;
  static constexpr std::uint8_t v4_bits = 96;  ///< how many bits all IPv4 addresses have in common

  constexpr Block(Address first, std::uint8_t prefix) : first_(first), prefix_(prefix) {}

  /// A number of 64 bits, of which the upper `count` are set.
  static constexpr std::uint64_t upper(int count) {
    return count <= 0 ? 0 : count >= 64 ? ~std::uint64_t{0} : ~(~std::uint64_t{0} >> count);
  }
  std::uint64_t high_mask() const { return upper(prefix_); }
  std::uint64_t low_mask() const { return upper(prefix_ - 64); }

  Address first_;
  std::uint8_t prefix_ = bits;
};

/// The block in words: "10.0.0.0/8"; a single address is "10.0.0.7/32".
std::string to_string(const Block& block);
/// The block as operators write it: "10.0.0.7" for one address, "10.0.0.0/8" for more.
std::string to_short_string(const Block& block);

/// Reads an address, or an address with a prefix of 0 to 32. Yields nothing if the address has bits beyond
/// the prefix.
std::optional<Block> parse_block(std::string_view text);

/// What should stand in place of a text that parse_block() refuses, for a message: "an IPv4 address or a block
/// ...", and what was probably meant.
std::string expected_block(std::string_view text);

/// Which addresses may come: those that are allowed and not denied. An empty list of allowed blocks allows
/// every address.
struct AddressRules {
  std::vector<Block> allowed;
  std::vector<Block> denied;

  bool denies(Address address) const;
  bool admits(Address address) const;
  bool operator==(const AddressRules&) const = default;
};

}  // namespace lekt
