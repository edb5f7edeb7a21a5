#include "admin/process_usage.h"

#include <sys/resource.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <iterator>
#include <sstream>
#include <string>
#include <system_error>

namespace lekt::admin {

namespace {

double seconds_of(const timeval& time) {
  return static_cast<double>(time.tv_sec) + static_cast<double>(time.tv_usec) / 1e6;
}

/// Fields 20 and 23 of proc(5)'s stat: threads and virtual size, counted behind the program's name, which may
/// hold anything.
void read_stat(ProcessUsage& usage) {
  std::ifstream file("/proc/self/stat");
  std::string text;
  std::getline(file, text);
  std::istringstream fields(text.substr(text.rfind(')') + 1));
  std::string skipped;
  for (int field = 3; field < 20; ++field) fields >> skipped;
  fields >> usage.threads >> skipped >> skipped >> usage.virtual_bytes;
}

void read_resident(ProcessUsage& usage) {
  std::ifstream file("/proc/self/statm");
  std::uint64_t pages = 0;
  file >> pages >> pages;
  usage.resident_bytes = pages * static_cast<std::uint64_t>(sysconf(_SC_PAGESIZE));
}

void count_files(ProcessUsage& usage) {
  std::error_code error;
  const std::filesystem::directory_iterator files("/proc/self/fd", error);
  if (!error) usage.files_open = static_cast<std::uint64_t>(std::distance(begin(files), end(files)));
}

}  // namespace

ProcessUsage process_usage() {
  ProcessUsage usage;
  rusage used{};
  if (getrusage(RUSAGE_SELF, &used) == 0)
    usage.cpu_seconds = seconds_of(used.ru_utime) + seconds_of(used.ru_stime);
  rlimit limit{};
  if (getrlimit(RLIMIT_NOFILE, &limit) == 0) usage.files_max = limit.rlim_cur;
  read_stat(usage);
  read_resident(usage);
  count_files(usage);
  return usage;
}

}  // namespace lekt::admin
