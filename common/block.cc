#include "common/block.h"

#include <algorithm>
#include <bit>

#include "common/parse_number.h"

namespace lekt {

namespace {

/// The network mask of an IPv4 prefix.
std::uint32_t mask_of(std::uint32_t prefix) { return prefix == 0 ? 0 : ~std::uint32_t{0} << (32 - prefix); }

/// Reads a number of bits, from 0 to 32.
std::optional<std::uint32_t> parse_bits(std::string_view text) {
  const auto number = parse_number<std::uint32_t>(text);
  return number && *number <= 32 ? number : std::nullopt;
}

/// Reads the length of a prefix from a network mask such as "255.255.255.0", or from a number such as "24".
std::optional<std::uint32_t> parse_prefix(std::string_view text) {
  if (const auto mask = parse_address(text)) {
    const auto bits = static_cast<std::uint32_t>(std::popcount(mask->as_v4()));
    if (mask->as_v4() != mask_of(bits)) return std::nullopt;
    return bits;
  }
  return parse_bits(text);
}

/// The block that was probably meant by an address within it, a network mask, or a network without its zeros at
/// the end.
std::optional<Block> guess_block(std::string_view text) {
  const auto first = text.find_first_not_of(" \t\r\n");
  if (first == text.npos) return std::nullopt;
  text = text.substr(first, text.find_last_not_of(" \t\r\n") - first + 1);
  const std::size_t slash = text.find('/');
  std::string address(text.substr(0, slash));
  if (slash != text.npos)
    for (auto dots = std::ranges::count(address, '.'); dots < 3; ++dots) address += ".0";
  const auto parsed = parse_address(address);
  const auto prefix =
      slash == text.npos ? std::optional<std::uint32_t>(32) : parse_prefix(text.substr(slash + 1));
  if (!parsed || !prefix) return std::nullopt;
  return Block::v4(Address::v4(parsed->as_v4() & mask_of(*prefix)), *prefix);
}

bool any_contains(const std::vector<Block>& blocks, Address address) {
  return std::ranges::any_of(blocks, [&](const Block& block) { return block.contains(address); });
}

}  // namespace

std::optional<Block> Block::v4(Address first, std::uint32_t prefix) {
  if (prefix > 32 || (first.as_v4() & ~mask_of(prefix)) != 0) return std::nullopt;
  return Block(first, static_cast<std::uint8_t>(v4_bits + prefix));
}

std::string to_string(const Block& block) {
  return to_string(block.first()) + "/" + std::to_string(block.v4_prefix());
}

std::string to_short_string(const Block& block) {
  return block.is_single() ? to_string(block.first()) : to_string(block);
}

std::optional<Block> parse_block(std::string_view text) {
  const std::size_t slash = text.find('/');
  const auto address = parse_address(text.substr(0, slash));
  if (!address) return std::nullopt;
  if (slash == text.npos) return Block(*address);
  const auto prefix = parse_bits(text.substr(slash + 1));
  if (!prefix) return std::nullopt;
  return Block::v4(*address, *prefix);
}

std::string expected_block(std::string_view text) {
  const auto guess = guess_block(text);
  return "an IPv4 address or a block of them without bits behind its prefix, such as 10.0.0.7 or 10.0.0.0/8" +
         (guess ? "; did you mean " + to_short_string(*guess) + "?" : std::string());
}

bool AddressRules::denies(Address address) const { return any_contains(denied, address); }

bool AddressRules::admits(Address address) const {
  return !denies(address) && (allowed.empty() || any_contains(allowed, address));
}

}  // namespace lekt
