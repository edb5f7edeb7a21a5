#include "client/command/atomic_file.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <filesystem>

#include "common/errors.h"
#include "common/text.h"

namespace lekt::command {

namespace {

[[noreturn]] void fail(const std::string& path, const std::string& what) {
  throw CodedError(ErrorCode::output_failed,
                   "cannot " + what + " \"" + escape(path) + "\": " + std::strerror(errno));
}

mode_t usual_mode() {
  const mode_t mask = ::umask(0);
  ::umask(mask);
  return 0644 & ~mask;
}

/// A new file beside the target, removed unless it takes the target's place.
class TemporaryFile {
 public:
  explicit TemporaryFile(const std::string& target) : target_(target), path_(target + ".XXXXXX") {
    descriptor_ = ::mkostemp(path_.data(), O_CLOEXEC);
    if (descriptor_ < 0) fail(target_, "create a file beside");
  }
  ~TemporaryFile() {
    ::close(descriptor_);
    if (!placed_) ::unlink(path_.c_str());
  }
  TemporaryFile(const TemporaryFile&) = delete;
  TemporaryFile& operator=(const TemporaryFile&) = delete;

  void write(std::string_view text) {
    while (!text.empty()) {
      const ssize_t written = ::write(descriptor_, text.data(), text.size());
      if (written < 0 && errno == EINTR) continue;
      if (written < 0) fail(path_, "write");
      text.remove_prefix(static_cast<std::size_t>(written));
    }
  }

  void place() {
    if (::fchmod(descriptor_, usual_mode()) != 0 || ::fsync(descriptor_) != 0) fail(path_, "write");
    if (::rename(path_.c_str(), target_.c_str()) != 0) fail(target_, "replace");
    placed_ = true;
  }

 private:
  const std::string target_;
  std::string path_;
  int descriptor_;
  bool placed_ = false;
};

/// Makes the rename itself durable. The file is in place already, so trouble here is not worth an error.
void sync_directory_of(const std::string& path) {
  const auto parent = std::filesystem::path(path).parent_path();
  const int descriptor = ::open(parent.empty() ? "." : parent.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  if (descriptor < 0) return;
  ::fsync(descriptor);
  ::close(descriptor);
}

}  // namespace

void replace_file(const std::string& path, std::string_view text) {
  TemporaryFile file(path);
  file.write(text);
  file.place();
  sync_directory_of(path);
}

}  // namespace lekt::command
