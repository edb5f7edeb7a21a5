#include "tests/integration/telnet_hosts.h"

#include <unistd.h>

#include <fstream>
#include <optional>
#include <system_error>

#include "tests/support/paths.h"
#include "tests/support/support.h"

namespace lekt::test {

namespace {

constexpr const char* busybox = "/bin/busybox";
constexpr const char* telnetd = "/usr/sbin/telnetd";
constexpr const char* socat = "/usr/bin/socat";
constexpr const char* python = "/usr/bin/python3";

/// The program that a telnetd starts.
std::filesystem::path write_login(const std::filesystem::path& directory, std::uint16_t port,
                                  const std::string& term, const std::string& command) {
  const auto path = directory / ("login-" + std::to_string(port));
  std::ofstream(path) << "#!/bin/sh\n"
                         "# The size comes from the terminal, soon after the connection.\n"
                         "while [ \"$(stty size)\" = '0 0' ]; do :; done\n"
                      << (term.empty() ? "" : "export TERM=" + term + "\n") << "export LC_ALL=C.UTF-8 HOME='"
                      << directory.string() << "' PS1='$ '\n"
                      << "cd \"$HOME\"\n"
                      << command << "\n";
  std::filesystem::permissions(path, std::filesystem::perms::owner_all);
  return path;
}

std::vector<std::string> words_of(TelnetServer server, const std::string& address, std::uint16_t port,
                                  const std::string& login) {
  const std::string number = std::to_string(port);
  if (server == TelnetServer::busybox) return {"telnetd", "-F", "-b", address + ":" + number, "-l", login};
  // It takes a connection that another program has accepted.
  return {"TCP-LISTEN:" + number + ",bind=" + address + ",reuseaddr,fork",
          std::string("EXEC:") + telnetd + " -h -E " + login + ",nofork"};
}

/// The telnetd may have been started just now.
std::optional<TcpStream> connect_patiently(const std::string& address, std::uint16_t port) {
  std::optional<TcpStream> stream;
  eventually(
      [&] {
        try {
          stream.emplace(TcpStream::connect(address, port));
        } catch (const std::system_error&) {
        }
        return stream.has_value();
      },
      patience());
  return stream;
}

}  // namespace

std::string missing_for(TelnetServer server) {
  if (server == TelnetServer::busybox)
    return access(busybox, X_OK) == 0 && run(busybox, {"telnetd", "--help"}).status == 0
               ? ""
               : "busybox has no telnetd: is busybox-static installed?";
  for (const char* program : {telnetd, socat})
    if (access(program, X_OK) != 0) return std::string(program) + " is not installed";
  return {};
}

TelnetHost::TelnetHost(TelnetServer server, const std::string& address,
                       const std::filesystem::path& directory, const std::string& term,
                       const std::string& command)
    : address_(address),
      port_(free_port(address)),
      process_(server == TelnetServer::busybox ? busybox : socat,
               words_of(server, address, port_,
                        write_login(directory, port_, server == TelnetServer::busybox ? term : "", command)),
               directory),
      relay_(address, [this](const TcpStream& user) { relay(user); }) {}

void TelnetHost::relay(const TcpStream& user) {
  const auto host = connect_patiently(address_, port_);
  if (!host) return;
  said_.clear();
  std::thread to_host([&] {
    for (Bytes bytes; !(bytes = user.receive()).empty();) host->send(bytes);
    host->finish();
  });
  for (Bytes bytes; !(bytes = host->receive()).empty();) {
    said_.add(bytes);
    user.send(bytes);
  }
  user.finish();
  to_host.join();
}

std::string missing_for_pyte() {
  return access(python, X_OK) == 0 && run(python, {"-c", "import pyte"}).status == 0
             ? ""
             : "python3-pyte is not installed";
}

PyteScreen pyte_screen(std::size_t rows, std::size_t columns, ByteView said) {
  const TempDirectory directory;
  const auto file = directory.path() / "said";
  std::ofstream(file, std::ios::binary) << said;
  const Outcome drawn = run(python,
                            {"-B", source_file("tests/integration/pyte_screen.py"), std::to_string(rows),
                             std::to_string(columns), file.string()},
                            {{"LC_ALL", "C.UTF-8"}});
  if (drawn.status != 0) throw std::runtime_error("pyte_screen.py: " + drawn.errors);
  const std::size_t end_of_grid = drawn.output.rfind('\n', drawn.output.size() - 2) + 1;
  return {drawn.output.substr(0, end_of_grid),
          drawn.output.substr(end_of_grid, drawn.output.size() - end_of_grid - 1)};
}

}  // namespace lekt::test
