// The list of peers as one client knows it. It applies answers, and says what really changed.
//
// An answer counts when it is complete: its entries are gathered apart from the list and compared with it at the
// closing packet. So when a list is sent again after a reconnect, a reset or a cut connection, nothing is
// repeated and nothing flickers. What an interrupted answer has brought is kept, and the next answer continues
// it.
//
// It never reads bytes (client/conversation.h does), a clock or a socket.
// Invariants: peers() is the server's list as of some moment, never half of one; a timestamp is sent only to the log that
// gave it, as far as a client can tell (client/log_origin.h).
// Owned by one thread.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "client/log_origin.h"
#include "common/address.h"
#include "common/catalogue.h"
#include "common/list_digest.h"
#include "common/packets.h"

namespace lekt {

/// How a peer can be reached.
struct Offer {
  Methods methods;           ///< ascend; several have one index if several programs run at the address
  Bytes unknown;             ///< the bytes after the last method that the catalogue knows, as on the wire
  std::uint64_t digest = 0;  ///< of the object that the server sent (list_digest.h)

  /// Whether both say the same; the digest follows from the rest.
  bool operator==(const Offer& other) const { return methods == other.methods && unknown == other.unknown; }
};

/// The offer in words: "tcp:7890 chat:0a0b", and "?9:0000000a" for a method that the catalogue does not know.
/// Empty if nothing is offered.
std::string describe(const Offer& offer, const MethodCatalogue& catalogue);

using Peers = std::map<Address, Offer>;

/// A difference between the list before an answer and after it.
struct PeerChange {
  enum class Kind : std::uint8_t { added, changed, removed };
  Kind kind = Kind::added;
  Address address;
  Offer before;  ///< empty when added
  Offer now;     ///< empty when removed

  bool operator==(const PeerChange&) const = default;
};

struct ClientState;

class PeerView {
 public:
  /// Begins with the list of an earlier program, if it has a timestamp: the first answer continues it, and tells all
  /// that is then there as added. Before anything else.
  void resume(const ClientState& state);
  /// The list as of the last complete answer, and how to continue from it.
  ClientState state() const;

  /// Notes which log the connection leads to, before its first heartbeat. Forgets a timestamp that means nothing to it.
  void connected_to(const LogOrigin& log);

  /// The list as of the last complete answer.
  const Peers& peers() const { return peers_; }
  /// What a closing packet with `digest` would say of that list.
  const ListDigest& digest() const { return digest_; }
  /// Whether the last complete answer listed everyone, and did not only say what had changed.
  bool was_all() const { return was_all_; }

  /// The timestamp for the next heartbeat, on this connection or a new one; 0 asks for everyone.
  std::int64_t next_timestamp() const { return next_timestamp_; }

  /// Notes that a heartbeat with this timestamp was sent. 0 or less means that the client holds nothing.
  void request(std::int64_t timestamp);

  /// The next heartbeat asks for everyone, since the list is not to be trusted.
  void doubt() { next_timestamp_ = 0; }

  /// Takes one entry of a packet; `encoded` is what the server has sent.
  void apply(const AddedEntry& entry, ByteView encoded);
  /// The same for an entry whose bytes are not at hand.
  void apply(const AddedEntry& entry) { apply(entry, encode(entry)); }
  void apply(const RemovedEntry& entry);

  /// Notes that all entries of `packet` have been applied. If it closes the answer, yields the changes, by
  /// address.
  std::vector<PeerChange> finish(const UpdatePacket& packet);

 private:
  void forget();
  std::vector<PeerChange> publish();

  Peers peers_;
  ListDigest digest_;  ///< of peers_
  /// What the unfinished answer says about each address; nothing means that it was removed.
  std::map<Address, std::optional<Offer>> pending_;
  /// Whether the unfinished answer lists everyone, so that clients that are not in pending_ have gone.
  bool pending_is_all_ = false;
  bool was_all_ = false;
  bool answer_was_reset_ = false;
  std::int64_t requested_ = 0;
  std::int64_t next_timestamp_ = 0;
  LogOrigin log_;  ///< which next_timestamp_ belongs to
  // The same of the last complete answer.
  std::int64_t complete_timestamp_ = 0;
  LogOrigin complete_log_;
};

}  // namespace lekt
