#include "storage/opened_files.h"

#include <sys/stat.h>

#include "storage/database_files.h"

namespace lekt::storage {

namespace fs = std::filesystem;

OpenedFiles::OpenedFiles(const fs::path& database) {
  for (const char* suffix : opened_suffixes) {
    const fs::path path = beside(database, suffix);
    files_.push_back({path, identify(path)});
  }
}

std::vector<fs::path> OpenedFiles::moved() const {
  // A file that had no name when it was opened is a deleted one that another connection of this process still holds.
  // On the simulated disk of the tests, no file has a name.
  const bool have_names = files_.front().identity != Identity();
  std::vector<fs::path> paths;
  for (const File& file : files_) {
    const bool nameless = have_names && file.identity == Identity();
    if (nameless || identify(file.path) != file.identity) paths.push_back(file.path);
  }
  return paths;
}

/// The file that a path leads to; zeros if there is none.
OpenedFiles::Identity OpenedFiles::identify(const fs::path& path) {
  struct stat information {};
  if (stat(path.c_str(), &information) != 0) return {};
  return {information.st_dev, information.st_ino};
}

}  // namespace lekt::storage
