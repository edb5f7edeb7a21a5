#include "tests/integration/terminal.h"

#include <fcntl.h>
#include <poll.h>
#include <pty.h>
#include <signal.h>
#include <sys/ioctl.h>
#include <sys/wait.h>
#include <termios.h>
#include <unistd.h>
#include <utmp.h>

#include <array>
#include <stdexcept>

#include "tests/integration/patience.h"

namespace lekt::test {

namespace {

winsize to_winsize(Terminal::Size size) {
  return {.ws_row = size.rows, .ws_col = size.columns, .ws_xpixel = 0, .ws_ypixel = 0};
}

}  // namespace

Terminal::Terminal(const std::string& program, const std::vector<std::string>& arguments, Size size) {
  std::vector<char*> argv = {const_cast<char*>(program.c_str())};
  for (const std::string& argument : arguments) argv.push_back(const_cast<char*>(argument.c_str()));
  argv.push_back(nullptr);
  const winsize window = to_winsize(size);
  if (openpty(&terminal_, &program_side_, nullptr, nullptr, &window) != 0)
    throw std::runtime_error("cannot make a terminal");
  fcntl(terminal_, F_SETFD, FD_CLOEXEC);
  id_ = fork();
  if (id_ == 0) {
    login_tty(program_side_);
    execv(program.c_str(), argv.data());
    _exit(127);
  }
}

Terminal::~Terminal() {
  if (id_ > 0) {
    kill(id_, SIGKILL);
    waitpid(id_, nullptr, 0);
  }
  close(terminal_);
  close(program_side_);
}

void Terminal::press(const std::string& keys) const {
  if (::write(terminal_, keys.data(), keys.size()) < 0) throw std::runtime_error("cannot type");
}

void Terminal::send_signal(int signal) const { kill(id_, signal); }

void Terminal::resize(Size size) const {
  const winsize window = to_winsize(size);
  ioctl(terminal_, TIOCSWINSZ, &window);
}

void Terminal::stop_output() const { tcflow(program_side_, TCOOFF); }

bool Terminal::echoes() const {
  termios settings{};
  tcgetattr(program_side_, &settings);
  return (settings.c_lflag & ECHO) != 0;
}

bool Terminal::shows(const std::string& text) {
  const Deadline deadline(patience());
  while (true) {
    if (const auto found = output_.find(text, seen_); found != output_.npos) {
      seen_ = output_.size();
      return true;
    }
    if (deadline.over()) return false;
    read_within(50);
  }
}

int Terminal::wait() {
  const Deadline deadline(patience());
  int status = 0;
  while (waitpid(id_, &status, WNOHANG) == 0) {
    if (deadline.over()) throw std::runtime_error("the program does not end");
    read_within(20);
  }
  id_ = -1;
  read_within(0);
  return WIFEXITED(status) ? WEXITSTATUS(status) : -WTERMSIG(status);
}

/// All that comes within the time.
void Terminal::read_within(int milliseconds) {
  pollfd waiting{terminal_, POLLIN, 0};
  while (poll(&waiting, 1, milliseconds) > 0 && (waiting.revents & POLLIN) != 0) {
    std::array<char, 4096> buffer{};
    const ssize_t size = ::read(terminal_, buffer.data(), buffer.size());
    if (size <= 0) return;
    output_.append(buffer.data(), static_cast<std::size_t>(size));
    milliseconds = 0;
  }
}

}  // namespace lekt::test
