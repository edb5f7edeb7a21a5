#include "control/command/screen.h"

#include <poll.h>
#include <sys/signalfd.h>
#include <unistd.h>

#include <array>
#include <cerrno>

#include "common/errors.h"

namespace lekt::control::command {

namespace {

// ECMA-48 and xterm's control sequences.
constexpr std::string_view enter = "\x1b[?1049h\x1b[?25l";
constexpr std::string_view leave = "\x1b[?25h\x1b[?1049l";
constexpr std::string_view to_top = "\x1b[H";
constexpr std::string_view clear_line = "\x1b[K";
constexpr std::string_view clear_rest = "\x1b[J";

constexpr char ctrl_c = 3;
constexpr char ctrl_d = 4;

void write_out(std::string_view text) {
  while (!text.empty()) {
    const ssize_t written = ::write(STDOUT_FILENO, text.data(), text.size());
    if (written < 0 && errno != EINTR) return;  // reading tells that the terminal has gone
    if (written > 0) text.remove_prefix(static_cast<std::size_t>(written));
  }
}

}  // namespace

Screen::Screen() {
  if (isatty(STDOUT_FILENO) == 0 || tcgetattr(STDIN_FILENO, &terminal_before_) != 0)
    throw CodedError(ErrorCode::operator_usage_wrong,
                     "watch needs a terminal; `lektctl status` and `lektctl changes --follow` do not");
  sigset_t own;
  sigemptyset(&own);
  for (const int signal : {SIGINT, SIGTERM, SIGHUP, SIGWINCH}) sigaddset(&own, signal);
  sigprocmask(SIG_BLOCK, &own, &signals_before_);
  signals_ = Descriptor(signalfd(-1, &own, SFD_CLOEXEC | SFD_NONBLOCK));
  termios raw = terminal_before_;
  // Keys come at once and unseen, and Ctrl-Z does not leave a shell with our screen.
  raw.c_lflag &= ~static_cast<tcflag_t>(ICANON | ECHO | ISIG);
  tcsetattr(STDIN_FILENO, TCSAFLUSH, &raw);
  write_out(enter);
}

Screen::~Screen() {
  write_out(leave);
  tcsetattr(STDIN_FILENO, TCSAFLUSH, &terminal_before_);
  sigprocmask(SIG_SETMASK, &signals_before_, nullptr);
}

void Screen::draw(const std::vector<std::string>& lines) const {
  const Size fits = size();
  std::string frame(to_top);
  for (std::size_t row = 0; row < lines.size() && row < fits.rows; ++row) {
    if (row > 0) frame += "\r\n";
    frame += cut(lines[row], fits.columns);
    frame += clear_line;
  }
  frame += clear_rest;
  write_out(frame);
}

Screen::Event Screen::wait(std::chrono::milliseconds limit) const {
  std::array<pollfd, 2> waiting{pollfd{STDIN_FILENO, POLLIN, 0}, pollfd{signals_.value(), POLLIN, 0}};
  if (poll(waiting.data(), waiting.size(), static_cast<int>(limit.count())) <= 0) return Event::none;
  if (waiting[1].revents != 0) return read_signal();
  return read_key();
}

Screen::Event Screen::read_signal() const {
  signalfd_siginfo signal{};
  if (::read(signals_.value(), &signal, sizeof(signal)) != sizeof(signal)) return Event::none;
  return signal.ssi_signo == SIGWINCH ? Event::resized : Event::ended;
}

Screen::Event Screen::read_key() const {
  char key = 0;
  if (::read(STDIN_FILENO, &key, 1) <= 0) return Event::ended;
  return key == 'q' || key == 'Q' || key == ctrl_c || key == ctrl_d ? Event::ended : Event::none;
}

}  // namespace lekt::control::command
