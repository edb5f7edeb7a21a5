// Why a session ended, and so why its client was removed: a word, or the code that the server gave.
//
// The reason is stored with the removal and shown to operators. Other clients are not told.
#pragma once

#include <cstdint>
#include <string>

#include "common/errors.h"

namespace lekt {

/// A reason is one of these, or the number of an ErrorCode (see leave_reason()).
enum class LeaveReason : std::uint16_t {
  unknown = 0,   ///< an older program, which did not keep reasons, stored the removal
  closed = 1,    ///< the client closed its connection
  lost = 2,      ///< the connection broke
  not_back = 3,  ///< the client did not come back after the server's restart
};

/// The reason of a session that the server ended with this code.
constexpr LeaveReason leave_reason(ErrorCode code) {
  return static_cast<LeaveReason>(static_cast<std::uint16_t>(code));
}

/// The reason in words, of at most 8 characters: "closed", "lost", "not back", "E301"; empty if unknown.
std::string to_string(LeaveReason reason);

}  // namespace lekt
