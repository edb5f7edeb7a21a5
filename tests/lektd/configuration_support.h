// What tests of the settings share: an environment, a file, and what the program makes of them.
#pragma once

#include <gtest/gtest.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <string>
#include <utility>
#include <variant>
#include <vector>

#include "lektd/configuration.h"
#include "tests/support/support.h"

namespace lekt::test {

using Arguments = std::vector<std::string>;

/// An environment variable until the end of the scope.
class Variable {
 public:
  Variable(std::string name, const std::string& value) : name_(std::move(name)) {
    setenv(name_.c_str(), value.c_str(), 1);
  }
  ~Variable() { unsetenv(name_.c_str()); }
  Variable(const Variable&) = delete;
  Variable& operator=(const Variable&) = delete;

 private:
  std::string name_;
};

/// A settings' file until the end of the scope.
class SettingsFile {
 public:
  explicit SettingsFile(const std::string& text) : path_(directory_.path() / "lektd.toml") {
    std::ofstream(path_) << text;
  }
  std::string flag() const { return "--config=" + path_.string(); }
  std::string path() const { return path_.string(); }

 private:
  TempDirectory directory_;
  std::filesystem::path path_;
};

inline std::variant<Configuration, EarlyExit> read(const Arguments& arguments) {
  std::vector<const char*> pointers = {"lektd"};
  for (const std::string& argument : arguments) pointers.push_back(argument.c_str());
  return read_configuration(static_cast<int>(pointers.size()), pointers.data());
}

inline Configuration settings(const Arguments& arguments) {
  auto result = read(arguments);
  if (const auto* exit = std::get_if<EarlyExit>(&result)) {
    ADD_FAILURE() << "refused: " << exit->text;
    return {};
  }
  return std::get<Configuration>(std::move(result));
}

inline EarlyExit exit_of(const Arguments& arguments) {
  auto result = read(arguments);
  if (const auto* exit = std::get_if<EarlyExit>(&result)) return *exit;
  ADD_FAILURE() << "not refused";
  return {};
}

/// Expects exit status 2, the code, and all the words.
inline void expect_refused(const Arguments& arguments, const std::vector<std::string>& words) {
  const EarlyExit exit = exit_of(arguments);
  EXPECT_EQ(exit.status, 2);
  EXPECT_EQ(exit.text.substr(0, 12), "lektd: E501 ");
  for (const std::string& word : words) EXPECT_NE(exit.text.find(word), exit.text.npos) << exit.text;
}

}  // namespace lekt::test
