// Real telnetds with real programs, for tests, and what their screens look like to another terminal than ours.
//
// Before each telnetd stands a relay, which records what the host sends. Everything dies with the test.
#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <ostream>
#include <string>
#include <vector>

#include "tests/integration/process.h"
#include "tests/integration/tcp_host.h"

namespace lekt::test {

enum class TelnetServer : std::uint8_t { busybox, inetutils };

/// Why tests cannot have one here: a text for GTEST_SKIP. Empty when they can.
std::string missing_for(TelnetServer server);

class TelnetHost {
 public:
  /// Runs a command of the shell, in the directory, for everybody who connects. `term` is what TERM is when the telnetd
  /// does not ask the terminal for its type.
  TelnetHost(TelnetServer server, const std::string& address, const std::filesystem::path& directory,
             const std::string& term, const std::string& command);

  /// Where users find it: the relay.
  std::string place() const { return relay_.place(); }
  /// All that the host has sent in the newest connection, with telnet's commands.
  Bytes said() const { return said_.text(); }
  /// Of the telnetd, and with busybox the telnetd itself.
  const Process& process() const { return process_; }

 private:
  void relay(const TcpStream& user);

  const std::string address_;
  const std::uint16_t port_;  ///< of the telnetd
  SharedText said_;
  Process process_;
  TcpHost relay_;
};

/// What pyte makes of a host's bytes.
struct PyteScreen {
  std::string grid;    ///< as `lekt device --print` prints it
  std::string cursor;  ///< "23 0 shown": row and column, counted from 0
};
PyteScreen pyte_screen(std::size_t rows, std::size_t columns, ByteView said);
/// As missing_for().
std::string missing_for_pyte();

}  // namespace lekt::test
