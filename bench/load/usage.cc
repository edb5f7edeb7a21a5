#include "bench/load/usage.h"

#include <cstring>
#include <fstream>
#include <string>

#include "bench/load/reply.h"

namespace lekt::bench {

ServerUsage::ServerUsage(pid_t pid) : pid_(pid), clock_(0) {
  if (const int error = clock_getcpuclockid(pid, &clock_); error != 0)
    throw BenchError("--pid " + std::to_string(pid) + ": " + std::strerror(error));
}

std::chrono::nanoseconds ServerUsage::processor_time() const {
  timespec time{};
  if (clock_gettime(clock_, &time) != 0) throw BenchError("the server (--pid) has ended");
  return std::chrono::seconds(time.tv_sec) + std::chrono::nanoseconds(time.tv_nsec);
}

std::size_t ServerUsage::resident_bytes() const {
  const std::string path = "/proc/" + std::to_string(pid_) + "/smaps_rollup";
  std::ifstream file(path);
  std::string word;
  while (file >> word)
    if (std::size_t kibibytes = 0; word == "Rss:" && file >> kibibytes) return kibibytes * 1024;
  throw BenchError("cannot read " + path);
}

}  // namespace lekt::bench
