// What a client knows after a complete answer, so that a program that starts again continues where it was: the list, the
// timestamp as of which it is the list, and the log that gave the timestamp. Each is worthless without the others.
//
// As text, one line each, and a line for each peer with its methods as they are on the wire, in hexadecimal:
//
//     lekt-state 1
//     server coordinator:7890
//     address 10.0.0.1
//     identity 000102030405060708090a0b0c0d0e0f
//     timestamp 1700000003
//     peers 2
//     10.0.0.7 0000000100001ed2
//     10.0.0.9 -
//     sum 8c1f3a5be29d0471
//
// The identity is - if the server names none. The sum is FNV-1a (64 bit) over all bytes before its line, against files
// that were cut off, or edited in part.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "client/log_origin.h"
#include "client/peer_view.h"
#include "common/catalogue.h"

namespace lekt {

struct ClientState {
  LogOrigin log;
  std::int64_t timestamp = 0;  ///< the closing timestamp of the answer; 0: there was none yet
  Peers peers;                 ///< the list as of then

  bool operator==(const ClientState&) const = default;
};

std::string to_text(const ClientState& state);

/// Reads what to_text() wrote, also with another catalogue. Throws CodedError E715, which says what is wrong.
ClientState parse_client_state(std::string_view text, const MethodCatalogue& catalogue);

}  // namespace lekt
