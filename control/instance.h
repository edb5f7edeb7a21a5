// A database and the server that may run on it, as a command knows them.
#pragma once

#include <filesystem>
#include <string>

#include "control/control_client.h"
#include "server/operators/operations.h"

namespace lekt::control {

struct Instance {
  std::filesystem::path database;
  std::filesystem::path socket;
  ControlClient::OnWait on_wait = {};  ///< called when the server keeps us waiting
};

/// A connection to the server; throws CodedError E801 when there is none.
ControlClient reach(const Instance& instance);

/// Throws CodedError E801, which says that nobody listens at the socket, and why that may be.
[[noreturn]] void throw_unreachable(const Instance& instance, const std::string& why);

/// Makes the server read its settings again. Throws CodedError E801 when there is no server, and what the server
/// answers (E802).
Operations::Reloaded reload(const Instance& instance);
/// Describes the result of a reload in one line.
std::string describe_reload(const Operations::Reloaded& reloaded);

}  // namespace lekt::control
