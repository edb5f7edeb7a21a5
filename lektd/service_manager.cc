#include "lektd/service_manager.h"

#include <signal.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <systemd/sd-daemon.h>
#define SD_JOURNAL_SUPPRESS_LOCATION  // it would be that of the function below
#include <systemd/sd-journal.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <cstring>
#include <ctime>
#include <deque>
#include <memory>
#include <string_view>
#include <system_error>

#include "common/errors.h"
#include "common/parse_number.h"

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

// ---- Reports ----

enum class Keep : bool { no, yes };

/// Reports that the socket has not taken yet, the oldest first. No more are kept than a server that is reloaded
/// again and again should need.
std::deque<std::string> kept;
constexpr std::size_t kept_max = 16;

/// Sends a report without waiting, while sd_notify() would wait for a service manager that does not read. False when it
/// could not be sent without that.
bool send_now(const std::string& text) {
  const char* const name = std::getenv("NOTIFY_SOCKET");
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  const std::size_t size = std::strlen(name);
  if (size < 2 || size >= sizeof(address.sun_path)) return true;
  std::memcpy(address.sun_path, name, size);
  if (name[0] == '@') address.sun_path[0] = '\0';  // an abstract name
  const Descriptor socket(::socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
  const auto length = static_cast<socklen_t>(offsetof(sockaddr_un, sun_path) + size);
  return sendto(socket.value(), text.data(), text.size(), MSG_NOSIGNAL,
                reinterpret_cast<const sockaddr*>(&address), length) >= 0 ||
         errno != EAGAIN;
}

void report(const std::string& text, Keep keep) {
  if (!is_listening()) return;
  while (!kept.empty() && send_now(kept.front())) kept.pop_front();
  if (kept.empty() && send_now(text)) return;
  if (keep == Keep::yes && kept.size() < kept_max) kept.push_back(text);
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

std::optional<std::int64_t> signal_reload() {
  const char* text = std::getenv("MAINPID");
  if (text == nullptr) return std::nullopt;
  const pid_t process = parse_number<pid_t>(text).value_or(0);
  // 0, 1 and what is negative are never one service's main process.
  if (process <= 1 || kill(process, SIGHUP) != 0) return std::nullopt;
  return process;
}

bool is_listening() { return std::getenv("NOTIFY_SOCKET") != nullptr; }

void report_ready() { report("READY=1", Keep::yes); }

void report_status(const std::string& text) { report("STATUS=" + text, Keep::no); }

/// Reports a reload. By the time, versions of systemd from 253 on know which READY=1 belongs to it
/// (Type=notify-reload).
void report_reloading() {
  timespec now{};
  clock_gettime(CLOCK_MONOTONIC, &now);
  const auto microseconds = std::int64_t{now.tv_sec} * 1'000'000 + now.tv_nsec / 1000;
  report("RELOADING=1\nMONOTONIC_USEC=" + std::to_string(microseconds), Keep::yes);
}

void report_stopping() { report("STOPPING=1", Keep::yes); }

void report_alive() { report("WATCHDOG=1", Keep::no); }

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

/// The path is systemd's promise to programs that do not use its library.
bool journal_takes_entries() { return access("/run/systemd/journal/socket", W_OK) == 0; }

std::ptrdiff_t write_to_journal(std::span<const iovec> entries) {
  // The library takes an entry for a journal that is not there, and drops it.
  if (!journal_takes_entries()) return -1;
  std::ptrdiff_t taken = 0;
  std::array<iovec, journal_fields_max> fields;  // no memory is needed for the log's last lines
  for (const iovec& entry : entries) {
    std::size_t count = 0;
    const std::string_view text(static_cast<const char*>(entry.iov_base), entry.iov_len);
    for (std::size_t begin = 0, end = 0; count < fields.size() && (end = text.find('\0', begin)) != text.npos;
         begin = end + 1)
      fields[count++] = {static_cast<char*>(entry.iov_base) + begin, end - begin};
    const int result = sd_journal_sendv(fields.data(), static_cast<int>(count));
    if (result < 0) {
      errno = -result;
      return taken > 0 ? taken : -1;
    }
    taken += static_cast<std::ptrdiff_t>(entry.iov_len);
  }
  return taken;
}

}  // namespace lekt::service_manager
