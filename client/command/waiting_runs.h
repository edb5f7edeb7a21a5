// What a command has yet to be told: at most one event of each peer, and the newest one of the connection.
//
// Events of a peer are merged while they wait. A peer that comes and goes is not mentioned at all; one that goes and
// comes back has changed, or not even that. So however slow the command is, no more events wait than there are peers
// that it knows or that are present.
//
// A change carries a version, and can be taken once that version is released (by then a file holds it). Pure: no
// thread, and no clock of its own.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <list>
#include <map>
#include <optional>
#include <variant>
#include <vector>

#include "client/command/connection_event.h"
#include "client/peer_view.h"

namespace lekt::command {

/// The event for which a command is run.
using RunReason = std::variant<PeerChange, ConnectionEvent>;

/// Merges two changes of a peer into one; nothing if they cancel each other out.
std::optional<PeerChange> merged(const PeerChange& first, const PeerChange& then);

class WaitingRuns {
 public:
  using Time = std::chrono::steady_clock::time_point;

  struct Run {
    RunReason reason;
    std::uint64_t version = 0;
    int failures = 0;  ///< how often the command asked to be run again
    Time due = {};     ///< when it can be taken at the earliest
  };

  /// Adds a run at the end, or merges it with the one that waits for the same peer. The end of a connection replaces
  /// all waiting events of that connection.
  void add(Run run);

  /// Puts back a run that has to be repeated: it is merged with a later one that waits for the same peer.
  void put_back(Run run);

  /// Takes the first run whose version is released and whose time has come.
  std::optional<Run> take(std::uint64_t released, Time now);
  /// Takes all such runs, in order.
  std::vector<Run> take_all(std::uint64_t released, Time now);

  /// When the next run can be taken: a time that may have passed, or nothing if no released run waits.
  std::optional<Time> next_due(std::uint64_t released) const;

  std::size_t size() const { return runs_.size(); }

 private:
  using Runs = std::list<Run>;

  void forget_connection(bool complete_only);
  void erase(Runs::iterator run);

  Runs runs_;
  std::map<Address, Runs::iterator> of_peers_;
};

}  // namespace lekt::command
