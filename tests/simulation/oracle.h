// The oracle of a simulated world: what the server has told, and what follows from that.
//
// It hears every command that the writer takes and every turn, and compares each list that is published with
// what it knows itself. It throws std::logic_error when a guarantee is broken:
// - What was published is there after every crash, power loss and storage error, and at most the batch that
//   was in flight besides.
// - Otherwise the list changes by what a turn has committed, and names only what sessions have offered.
// - No client is removed that has a session, or that is still waited for.
// - A session that was told that it has joined is in the list, with its methods, until it ends.
// - A sequence number stands for one list. Closing timestamps never go back, and no change falls before one.
//
// Pure.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <set>
#include <string>

#include "client/peer_view.h"
#include "server/core/writer.h"
#include "server/net/inbox.h"

namespace lekt::test {

class Oracle {
 public:
  Oracle(std::uint64_t seed, const MethodCatalogue& catalogue) : seed_(seed), catalogue_(catalogue) {}

  /// Throws std::logic_error with the command that replays the world, unless it holds.
  void check(bool holds, const std::string& what) const;

  /// Notes that a server has started, with its own largest packet: no client has a session, and all that are listed are
  /// waited for.
  void started(const Writer& writer, AwakeTime grace_ends, std::size_t packet_bytes_max);
  void takes(const Command& command);
  /// Notes that a limit has refused the join at once: there is no such session, though it is told with the next turn.
  void refused(const JoinCommand& join) { clients_.at(join.address).sessions.erase(join.session); }
  void turned(const Writer& writer, const Writer::Turn& turn, Moment now);
  /// The server has died within a turn: what it was about to commit may be there.
  void died_in_turn(Moment now) { begin_doubt(now); }

  /// The list of every client that was answered from a view with this newest sequence.
  const Peers& list(std::uint64_t sequence) const { return lists_.at(sequence); }
  /// The newest list.
  const Peers& list() const { return list_; }
  std::uint64_t changes() const { return changes_; }

 private:
  struct Client {
    std::map<SessionId, Methods> sessions;
    std::set<SessionId> told;    ///< those of the sessions that have joined
    bool is_waited_for = false;  ///< it was listed when this run of the server began, and has not left
    std::set<MethodInformation> offered;  ///< ever
  };

  void begin_doubt(Moment now);
  void publish(const Writer& writer);
  Peers listed_in(const ChangeView& view) const;
  void check_committed(const Peers& published, const std::vector<storage::Change>& changes) const;
  void check_doubtful(const Peers& published, const std::vector<storage::Change>& changes) const;
  void check_removals(const std::vector<storage::Change>& changes, Moment now) const;
  void check_sessions(const Writer& writer) const;
  bool may_be_removed(Address address, Moment now) const;
  void complete(const Writer::Completion& completion);

  std::uint64_t seed_;
  const MethodCatalogue& catalogue_;
  std::map<Address, Client> clients_;
  std::map<SessionId, Address> addresses_;
  std::optional<std::set<Address>> doubt_;  ///< a commit has an unknown outcome: whom it may have removed
  Peers list_;
  std::uint64_t sequence_ = 0;
  std::int64_t closing_ = 0;
  AwakeTime grace_ends_{0};
  std::size_t packet_bytes_max_ = 0;
  std::map<std::uint64_t, Peers> lists_;
  std::uint64_t changes_ = 0;
};

}  // namespace lekt::test
