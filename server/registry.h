// The registry: which sessions there are, what clients follow from them, and how that differs from what is
// stored.
//
// A client is an address (docs/protocol.md, "Who a client is"). It is present while it has a session, or
// while it is waited for after a restart. Its methods are the union of its sessions' methods; while it is
// waited for, the stored methods count as well, since the programs that have not come back yet still run.
//
// Sessions are the truth of this process, the stored state is the truth of the database. The registry never
// decides "this is a change" when something happens; it compares the two when asked (differences()). So a
// reconnect within one commit is no change, and after a failed commit the comparison is simply made again.
//
// Invariant: every address whose wanted state may differ from its stored state is marked, and only those are
// compared. Owned by the writer's thread.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <unordered_map>
#include <vector>

#include "common/address.h"
#include "common/catalogue.h"
#include "common/errors.h"
#include "common/packets.h"

namespace lekt {

/// Never reused in the life of a process: a late end of an old session cannot take out a new one.
using SessionId = std::uint64_t;

class Registry {
 public:
  struct Limits {
    std::size_t clients_max = 0;
    std::size_t packet_bytes_max = 0;  ///< a client's entry has to fit one packet
    std::size_t sessions_per_client_max = SIZE_MAX;
  };

  struct Difference {
    UpdateKind kind;
    Ipv4Address address;
    Methods methods;  ///< wanted; empty for a removal
  };

  explicit Registry(Limits limits) : limits_(limits) {}

  /// For sessions that join from now on.
  void use(Limits limits) { limits_ = limits; }

  /// Adds a session, or refuses it (E401, E405, E205).
  std::optional<Rejection> join(SessionId session, Ipv4Address address, const Methods& methods);
  /// Ends a session. One that is not there is ignored.
  void leave(SessionId session, Ipv4Address address);
  /// Ends a session that was never told that it has joined: a client that is waited for stays so.
  void take_back(SessionId session, Ipv4Address address);

  /// The database says that this client is present. `waiting`: it is also waited for, as after a restart.
  void restore(Ipv4Address address, const Methods& methods, bool waiting);
  /// This one is no longer waited for; false when it was not.
  bool dismiss(Ipv4Address address);
  /// Those that have not come back are no longer waited for.
  void end_grace();

  /// Forgets what is stored, keeps the sessions and who is waited for: restore() everything again after this.
  void begin_reload();
  /// After the last restore(): marks every client for comparison.
  void end_reload();

  /// How the wanted state differs from the stored one. Stays the same until committed() or until something
  /// changes.
  std::vector<Difference> differences();
  /// The differences are in the database now.
  void committed(const std::vector<Difference>& differences);

  /// Whether what is stored is what is wanted: then a session of this address may be told that it has joined.
  bool is_stored(Ipv4Address address) const;
  /// Whether the database has the client.
  bool is_present(Ipv4Address address) const;
  std::uint32_t sessions_of(Ipv4Address address) const;
  /// Clients that are wanted: with a session, or waited for.
  std::size_t clients() const { return clients_present_; }
  std::size_t sessions() const { return sessions_; }
  std::size_t waiting() const { return waiting_; }
  /// Clients without a session, which are waited for.
  std::size_t absent() const { return clients_present_ - connected_; }

 private:
  struct Session {
    SessionId id;
    Bytes methods;  ///< packed
  };
  using Sessions = std::vector<Session>;
  /// Nearly every client has one session, with the methods that are stored. Then only the session's id is
  /// kept.
  struct Client {
    Bytes stored;                        ///< packed methods in the database
    std::unique_ptr<Sessions> sessions;  ///< null: none, or the only one
    SessionId only = 0;                  ///< the id of a session with the stored methods; 0: see sessions
    bool present = false;                ///< in the database
    bool waiting = false;
    bool marked = false;

    bool wanted() const { return waiting || only != 0 || sessions != nullptr; }
    std::size_t session_count() const { return only != 0 ? 1 : sessions == nullptr ? 0 : sessions->size(); }
    /// Its sessions, to be changed.
    Sessions& spread_out();
    /// After a change of its sessions, or of what is stored.
    void fold();
  };

  static Bytes wanted_methods(const Client& client);
  void mark(Ipv4Address address, Client& client);
  void stop_waiting(Client& client);

  Limits limits_;
  std::unordered_map<Ipv4Address, Client> clients_;
  std::vector<Ipv4Address> marked_;
  std::size_t clients_present_ = 0;
  std::size_t sessions_ = 0;
  std::size_t waiting_ = 0;
  std::size_t connected_ = 0;  ///< clients with a session
};

}  // namespace lekt
