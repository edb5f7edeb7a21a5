// Every limit with its reason, in two groups: those that the protocol fixes, and those that we chose.
#pragma once

#include <cstddef>
#include <cstdint>

namespace lekt::limits {

// ---- The protocol's (docs/protocol.md) ----

inline constexpr std::uint16_t port_default = 7890;
inline constexpr std::size_t header_bytes = 8;               // "LEKT", type, version
inline constexpr std::size_t heartbeat_bytes = 16;           // header, timestamp
inline constexpr std::size_t update_header_bytes = 20;       // header, timestamp, kind, count
inline constexpr std::uint32_t update_count_max = 0xffffff;  // the count has 24 bits

// ---- Our choice ----

/// Known methods in a handshake (N). More than the highest index that is built in, and the bit field still has only 512
/// bytes.
inline constexpr std::uint32_t methods_max_default = 4096;
/// The largest value of --max-methods. The bit field then takes 8 KiB, still less than one read.
inline constexpr std::uint32_t methods_max_ceiling = 65536;

/// Information of one method, without its length word and padding. Endpoints, keys and names fit; files do
/// not.
inline constexpr std::uint32_t information_bytes_max = 4096;

/// Information of the form `text`: a name that is longer is none.
inline constexpr std::uint32_t text_bytes_max = 255;

/// Methods in the catalogue, without `device`, which no setup asks for, and `name`. Each of them costs a setup one round
/// trip.
inline constexpr std::size_t catalogue_methods_max = 64;
inline constexpr std::size_t method_name_max = 32;

/// Size of a packet with entries: small enough for a client to read it into one buffer, and large enough for
/// headers to cost only 0.03 %.
inline constexpr std::uint32_t packet_bytes_default = 64 * 1024;
inline constexpr std::uint32_t packet_bytes_floor = 8 * 1024;
inline constexpr std::uint32_t packet_bytes_ceiling = 16 * 1024 * 1024;

/// Text of a reject, without its NUL. A client must be ready to read this much, and the server never exceeds
/// it.
inline constexpr std::size_t reject_text_max = 1020;

// The largest information of a method has to fit a packet of the smallest allowed size, with header, size,
// address, index and length word.
static_assert(update_header_bytes + 4 + 4 + 4 + 4 + information_bytes_max <= packet_bytes_floor);
// The largest packet cannot overflow the 24-bit count of its entries: the smallest entry, a removed address,
// has 4 bytes.
static_assert(packet_bytes_ceiling / 4 <= update_count_max);

}  // namespace lekt::limits
