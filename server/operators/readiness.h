// Whether the server can take clients in, and why not: for /readyz and `lektctl health --ready`.
#pragma once

#include <optional>

#include "common/errors.h"
#include "server/operators/status.h"

namespace lekt {

/// Not ready while joins cannot be stored; nor while those who come back after a restart already fill the
/// places for handshakes, so that one more would be refused.
inline std::optional<Rejection> why_not_ready(const Totals& totals) {
  if (totals.storage == StorageState::busy)
    return Rejection{ErrorCode::database_busy, "another program holds the database's write lock"};
  if (totals.storage == StorageState::failed)
    return Rejection{ErrorCode::commit_failed, "joins cannot be stored"};
  if (totals.grace_seconds_left > 0 && totals.handshakes >= totals.handshakes_max)
    return Rejection{ErrorCode::handshakes_too_many,
                     "as many clients are joining after the restart as may at the same time"};
  return std::nullopt;
}

}  // namespace lekt
