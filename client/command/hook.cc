#include "client/command/hook.h"

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>
#include <string_view>

#include "common/errors.h"

namespace lekt::command {

namespace {

constexpr std::chrono::milliseconds look_again{20};  // how often, where the end of a process wakes nobody

[[noreturn]] void fail_to_start(int error) {
  throw CodedError(ErrorCode::output_failed, std::string("cannot be started: ") + std::strerror(error));
}

/// `added`, then the variables of this program that it does not replace.
std::vector<char*> environment_with(const std::vector<std::string>& added) {
  std::vector<char*> pointers;
  for (const std::string& entry : added) pointers.push_back(const_cast<char*>(entry.c_str()));
  for (char** inherited = environ; *inherited != nullptr; ++inherited) {
    const std::string_view entry = *inherited;
    const std::string_view name = entry.substr(0, entry.find('=') + 1);
    const bool replaced =
        std::ranges::any_of(added, [&](const std::string& own) { return own.starts_with(name); });
    if (!replaced) pointers.push_back(*inherited);
  }
  pointers.push_back(nullptr);
  return pointers;
}

/// Kernels since 6.3 can be set to refuse files in memory without this flag, and older ones do not know it.
constexpr unsigned never_runs = 0x8;  // MFD_NOEXEC_SEAL, which Debian 12's headers do not have

/// A file in memory that holds the text, positioned at its beginning.
Descriptor file_in_memory(std::string_view text) {
  Descriptor file(::memfd_create("lekt-input", MFD_CLOEXEC | never_runs));
  if (!file.is_open() && errno == EINVAL) file = Descriptor(::memfd_create("lekt-input", MFD_CLOEXEC));
  if (!file.is_open()) fail_to_start(errno);
  while (!text.empty()) {
    const ssize_t written = ::write(file.value(), text.data(), text.size());
    if (written < 0 && errno == EINTR) continue;
    if (written < 0) fail_to_start(errno);
    text.remove_prefix(static_cast<std::size_t>(written));
  }
  if (::lseek(file.value(), 0, SEEK_SET) != 0) fail_to_start(errno);
  return file;
}

}  // namespace

Hook::Hook(const std::string& command, const std::vector<std::string>& environment, const std::string& input)
    : watch_(-1) {
  const Descriptor file = file_in_memory(input);
  std::string shell = "sh";
  std::string flag = "-c";
  std::string script = command;
  char* arguments[] = {shell.data(), flag.data(), script.data(), nullptr};
  posix_spawn_file_actions_t actions;
  posix_spawn_file_actions_init(&actions);
  posix_spawn_file_actions_adddup2(&actions, file.value(), STDIN_FILENO);
  // A command that stays in the background must not hold the connection to the server open.
  posix_spawn_file_actions_addclosefrom_np(&actions, STDERR_FILENO + 1);
  posix_spawnattr_t attributes;
  posix_spawnattr_init(&attributes);
  sigset_t signals;
  sigfillset(&signals);
  posix_spawnattr_setsigdefault(&attributes, &signals);
  sigemptyset(&signals);
  posix_spawnattr_setsigmask(&attributes, &signals);
  posix_spawnattr_setpgroup(&attributes, 0);
  posix_spawnattr_setflags(&attributes,
                           POSIX_SPAWN_SETSIGDEF | POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETPGROUP);
  const int error = ::posix_spawn(&process_, "/bin/sh", &actions, &attributes, arguments,
                                  environment_with(environment).data());
  posix_spawnattr_destroy(&attributes);
  posix_spawn_file_actions_destroy(&actions);
  if (error != 0) fail_to_start(error);
  watch_ = Descriptor(static_cast<int>(::syscall(SYS_pidfd_open, process_, 0)));
}

bool Hook::wait(int wake, std::chrono::milliseconds limit) {
  if (has_ended()) return true;
  std::array<pollfd, 2> entries = {{{wake, POLLIN, 0}, {watch_.value(), POLLIN, 0}}};
  if (!watch_.is_open()) limit = std::min(limit, look_again);
  ::poll(entries.data(), entries.size(), static_cast<int>(limit.count()));
  return has_ended();
}

bool Hook::has_ended() {
  if (ended_) return true;
  const pid_t reaped = ::waitpid(process_, &status_, WNOHANG);
  ended_ = reaped == process_ || (reaped < 0 && errno == ECHILD);
  return ended_;
}

void Hook::signal(int number) const {
  if (!ended_) ::kill(-process_, number);
}

void reap_strangers(pid_t own) {
  constexpr int at_once = 1000;
  for (int i = 0; i < at_once; ++i) {
    siginfo_t child{};
    if (::waitid(P_ALL, 0, &child, WEXITED | WNOHANG | WNOWAIT) != 0 || child.si_pid == 0) return;
    if (child.si_pid == own) return;  // the Hook waits for it; the other children come after it
    ::waitpid(child.si_pid, nullptr, WNOHANG);
  }
}

}  // namespace lekt::command
