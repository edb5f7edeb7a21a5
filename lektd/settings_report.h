// What `lektd --check-config` prints: every setting with the value in use and where that comes from.
#pragma once

#include <string>
#include <vector>

#include "common/errors.h"
#include "lektd/setting_sources.h"

namespace lekt {

/// What was read, where each setting comes from, and what a start would say of it.
struct SettingsReport {
  const Configuration& configuration;
  const std::vector<Origin>& origins;    ///< of each setting, in the order of the table
  std::vector<Rejection> troubles = {};  ///< with certificates (E510, E616) and ports of devices (E622)

  /// Why a server would not start; null when it would. It would only warn of the others.
  const Rejection* refusal() const;

  /// A settings' file, with a comment behind each value.
  std::string as_toml() const;
  /// One object on one line.
  std::string as_json() const;
};

}  // namespace lekt
