// A terminal that a program has for itself: the alternate screen, without echo and cursor. Whatever ends the
// scope, and every signal that would end the program, gives it back as it was.
//
// One at a time, on the main thread; SIGINT, SIGTERM, SIGHUP and SIGWINCH are its own meanwhile.
#pragma once

#include <signal.h>
#include <termios.h>

#include <chrono>
#include <string>
#include <vector>

#include "common/descriptor.h"
#include "control/command/output.h"

namespace lekt::control::command {

class Screen {
 public:
  enum class Event { none, resized, ended };

  /// Throws CodedError E808 when standard input or output is not a terminal.
  Screen();
  ~Screen();
  Screen(const Screen&) = delete;
  Screen& operator=(const Screen&) = delete;

  Size size() const { return output_size(); }
  /// Shows these lines and nothing else; what does not fit is left out. Lines hold no control characters.
  void draw(const std::vector<std::string>& lines) const;
  /// Waits for a key, a signal or the time. 'q', Ctrl-C, Ctrl-D, and a terminal that has gone, end it.
  Event wait(std::chrono::milliseconds limit) const;

 private:
  Event read_key() const;
  Event read_signal() const;

  termios terminal_before_{};
  sigset_t signals_before_{};
  Descriptor signals_{-1};
};

}  // namespace lekt::control::command
