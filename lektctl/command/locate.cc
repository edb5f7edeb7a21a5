#include "lektctl/command/locate.h"

#include <cstdlib>
#include <optional>
#include <string>
#include <system_error>
#include <vector>

#include "common/errors.h"
#include "control/socket_name.h"
#include "lektctl/command/output.h"
#include "server/operators/settings_file.h"

namespace lekt::lektctl {

namespace fs = std::filesystem;

namespace {

bool is_there(const fs::path& path) {
  std::error_code ignored;
  return fs::exists(path, ignored);
}

/// The file that the server reads, as far as this program can know.
fs::path settings_path(const fs::path& installed) {
  const char* named = std::getenv("LEKT_CONFIG");
  if (named != nullptr && *named != '\0') return named;
  // A server that was started in this directory is preferred to the installed one.
  return is_there(installed) && !is_there("lekt.db") ? installed : fs::path();
}

std::vector<FileSetting> settings_of(const fs::path& path) {
  if (path.empty()) return {};
  try {
    return read_settings_file(path);
  } catch (const WrongSetting& wrong) {
    print_status(code_text(ErrorCode::setting_invalid) + " " + wrong.what() +
                 "; looking for the server where it is by default");
    return {};
  }
}

std::optional<std::string> text_of(const std::vector<FileSetting>& settings, const char* name) {
  for (const FileSetting& setting : settings)
    if (setting.name == name && setting.value.kind == FileValue::Kind::text) return setting.value.text;
  return std::nullopt;
}

fs::path default_database() {
  const fs::path here = "lekt.db";
  const fs::path installed = "/var/lib/lekt";
  std::error_code ignored;
  return !is_there(here) && fs::is_directory(installed, ignored) ? installed / here : here;
}

}  // namespace

void locate(control::Instance& instance, const fs::path& installed) {
  if (!instance.database.empty() && !instance.socket.empty()) return;
  const std::vector<FileSetting> settings = settings_of(settings_path(installed));
  const fs::path in_file = text_of(settings, "database").value_or("");
  // If the operator named another database than the file does, the file's socket belongs to another server.
  const bool is_same = instance.database.empty() || instance.database == in_file;
  if (instance.database.empty()) instance.database = in_file.empty() ? default_database() : in_file;
  if (instance.socket.empty() && is_same) instance.socket = text_of(settings, "control-socket").value_or("");
  if (instance.socket.empty()) instance.socket = control::default_control_socket(instance.database);
}

}  // namespace lekt::lektctl
