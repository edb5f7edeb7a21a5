// Reads one packet with all its entries and writes it again: what the codec's tests and fuzzers ask of every
// input.
//
// The law: what is read completely is written back byte by byte. The one exception is a reject, whose padding
// nobody looks at: it is the last packet, and its message is worth more than its zeros.
#pragma once

#include <cstddef>
#include <cstdint>

#include "common/bytes.h"
#include "common/errors.h"
#include "common/packets.h"

namespace lekt::test {

enum class PacketForm : std::uint8_t { handshake, accept, reject, request, response, heartbeat, update };
inline constexpr std::uint8_t packet_forms = 7;

/// Whether packets of this form come from the server.
bool from_server(PacketForm form);

struct RoundTrip {
  ReadStatus status = ReadStatus::partial;
  Rejection rejection{ErrorCode::not_lekt, {}};  ///< when wrong
  std::size_t consumed = 0;                      ///< of the input; 0 unless complete
  Bytes encoded;                                 ///< when complete
};

RoundTrip round_trip(PacketForm form, ByteView input, const ReadContext& context);

/// The same, on a copy of the input that ends where its memory ends: a sanitizer sees every read beyond it.
RoundTrip round_trip_guarded(PacketForm form, ByteView input, const ReadContext& context);

/// Whether the result keeps the law for `input`.
bool keeps_the_law(PacketForm form, ByteView input, const RoundTrip& result);

/// What the tests' packets are made with: tcp, 2:chat:sized and 3:key:fixed:6.
const MethodCatalogue& example_catalogue();

}  // namespace lekt::test
