// What the workers tell the writer: joins, leaves, which clients were heard. Any thread posts, one thread takes.
//
// Order is kept, so a session's leave never overtakes its join. Posting holds a lock for a few instructions;
// heartbeats do not post.
#pragma once

#include <chrono>
#include <utility>
#include <vector>

#include "common/mutex.h"
#include "server/core/commands.h"

namespace lekt {

class Inbox {
 public:
  /// Posts a command. False if the inbox is closed: then nobody will take it.
  bool post(Command command) {
    {
      const MutexLock lock(mutex_);
      if (closed_) return false;
      commands_.push_back(std::move(command));
    }
    filled_.notify_one();
    return true;
  }

  /// Ends every wait, now and later.
  void close() {
    {
      const MutexLock lock(mutex_);
      closed_ = true;
    }
    filled_.notify_one();
  }

  /// Waits for a command, for close() or for the time to pass, and takes everything into `commands` (which it
  /// empties first). Returns false once it is closed and empty.
  bool take(std::vector<Command>& commands, std::chrono::milliseconds patience) {
    commands.clear();
    const MutexLock lock(mutex_);
    filled_.wait_for(mutex_, patience, [&]() LEKT_REQUIRES(mutex_) { return closed_ || !commands_.empty(); });
    commands.swap(commands_);
    return !closed_ || !commands.empty();
  }

 private:
  Mutex mutex_;
  ConditionVariable filled_;
  std::vector<Command> commands_ LEKT_GUARDED_BY(mutex_);
  bool closed_ LEKT_GUARDED_BY(mutex_) = false;
};

}  // namespace lekt
