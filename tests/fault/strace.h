// strace as a fault injector: it counts a program's system calls, kills it right before the n-th of them, or
// makes them fail with an error.
//
// Counts are those of one thread: strace has a counter for each, so "the third" is the third of whichever
// thread gets there first.
#pragma once

#include <sys/types.h>

#include <cstddef>
#include <filesystem>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "tests/integration/process.h"

namespace lekt::test {

/// Why the tests cannot trace here: a text for GTEST_SKIP. Empty when they can.
std::string cannot_trace();

using SystemCalls = std::vector<std::string>;

/// What a strace does with the calls that it sees.
struct Injection {
  SystemCalls calls;  ///< that are traced
  /// Only calls that concern one of these files; empty: all.
  std::vector<std::filesystem::path> files;
  std::string what;  ///< as strace says it, for example "pwrite64:error=EIO"; empty injects nothing

  /// The process is killed before the n-th call, from 1, of one thread.
  static std::string kill_before(const std::string& call, std::size_t number);
};

class Strace {
 public:
  /// Follows a process that runs already. Returns when all of its threads are traced.
  Strace(pid_t traced, const Injection& injection, const std::filesystem::path& directory);
  ~Strace();  ///< the process goes on without it
  Strace(const Strace&) = delete;
  Strace& operator=(const Strace&) = delete;

  /// The arguments with which STRACE_PROGRAM starts `command` under the injection, as its own child's child:
  /// the process that was started is the command itself.
  static std::vector<std::string> arguments(const Injection& injection, const std::filesystem::path& trace,
                                            const std::vector<std::string>& command);

  /// Waits until the traced process has ended and all that it did is in trace().
  void wait();
  const std::filesystem::path& trace() const { return trace_; }

 private:
  std::filesystem::path trace_;
  std::optional<Process> process_;
};

/// For each call, how often the thread made it that made it most.
std::map<std::string, std::size_t> most_calls(const std::filesystem::path& trace);

}  // namespace lekt::test
