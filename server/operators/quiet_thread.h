// Threads that take no signals: those are for the main thread, and one that writes to a terminal from the
// background (SIGTTOU) would stop the whole process.
#pragma once

#include <csignal>
#include <thread>
#include <utility>

namespace lekt {

/// Throws std::system_error when it cannot be started.
template <class Run>
std::thread start_without_signals(Run run) {
  sigset_t all;
  sigset_t before;
  sigfillset(&all);
  pthread_sigmask(SIG_SETMASK, &all, &before);
  struct Restore {
    const sigset_t& mask;
    ~Restore() { pthread_sigmask(SIG_SETMASK, &mask, nullptr); }
  } const restore{before};
  return std::thread(std::move(run));
}

}  // namespace lekt
