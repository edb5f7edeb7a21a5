#include "server/service_manager.h"

#include <sys/socket.h>
#include <sys/stat.h>
#include <systemd/sd-daemon.h>
#include <unistd.h>

#include <cstdint>
#include <cstdlib>
#include <ctime>
#include <memory>
#include <system_error>

#include "common/errors.h"

namespace lekt::service_manager {

namespace {

/// As libsystemd gives them: an array that ends with a null pointer, each of its strings to be freed.
struct FreeNames {
  void operator()(char** names) const {
    for (char** name = names; *name != nullptr; ++name) std::free(*name);
    std::free(names);
  }
};
using Names = std::unique_ptr<char*, FreeNames>;

bool is_tcp_listener(int socket) {
  constexpr int listens = 1;
  return sd_is_socket_inet(socket, AF_INET, SOCK_STREAM, listens, 0) > 0 ||
         sd_is_socket_inet(socket, AF_INET6, SOCK_STREAM, listens, 0) > 0;
}

}  // namespace

std::vector<PassedSocket> take_sockets() {
  constexpr int forget_variables = 1;
  char** listed = nullptr;
  const int count = sd_listen_fds_with_names(forget_variables, &listed);
  const Names names(listed);
  if (count < 0)
    throw CodedError(ErrorCode::passed_socket_wrong,
                     "cannot read LISTEN_FDS and LISTEN_FDNAMES: " + std::generic_category().message(-count));
  std::vector<PassedSocket> sockets;
  for (int index = 0; index < count; ++index) {
    const std::string name = names.get()[index];
    sockets.push_back({Descriptor(SD_LISTEN_FDS_START + index), name == "tls"});
    if (!is_tcp_listener(sockets.back().socket.value()))
      throw CodedError(ErrorCode::passed_socket_wrong,
                       "the service manager has passed descriptor " +
                           std::to_string(SD_LISTEN_FDS_START + index) + ", named \"" + name +
                           "\", which is not a TCP socket that listens (ListenStream= with a port)");
  }
  return sockets;
}

bool is_listening() { return std::getenv("NOTIFY_SOCKET") != nullptr; }

void report_ready() { sd_notify(0, "READY=1"); }

void report_status(const std::string& text) { sd_notify(0, ("STATUS=" + text).c_str()); }

/// The time tells versions of systemd from 253 on which READY=1 belongs to this reload (Type=notify-reload).
void report_reloading() {
  timespec now{};
  clock_gettime(CLOCK_MONOTONIC, &now);
  const auto microseconds = std::int64_t{now.tv_sec} * 1'000'000 + now.tv_nsec / 1000;
  sd_notify(0, ("RELOADING=1\nMONOTONIC_USEC=" + std::to_string(microseconds)).c_str());
}

void report_stopping() { sd_notify(0, "STOPPING=1"); }

void report_alive() { sd_notify(0, "WATCHDOG=1"); }

std::chrono::microseconds watchdog_interval() {
  std::uint64_t microseconds = 0;
  if (sd_watchdog_enabled(0, &microseconds) <= 0) return {};
  return std::chrono::microseconds(microseconds);
}

bool journal_reads_standard_error() {
  const char* stream = std::getenv("JOURNAL_STREAM");  // device and inode of the journal's end
  struct stat standard_error {};
  if (stream == nullptr || fstat(STDERR_FILENO, &standard_error) != 0) return false;
  return stream == std::to_string(standard_error.st_dev) + ":" + std::to_string(standard_error.st_ino);
}

}  // namespace lekt::service_manager
