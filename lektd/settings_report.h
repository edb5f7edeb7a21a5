// What `lektd --check-config` prints: every setting with the value in use and where that comes from.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "common/errors.h"
#include "lektd/setting_sources.h"

namespace lekt {

/// What was read, where each setting comes from, and what is wrong with the files that it names.
struct SettingsReport {
  const Configuration& configuration;
  const std::vector<Origin>& origins;     ///< of each setting, in the order of the table
  std::optional<Rejection> trouble = {};  ///< with certificates

  /// Certificates of which the server would warn (E616).
  bool refuses_to_start() const { return trouble && trouble->code == ErrorCode::tls_unusable; }

  /// A settings' file, with a comment behind each value.
  std::string as_toml() const;
  /// One object on one line.
  std::string as_json() const;
};

}  // namespace lekt
