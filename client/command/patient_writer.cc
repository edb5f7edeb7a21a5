#include "client/command/patient_writer.h"

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <deque>
#include <string_view>
#include <system_error>
#include <thread>
#include <utility>

#include "common/descriptor.h"
#include "common/mutex.h"

namespace lekt::command {

namespace {

constexpr std::size_t piece_max = 64 << 10;  // so that the end of the program is seen between two pieces

/// Whether the error means that the reader has gone for good.
bool is_final(int error) { return error == EPIPE || error == ECONNRESET || error == EBADF; }

Descriptor make_event() {
  Descriptor event(::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK));
  if (!event.is_open()) throw std::system_error(errno, std::generic_category(), "eventfd");
  return event;
}

/// A descriptor of the writer's own for the same file: the thread may outlive the owner of the given one, and
/// its number may belong to another file by then. If the target is closed, so is the result, and writing reports it.
Descriptor own_descriptor(int target) {
  Descriptor own(::fcntl(target, F_DUPFD_CLOEXEC, 3));
  if (!own.is_open() && errno != EBADF) throw std::system_error(errno, std::generic_category(), "fcntl");
  return own;
}

}  // namespace

/// Shared with the thread, which outlives the writer when it is blocked.
struct PatientWriter::State {
  State(int target, Options given)
      : file(own_descriptor(target)), options(std::move(given)), wake(make_event()) {}

  void poke() const {
    const std::uint64_t one = 1;
    [[maybe_unused]] const auto written = ::write(wake.value(), &one, sizeof one);
  }

  /// Waits until the descriptor has one of these events, or there is something to do. Returns the events.
  int wait(short events) const {
    if (!file.is_open()) return POLLNVAL;
    std::array<pollfd, 2> entries = {{{wake.value(), POLLIN, 0}, {file.value(), events, 0}}};
    ::poll(entries.data(), entries.size(), -1);
    std::uint64_t count = 0;
    if (entries[0].revents != 0) [[maybe_unused]]
      const auto read = ::read(wake.value(), &count, sizeof count);
    return entries[1].revents;
  }

  /// Writes one text. Returns the number of the error, or 0; also 0 when the program ends meanwhile.
  int write(std::string_view text) LEKT_EXCLUDES(mutex) {
    // An error has cut off the last line, which is ended first.
    if (std::exchange(mid_line, false) && ::write(file.value(), "\n", 1) < 0) {
      mid_line = true;
      return errno;
    }
    while (!text.empty() && !is_stopping()) {
      const ssize_t written = ::write(file.value(), text.data(), std::min(text.size(), piece_max));
      if (written >= 0) {
        if (written > 0) mid_line = text[static_cast<std::size_t>(written) - 1] != '\n';
        text.remove_prefix(static_cast<std::size_t>(written));
      } else if (errno == EAGAIN || errno == EWOULDBLOCK) {
        wait(POLLOUT);  // somebody who shares the descriptor has made it non-blocking
      } else if (errno != EINTR) {
        return errno;
      }
    }
    if (text.empty()) mid_line = false;
    return 0;
  }

  bool is_stopping() LEKT_EXCLUDES(mutex) {
    const MutexLock lock(mutex);
    return stopping;
  }

  void fail(int number) LEKT_REQUIRES(mutex) {
    error = number;
    lost.any = true;
    for (const Text& text : waiting) lost.changes += text.changes;
    waiting.clear();
    bytes = 0;
    const auto delay = options.retry_first * (1 << std::min(failures, 10));
    failures = std::min(failures + 1, 10);
    ready_at =
        std::chrono::steady_clock::now() + std::min<std::chrono::milliseconds>(delay, options.retry_last);
  }

  struct Text {
    std::string text;
    std::uint64_t changes;
  };

  const Descriptor file;
  const Options options;
  const Descriptor wake;
  bool mid_line = false;  ///< whether a line was cut off; only the thread uses it

  Mutex mutex;
  ConditionVariable changed;
  std::deque<Text> waiting LEKT_GUARDED_BY(mutex);  ///< the first one is being written
  std::size_t bytes LEKT_GUARDED_BY(mutex) = 0;
  Lost lost LEKT_GUARDED_BY(mutex);
  int error LEKT_GUARDED_BY(mutex) = 0;
  int failures LEKT_GUARDED_BY(mutex) = 0;
  std::chrono::steady_clock::time_point ready_at LEKT_GUARDED_BY(mutex) = {};
  bool gone LEKT_GUARDED_BY(mutex) = false;
  bool stopping LEKT_GUARDED_BY(mutex) = false;
};

PatientWriter::PatientWriter(int descriptor, Options options)
    : state_(std::make_shared<State>(descriptor, std::move(options))) {
  std::thread([state = state_] { work(*state); }).detach();
}

PatientWriter::~PatientWriter() {
  {
    const MutexLock lock(state_->mutex);
    state_->stopping = true;
  }
  state_->poke();
}

bool PatientWriter::offer(std::string text, std::uint64_t changes) {
  {
    const MutexLock lock(state_->mutex);
    const bool fits = state_->waiting.empty() || state_->bytes + text.size() <= state_->options.bytes_max;
    if (state_->gone || !fits) return false;
    state_->bytes += text.size();
    state_->waiting.push_back({std::move(text), changes});
  }
  state_->poke();
  return true;
}

bool PatientWriter::is_ready() const {
  const MutexLock lock(state_->mutex);
  return !state_->gone && state_->waiting.empty() && std::chrono::steady_clock::now() >= state_->ready_at;
}

PatientWriter::Lost PatientWriter::take_lost() {
  const MutexLock lock(state_->mutex);
  return std::exchange(state_->lost, {});
}

int PatientWriter::error() const {
  const MutexLock lock(state_->mutex);
  return state_->error;
}

bool PatientWriter::is_gone() const {
  const MutexLock lock(state_->mutex);
  return state_->gone;
}

bool PatientWriter::finish(std::chrono::milliseconds limit) {
  const MutexLock lock(state_->mutex);
  state_->changed.wait_for(state_->mutex, limit, [this]() LEKT_REQUIRES(state_->mutex) {
    return state_->waiting.empty() || state_->gone;
  });
  return state_->waiting.empty() && state_->error == 0 && !state_->gone;
}

void PatientWriter::work(State& state) {
  // With SIGPIPE blocked, a reader that has gone is an error of the write and does not end the program.
  sigset_t pipe;
  sigemptyset(&pipe);
  sigaddset(&pipe, SIGPIPE);
  ::pthread_sigmask(SIG_BLOCK, &pipe, nullptr);

  const MutexLock lock(state.mutex);
  while (!state.stopping && !state.gone) {
    if (state.waiting.empty()) {
      int events = 0;
      {
        const MutexPause pause(state.mutex);
        events = state.wait(0);
      }
      if ((events & POLLNVAL) != 0) state.fail(EBADF);
      if ((events & (POLLERR | POLLHUP)) != 0) state.fail(EPIPE);
    } else {
      const std::string& text = state.waiting.front().text;  // stays where it is while others are added
      int error = 0;
      {
        const MutexPause pause(state.mutex);
        error = state.write(text);
      }
      if (error == 0) {
        state.bytes -= text.size();
        state.waiting.pop_front();
        state.error = 0;
        state.failures = 0;
        state.ready_at = {};
      } else {
        state.fail(error);
      }
    }
    state.gone = is_final(state.error);
    state.changed.notify_all();
  }
  // on_gone() is called under the lock, so that nobody is told once the writer is destroyed.
  if (state.gone && !state.stopping && state.options.on_gone) state.options.on_gone();
}

}  // namespace lekt::command
