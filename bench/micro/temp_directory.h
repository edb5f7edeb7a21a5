// A new, empty directory below TMPDIR (or /tmp), removed with all it holds at the end of the scope.
#pragma once

#include <filesystem>

namespace lekt::bench {

class TempDirectory {
 public:
  TempDirectory();  ///< throws std::filesystem::filesystem_error
  ~TempDirectory();
  TempDirectory(const TempDirectory&) = delete;
  TempDirectory& operator=(const TempDirectory&) = delete;

  const std::filesystem::path& path() const { return path_; }

 private:
  std::filesystem::path path_;
};

}  // namespace lekt::bench
