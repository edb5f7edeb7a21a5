// Finds the server that lektctl talks to: from its settings' file, unless the operator names it.
#pragma once

#include <filesystem>

#include "lektctl/steer.h"

namespace lekt::lektctl {

/// The path of the server's settings in the Debian package and in the image.
inline constexpr const char* installed_settings = "/etc/lekt/lektd.toml";

/// Fills in what is empty: from the settings' file that LEKT_CONFIG names, or else from the installed one;
/// otherwise with ./lekt.db, or /var/lib/lekt/lekt.db if only that is there. A file that cannot be read is
/// reported on standard error, and does not keep an operator from looking.
void locate(control::Instance& instance, const std::filesystem::path& installed = installed_settings);

}  // namespace lekt::lektctl
