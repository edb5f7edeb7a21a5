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
// compared, but for the time of a reload (begin_reload() to end_reload()). Owned by the writer's thread.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <unordered_map>
#include <vector>

#include "common/address.h"
#include "common/address_map.h"
#include "common/block.h"
#include "common/catalogue.h"
#include "common/errors.h"
#include "common/leave_reason.h"
#include "common/packets.h"
#include "common/short_bytes.h"

namespace lekt {

/// The number of a session, never reused while the process lives: a late end of an old session cannot end a new one.
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
    Address address;
    Methods methods;                            ///< the wanted methods; empty for a removal
    LeaveReason reason = LeaveReason::unknown;  ///< why it is removed
  };

  /// Whether a change of this address may be written now.
  using MayChange = std::function<bool(Address)>;

  explicit Registry(Limits limits) : limits_(limits) {}

  /// Sets the limits for sessions that join from now on.
  void use(Limits limits) { limits_ = limits; }

  /// Adds a session, or refuses it (E401, E405, E205).
  std::optional<Rejection> join(SessionId session, Address address, const Methods& methods);
  /// Ends a session, or ignores one that is not there. The reason of a client's last session is that of its removal.
  void leave(SessionId session, Address address, LeaveReason reason);
  /// Ends a session that was never told that it has joined: a client that is waited for stays so.
  void take_back(SessionId session, Address address, LeaveReason reason);

  /// The database says that this client is present. `waiting`: it is also waited for, as after a restart.
  void restore(Address address, const Methods& methods, bool waiting);
  /// Makes room for so many clients at once, before restore() is called for them.
  void expect(std::size_t clients) { clients_.reserve(clients); }
  /// Stops waiting for the clients of the block. Returns how many were waited for.
  std::size_t dismiss(const Block& block, LeaveReason reason);
  /// Stops waiting for all clients that have not come back.
  void end_grace();

  /// Forgets what is stored, but keeps the sessions and whether clients are waited for. Call restore() for everything
  /// again after this.
  void begin_reload();
  /// Marks every client for comparison. Call it after the last restore().
  void end_reload();

  /// How the wanted state differs from the stored one. The differences stay the same until committed() or until
  /// something changes. Those of an address that may not change now are kept for later.
  std::vector<Difference> differences(const MayChange& may_change = {});
  /// Notes that the differences are in the database now.
  void committed(const std::vector<Difference>& differences);

  /// Whether the stored state of the address is the wanted one; then its sessions may be told that they have joined.
  bool is_stored(Address address) const;
  /// Whether the database has the client.
  bool is_present(Address address) const;
  /// Clients in the database whose entry is larger than a packet may be, and the size of the largest entry.
  /// A smaller limit than that of an earlier start, an import or a restored database make such clients.
  struct Oversize {
    std::size_t clients = 0;
    std::size_t bytes_max = 0;
  };
  Oversize oversize() const;
  std::uint32_t sessions_of(Address address) const;
  /// What each session of the address offers.
  std::map<SessionId, Methods> offers_of(Address address) const;
  /// Clients that are in the database, and those of them that have a loopback address.
  std::size_t present() const { return present_; }
  std::size_t present_on_loopback() const { return present_on_loopback_; }
  /// Clients that are wanted: with a session, or waited for.
  std::size_t clients() const { return clients_present_; }
  std::size_t sessions() const { return sessions_; }
  std::size_t waiting() const { return waiting_; }
  /// Clients without a session, which are waited for.
  std::size_t absent() const { return clients_present_ - connected_; }

  /// Throws std::logic_error when an invariant or a count does not hold. For tests: it looks at every client.
  void check() const;

 private:
  /// The sessions of one client, and what they offer together, kept up to date: one address may have very
  /// many, and each join and leave must not look at all of them.
  class Sessions {
   public:
    void add(SessionId session, const Methods& methods);
    /// Removes a session; false if it is not there.
    bool remove(SessionId session);
    /// Counts what is stored (packed) among what is offered, in place of what was kept before. Nobody in particular
    /// offers it.
    void keep(ByteView stored);

    std::size_t size() const { return sessions_.size(); }
    bool contains(SessionId session) const { return sessions_.contains(session); }
    /// The only session, with what it offers.
    const std::pair<const SessionId, Bytes>& only() const { return *sessions_.begin(); }
    /// What each session offers, packed.
    const std::unordered_map<SessionId, Bytes>& each() const { return sessions_; }
    /// The union of all methods, in order, and the bytes that it takes on the wire.
    Methods methods() const;
    std::size_t encoded_bytes() const { return bytes_; }
    /// The bytes of what is kept.
    std::size_t kept_bytes() const { return kept_bytes_; }
    bool operator==(const Sessions&) const = default;

   private:
    void offer(const Methods& methods);
    void withdraw(const Methods& methods);

    std::unordered_map<SessionId, Bytes> sessions_;  ///< packed methods
    std::map<MethodInformation, std::uint32_t>
        methods_;  ///< how many sessions offer each; one more if it is kept
    std::size_t bytes_ = 0;
    Bytes kept_;  ///< packed
    std::size_t kept_bytes_ = 0;
  };
  /// Nearly every client has one session, with the methods that are stored. Then only the session's id is
  /// kept.
  struct Client {
    ShortBytes stored;                   ///< its packed methods in the database
    std::unique_ptr<Sessions> sessions;  ///< null: none, or the only one
    SessionId only = 0;                  ///< the id of a session with the stored methods; 0: see sessions
    LeaveReason reason = LeaveReason::unknown;  ///< why its last session, or the waiting for it, ended
    bool present = false;                       ///< whether it is in the database
    bool waiting = false;
    bool marked = false;

    bool wanted() const { return waiting || only != 0 || sessions != nullptr; }
    std::size_t session_count() const { return only != 0 ? 1 : sessions == nullptr ? 0 : sessions->size(); }
    /// Its sessions in their full form, which can be changed.
    Sessions& spread_out();
    /// Makes its sessions know what is kept for those who are waited for. Call it after `stored` or `waiting` changed.
    void keep_stored();
    /// Goes back to the short form (`only`) if that is enough. Call it after its sessions, or what is stored, changed.
    void fold();
  };

  static Bytes wanted_methods(const Client& client);
  void set_present(Address address, Client& client, bool present);
  void mark(Address address, Client& client);
  void stop_waiting(Client& client);
  bool is_oversize(ByteView packed) const;
  void check(Address address, const Client& client) const;
  std::size_t packet_room() const { return limits_.packet_bytes_max - limits::update_header_bytes; }

  Limits limits_;
  AddressMap<Client> clients_;
  std::vector<Address> marked_;
  bool reloading_ = false;
  std::size_t clients_present_ = 0;
  std::size_t sessions_ = 0;
  std::size_t waiting_ = 0;
  std::size_t connected_ = 0;  ///< clients with a session
  std::size_t present_ = 0;    ///< clients in the database
  std::size_t present_on_loopback_ = 0;
  std::size_t stored_bytes_max_ = 0;  ///< of the largest packed methods that were ever stored
};

}  // namespace lekt
