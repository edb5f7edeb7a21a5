// What a closing packet says of the list, where `digest` is in force (docs/protocol.md, "digest"): how many clients it has, and
// a sum over them that does not depend on their order. So both sides keep it up to date with each change.
#pragma once

#include <cstdint>

#include "common/bytes.h"

namespace lekt {

/// FNV-1a, 64 bit, over a client's object as a connection is sent it: from the address to the last method's last byte,
/// without the size in front.
constexpr std::uint64_t digest_of_object(ByteView object) {
  std::uint64_t digest = 0xcbf29ce484222325;
  for (const char byte : object) digest = (digest ^ static_cast<std::uint8_t>(byte)) * 0x100000001b3;
  return digest;
}

/// The size of an object stands in front of it in an entry.
constexpr ByteView object_of_entry(ByteView added_entry) { return added_entry.substr(4); }

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
