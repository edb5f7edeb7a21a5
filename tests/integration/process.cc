#include "tests/integration/process.h"

#include <fcntl.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <atomic>
#include <cerrno>
#include <csignal>
#include <fstream>
#include <stdexcept>
#include <string_view>
#include <system_error>

#include "tests/support/support.h"

namespace lekt::test {

namespace {

std::vector<std::string> variables(const Environment& environment) {
  std::vector<std::string> result;
  for (char** variable = environ; *variable != nullptr; ++variable)
    if (!std::string_view(*variable).starts_with("LEKT_")) result.emplace_back(*variable);
  for (const auto& [name, value] : environment) result.push_back(name + "=" + value);
  return result;
}

std::vector<char*> pointers(std::vector<std::string>& texts) {
  std::vector<char*> result;
  for (std::string& text : texts) result.push_back(text.data());
  result.push_back(nullptr);
  return result;
}

}  // namespace

Process::Process(const std::string& program, const std::vector<std::string>& arguments,
                 const std::filesystem::path& directory, const Environment& environment) {
  static std::atomic<int> number = 0;
  const std::string name = "process-" + std::to_string(++number);
  output_ = directory / (name + ".out");
  errors_ = directory / (name + ".err");
  for (const auto& path : {output_, errors_})
    if (!std::ofstream(path)) throw std::runtime_error("cannot write " + path.string());
  std::vector<std::string> words = {program};
  words.insert(words.end(), arguments.begin(), arguments.end());
  std::vector<std::string> settings = variables(environment);
  const std::vector<char*> argument_pointers = pointers(words);
  const std::vector<char*> setting_pointers = pointers(settings);
  const pid_t parent = getpid();
  id_ = fork();
  if (id_ < 0) throw std::system_error(errno, std::generic_category(), "fork");
  if (id_ > 0) return;
  // Between fork and exec only what is safe in a process with threads.
  prctl(PR_SET_PDEATHSIG, SIGKILL);
  if (getppid() != parent) _exit(126);
  const int output = open(output_.c_str(), O_WRONLY | O_APPEND);
  const int errors = open(errors_.c_str(), O_WRONLY | O_APPEND);
  if (dup2(output, STDOUT_FILENO) < 0 || dup2(errors, STDERR_FILENO) < 0 || chdir(directory.c_str()) != 0)
    _exit(126);
  execve(program.c_str(), argument_pointers.data(), setting_pointers.data());
  _exit(127);
}

Process::~Process() {
  if (status_) return;
  ::kill(id_, SIGKILL);
  reap(0);
}

void Process::send_signal(int signal) const {
  if (!status_) ::kill(id_, signal);
}

bool Process::reap(int options) {
  if (status_) return true;
  int status = 0;
  pid_t reaped = 0;
  while ((reaped = waitpid(id_, &status, options)) < 0 && errno == EINTR) {
  }
  if (reaped != id_) return false;
  status_ = WIFEXITED(status) ? WEXITSTATUS(status) : -WTERMSIG(status);
  return true;
}

bool Process::has_ended() { return reap(WNOHANG); }

int Process::wait(std::chrono::milliseconds limit) {
  if (!eventually([this] { return has_ended(); }, limit))
    throw std::runtime_error("the process is still running; it said:\n" + errors());
  return *status_;
}

std::string Process::output() const { return read_text(output_); }

std::string Process::errors() const { return read_text(errors_); }

Outcome run(const std::string& program, const std::vector<std::string>& arguments,
            const Environment& environment) {
  const TempDirectory directory;
  Process process(program, arguments, directory.path(), environment);
  const int status = process.wait();
  return {status, process.output(), process.errors()};
}

}  // namespace lekt::test
