// What a closing packet says of the list, where `digest` is in force (docs/protocol.md, "digest"): how many clients it has, and
// a sum over them that does not depend on their order. So both sides keep it up to date with each change.
#pragma once

#include <cstdint>

#include "common/bytes.h"

namespace lekt {

/// FNV-1a, 64 bit.
constexpr std::uint64_t fnv_1a(ByteView bytes) {
  std::uint64_t sum = 0xcbf29ce484222325;
  for (const char byte : bytes) sum = (sum ^ static_cast<std::uint8_t>(byte)) * 0x100000001b3;
  return sum;
}

/// Of the client's object in an entry of an 'A' packet, as a connection is sent it: from the address to the last method's last
/// byte. The size in front of it is left out.
constexpr std::uint64_t digest_of_entry(ByteView added_entry) { return fnv_1a(added_entry.substr(4)); }

struct ListDigest {
  std::uint32_t clients = 0;
  std::uint64_t sum = 0;  ///< of the digests of all clients' objects, modulo 2^64

  /// A client with this digest comes into the list, or leaves it.
  constexpr void add(std::uint64_t digest) {
    ++clients;
    sum += digest;
  }
  constexpr void remove(std::uint64_t digest) {
    --clients;
    sum -= digest;
  }

  bool operator==(const ListDigest&) const = default;
};

}  // namespace lekt
