// What is known of a server: what it says itself when it can be reached, and what its database says.
#pragma once

#include <string>

#include "control/command/options.h"
#include "control/command/output.h"
#include "control/json.h"

namespace lekt::control::command {

/// {"running":true,"reason":null,"server":{...},"stored":{...},"codes":[...],"warnings":[...]}
/// `server` is the status of the running server, null when it cannot be reached, and then `reason` says why.
/// `stored` is null when the database cannot be read; `codes` are counted since it was made. Throws
/// CodedError when there is neither a server nor a database.
Json gather_status(const Instance& instance);

/// The same for people, no line longer than `width`.
std::string describe_status(const Json& status, std::size_t width);

}  // namespace lekt::control::command
