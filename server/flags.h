// The flags of lektd: what each is called, says and takes. The same names serve as environment variables and
// as keys of the configuration file.
#pragma once

#include <CLI/CLI.hpp>
#include <chrono>
#include <cstdint>
#include <filesystem>
#include <functional>
#include <string>
#include <vector>

#include "common/cidr.h"
#include "server/configuration.h"

namespace lekt {

/// Defines the flags on one CLI::App; each writes into the configuration or refuses its value.
class Flags {
 public:
  Flags(CLI::App& app, Configuration& configuration) : app_(app), configuration_(configuration) {}

  void define();
  bool check_only = false;

 private:
  using Take = std::function<void(const std::string&)>;

  CLI::Option* text(const std::string& name, const std::string& type, const std::string& fallback,
                    const std::string& help, Take take);
  CLI::Option* list(const std::string& name, const std::string& type, const std::string& help, Take take);
  template <class Duration>
  CLI::Option* duration(const std::string& name, Duration& target, std::chrono::milliseconds least,
                        const std::string& help);
  CLI::Option* number(const std::string& name, std::uint32_t& target, std::uint32_t least, std::uint32_t most,
                      const std::string& help);
  CLI::Option* block(const std::string& name, std::vector<Cidr>& target, const std::string& help);
  void path(const std::string& name, std::filesystem::path& target, const std::string& help);
  void define_listening();
  void define_admin();
  void define_limits();
  void define_tls();
  void define_log();

  CLI::App& app_;
  Configuration& configuration_;
};

/// "LEKT_LOG_LEVEL" for "--log-level".
std::string environment_name(const std::string& flag);
/// The value of an environment variable; empty when it is not set.
std::string environment(const std::string& name);

}  // namespace lekt
