// What the writer is told: joins, leaves, which clients were heard, what operators want, what is new of devices.
#pragma once

#include <cstdint>
#include <functional>
#include <utility>
#include <variant>
#include <vector>

#include "common/address.h"
#include "common/catalogue.h"
#include "common/leave_reason.h"
#include "common/time.h"
#include "server/core/registry.h"
#include "storage/device_rows.h"

namespace lekt {

class Writer;

struct JoinCommand {
  SessionId session;
  Address address;
  Methods methods;
};
struct LeaveCommand {
  SessionId session;
  Address address;
  LeaveReason reason = LeaveReason::unknown;
  bool was_told = true;  ///< whether it was told that it has joined
};
struct HeardCommand {
  std::vector<std::pair<Address, std::int64_t>> heard;  ///< address, Unix second
};
/// Something that an operator wants done on the writer's thread.
struct TaskCommand {
  std::function<void(Writer&, Moment)> run;
  /// Called after the commit of what it has changed; may be empty.
  std::function<void(Writer&)> stored;
};
/// What is new of devices, for operators. It is written within a few seconds, and nobody waits for it.
using DevicesCommand = storage::DeviceRows;
using Command = std::variant<JoinCommand, LeaveCommand, HeardCommand, TaskCommand, DevicesCommand>;

}  // namespace lekt
