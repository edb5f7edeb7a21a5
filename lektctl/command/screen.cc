#include "lektctl/command/screen.h"

#include <fcntl.h>
#include <poll.h>
#include <sys/signalfd.h>
#include <unistd.h>

#include <array>
#include <cerrno>

#include "common/errors.h"
#include "common/printable.h"

namespace lekt::lektctl {

namespace {

// ECMA-48 and xterm's control sequences.
constexpr std::string_view to_alternate_screen = "\x1b[?1049h\x1b[?25l";
constexpr std::string_view to_normal_screen = "\x1b[?25h\x1b[?1049l";
constexpr std::string_view to_top = "\x1b[H";
constexpr std::string_view clear_line = "\x1b[K";
constexpr std::string_view clear_rest = "\x1b[J";

/// How long to wait for a terminal that takes nothing before it is left as it is.
constexpr std::chrono::milliseconds leave_patience{300};

using Event = Screen::Event;

struct Key {
  std::string_view bytes;
  Event event;
};

constexpr std::array keys = {
    Key{"q", Event::ended},       Key{"Q", Event::ended},
    Key{"\x03", Event::ended},    Key{"\x04", Event::ended},
    Key{"k", Event::up},          Key{"\x1b[A", Event::up},
    Key{"\x1bOA", Event::up},     Key{"j", Event::down},
    Key{"\r", Event::down},       Key{"\n", Event::down},
    Key{"\x1b[B", Event::down},   Key{"\x1bOB", Event::down},
    Key{"b", Event::page_up},     Key{"\x1b[5~", Event::page_up},
    Key{" ", Event::page_down},   Key{"\x1b[6~", Event::page_down},
    Key{"g", Event::top},         Key{"\x1b[H", Event::top},
    Key{"\x1bOH", Event::top},    Key{"\x1b[1~", Event::top},
    Key{"G", Event::bottom},      Key{"\x1b[F", Event::bottom},
    Key{"\x1bOF", Event::bottom}, Key{"\x1b[4~", Event::bottom},
};

/// The number of bytes of the first key: a control sequence ends with a letter or '~'.
std::size_t length_of_key(std::string_view input) {
  if (input.size() < 2 || input[0] != '\x1b' || (input[1] != '[' && input[1] != 'O')) return 1;
  std::size_t length = 2;
  while (length < input.size() && (input[length] < 0x40 || input[length] > 0x7e)) ++length;
  return std::min(length + 1, input.size());
}

Event event_of(std::string_view bytes) {
  for (const Key& key : keys)
    if (key.bytes == bytes) return key.event;
  return Event::other_key;
}

/// All signals except those that a fault of the program raises, which must not wait.
sigset_t signals_taken() {
  sigset_t taken;
  sigfillset(&taken);
  for (const int fault : {SIGSEGV, SIGBUS, SIGFPE, SIGILL, SIGABRT, SIGTRAP, SIGSYS})
    sigdelset(&taken, fault);
  return taken;
}

/// Stops until the program is in the foreground: while a shell has it in the background, the screen is not ours.
void await_foreground() {
  while (true) {
    const pid_t group = tcgetpgrp(STDIN_FILENO);
    if (group < 0 || group == getpgrp()) return;
    raise(SIGSTOP);
  }
}

}  // namespace

Screen::Screen() {
  if (isatty(STDOUT_FILENO) == 0 || isatty(STDIN_FILENO) == 0)
    throw CodedError(ErrorCode::operator_usage_wrong,
                     "watch needs a terminal; `lektctl status` and `lektctl changes --follow` do not");
  await_foreground();
  tcgetattr(STDIN_FILENO, &terminal_before_);
  const sigset_t own = signals_taken();
  sigprocmask(SIG_BLOCK, &own, &signals_before_);
  signals_ = Descriptor(signalfd(-1, &own, SFD_CLOEXEC | SFD_NONBLOCK));
  output_ = Descriptor(open("/proc/self/fd/1", O_WRONLY | O_NOCTTY | O_NONBLOCK | O_CLOEXEC));
  if (!output_.is_open()) output_ = Descriptor(fcntl(STDOUT_FILENO, F_DUPFD_CLOEXEC, 3));
  enter();
}

Screen::~Screen() {
  leave();
  sigprocmask(SIG_SETMASK, &signals_before_, nullptr);
}

void Screen::enter() {
  termios raw = terminal_before_;
  // Keys arrive at once and without echo; Ctrl-Z does not leave a shell with our screen, nor does Ctrl-S stop it.
  raw.c_lflag &= ~static_cast<tcflag_t>(ICANON | ECHO | ISIG);
  raw.c_iflag &= ~static_cast<tcflag_t>(IXON);
  tcsetattr(STDIN_FILENO, TCSANOW, &raw);
  pending_ += to_alternate_screen;
  write_pending();
}

/// Restores the terminal, and does not wait until it has taken all earlier output, as TCSAFLUSH would.
void Screen::leave() {
  pending_ = to_normal_screen;
  const auto deadline = std::chrono::steady_clock::now() + leave_patience;
  write_pending();
  while (!pending_.empty() && std::chrono::steady_clock::now() < deadline) {
    pollfd waiting{output_.value(), POLLOUT, 0};
    poll(&waiting, 1, 50);
    write_pending();
  }
  pending_.clear();
  tcsetattr(STDIN_FILENO, TCSANOW, &terminal_before_);
  tcflush(STDIN_FILENO, TCIFLUSH);
}

void Screen::suspend() {
  leave();
  raise(SIGSTOP);
  await_foreground();
  enter();
}

void Screen::write_pending() {
  while (!pending_.empty()) {
    const ssize_t written = ::write(output_.value(), pending_.data(), pending_.size());
    if (written < 0 && errno == EINTR) continue;
    if (written < 0 && errno != EAGAIN) pending_.clear();  // reading tells that the terminal has gone
    if (written <= 0) return;
    pending_.erase(0, static_cast<std::size_t>(written));
  }
}

void Screen::draw(const std::vector<std::string>& lines) {
  if (!pending_.empty()) return;
  const Size fits = size();
  pending_ = to_top;
  for (std::size_t row = 0; row < lines.size() && row < fits.rows; ++row) {
    if (row > 0) pending_ += "\r\n";
    pending_ += cut(lines[row], fits.columns);
    pending_ += clear_line;
  }
  pending_ += clear_rest;
  write_pending();
}

Screen::Event Screen::wait(std::chrono::milliseconds limit, const Descriptor& wake) {
  if (keys_.empty()) {
    std::array<pollfd, 4> waiting{pollfd{STDIN_FILENO, POLLIN, 0}, pollfd{signals_.value(), POLLIN, 0},
                                  pollfd{wake.value(), POLLIN, 0},
                                  pollfd{pending_.empty() ? -1 : output_.value(), POLLOUT, 0}};
    if (poll(waiting.data(), waiting.size(), static_cast<int>(limit.count())) <= 0) return Event::none;
    if (waiting[1].revents != 0) return read_signal();
    if (waiting[3].revents != 0) write_pending();
    if (waiting[0].revents == 0) return Event::none;
    return read_keys();
  }
  const Event event = keys_.front();
  keys_.pop_front();
  return event;
}

Screen::Event Screen::read_signal() {
  signalfd_siginfo signal{};
  if (::read(signals_.value(), &signal, sizeof(signal)) != sizeof(signal)) return Event::none;
  switch (signal.ssi_signo) {
    case SIGTSTP:
    case SIGTTIN:
    case SIGTTOU:
      suspend();
      return Event::resized;
    case SIGCONT:
      await_foreground();
      enter();
      return Event::resized;
    case SIGWINCH:
      return Event::resized;
    case SIGCHLD:
    case SIGURG:
      return Event::none;
    default:
      return Event::ended;
  }
}

Screen::Event Screen::read_keys() {
  std::array<char, 256> buffer;
  const ssize_t size = ::read(STDIN_FILENO, buffer.data(), buffer.size());
  if (size <= 0) return Event::ended;
  std::string_view input(buffer.data(), static_cast<std::size_t>(size));
  while (!input.empty()) {
    const std::size_t length = length_of_key(input);
    keys_.push_back(event_of(input.substr(0, length)));
    input.remove_prefix(length);
  }
  const Event event = keys_.front();
  keys_.pop_front();
  return event;
}

}  // namespace lekt::lektctl
