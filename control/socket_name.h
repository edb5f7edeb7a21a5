// The name of a socket in the file system, in a form that fits the kernel's address (108 bytes).
//
// A path that is longer is reached through its directory: /proc/self/fd/N/name. So the name holds for this
// process, as long as this object lives.
#pragma once

#include <filesystem>
#include <string>

#include "common/descriptor.h"

namespace lekt::control {

class SocketName {
 public:
  /// Throws std::system_error when the directory cannot be opened or even the file's name is too long.
  explicit SocketName(const std::filesystem::path& path);

  const std::string& text() const { return text_; }

 private:
  Descriptor directory_{-1};
  std::string text_;
};

/// The default path of the control socket: next to the database, with ".sock" appended.
std::filesystem::path default_control_socket(const std::filesystem::path& database);

}  // namespace lekt::control
