#include "tests/fault/machine.h"

#include <sched.h>
#include <sys/mount.h>
#include <unistd.h>

#include <cerrno>
#include <cstdlib>
#include <fstream>
#include <sstream>
#include <system_error>

#include "tests/support/support.h"

namespace lekt::test {

namespace {

[[noreturn]] void fail(const std::string& what) {
  throw std::system_error(errno, std::generic_category(), what);
}

/// A view of the file systems that nobody else has, once for the thread.
void leave_shared_mounts() {
  thread_local const bool left = [] {
    if (unshare(CLONE_NEWNS) != 0) fail("unshare");
    if (mount("none", "/", nullptr, MS_REC | MS_PRIVATE, nullptr) != 0) fail("mount --make-rprivate /");
    return true;
  }();
  static_cast<void>(left);
}

}  // namespace

bool long_form() { return std::getenv("LEKT_FAULTS_LONG") != nullptr; }

SmallDisk::SmallDisk(const std::filesystem::path& directory, std::size_t bytes) : directory_(directory) {
  leave_shared_mounts();
  std::filesystem::create_directory(directory);
  const std::string options = "size=" + std::to_string(bytes);
  if (mount("lekt-test", directory.c_str(), "tmpfs", 0, options.c_str()) != 0) fail("mount");
}

SmallDisk::~SmallDisk() { umount2(directory_.c_str(), MNT_DETACH); }

std::string SmallDisk::cannot_mount() {
  try {
    const TempDirectory directory;
    const SmallDisk disk(directory.path() / "disk", 64 * 1024);
    return {};
  } catch (const std::system_error& error) {
    return std::string("this test has to mount a file system: ") + error.what();
  }
}

void SmallDisk::fill() {
  std::ofstream file(filler(), std::ios::binary);
  const std::string page(4096, 'x');
  while (file.write(page.data(), static_cast<std::streamsize>(page.size())).flush()) {
  }
}

void SmallDisk::make_space() { std::filesystem::remove(filler()); }

void set_limit(pid_t process, __rlimit_resource resource, rlim_t value) {
  rlimit limit{};
  if (prlimit(process, resource, nullptr, &limit) != 0) fail("prlimit");
  limit.rlim_cur = value;
  if (prlimit(process, resource, &limit, nullptr) != 0) fail("prlimit");
}

// proc(5): fields 14 and 15, counted behind the command's name in parentheses.
std::chrono::milliseconds processor_time(pid_t process) {
  const std::string text = read_text("/proc/" + std::to_string(process) + "/stat");
  std::istringstream fields(text.substr(text.rfind(')') + 2));
  std::string skipped;
  for (int field = 3; field < 14; ++field) fields >> skipped;
  long user = 0;
  long system = 0;
  fields >> user >> system;
  return std::chrono::milliseconds((user + system) * 1000 / sysconf(_SC_CLK_TCK));
}

}  // namespace lekt::test
