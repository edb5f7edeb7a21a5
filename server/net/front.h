// A front: a thread that owns sessions and speaks with their clients. A worker (server/net/worker.h) is one for TCP.
//
// All fronts of a server have the same writer, change log and operators. A session stays with its front for life, and
// its id says which one that is.
#pragma once

#include <cstddef>
#include <functional>
#include <vector>

#include "common/block.h"
#include "common/errors.h"
#include "server/core/session.h"
#include "server/core/writer.h"
#include "server/net/watchdog.h"
#include "server/operators/meters.h"
#include "server/operators/status.h"

namespace lekt {

class Front {
 public:
  virtual ~Front() = default;

  // ---- From any thread ----

  /// Runs the task on the front's thread, soon; never, when the front has stopped.
  virtual void post(std::function<void()> task) = 0;
  /// What the writer has decided about joins of this front's sessions; the view that holds them is published.
  virtual void deliver(std::vector<Writer::Completion> completions) = 0;
  /// The writer has published a view. Its thread calls this after each; a front that waits for the next heartbeats has
  /// nothing to do.
  virtual void view_was_published() {}
  /// Tells every client that the server stops, and ends run() shortly after.
  virtual void stop() = 0;
  virtual const WorkerMeters& meters() const = 0;
  /// Counted while run() runs.
  virtual const TurnCount& turns() const = 0;

  // ---- On the front's thread ----

  virtual void run() = 0;
  /// At most `count_max` of the connections that have not joined, the oldest first.
  virtual std::vector<HandshakeStatus> handshakes(std::size_t count_max) const = 0;
  virtual std::vector<SessionStatus> sessions(Address address) const = 0;
  virtual const SessionRules& rules() const = 0;
  /// Refuses all connections of these addresses, and says how many had joined.
  virtual std::size_t end_sessions(const Block& block, const Rejection& rejection) = 0;
  /// Looks anew which of its connections are traced.
  virtual void watch(const Block& block) = 0;
};

/// All fronts of a server, by index. Complete before the first thread runs.
using Fronts = std::vector<Front*>;

/// The number that a front gives its n-th session, counting from 1.
constexpr SessionId session_id(std::uint64_t n, std::uint32_t front, std::uint32_t fronts) {
  return n * fronts + front;
}
/// The index of the front that owns the session.
constexpr std::size_t front_of(SessionId session, std::size_t fronts) { return session % fronts; }

}  // namespace lekt
