#include "storage/lock_holder.h"

#include <sys/stat.h>
#include <sys/sysmacros.h>

#include <cstdio>
#include <fstream>
#include <sstream>
#include <system_error>

#include "common/printable.h"
#include "storage/database_files.h"

namespace lekt::storage {

namespace fs = std::filesystem;

std::optional<std::int64_t> lock_holder(const fs::path& database) {
  std::error_code unknown;
  const fs::path resolved = fs::canonical(database, unknown);
  struct stat found {};
  const fs::path name = lock_of(resolved);
  if (unknown || stat(name.c_str(), &found) != 0) return std::nullopt;
  LockFile file{found.st_dev, found.st_ino};
  std::ifstream(name) >> file.written;
  std::ifstream locks("/proc/locks");
  return holder_in(locks, file);
}

std::optional<std::int64_t> holder_in(std::istream& locks, const LockFile& file) {
  for (std::string line; std::getline(locks, line);) {
    // A lock reads "12: FLOCK  ADVISORY  WRITE 4711 fe:00:1234567 0 EOF". A process that waits for one has "->" as the
    // second word.
    std::istringstream words(line);
    std::string number, kind, advisory, mode, place;
    std::int64_t process = 0;
    words >> number >> kind >> advisory >> mode >> process >> place;
    unsigned device_major = 0;
    unsigned device_minor = 0;
    unsigned long long file_of_lock = 0;
    if (!words || kind != "FLOCK" || process <= 0) continue;
    if (std::sscanf(place.c_str(), "%x:%x:%llu", &device_major, &device_minor, &file_of_lock) != 3) continue;
    const bool same_device = makedev(device_major, device_minor) == file.device;
    if (file_of_lock == file.number && (same_device || process == file.written)) return process;
  }
  return std::nullopt;
}

std::string process_text(std::int64_t process) {
  std::string name;
  std::getline(std::ifstream("/proc/" + std::to_string(process) + "/comm"), name);
  return "process " + std::to_string(process) + (name.empty() ? "" : " (" + printable(name) + ")");
}

}  // namespace lekt::storage
