// A session: the server's side of one connection, as a state machine without I/O.
//
// It stands between received bytes and decisions: it takes bytes in pieces of any size, writes the small
// packets that the protocol owes at once (accept, requests, reject), and says what its owner has to decide
// (join this client, answer this heartbeat, end). It has no socket, no timer and no thread, so tests, fuzzers
// and simulations drive the real thing.
//
//     handshake ──accepted──▶ setup ──all answered──▶ joining ──joined()──▶ heartbeat
//         └───────────────────┴── reject() or a broken rule ──┴──────────────────┴──▶ ended
//
// Invariants
// - Bytes that arrive while joining, or behind an answer that the owner has not asked for yet, are kept and
//   not looked at.
// - After `ended` nothing is written and nothing is read.
// - Bytes kept between calls are fewer than one packet, unless the owner keeps more with keep().
//
// Owned by one worker; an established session takes 80 bytes and no heap.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string_view>

#include "common/address.h"
#include "common/bytes.h"
#include "common/catalogue.h"
#include "common/errors.h"
#include "common/features.h"
#include "common/packets.h"
#include "server/core/change_view.h"
#include "server/core/registry.h"

namespace lekt {

/// What all sessions of a server share. It outlives them.
struct SessionRules {
  const MethodCatalogue& catalogue;
  std::uint32_t methods_max = limits::methods_max_default;
  Features features = {};         ///< which the server has
  LogIdentity log_identity = {};  ///< of the change log, for `identity`
};

class Session {
 public:
  enum class Phase : std::uint8_t { handshake, setup, joining, heartbeat, ended };

  struct Action {
    enum class Kind : std::uint8_t {
      wait,    ///< all input was taken; more input, or joined(), comes next
      join,    ///< store methods() as a session of address(), then call joined() or reject()
      answer,  ///< answer the heartbeat with `timestamp`, using and moving cursor()
      end,     ///< a reject was written: send it, let the client read it, close
    };
    Kind kind;
    std::int64_t timestamp = 0;
  };

  Session(SessionId id, Address address, const SessionRules& rules);

  /// Sets the client, if a trusted proxy says that it is not the sender. Call it before the first byte.
  void name_client(Address address) { address_ = address; }

  /// Takes bytes from the front of `input` until the owner has to decide something, and appends owed packets to
  /// `out`. Call it again with what is left of the input, until it says `wait`, which leaves the input empty.
  Action next(ByteView& input, Bytes& out);

  /// Keeps input for a later next(), if the owner cannot go on with it now.
  void keep(ByteView& input);

  /// Notes that the client is stored: appends the zero-index request and enters the heartbeat phase. For `second`,
  /// see Cursor::joined.
  void joined(std::int64_t second, Bytes& out);

  /// Ends the session for a reason, and appends the reject packet.
  void reject(const Rejection& rejection, Bytes& out);

  SessionId id() const { return id_; }
  Address address() const { return address_; }
  Phase phase() const { return phase_; }
  /// What is in force; nothing before the accept.
  Features features() const { return features_; }
  Cursor& cursor() { return cursor_; }
  const Cursor& cursor() const { return cursor_; }
  /// What the client offers, in order, while it is joining; empty otherwise.
  const Methods& methods() const;
  /// Why the session ended, if it broke a rule or reject() was called; null otherwise.
  const Rejection* rejection() const;

  /// Throws std::logic_error when an invariant between two calls does not hold. For tests.
  void check() const;

 private:
  /// What a session needs, except while it waits for the next heartbeat.
  struct Details {
    const SessionRules* rules = nullptr;  ///< until it has joined
    HandshakePacket handshake;
    std::uint32_t requested = 0;
    Methods methods;
    Bytes kept;  ///< bytes that are not used up yet
    std::optional<Rejection> rejection;
  };

  Action step(ByteView& input, Bytes& out);
  Action read_handshake(ByteView& input, Bytes& out);
  Action read_response(ByteView& input, Bytes& out);
  Action read_heartbeat(ByteView& input, Bytes& out);
  Action request_next(ByteView& input, Bytes& out);
  Action stopped(ReadStatus status, const Rejection& rejection, Bytes& out);
  Details& details();

  SessionId id_;
  Cursor cursor_;
  std::unique_ptr<Details> details_;
  Address address_;
  Phase phase_ = Phase::handshake;
  Features features_;        ///< in force
  Features told_on_reject_;  ///< the server's, once the client has asked for some
};

std::string_view to_string(Session::Phase phase);

}  // namespace lekt
