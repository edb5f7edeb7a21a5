// What the fault tests do to the machine, each undone at the end of its scope: a small disk of its own,
// limits of a running process. And what they read from it.
#pragma once

#include <sys/resource.h>
#include <sys/types.h>

#include <chrono>
#include <cstddef>
#include <filesystem>
#include <string>

namespace lekt::test {

/// Whether a form of the tests is wanted that takes minutes: LEKT_FAULTS_LONG is set.
bool long_form();

/// A tmpfs of a fixed size. It is mounted where only this thread and what it starts see it.
class SmallDisk {
 public:
  /// Throws std::system_error where nothing may be mounted.
  SmallDisk(const std::filesystem::path& directory, std::size_t bytes);
  ~SmallDisk();
  SmallDisk(const SmallDisk&) = delete;
  SmallDisk& operator=(const SmallDisk&) = delete;

  /// Why the tests cannot mount here: a text for GTEST_SKIP. Empty when they can.
  static std::string cannot_mount();

  /// Takes all the space that is left.
  void fill();
  void make_space();  ///< gives it back

 private:
  std::filesystem::path filler() const { return directory_ / "filler"; }

  std::filesystem::path directory_;
};

/// Sets a soft limit of a running process.
void set_limit(pid_t process, __rlimit_resource resource, rlim_t value);

/// Processor time of all threads of a process.
std::chrono::milliseconds processor_time(pid_t process);

}  // namespace lekt::test
