// Runs a shell command once for each change, in order and one at a time, on a thread of its own: so a slow
// command delays the next command and never a heartbeat.
//
// add() and finish() are called by one thread. Trouble with a command is reported on standard error and ends
// nothing.
#pragma once

#include <condition_variable>
#include <cstddef>
#include <deque>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

namespace lekt::command {

/// What a command is run for.
struct CommandRun {
  std::string title;                     ///< for reports, for example "+ 10.0.0.7"
  std::vector<std::string> environment;  ///< NAME=value, besides the environment of this program
};

class CommandQueue {
 public:
  /// So many runs may wait: far more than any network's churn, and still no more than a few hundred
  /// megabytes.
  static constexpr std::size_t waiting_max = 1'000'000;

  /// `command` is run by `sh -c`, with /dev/null as its input and this program's output.
  explicit CommandQueue(std::string command);
  /// Waits for the command that runs; those that wait are dropped.
  ~CommandQueue();
  CommandQueue(const CommandQueue&) = delete;
  CommandQueue& operator=(const CommandQueue&) = delete;

  /// Throws CodedError E706 when waiting_max runs wait already: the command is too slow to ever catch up.
  void add(CommandRun run);

  /// Returns when everything that was added has been run.
  void finish();

 private:
  void work();
  void execute(const CommandRun& run) const;

  const std::string command_;
  std::mutex mutex_;
  std::condition_variable changed_;
  std::deque<CommandRun> waiting_;
  bool running_ = false;
  bool stopping_ = false;
  std::thread thread_;  // last: it uses all of the above
};

}  // namespace lekt::command
