#include "lektd/signals.h"

#include <unistd.h>

#include <csignal>
#include <initializer_list>

namespace lekt::signals {

namespace {

/// Exits with the status by which a shell shows a process that a signal has ended.
void exit_as_if_killed(int signal) { _exit(128 + signal); }

sigset_t set_of(std::initializer_list<int> signals) {
  sigset_t set;
  sigemptyset(&set);
  for (const int signal : signals) sigaddset(&set, signal);
  return set;
}

void block(int how, std::initializer_list<int> signals) {
  const sigset_t set = set_of(signals);
  pthread_sigmask(how, &set, nullptr);
}

}  // namespace

void end_at_once() {
  for (const int signal : {SIGPIPE, SIGXFSZ}) std::signal(signal, SIG_IGN);
  block(SIG_BLOCK, {SIGHUP});
  for (const int signal : {SIGTERM, SIGINT}) std::signal(signal, exit_as_if_killed);
  block(SIG_UNBLOCK, {SIGTERM, SIGINT});
}

void hold() { block(SIG_BLOCK, {SIGTERM, SIGINT, SIGHUP}); }

void release() { block(SIG_UNBLOCK, {SIGTERM, SIGINT, SIGHUP}); }

void expect_no_end() {
  sigset_t waiting;
  sigpending(&waiting);
  if (sigismember(&waiting, SIGTERM) == 1 || sigismember(&waiting, SIGINT) == 1) throw StartEnded();
}

}  // namespace lekt::signals
