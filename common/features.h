// LEKT's optional features: bits of EXTRA in the versions of handshake and accept (docs/protocol.md, "Optional features").
//
// A client asks for some in its handshake, a server has some, and the accept says which ones both have. Those are in force on
// that connection, in both directions, from the byte behind the accept packet until the connection ends. A client that asks
// for none gets the bytes of a protocol without them.
#pragma once

#include <array>
#include <cstdint>
#include <initializer_list>
#include <optional>
#include <string>
#include <string_view>

namespace lekt {

enum class Feature : std::uint8_t {
  wide = 0x01,      ///< addresses have 16 bytes, so there are IPv6 clients
  push = 0x02,      ///< updates come when there is something to tell
  digest = 0x04,    ///< the closing packet says how many clients the list has, and a sum over them
  identity = 0x08,  ///< the accept names the change log
  observe = 0x10,   ///< the client looks and is not a member
};

/// A feature, and what operators and programmers call it.
struct NamedFeature {
  Feature feature;
  std::string_view name;
};

/// Those that this program speaks, in the order of their bits.
inline constexpr std::array<NamedFeature, 3> all_features{{
    {Feature::push, "push"},
    {Feature::digest, "digest"},
    {Feature::identity, "identity"},
}};

/// A set of features.
class Features {
 public:
  constexpr Features() = default;
  constexpr Features(std::initializer_list<Feature> features) {
    for (const Feature feature : features) add(feature);
  }
  /// Everything that this program speaks.
  static constexpr Features all() {
    Features features;
    for (const NamedFeature& named : all_features) features.add(named.feature);
    return features;
  }
  /// The set as EXTRA has it. Bits that nobody has defined stay in it.
  static constexpr Features from_extra(std::uint8_t extra) {
    Features features;
    features.bits_ = extra;
    return features;
  }

  constexpr std::uint8_t extra() const { return bits_; }
  constexpr bool has(Feature feature) const { return (bits_ & static_cast<std::uint8_t>(feature)) != 0; }
  constexpr bool empty() const { return bits_ == 0; }
  constexpr void add(Feature feature) {
    bits_ = static_cast<std::uint8_t>(bits_ | static_cast<std::uint8_t>(feature));
  }
  constexpr void remove(Feature feature) {
    bits_ = static_cast<std::uint8_t>(bits_ & ~static_cast<std::uint8_t>(feature));
  }
  /// What both sets have.
  constexpr Features operator&(Features other) const { return from_extra(bits_ & other.bits_); }

  constexpr bool operator==(const Features&) const = default;

 private:
  std::uint8_t bits_ = 0;
};

/// The names, separated by commas, and a bit without a name as "0x20"; "none" for the empty set.
std::string to_string(Features features);

/// The set that to_string() writes, from what this program speaks; `all` is everything. Nothing if a name is not one of these.
std::optional<Features> parse_features(std::string_view text);

/// Which change log a timestamp belongs to: 16 random bytes, made with the database and kept in it.
using LogIdentity = std::array<std::uint8_t, 16>;

/// In hexadecimal, 32 digits.
std::string to_string(const LogIdentity& identity);
std::optional<LogIdentity> parse_log_identity(std::string_view text);

}  // namespace lekt
