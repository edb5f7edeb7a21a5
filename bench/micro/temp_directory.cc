#include "bench/micro/temp_directory.h"

#include <cerrno>
#include <cstdlib>
#include <string>
#include <system_error>

namespace lekt::bench {

TempDirectory::TempDirectory() {
  std::string name = (std::filesystem::temp_directory_path() / "lekt-bench-XXXXXX").string();
  if (mkdtemp(name.data()) == nullptr)
    throw std::filesystem::filesystem_error("cannot make a temporary directory", name,
                                            std::error_code(errno, std::generic_category()));
  path_ = name;
}

TempDirectory::~TempDirectory() {
  std::error_code ignored;  // what is left in a temporary directory is not worth an error
  std::filesystem::remove_all(path_, ignored);
}

}  // namespace lekt::bench
