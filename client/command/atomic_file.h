// Replaces a file so that readers see the old text or the new one, and never a part.
#pragma once

#include <string>
#include <string_view>

namespace lekt::command {

/// Writes a temporary file beside `path`, syncs it and renames it over `path`. The mode is 0644 less the
/// umask. Throws CodedError E706; the old file is then untouched and no temporary file remains.
void replace_file(const std::string& path, std::string_view text);

}  // namespace lekt::command
