// A database and the server that may run on it: what operators steer is done by the server when it runs, and
// in the database when it does not. So the command does not depend on it.
//
// Everything here throws CodedError: E801 when a server runs and cannot be reached, what the server answers
// (E802, E803), and what opening a database throws.
#pragma once

#include <filesystem>
#include <optional>
#include <string>

#include "common/cidr.h"
#include "control/control_client.h"
#include "control/json.h"

namespace lekt::control {

struct Instance {
  std::filesystem::path database;
  std::filesystem::path socket;
};

/// A connection to the server; throws E801 when there is none.
ControlClient reach(const Instance& instance);

// Results are those of the server's commands, and "server_runs" with them.

/// "block", "is_new", "sessions" (that were ended)
Json ban(const Instance& instance, const Cidr& block, const std::string& reason);
/// "block"; throws E803 when there is no such ban
Json unban(const Instance& instance, const Cidr& block);
/// "before_bytes", "after_bytes"
Json compact(const Instance& instance);

/// A line for people.
std::string describe_ban(const Json& result);
std::string describe_unban(const Json& result);

}  // namespace lekt::control
