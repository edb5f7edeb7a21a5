// What OpenSSL reads from and writes to instead of a socket: datagrams, whose boundaries are kept. OpenSSL's own BIO in
// memory would join them.
#pragma once

#include <openssl/types.h>

#include <optional>
#include <vector>

#include "common/bytes.h"

namespace lekt {

/// What passes through a BIO. Its owner puts a datagram in, and says where those go that OpenSSL writes.
struct DatagramPassage {
  std::optional<ByteView> incoming;        ///< until OpenSSL has read it
  std::vector<Bytes>* outgoing = nullptr;  ///< without one, what is written is lost, as a network may lose it
};

/// Makes a BIO for `passage`, which outlives it. Throws std::bad_alloc.
BIO* make_datagram_bio(DatagramPassage& passage);

}  // namespace lekt
