// What the workers tell the writer: joins, leaves, who was heard. Any thread posts, one thread takes.
//
// Order is kept, so a session's leave never overtakes its join. Posting holds a lock for a few instructions;
// heartbeats do not post.
#pragma once

#include <chrono>
#include <condition_variable>
#include <cstdint>
#include <functional>
#include <mutex>
#include <string>
#include <utility>
#include <variant>
#include <vector>

#include "common/address.h"
#include "common/catalogue.h"
#include "common/errors.h"
#include "server/registry.h"
#include "server/time.h"

namespace lekt {

class Writer;

struct JoinCommand {
  SessionId session;
  Ipv4Address address;
  Methods methods;
};
struct LeaveCommand {
  SessionId session;
  Ipv4Address address;
};
struct HeardCommand {
  std::vector<std::pair<Ipv4Address, std::int64_t>> heard;  ///< address, Unix second
};
/// Something is wrong, or, without a message, no longer.
struct WarningCommand {
  ErrorCode code;
  std::string message;
};
/// What an operator wants, in the writer's thread.
struct TaskCommand {
  std::function<void(Writer&, Moment)> run;
  std::function<void()> stored;  ///< called after the commit of what it has changed; may be empty
};
using Command = std::variant<JoinCommand, LeaveCommand, HeardCommand, WarningCommand, TaskCommand>;

class Inbox {
 public:
  /// False when it is closed: then nobody will take it.
  bool post(Command command) {
    {
      const std::lock_guard lock(mutex_);
      if (closed_) return false;
      commands_.push_back(std::move(command));
    }
    filled_.notify_one();
    return true;
  }

  /// Ends every wait, now and later.
  void close() {
    {
      const std::lock_guard lock(mutex_);
      closed_ = true;
    }
    filled_.notify_one();
  }

  /// Waits for a command, for close() or for the time to pass, and takes everything into `commands` (which it
  /// empties first). Returns false once it is closed and empty.
  bool take(std::vector<Command>& commands, std::chrono::milliseconds patience) {
    commands.clear();
    std::unique_lock lock(mutex_);
    filled_.wait_for(lock, patience, [&] { return closed_ || !commands_.empty(); });
    commands.swap(commands_);
    return !closed_ || !commands.empty();
  }

 private:
  std::mutex mutex_;
  std::condition_variable filled_;
  std::vector<Command> commands_;
  bool closed_ = false;
};

}  // namespace lekt
