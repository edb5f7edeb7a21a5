// What this process uses of the machine, as the kernel tells it in /proc/self.
#pragma once

#include <cstdint>

namespace lekt::admin {

struct ProcessUsage {
  double cpu_seconds = 0;  ///< processor time of all threads, in the program and in the kernel
  std::uint64_t resident_bytes = 0;
  std::uint64_t virtual_bytes = 0;
  std::uint64_t files_open = 0;
  std::uint64_t files_max = 0;
  std::uint64_t threads = 0;
};

/// Looks at this process; a number that cannot be read is 0.
ProcessUsage process_usage();

}  // namespace lekt::admin
