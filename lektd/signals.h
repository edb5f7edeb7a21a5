// Signals of the process, from its first moment until the server's loop takes them.
//
//     end_at_once()   the settings are read: SIGTERM and SIGINT end the process, SIGHUP waits
//     hold()          the server is made: all three wait, and a long start looks for the end itself
//     release()       the server takes them: those that have waited, and those that come
//
// The first process of a container gets no signal that it has no handler for: the kernel drops it. So one
// that only waited for its default action would be lost. Threads that are made while signals are held never
// get them. Called by the main thread only.
#pragma once

#include <exception>

namespace lekt::signals {

/// Also makes sure that from now on, what is written to a pipe without a reader (SIGPIPE), or beyond the limit
/// of a file's size (SIGXFSZ), fails like any other write instead of ending the process.
void end_at_once();
void hold();
void release();

/// The start was ended by SIGTERM or SIGINT, before anybody was served.
struct StartEnded : std::exception {
  const char* what() const noexcept override { return "the start was ended by a signal"; }
};
/// While signals are held: throws StartEnded when one that ends the process has come.
void expect_no_end();

}  // namespace lekt::signals
