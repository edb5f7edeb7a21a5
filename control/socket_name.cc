#include "control/socket_name.h"

#include <fcntl.h>
#include <sys/un.h>

#include <cerrno>
#include <system_error>

namespace lekt::control {

namespace fs = std::filesystem;

namespace {

bool fits(const std::string& text) { return text.size() < sizeof(sockaddr_un::sun_path); }

[[noreturn]] void fail(int error_number, const fs::path& path) {
  throw std::system_error(error_number, std::generic_category(), path.string());
}

}  // namespace

SocketName::SocketName(const fs::path& path) : text_(path.string()) {
  if (fits(text_)) return;
  directory_ = Descriptor(open(path.parent_path().c_str(), O_PATH | O_DIRECTORY | O_CLOEXEC));
  if (!directory_.is_open()) fail(errno, path.parent_path());
  text_ = "/proc/self/fd/" + std::to_string(directory_.value()) + "/" + path.filename().string();
  if (!fits(text_)) fail(ENAMETOOLONG, path.filename());
}

std::filesystem::path default_control_socket(const std::filesystem::path& database) {
  return database.string() + ".sock";
}

}  // namespace lekt::control
