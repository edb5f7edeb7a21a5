// A terminal that a program has for itself: the alternate screen, without echo and cursor. Whatever ends the
// scope, and every signal that would end or stop the program, gives it back as it was.
//
// Writing never waits. What a terminal does not take, because it was stopped or nobody reads it, is written as soon as it
// does, and frames that come meanwhile are left out. So keys and signals are noticed in any case.
//
// There is one at a time, on the main thread. It takes all signals meanwhile, and threads that are started then
// get none.
#pragma once

#include <signal.h>
#include <termios.h>

#include <chrono>
#include <deque>
#include <string>
#include <vector>

#include "common/descriptor.h"
#include "lektctl/command/output.h"

namespace lekt::lektctl {

class Screen {
 public:
  enum class Event {
    none,     ///< the time has passed, or what `wake` stands for has happened
    resized,  ///< or everything has to be drawn anew for another reason
    ended,    ///< 'q', Ctrl-C, Ctrl-D, a signal that ends programs, or a terminal that has gone
    up,
    down,
    page_up,
    page_down,
    top,
    bottom,
    other_key,
  };

  /// Throws CodedError E808 when standard input or output is not a terminal. Waits until the program is in
  /// the foreground.
  Screen();
  ~Screen();
  Screen(const Screen&) = delete;
  Screen& operator=(const Screen&) = delete;

  Size size() const { return output_size(); }
  /// Shows these lines and nothing else; what does not fit is left out. Lines hold no control characters.
  void draw(const std::vector<std::string>& lines);
  /// Waits for a key, a signal, the time, or until the descriptor `wake` can be read.
  Event wait(std::chrono::milliseconds limit, const Descriptor& wake);

 private:
  void enter();
  void leave();
  void suspend();
  Event read_keys();
  Event read_signal();
  void write_pending();

  termios terminal_before_{};
  sigset_t signals_before_{};
  Descriptor signals_{-1};
  Descriptor output_{
      -1};  ///< the terminal once more, without waiting: standard output is shared with the shell
  std::string pending_;  ///< what the terminal has not taken yet
  std::deque<Event> keys_;
};

}  // namespace lekt::lektctl
