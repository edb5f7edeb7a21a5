// A change log of any size, kept as a writer keeps it, and how it goes on: clients come and go.
//
// The addresses form a ring. `registered` of them in a row are present, the others were removed and are
// remembered. Changes come in turn: the client that is here longest leaves, the one that is gone longest
// joins. So the numbers of clients and of entries stay as they are, and the newest 2 * min(registered,
// removed) changes are of different addresses.
//
// It writes no database and looks at no clock. One thread.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <vector>

#include "common/address.h"
#include "server/core/change_log.h"
#include "server/core/change_view.h"
#include "storage/database.h"

namespace lekt::bench {

class Population {
 public:
  struct Size {
    std::size_t registered;  ///< present clients, at least 1
    std::size_t removed;     ///< removals that the log remembers besides
  };

  /// Restores the entries as after a start, and lets the newest thousand changes come in small batches, so
  /// that the log also has the small pieces of a server that runs.
  explicit Population(Size size);

  /// Appends `count` changes as one commit; at most min(registered, removed) of them.
  void change(std::size_t count);
  /// What changes from here on has the next second.
  void pass_second() { ++state_.second; }
  /// Forgets all removals that are remembered.
  void forget_removals();

  /// As the writer does it after each commit.
  std::shared_ptr<const ChangeView> publish();

  const storage::LogState& state() const { return state_; }
  const ChangeLog& log() const { return log_; }

 private:
  Address address(std::size_t place) const;
  /// Gives the next change its sequence, kind and address.
  void stamp(storage::Change& change);

  Size size_;
  ChangeLog log_;
  storage::LogState state_;
  std::size_t oldest_;                  ///< place in the ring of the client that is here longest
  std::vector<storage::Change> batch_;  ///< every second one a removal; used again by each change()
};

/// Populations are expensive to make: one of each size lives until the program ends, and is handed out as the
/// benchmark before has left it.
Population& population_of(Population::Size size);

}  // namespace lekt::bench
