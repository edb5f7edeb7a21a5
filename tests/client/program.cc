#include "tests/client/program.h"

#include <fcntl.h>
#include <signal.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include <chrono>
#include <fstream>
#include <stdexcept>
#include <system_error>
#include <utility>

#include "tests/support/paths.h"

namespace lekt::test {

Program::Program(const std::vector<std::string>& arguments, std::string_view input)
    : Program(program_file("lekt"), arguments, input) {}

Program::Program(const std::string& path, const std::vector<std::string>& arguments, std::string_view input) {
  const auto file = [this](const char* name) { return (directory_.path() / name).string(); };
  std::ofstream(file("in"), std::ios::binary) << input;
  posix_spawn_file_actions_t actions;
  posix_spawn_file_actions_init(&actions);
  posix_spawn_file_actions_addopen(&actions, STDIN_FILENO, file("in").c_str(), O_RDONLY, 0);
  posix_spawn_file_actions_addopen(&actions, STDOUT_FILENO, file("out").c_str(),
                                   O_WRONLY | O_CREAT | O_APPEND, 0600);
  posix_spawn_file_actions_addopen(&actions, STDERR_FILENO, file("error").c_str(),
                                   O_WRONLY | O_CREAT | O_APPEND, 0600);
  std::vector<char*> pointers = {const_cast<char*>(path.c_str())};
  for (const std::string& argument : arguments) pointers.push_back(const_cast<char*>(argument.c_str()));
  pointers.push_back(nullptr);
  const int error = ::posix_spawn(&process_, path.c_str(), &actions, nullptr, pointers.data(), environ);
  posix_spawn_file_actions_destroy(&actions);
  if (error != 0) throw std::system_error(error, std::generic_category(), path);
}

Program::~Program() {
  if (process_ == 0) return;
  signal(SIGKILL);
  ::waitpid(process_, nullptr, 0);
}

int Program::wait() {
  int status = 0;
  const auto ended = [&] { return ::waitpid(process_, &status, WNOHANG) == process_; };
  if (!eventually(ended, std::chrono::seconds(20))) throw std::runtime_error("the program does not end");
  process_ = 0;
  return WIFSIGNALED(status) ? 128 + WTERMSIG(status) : WEXITSTATUS(status);
}

void Program::signal(int number) { ::kill(process_, number); }

}  // namespace lekt::test
