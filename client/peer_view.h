// The list of peers as one client knows it: applies answers to it, and says what really changed.
//
// An answer counts when it is complete: its entries gather beside the list and are compared with it at the
// closing packet. So a list that is sent again after a reconnect, a reset or a cut connection repeats nothing
// and flickers nothing; what a broken-off answer has brought stays, and the next answer continues it.
//
// It never reads bytes (client/conversation.h does), a clock or a socket.
// Invariant: peers() is the server's list as of some moment, never half of one.
// Owned by one thread.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "common/address.h"
#include "common/catalogue.h"
#include "common/packets.h"

namespace lekt {

/// How a peer can be reached.
struct Offer {
  Methods methods;  ///< ascending; several of one index when several programs run at the address
  Bytes unknown;    ///< what follows the last method that the catalogue knows, as on the wire

  bool operator==(const Offer&) const = default;
};

/// In words: "tcp:7890 chat:0a0b", and "?9:0000000a" for what the catalogue does not know. Empty if nothing
/// is offered.
std::string describe(const Offer& offer, const MethodCatalogue& catalogue);

using Peers = std::map<Ipv4Address, Offer>;

/// A difference between the list before an answer and after it.
struct PeerChange {
  enum class Kind : std::uint8_t { added, changed, removed };
  Kind kind = Kind::added;
  Ipv4Address address;
  Offer before;  ///< empty when added
  Offer now;     ///< empty when removed

  bool operator==(const PeerChange&) const = default;
};

class PeerView {
 public:
  /// As of the last complete answer.
  const Peers& peers() const { return peers_; }

  /// What the next heartbeat has to carry, on this connection or a new one; 0 asks for everyone.
  std::int64_t next_timestamp() const { return next_timestamp_; }

  /// A heartbeat with this timestamp was sent. 0 or less means that the client holds nothing.
  void request(std::int64_t timestamp);

  /// Takes one entry of a packet.
  void apply(const AddedEntry& entry);
  void apply(const RemovedEntry& entry);

  /// All entries of `packet` have been applied. Yields the changes, by address, if it closes the answer.
  std::vector<PeerChange> finish(const UpdatePacket& packet);

 private:
  void forget();
  std::vector<PeerChange> publish();

  Peers peers_;
  /// What the unfinished answer says about an address; nothing stands for removed.
  std::map<Ipv4Address, std::optional<Offer>> pending_;
  /// The unfinished answer lists everyone: who is not in pending_ has gone.
  bool pending_is_all_ = false;
  bool answer_was_reset_ = false;
  std::int64_t requested_ = 0;
  std::int64_t next_timestamp_ = 0;
};

}  // namespace lekt
