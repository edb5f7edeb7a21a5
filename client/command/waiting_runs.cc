#include "client/command/waiting_runs.h"

#include <algorithm>
#include <utility>

namespace lekt::command {

std::optional<PeerChange> merged(const PeerChange& first, const PeerChange& then) {
  using enum PeerChange::Kind;
  const bool was_there = first.kind != added;
  const bool is_there = then.kind != removed;
  if (!was_there && !is_there) return std::nullopt;
  if (!was_there) return PeerChange{added, then.address, {}, then.now};
  if (!is_there) return PeerChange{removed, then.address, first.before, {}};
  if (first.before == then.now) return std::nullopt;
  return PeerChange{changed, then.address, first.before, then.now};
}

void WaitingRuns::add(Run run) {
  if (const auto* event = std::get_if<ConnectionEvent>(&run.reason)) {
    forget_connection(event->kind == ConnectionEvent::Kind::complete);
    runs_.push_back(std::move(run));
    return;
  }
  const PeerChange& change = std::get<PeerChange>(run.reason);
  const auto found = of_peers_.find(change.address);
  if (found == of_peers_.end()) {
    runs_.push_back(std::move(run));
    of_peers_[std::get<PeerChange>(runs_.back().reason).address] = std::prev(runs_.end());
    return;
  }
  auto both = merged(std::get<PeerChange>(found->second->reason), change);
  if (!both) return erase(found->second);
  found->second->reason = *std::move(both);
  found->second->version = run.version;
}

void WaitingRuns::put_back(Run run) {
  const auto* change = std::get_if<PeerChange>(&run.reason);
  if (change == nullptr) {
    // An event of the connection that has come since is newer than this one.
    const bool is_outdated = std::ranges::any_of(
        runs_, [](const Run& other) { return std::holds_alternative<ConnectionEvent>(other.reason); });
    if (!is_outdated) runs_.push_front(std::move(run));
    return;
  }
  const auto found = of_peers_.find(change->address);
  if (found == of_peers_.end()) {
    const Address address = change->address;
    runs_.push_front(std::move(run));
    of_peers_[address] = runs_.begin();
    return;
  }
  auto both = merged(*change, std::get<PeerChange>(found->second->reason));
  // A command that failed may have done a part of its work, so it is told the present state, even if that is what it
  // was before.
  if (!both) {
    const PeerChange& then = std::get<PeerChange>(found->second->reason);
    both = PeerChange{then.kind, then.address, change->now, then.now};
  }
  found->second->reason = *std::move(both);
  found->second->failures = run.failures;
  found->second->due = run.due;
}

std::optional<WaitingRuns::Run> WaitingRuns::take(std::uint64_t released, Time now) {
  const auto found =
      std::ranges::find_if(runs_, [&](const Run& run) { return run.version <= released && run.due <= now; });
  if (found == runs_.end()) return std::nullopt;
  Run run = std::move(*found);
  if (const auto* change = std::get_if<PeerChange>(&run.reason)) of_peers_.erase(change->address);
  runs_.erase(found);
  return run;
}

std::vector<WaitingRuns::Run> WaitingRuns::take_all(std::uint64_t released, Time now) {
  std::vector<Run> all;
  for (auto run = runs_.begin(); run != runs_.end();) {
    if (run->version > released || run->due > now) {
      ++run;
      continue;
    }
    if (const auto* change = std::get_if<PeerChange>(&run->reason)) of_peers_.erase(change->address);
    all.push_back(std::move(*run));
    run = runs_.erase(run);
  }
  return all;
}

std::optional<WaitingRuns::Time> WaitingRuns::next_due(std::uint64_t released) const {
  std::optional<Time> due;
  for (const Run& run : runs_)
    if (run.version <= released && (!due || run.due < *due)) due = run.due;
  return due;
}

void WaitingRuns::forget_connection(bool complete_only) {
  runs_.remove_if([&](const Run& run) {
    const auto* event = std::get_if<ConnectionEvent>(&run.reason);
    return event != nullptr && (!complete_only || event->kind == ConnectionEvent::Kind::complete);
  });
}

void WaitingRuns::erase(Runs::iterator run) {
  of_peers_.erase(std::get<PeerChange>(run->reason).address);
  runs_.erase(run);
}

}  // namespace lekt::command
