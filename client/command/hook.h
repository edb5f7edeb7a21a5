// One run of a command of --exec: `sh -c`, in a process group of its own.
//
// It inherits this program's output, and nothing else that could surprise it: no other descriptors, no
// blocked or ignored signals. Its input is a file in memory, so it need not be read. Used by one thread.
#pragma once

#include <sys/types.h>

#include <chrono>
#include <string>
#include <vector>

#include "common/descriptor.h"

namespace lekt::command {

class Hook {
 public:
  /// Starts the command. `environment` is added to this program's own, as NAME=value. Throws CodedError E706.
  Hook(const std::string& command, const std::vector<std::string>& environment, const std::string& input);
  Hook(const Hook&) = delete;
  Hook& operator=(const Hook&) = delete;

  /// Waits for the command to end, for `wake` to become readable, or for the time to be over. True: it ended.
  bool wait(int wake, std::chrono::milliseconds limit);

  /// The status from waitpid(), once the command has ended.
  int status() const { return status_; }

  /// Sends a signal to the command, and to whatever it has started and left in its group.
  void signal(int number) const;

  pid_t process() const { return process_; }

 private:
  bool has_ended();

  pid_t process_ = -1;
  Descriptor watch_;  ///< becomes readable at the command's end; not open where the kernel lacks this
  bool ended_ = false;
  int status_ = 0;
};

/// Reaps ended children of this process other than `own`. As process 1 of a container, it becomes the parent of all
/// orphans, and nobody else waits for them.
void reap_strangers(pid_t own);

}  // namespace lekt::command
