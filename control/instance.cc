#include "control/instance.h"

#include <utility>

#include "common/errors.h"
#include "common/printable.h"
#include "storage/lock_holder.h"

namespace lekt::control {

void throw_unreachable(const Instance& instance, const std::string& why) {
  throw CodedError(ErrorCode::control_unreachable,
                   "nobody listens at " + printable(instance.socket.string()) + ": " + why);
}

ControlClient reach(const Instance& instance) {
  auto client = ControlClient::connect(instance.socket, instance.on_wait);
  if (client) return std::move(*client);
  const auto holder = storage::lock_holder(instance.database);
  if (!holder) throw_unreachable(instance, "the server does not run, or has no or another --control-socket");
  throw_unreachable(instance, "but " + storage::process_text(*holder) + " has the database " +
                                  printable(instance.database.string()) +
                                  ": it starts or stops just now, or has no or another --control-socket");
}

Operations::Reloaded reload(const Instance& instance) { return reach(instance).ask(Reload{}); }

std::string describe_reload(const Operations::Reloaded& reloaded) {
  const auto names = [](const std::vector<std::string>& settings) {
    std::string list;
    for (const std::string& name : settings) list += (list.empty() ? "" : ", ") + name;
    return list.empty() ? "nothing" : list;
  };
  return "reloaded; in use from now on: " + names(reloaded.changed) +
         "; waits for a restart: " + names(reloaded.needs_restart);
}

}  // namespace lekt::control
