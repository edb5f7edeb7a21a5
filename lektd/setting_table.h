// The settings of lektd: one table, in which each setting is one entry. Everything else that speaks of all
// settings visits it: flags and --help, environment and file, --check-config, the reload, and the tests of the
// manual. So a setting is an entry here, a member of Configuration, and its use.
//
// It holds no values: those are in a Configuration.
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "lektd/configuration.h"
#include "lektd/setting_syntax.h"

namespace lekt {

/// One setting. What it takes and shows is text, wherever it comes from.
struct Setting {
  /// When a running server uses a value that was read again (SIGHUP).
  enum class Apply : std::uint8_t { at_once, restart };
  using Form = syntax::Form;

  std::string name;         ///< without dashes; also the key in the file
  std::string placeholder;  ///< what stands for the value in --help
  Form form;
  char separator;  ///< between the values of a list that are in one flag or variable
  Apply apply;
  std::string help;
  std::string otherwise;  ///< the default in words, where it is no value of the setting or follows others

  /// One value, for a list its next one. Throws WrongSetting.
  std::function<void(Configuration&, const std::string&)> take;
  /// What is in use, in words that take() understands.
  std::function<std::vector<std::string>(const Configuration&)> show;
  std::function<bool(const Configuration&, const Configuration&)> is_same;
  std::function<void(Configuration& to, const Configuration& from)> copy;
  /// Gives the setting the value that follows others; empty when it follows none.
  std::function<void(Configuration&)> follow;

  std::string flag() const { return "--" + name; }
  std::string variable() const;  ///< "LEKT_LOG_LEVEL" for "log-level"
  /// The default in words, or as a value; empty when there is none.
  std::string fallback() const;
};

/// All settings, in the order of --help. One that follows others comes after them.
const std::vector<Setting>& all_settings();

}  // namespace lekt
