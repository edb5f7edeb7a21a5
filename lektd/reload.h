// What a running server can take from settings that were read again (SIGHUP), and what needs a restart.
#pragma once

#include <string>
#include <vector>

#include "lektd/configuration.h"

namespace lekt {

struct Reload {
  Configuration configuration;       ///< the wanted one, with the running values where a restart is needed
  std::vector<std::string> changed;  ///< names of settings that are used from now on
  std::vector<std::string> needs_restart;  ///< names of settings that stay as they are
};

/// Both lists are in the order of the table (setting_table.h), which says what needs a restart. Pure.
Reload plan_reload(const Configuration& running, const Configuration& wanted);

}  // namespace lekt
