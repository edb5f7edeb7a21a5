// A running lektd, and the fixture of all tests that talk to one.
//
// It listens on a port of its own choice, keeps its database and its log in the test's directory, and is
// killed at the end of the scope.
#pragma once

#include <gtest/gtest.h>

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include "common/packets.h"
#include "tests/integration/process.h"
#include "tests/support/support.h"

namespace lekt::test {

using Flags = std::vector<std::string>;

class Daemon {
 public:
  /// Returns when it serves. Throws with its log when it does not come up. Flags may name another --listen
  /// or --database.
  Daemon(const std::filesystem::path& directory, const Flags& flags, const Environment& environment = {});

  std::uint16_t port() const { return ports_.at(0); }
  const std::vector<std::uint16_t>& ports() const { return ports_; }  ///< in the order of --listen
  pid_t id() const { return process_.id(); }

  /// SIGTERM or another polite signal; yields the exit status.
  int stop(int signal);
  void kill();  ///< SIGKILL
  void pause();
  void resume();

  bool has_ended() { return process_.has_ended(); }
  std::string log() const { return process_.errors(); }
  /// Waits until the log has `text`, `times` times.
  bool logs(const std::string& text, std::size_t times = 1) const;

 private:
  Process process_;
  std::vector<std::uint16_t> ports_;
};

/// A directory with one database, and the daemon that serves it.
class DaemonTest : public testing::Test {
 protected:
  /// Ends the running one, if any, by force, and starts another on the same database.
  Daemon& start(const Flags& flags = {}, const Environment& environment = {});
  Daemon& daemon() { return daemon_.value(); }

  /// Joins as far as the server lets it: "" when it has joined (and left again), otherwise what was said
  /// instead.
  std::string try_to_join(const std::string& from);

  virtual std::filesystem::path database() const { return directory_.path() / "lekt.db"; }

  TempDirectory directory_;
  std::optional<Daemon> daemon_;
};

std::size_t count(const std::string& text, const std::string& part);

/// A duration as a flag's value: 300ms, slowed.
std::string duration_flag(std::chrono::milliseconds base);

}  // namespace lekt::test
