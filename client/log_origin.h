// Where a timestamp comes from: to which server, and to which of its change logs, it means anything.
#pragma once

#include <optional>
#include <string>

#include "common/address.h"
#include "common/features.h"

namespace lekt {

struct LogOrigin {
  std::string server;                        ///< as it is called, with its port: "coordinator:7890"
  Address address;                           ///< the one of its addresses at which it was reached
  std::optional<LogIdentity> identity = {};  ///< of the log; nothing: the server names none

  bool operator==(const LogOrigin&) const = default;
};

/// Whether a timestamp of `before` may be sent to `now`. An identity decides if `now` has one; otherwise the server has
/// to be the same, by name and by address. An unrelated server would answer with a part of its list.
inline bool takes_timestamp_of(const LogOrigin& now, const LogOrigin& before) {
  if (now.identity) return now.identity == before.identity;
  return now.server == before.server && now.address == before.address;
}

}  // namespace lekt
