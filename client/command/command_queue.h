// Runs the command of --exec or --exec-batch for whatever happens, one run at a time, on a thread of its own. A
// slow or hung command delays the next run but never a heartbeat, and what waits for it stays bounded
// (waiting_runs.h).
//
// All calls except release() come from one thread. Trouble with a command is reported on standard error and ends
// nothing. A command that ends with exit code 75 is run again later.
#pragma once

#include <chrono>
#include <cstdint>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include "client/command/hook.h"
#include "client/command/waiting_runs.h"
#include "common/catalogue.h"
#include "common/mutex.h"

namespace lekt::command {

class CommandQueue {
 public:
  /// EX_TEMPFAIL of sysexits.h: the command asks to be run again.
  static constexpr int exit_try_again = 75;
  /// The longest value of a variable; longer ones are cut. The kernel takes 128 KiB.
  static constexpr std::size_t variable_bytes_max = 32 << 10;

  struct Options {
    std::string command;
    bool batch = false;  ///< one run for everything that waits, instead of one for each event
    std::chrono::milliseconds limit = std::chrono::minutes(5);          ///< longest run
    std::chrono::milliseconds report_after = std::chrono::seconds(10);  ///< a longer run is reported
    std::chrono::milliseconds stop_grace = std::chrono::seconds(5);     ///< what a run still gets at the end
    std::chrono::milliseconds kill_grace = std::chrono::seconds(2);     ///< from SIGTERM to SIGKILL
    std::chrono::milliseconds retry_first = std::chrono::seconds(1);    ///< doubled with each failure
    std::chrono::milliseconds retry_last = std::chrono::minutes(1);
    bool reaps = false;  ///< whether this is process 1, which adopts orphans
  };

  CommandQueue(Options options, const MethodCatalogue& catalogue);
  /// Drops what waits. Waits for a running command, and ends it if that takes too long.
  ~CommandQueue();
  CommandQueue(const CommandQueue&) = delete;
  CommandQueue& operator=(const CommandQueue&) = delete;

  /// Adds reasons to run the command, once `version` is released. Reasons of one call are added together.
  void add(std::vector<RunReason> reasons, std::uint64_t version);

  /// Lets runs begin for reasons up to `version`. Versions ascend. Any thread may call it.
  void release(std::uint64_t version);

  /// Whether a command has been run for everything within this time. From the first call on, no command is run a
  /// second time.
  bool finish(std::chrono::milliseconds limit);
  bool has_failed() const { return false; }  ///< a command that fails is reported, and then done with

 private:
  using Run = WaitingRuns::Run;

  void work();
  void execute(std::vector<Run> runs) LEKT_EXCLUDES(mutex_);
  std::vector<std::string> variables_of_runs(const std::vector<Run>& runs) const;
  std::string input_of(const std::vector<Run>& runs) const;
  int await(Hook& hook, const std::string& title) LEKT_EXCLUDES(mutex_);
  void try_again(std::vector<Run> runs, const std::string& why) LEKT_EXCLUDES(mutex_);
  std::size_t waiting() LEKT_EXCLUDES(mutex_);
  bool is_stopping() LEKT_EXCLUDES(mutex_);

  const Options options_;
  const MethodCatalogue& catalogue_;
  const Descriptor wake_;  ///< readable once the end has begun

  Mutex mutex_;
  ConditionVariable changed_;
  WaitingRuns waiting_ LEKT_GUARDED_BY(mutex_);
  std::uint64_t released_ LEKT_GUARDED_BY(mutex_) = 0;
  bool running_ LEKT_GUARDED_BY(mutex_) = false;
  bool finishing_ LEKT_GUARDED_BY(mutex_) = false;
  bool stopping_ LEKT_GUARDED_BY(mutex_) = false;
  std::thread thread_;  // last: it uses all of the above
};

}  // namespace lekt::command
