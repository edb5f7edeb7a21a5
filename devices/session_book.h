// All sessions: found by ticket, by uid and by number. Which session a device gets, and which one has to go for it, is
// decided here (docs/device-protocol.md, "Resume").
//
// Knows no registration but by its port, no datagram and no clock. Used by one thread.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <unordered_map>
#include <utility>
#include <variant>
#include <vector>

#include "common/errors.h"
#include "devices/device_session.h"
#include "devices/ended_sessions.h"

namespace lekt {

class SessionBook {
 public:
  struct Limits {
    std::size_t sessions_max = 2000;
    std::size_t per_address_max = 64;
  };

  /// What packet 6 says, and where it came from.
  struct Request {
    Ticket ticket{};
    DeviceString device;
    std::string text;
    DeviceEndpoint endpoint;
    std::uint16_t port = 0;
  };

  /// Packet 6 resumes a session.
  struct Resumed {
    DeviceSession* session;
    std::optional<std::uint16_t> replaced;  ///< the port of its registration until now, which is over (E914)
  };
  struct Ending {
    DeviceSession* session;
    Rejection reason;
  };
  /// Packet 6 begins a session, with begin(). Before that, these sessions have to end: one of its uid (E914), and those
  /// that have no registration and would keep a limit filled (E912).
  struct Begins {
    std::shared_ptr<const DeviceGroups::Offer> offer;
    std::vector<Ending> ends;
  };
  /// What has as many sessions as it may have.
  enum class Full : std::uint8_t { uid, address, server };
  /// Packet 6 is refused with E912. Somebody should look whether the sessions in the way are alive; `in_use` are those
  /// of the uid, if that is full.
  struct Refused {
    Full full;
    Rejection rejection;
    std::vector<DeviceSession*> in_use;
  };
  /// The session of the ticket has ended, and its device may not know. To be followed by told().
  struct Over {
    Rejection reason;
  };
  using Decision = std::variant<Resumed, Begins, Refused, Over>;

  explicit SessionBook(std::function<bool(std::uint16_t port)> is_away) : is_away_(std::move(is_away)) {}

  void use(Limits limits, std::shared_ptr<const DeviceGroups> groups) {
    limits_ = limits;
    groups_ = std::move(groups);
  }

  const Limits& limits() const { return limits_; }

  /// The group of a new session.
  std::shared_ptr<const DeviceGroups::Offer> group_for(const Request& request) const {
    return groups_->match(request.endpoint.address, request.device.type);
  }
  /// Decides about a packet 6, and changes nothing.
  Decision decide(const Request& request);
  /// Begins the session that was decided on. `ticket` is random, and no session has it.
  DeviceSession& begin(Request request, const Begins& decision, const Ticket& ticket, AwakeTime now);
  /// Continues the session with this registration.
  void attach(DeviceSession& session, std::uint16_t port, const DeviceEndpoint& endpoint);
  /// Notes that the session's registration, which was heard last at `heard`, is over; the session waits for another.
  void detach(DeviceSession& session, AwakeTime heard);
  void end(DeviceSession& session, const Rejection& reason);
  /// The device with this ticket has been told that its session is over: the next time it gets another.
  void told(const Ticket& ticket) { ended_.forget(ticket); }

  DeviceSession* find(const Ticket& ticket);
  DeviceSession* find(DeviceSession::Number number);
  /// The sessions of this uid, oldest first.
  std::vector<DeviceSession*> of_uid(const std::string& uid);
  std::size_t size() const { return sessions_.size(); }
  /// How many sessions are at the address, or were there last.
  std::size_t sessions_at(Address address) const;
  /// Calls `use(session)` for each, oldest first.
  template <class Use>
  void for_each(Use use) {
    for (const auto& [number, session] : sessions_) use(*session);
  }
  template <class Use>
  void for_each(Use use) const {
    for (const auto& [number, session] : sessions_) use(std::as_const(*session));
  }

  /// Throws std::logic_error when an invariant does not hold. For tests: it looks at everything.
  void check() const;

 private:
  /// Tickets are random, so any of their bytes are a hash.
  struct TicketHash {
    std::size_t operator()(const Ticket& ticket) const noexcept;
  };

  void leave(Address address);
  void stop_waiting(const DeviceSession& session);
  DeviceSession* gives_way(const std::vector<DeviceSession*>& sessions, const DeviceEndpoint& endpoint) const;
  std::optional<Refused> make_room(const Request& request, std::vector<Ending>& ends) const;
  DeviceSession* longest_waiting(const std::vector<Ending>& but_for) const;
  DeviceSession* longest_waiting_at(Address address, const std::vector<Ending>& but_for) const;

  std::function<bool(std::uint16_t)> is_away_;
  Limits limits_;
  std::shared_ptr<const DeviceGroups> groups_ = std::make_shared<const DeviceGroups>();
  DeviceSession::Number last_ = 0;
  std::map<DeviceSession::Number, std::unique_ptr<DeviceSession>> sessions_;
  std::unordered_map<Ticket, DeviceSession*, TicketHash> by_ticket_;
  std::map<std::pair<std::string, DeviceSession::Number>, DeviceSession*>
      by_uid_;  ///< sessions whose uid names anybody
  std::map<Address, std::size_t> at_address_;
  std::uint64_t last_turn_ = 0;
  std::map<std::uint64_t, DeviceSession*> waiting_;  ///< sessions without a registration, by their turns
  std::map<std::pair<Address, std::uint64_t>, DeviceSession*> waiting_at_;
  EndedSessions ended_;
};

}  // namespace lekt
