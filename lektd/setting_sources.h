// Where the values of settings come from: a flag beats the environment, the environment beats the file, and
// the file beats the default. A value that is beaten is checked all the same.
#pragma once

#include <CLI/CLI.hpp>
#include <cstdint>
#include <string>
#include <vector>

#include "lektd/configuration.h"

namespace lekt {

struct Origin {
  enum class Kind : std::uint8_t { fallback, file, variable, flag };

  Kind kind = Kind::fallback;
  std::string name;        ///< of the file, the variable or the flag
  std::uint32_t line = 0;  ///< in the file

  /// "default", "/etc/lekt/lektd.toml:3", "LEKT_MAX_CLIENTS", "--max-clients"
  std::string text() const;
};

/// Gives each setting its value, from the flags, their --config and the environment. Settings that nobody gives
/// follow others where the table says so. Returns the origins, in the order of the table. Throws WrongSetting.
std::vector<Origin> take_settings(Configuration& configuration, const CLI::App& flags);

/// Environment variables that look like settings but are none, each with the name that was probably meant.
std::vector<std::string> unknown_variables();

}  // namespace lekt
