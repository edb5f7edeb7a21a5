// What a server has used so far: processor time of all its threads, and memory.
//
// Processor time holds also when the load generator is the slower of the two, and on a machine whose speed
// changes it is compared only with processor time of the same minutes.
#pragma once

#include <sys/types.h>

#include <chrono>
#include <cstddef>
#include <ctime>

namespace lekt::bench {

class ServerUsage {
 public:
  /// Of the process `pid`; throws BenchError when there is none.
  explicit ServerUsage(pid_t pid);

  /// User and system time of all threads, those that have ended included. The clock behind /proc/PID/stat, in
  /// nanoseconds instead of hundredths of a second.
  std::chrono::nanoseconds processor_time() const;
  /// Resident set, from /proc/PID/smaps_rollup, which counts exactly.
  std::size_t resident_bytes() const;

 private:
  pid_t pid_;
  clockid_t clock_;
};

}  // namespace lekt::bench
