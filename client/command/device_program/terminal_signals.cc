#include "client/command/device_program/terminal_signals.h"

#include <cstddef>

namespace lekt::command {

namespace {

volatile sig_atomic_t end_has_come = 0;
volatile sig_atomic_t resize_has_come = 0;

void on_terminal_signal(int number) { (number == SIGWINCH ? resize_has_come : end_has_come) = 1; }

}  // namespace

TerminalSignals::TerminalSignals() {
  sigset_t these;
  sigemptyset(&these);
  for (const int number : numbers) sigaddset(&these, number);
  ::pthread_sigmask(SIG_BLOCK, &these, &mask_before_);
  struct sigaction action {};
  action.sa_handler = on_terminal_signal;
  for (std::size_t index = 0; index < numbers.size(); ++index)
    ::sigaction(numbers[index], &action, &actions_before_[index]);
}

TerminalSignals::~TerminalSignals() {
  for (std::size_t index = 0; index < numbers.size(); ++index)
    ::sigaction(numbers[index], &actions_before_[index], nullptr);
  ::pthread_sigmask(SIG_SETMASK, &mask_before_, nullptr);
}

void TerminalSignals::wait(std::span<pollfd> descriptors, std::optional<AwakeTime> left) const {
  timespec time{};
  if (left) {
    time.tv_sec = left->count() / 1000;
    time.tv_nsec = left->count() % 1000 * 1'000'000;
  }
  sigset_t mask = mask_before_;
  for (const int number : numbers) sigdelset(&mask, number);
  if (::ppoll(descriptors.data(), descriptors.size(), left ? &time : nullptr, &mask) > 0) return;
  for (pollfd& one : descriptors) one.revents = 0;
}

bool TerminalSignals::has_ended() const { return end_has_come != 0; }

bool TerminalSignals::take_resize() {
  const bool has_come = resize_has_come != 0;
  resize_has_come = 0;
  return has_come;
}

}  // namespace lekt::command
