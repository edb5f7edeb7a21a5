// One connection's conversation with the server, as the client leads it: handshake, setup, heartbeats.
//
// It takes the bytes that were received, in pieces of any size, and yields the bytes to send and what happened.
// It has no socket, clock or thread, and never throws on input. The work is linear in the bytes: the entries of
// an update are applied one by one, however small the pieces are.
//
// With `push` in force answers also come unasked, and look like any other. A heartbeat then counts as answered by the first
// answer that ends behind it, which may have been on its way already.
//
// Invariants: at most one heartbeat is unanswered, and none is sent within an answer; after Rejected or Malformed nothing more
// happens.
// Owned by one thread. The catalogue, the offered methods and the view outlive it; the view is kept over
// reconnects.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <utility>
#include <variant>
#include <vector>

#include "client/peer_view.h"
#include "common/bytes.h"
#include "common/catalogue.h"
#include "common/errors.h"
#include "common/features.h"
#include "common/packets.h"

namespace lekt {

/// The server accepted the handshake.
struct Accepted {
  Version version;                           ///< with the features that are in force from here on
  std::optional<LogIdentity> identity = {};  ///< of the server's change log, with Feature::identity
};

/// The setup is over: the client is registered, and heartbeat() may be called.
struct Joined {};

/// An answer is complete; the view holds the server's list.
struct Updated {
  std::vector<PeerChange> changes;
};

/// The list is not the one that the server says the client holds now (E716): client, server or memory is at fault.
struct ListDiffers {
  std::string message;  ///< both lists in figures, and what is done about it
};

/// The server refused the client, and will close. The text is the server's: escape it before showing it.
struct Rejected {
  std::string text;
};

/// The server broke the protocol (E703), so the connection is no longer of any use.
struct Malformed {
  Rejection rejection;
};

using ConversationEvent = std::variant<Accepted, Joined, Updated, ListDiffers, Rejected, Malformed>;

class Conversation {
 public:
  /// A conversation that begins with the handshake. `offered` has at most one method of each index, and none above
  /// limits::methods_max_ceiling. `asked`: what the client would like to have of what this library speaks.
  Conversation(const MethodCatalogue& catalogue, const Methods& offered, PeerView& view, Features asked = {});

  /// The bytes that have to be sent now. The caller takes them after construction and after each of the calls
  /// below.
  Bytes take_output() { return std::exchange(output_, {}); }

  /// Takes received bytes, and yields what happened, in order.
  std::vector<ConversationEvent> receive(ByteView bytes);

  /// Asks for what has changed, with the view's timestamp. Only if can_ask().
  void heartbeat();
  bool can_ask() const { return phase_ == Phase::heartbeat && !answer_expected_ && !within_answer_; }

  /// Whether the server has asked for the information of this method.
  bool has_been_asked_for(std::uint32_t index) const {
    return std::binary_search(requested_.begin(), requested_.end(), index);
  }

  /// Whether it is the server's turn; then silence means trouble.
  bool expects_bytes() const {
    return phase_ == Phase::handshake || phase_ == Phase::setup || answer_expected_ || within_answer_;
  }

  /// What both sides have; nothing before Accepted.
  Features features() const { return context_.features; }

  /// The number of bytes that wait for the rest of their packet or entry.
  std::size_t buffered() const { return input_.size(); }

 private:
  enum class Phase : std::uint8_t { handshake, setup, heartbeat, ended };
  using Events = std::vector<ConversationEvent>;

  bool step(ByteView& rest, Events& events);
  bool step_reject(ByteView& rest, Events& events);
  bool step_accept(ByteView& rest, Events& events);
  bool step_request(ByteView& rest, Events& events);
  bool step_update(ByteView& rest, Events& events);
  bool step_entry(ByteView& rest, Events& events);
  void finish_packet(Events& events);
  void compare(Events& events);
  void end();
  void fail(std::string message, Events& events);
  template <class Packet>
  bool take(ByteView& rest, Packet& packet, Events& events);

  Version version() const { return version_with(context_.features); }

  ReadContext context_;  ///< with the features that are in force
  Features asked_;
  const Methods& offered_;
  PeerView& view_;
  Phase phase_ = Phase::handshake;
  std::vector<std::uint32_t> requested_;  ///< indexes of the requests that were answered, ascending
  bool answer_expected_ = false;
  bool within_answer_ = false;  ///< some of its packets have come, and the closing one has not
  bool was_answered_ = false;
  UpdatePacket update_;  ///< the update whose entries are being read
  std::uint32_t entries_left_ = 0;
  bool compares_ = true;  ///< lists, with `digest` in force
  bool doubts_ = false;   ///< the last list that was compared was wrong, and all was asked for
  Bytes input_;
  Bytes output_;
};

}  // namespace lekt
