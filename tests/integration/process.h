// A program that the tests start: its output goes into files, and it never outlives the test.
//
// Start it from the test's own thread: it is told to die with the thread that started it.
#pragma once

#include <sys/types.h>

#include <filesystem>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "tests/integration/patience.h"

namespace lekt::test {

/// Variables set in addition to those of the test, from which all LEKT_... are taken away.
using Environment = std::map<std::string, std::string>;

class Process {
 public:
  Process(const std::string& program, const std::vector<std::string>& arguments,
          const std::filesystem::path& directory, const Environment& environment = {});
  ~Process();  ///< kills it
  Process(const Process&) = delete;
  Process& operator=(const Process&) = delete;

  pid_t id() const { return id_; }
  void send_signal(int signal) const;
  /// Waits for its end. Yields the exit status, or minus the signal that ended it. Throws when it is still
  /// there after `limit`.
  int wait(std::chrono::milliseconds limit = patience());
  bool has_ended();

  std::string output() const;
  std::string errors() const;  ///< the daemon's log

 private:
  bool reap(int options);

  pid_t id_ = -1;
  std::optional<int> status_;
  std::filesystem::path output_;
  std::filesystem::path errors_;
};

/// What a program said that ran to its end.
struct Outcome {
  int status = 0;
  std::string output;
  std::string errors;
};

/// Runs it in a directory of its own, which is gone afterwards.
Outcome run(const std::string& program, const std::vector<std::string>& arguments,
            const Environment& environment = {});

}  // namespace lekt::test
