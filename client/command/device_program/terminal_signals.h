// Holds back the signals that must not end a program before its terminal is as it was. While the object lives they come
// only while wait() waits, and are remembered. There is one at a time, on the main thread.
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

  /// Waits until a descriptor is ready, a signal comes, or this time is over; without a time, for as long as it takes.
  /// Descriptors that are not ready have no revents afterwards.
  void wait(std::span<pollfd> descriptors, std::optional<AwakeTime> left) const;

  /// Whether SIGTERM, SIGINT or SIGHUP has come.
  bool has_ended() const;
  /// Whether the terminal's size has changed since the last call.
  bool take_resize();

 private:
  static constexpr std::array<int, 4> numbers = {SIGTERM, SIGINT, SIGHUP, SIGWINCH};

  sigset_t mask_before_;
  std::array<struct sigaction, numbers.size()> actions_before_;
};

}  // namespace lekt::command
