// The signals that a program on a terminal must not die of before the terminal is as it was: while the object lives they
// come only while wait() waits, and are remembered. There is one at a time, on the main thread.
#pragma once

#include <poll.h>
#include <signal.h>

#include <array>
#include <optional>
#include <span>

#include "common/time.h"

namespace lekt::command {

class TerminalSignals {
 public:
  TerminalSignals();
  ~TerminalSignals();
  TerminalSignals(const TerminalSignals&) = delete;
  TerminalSignals& operator=(const TerminalSignals&) = delete;

  /// Waits for a descriptor, a signal, or for so long; nothing: for as long as it takes. What is not ready has no revents
  /// then.
  void wait(std::span<pollfd> descriptors, std::optional<AwakeTime> left) const;

  /// Whether SIGTERM, SIGINT or SIGHUP has come.
  bool has_ended() const;
  /// Whether the terminal has got another size since the last call.
  bool take_resize();

 private:
  static constexpr std::array<int, 4> numbers = {SIGTERM, SIGINT, SIGHUP, SIGWINCH};

  sigset_t mask_before_;
  std::array<struct sigaction, numbers.size()> actions_before_;
};

}  // namespace lekt::command
