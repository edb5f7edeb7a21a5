#include "client/command/command_queue.h"

#include <fcntl.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <string_view>
#include <utility>

#include "client/command/output.h"
#include "common/errors.h"

namespace lekt::command {

namespace {

void report(const CommandRun& run, const std::string& what) {
  print_status(Rejection{ErrorCode::output_failed, "the command for '" + run.title + "' " + what}.text());
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

/// The number of the error, or 0.
int spawn_shell(const std::string& command, const std::vector<std::string>& environment, pid_t& process) {
  std::string shell = "sh";
  std::string flag = "-c";
  std::string script = command;
  char* arguments[] = {shell.data(), flag.data(), script.data(), nullptr};
  posix_spawn_file_actions_t actions;
  posix_spawn_file_actions_init(&actions);
  posix_spawn_file_actions_addopen(&actions, STDIN_FILENO, "/dev/null", O_RDONLY, 0);
  // A command that stays in the background must not hold the connection to the server open.
  posix_spawn_file_actions_addclosefrom_np(&actions, STDERR_FILENO + 1);
  const int error =
      ::posix_spawn(&process, "/bin/sh", &actions, nullptr, arguments, environment_with(environment).data());
  posix_spawn_file_actions_destroy(&actions);
  return error;
}

}  // namespace

CommandQueue::CommandQueue(std::string command) : command_(std::move(command)), thread_([this] { work(); }) {}

CommandQueue::~CommandQueue() {
  {
    const std::lock_guard lock(mutex_);
    stopping_ = true;
  }
  changed_.notify_all();
  thread_.join();
}

void CommandQueue::add(CommandRun run) {
  {
    const std::lock_guard lock(mutex_);
    if (waiting_.size() >= waiting_max)
      throw CodedError(
          ErrorCode::output_failed,
          std::to_string(waiting_max) + " changes wait for the command; it is too slow for this network");
    waiting_.push_back(std::move(run));
  }
  changed_.notify_all();
}

void CommandQueue::finish() {
  std::unique_lock lock(mutex_);
  changed_.wait(lock, [this] { return waiting_.empty() && !running_; });
}

void CommandQueue::work() {
  std::unique_lock lock(mutex_);
  for (;;) {
    changed_.wait(lock, [this] { return stopping_ || !waiting_.empty(); });
    if (stopping_) return;
    const CommandRun run = std::move(waiting_.front());
    waiting_.pop_front();
    running_ = true;
    lock.unlock();
    execute(run);
    lock.lock();
    running_ = false;
    changed_.notify_all();
  }
}

void CommandQueue::execute(const CommandRun& run) const {
  pid_t process = 0;
  if (const int error = spawn_shell(command_, run.environment, process)) {
    report(run, std::string("cannot be started: ") + std::strerror(error));
    return;
  }
  int status = 0;
  while (::waitpid(process, &status, 0) < 0)
    if (errno != EINTR) return;
  if (WIFSIGNALED(status))
    report(run, "was ended by signal " + std::to_string(WTERMSIG(status)));
  else if (WEXITSTATUS(status) != 0)
    report(run, "ended with exit code " + std::to_string(WEXITSTATUS(status)));
}

}  // namespace lekt::command
