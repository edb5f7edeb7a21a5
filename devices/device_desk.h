// Everything that the server decides about devices: who gets which port, which registration and which session, and what
// each datagram is answered with. docs/device-protocol.md says the rules.
//
//     contact port: packet 1 ──> packet 2, and nothing is kept but a place in a list
//     dedicated port: packet 3 ──> a registration (registration.h) ── packet 6 ──> a session (session_book.h)
//
// Its owner receives datagrams and gives them here, sends what it is told to, and calls advance() when due() has come.
// It knows no socket, no clock, no thread and no file: the service drives it with real ones, and the simulation with
// others.
//
// Invariants: a port has at most one registration, and a registration at most one session; a session has at most one
// registration; an answer to a datagram that belongs to no registration is not larger than it. Used by one thread.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <tuple>
#include <utility>
#include <vector>

#include "common/errors.h"
#include "devices/groups.h"
#include "devices/ports.h"
#include "devices/registration.h"
#include "devices/request_list.h"
#include "devices/session_book.h"
#include "devices/token.h"

namespace lekt {

inline const Rejection encryption_wanted{ErrorCode::encryption_required, "this server wants DTLS"};

class DeviceDesk {
 public:
  struct Settings {
    SessionBook::Limits limits;
    std::shared_ptr<const DeviceGroups> groups = std::make_shared<const DeviceGroups>();
    DeviceEncryption encryption = DeviceEncryption::off;
  };

  struct Secrets {
    TokenSecret token{};
    std::uint64_t list = 0;
  };

  struct Counts {
    std::uint64_t received = 0;       ///< datagrams received
    std::uint64_t malformed = 0;      ///< datagrams that got no answer (E916)
    std::uint64_t too_fast = 0;       ///< datagrams dropped (E407)
    std::uint64_t registrations = 0;  ///< registrations made
    std::uint64_t inputs = 0;         ///< inputs taken
  };

  /// Something that operators should know.
  struct Alert {
    ErrorCode code;
    DeviceEndpoint device;
    std::string uid;  ///< if it is known
    std::string message;
  };

  enum class Admitted : std::uint8_t { yes, refused, too_fast };
  struct Judgement {
    Admitted admitted = Admitted::yes;
    Rejection rejection{ErrorCode::address_denied, {}};  ///< if it is refused
  };

  /// What the desk needs from the outside, and tells it. Nothing here may call the desk.
  class Outside {
   public:
    virtual ~Outside() = default;

    /// Opens the socket of the port unless it is open. False: another program has the port.
    virtual bool open(std::uint16_t port) = 0;
    /// Sends a plain datagram from this port of the server; 0: from the contact port.
    virtual void send(std::uint16_t from, const DeviceEndpoint& to, ByteView datagram) = 0;
    /// Sends a datagram in a record of DTLS to the device of this port, whose handshake is done.
    virtual void send_encrypted(std::uint16_t port, ByteView datagram) = 0;
    /// Whether packets 1 and 3 of this address are served: rules, bans, rates.
    virtual Judgement judge(Address address) = 0;
    virtual Ticket random_ticket() = 0;
    virtual LoggedTime time() = 0;

    /// Logs an event. `time` is when it happened: packets 1 and 2 are logged only when packet 3 has come.
    virtual void log(Address device, LoggedTime time, const HandlerEvent& event) = 0;
    /// Called when the port gets a registration. `encrypted`: a DTLS handshake follows, in which the device is the
    /// client, and handshake_done() is to be called after it.
    virtual void registered(std::uint16_t port, const DeviceEndpoint& device, bool encrypted) = 0;
    /// Called when the registration is over and its device has been sent what it is to be told. Without a reason it is
    /// told nothing.
    virtual void registration_ended(std::uint16_t port, const std::optional<Rejection>& reason) = 0;
    virtual void alert(const Alert& alert) = 0;
    virtual void session_began(const DeviceSession& session) = 0;
    /// Called when the session continues with another registration, perhaps from another address.
    virtual void session_resumed(const DeviceSession& session, const DeviceEndpoint& before) = 0;
    /// Called when the session's device has said something else of itself.
    virtual void session_described(const DeviceSession& session) = 0;
    virtual void session_ended(const DeviceSession& session, const Rejection& reason) = 0;
    /// Delivers an input to the session, once and in order.
    virtual void input(const DeviceSession& session, ByteView items) = 0;
    /// Makes `screen`, which may be of any size and contents, what the user sees now. Called only when a message can be
    /// made of it, after the session has begun, so a screen that changes faster than its device can be told costs
    /// nothing.
    virtual Liveliness draw(const DeviceSession& session, Screen& screen) = 0;
  };

  /// `first` to `last`: the dedicated ports.
  DeviceDesk(std::uint16_t first, std::uint16_t last, const Secrets& secrets, Outside& outside);
  DeviceDesk(const DeviceDesk&) = delete;
  DeviceDesk& operator=(const DeviceDesk&) = delete;

  /// Uses these settings for devices that register, and sessions that begin, from now on.
  void use(const Settings& settings);

  // ---- Time is awake time and never goes back ----

  /// Takes a datagram that came to the contact port, at the server's address `local`. What comes from port 0 can have no
  /// answer.
  void receive_at_contact(const DeviceEndpoint& from, Address local, ByteView datagram, AwakeTime now);
  /// Takes a plain datagram that came to a dedicated port.
  void receive(std::uint16_t port, const DeviceEndpoint& from, ByteView datagram, AwakeTime now);
  /// Notes that the DTLS handshake of the registration of this port is done.
  void handshake_done(std::uint16_t port, AwakeTime now);
  /// Takes a datagram that came to a dedicated port in a record of that DTLS.
  void receive_decrypted(std::uint16_t port, ByteView datagram, AwakeTime now);
  /// Does what is due.
  void advance(AwakeTime now);
  /// When to call advance() if nothing comes before.
  std::optional<AwakeTime> due() const;

  /// Notes that Outside::draw() yields something else for this session now. Its device is told as soon as possible,
  /// unless it has no registration; with each new registration, or another size, everything is drawn.
  void screen_changed(const DeviceSession& session, AwakeTime now);
  /// Rings the bell of the session's device, unless it has no registration.
  void ring(const DeviceSession& session, AwakeTime now);

  // ---- Operators ----

  /// Ends the sessions for which `chosen` is true, and tells their devices why. Returns how many there were.
  std::size_t end_sessions(const std::function<bool(const DeviceSession&)>& chosen, const Rejection& reason);
  /// Ends one session, if it is there, and tells its device why.
  void end_session(DeviceSession::Number session, const Rejection& reason);
  /// Ends the registrations at these addresses that have no session yet, and tells their devices why.
  void end_registrations(const std::function<bool(Address)>& chosen, const Rejection& reason);
  /// Tells every registration that the server stops (E402), and serves nobody any more. Sessions are over, but nobody is
  /// told of their end: devices come back to the next server.
  void stop();

  const Counts& counts() const { return counts_; }
  DevicePorts::Counts ports() const { return ports_.counts(); }
  SessionBook& book() { return book_; }
  const SessionBook& book() const { return book_; }
  /// The registration of a port; null when it has none.
  const Registration* registration(std::uint16_t port) const;
  /// The session of the registration of a port; null when it has none.
  const DeviceSession* session_at(std::uint16_t port) const {
    return ports_.contains(port) ? place(port).session : nullptr;
  }
  /// Calls `use(port, registration, session)` for each registration, in the order of the ports; `session` is null where
  /// none has begun.
  template <class Use>
  void for_each_registration(Use use) const {
    for (std::size_t index = 0; index < places_.size(); ++index)
      if (const Place& place = places_[index]; place.registration != nullptr)
        use(static_cast<std::uint16_t>(ports_.first() + index), *place.registration, place.session);
  }
  template <class Use>
  void for_each_request(Use use) const {
    requests_.for_each_on_its_way(use);
  }

  /// Throws std::logic_error when an invariant does not hold. For tests: it looks at everything.
  void check();

 private:
  /// What makes a registration give way when no port is free, the first kind before the second.
  enum class Yields : std::uint8_t {
    sessionless,  ///< it has no session yet, and is not quite new
    away,
  };
  /// The order in which registrations give way: by their kind, then by the time from which the port may be offered, or
  /// at which it was last offered, so that those of a kind are offered in turn.
  using Yield = std::tuple<Yields, AwakeTime, std::uint16_t>;

  struct Place {
    std::unique_ptr<Registration> registration;
    DeviceSession* session = nullptr;
    std::uint64_t last_number = 0;  ///< of its registration, or the last one: a token is good once
    std::optional<Rejection> over;  ///< that its device was told in the last one: its session has ended
    std::optional<AwakeTime> scheduled;
    std::optional<Yield> yield;
    /// When the port was last offered to another device, although it has this registration.
    std::optional<AwakeTime> offered;
  };

  Place& place(std::uint16_t port) { return places_[static_cast<std::size_t>(port - ports_.first())]; }
  const Place& place(std::uint16_t port) const {
    return places_[static_cast<std::size_t>(port - ports_.first())];
  }
  static Version version_with(bool encrypted);
  Registration::Send sender(std::uint16_t port);
  Registration::Draw drawer(std::uint16_t port);
  void log(Address device, const HandlerEvent& event) { outside_.log(device, outside_.time(), event); }
  void alert(ErrorCode code, const DeviceEndpoint& device, const std::string& uid, std::string message);
  void refuse(std::uint16_t from, const DeviceEndpoint& to, std::uint64_t registration,
              const Rejection& rejection, std::size_t bytes_max);
  bool is_admitted(std::uint16_t port, const DeviceEndpoint& from, const DatagramHead& head);

  std::optional<std::uint16_t> choose_port(AwakeTime now);
  std::optional<std::uint16_t> offer_free_port(AwakeTime now);
  std::optional<std::uint16_t> offer_used_port(AwakeTime now);
  bool is_to_be_had(std::uint16_t port, AwakeTime now) const;
  std::optional<Yield> yield_of(std::uint16_t port) const;
  void ask_silent_ones(AwakeTime now, const std::optional<Address>& at = std::nullopt);
  void accept_connection(DeviceRequest& request, bool encrypted, AwakeTime now);

  void receive_registration(std::uint16_t port, const DeviceEndpoint& from, const DatagramHead& head,
                            ByteView datagram, AwakeTime now);
  std::optional<Rejection> why_not_registered(std::uint16_t port, const DeviceEndpoint& from,
                                              const DatagramHead& head, const Token& token,
                                              AwakeTime now) const;
  void begin_registration(std::uint16_t port, const DeviceEndpoint& from, const DatagramHead& head,
                          AwakeTime now);
  void accept_registration(std::uint16_t port);
  void receive_from_device(std::uint16_t port, const DatagramHead& head, ByteView datagram, AwakeTime now);
  void receive_from_nobody(std::uint16_t port, const DeviceEndpoint& from, const DatagramHead& head,
                           ByteView datagram);
  void use(std::uint16_t port, const Registration::Received& received, AwakeTime now);
  void configure(std::uint16_t port, const DeviceConfig& config, AwakeTime now);
  bool is_newer(std::optional<std::uint16_t> other, std::uint16_t port) const;
  void begin_session(std::uint16_t port, SessionBook::Request request, const SessionBook::Begins& decision,
                     AwakeTime now);
  void resume_session(std::uint16_t port, const SessionBook::Request& request,
                      const SessionBook::Resumed& decision, AwakeTime now);
  void refuse_session(std::uint16_t port, const SessionBook::Request& request,
                      const SessionBook::Refused& decision, AwakeTime now);
  void tell_over(std::uint16_t port, const Ticket& ticket, Rejection reason);
  void serve(std::uint16_t port, DeviceSession& session, AwakeTime now);
  void take_input(std::uint16_t port, const InputMessage& input, AwakeTime now);
  void end_registration(std::uint16_t port, const std::optional<Rejection>& reason);
  void end_session(DeviceSession& session, const Rejection& reason);
  void go_on(std::uint16_t port, AwakeTime now);
  void schedule(std::uint16_t port);
  void count_out(const Place& place);
  void look_at_requests(AwakeTime now);
  void look_at_later(DeviceSession& session);
  void look_at_idle(AwakeTime now);
  void tell_exhausted(const DeviceEndpoint& device, AwakeTime now);

  Outside& outside_;
  TokenMaker tokens_;
  DevicePorts ports_;
  RequestList requests_;
  SessionBook book_;
  DeviceEncryption encryption_ = DeviceEncryption::off;
  std::vector<Place> places_;  ///< one for each port
  /// When registrations have something to do. An idle one is not listed.
  std::set<std::pair<AwakeTime, std::uint16_t>> deadlines_;
  /// The registrations that give way to others, once their time has come.
  std::set<Yield> yields_;
  /// How many registrations without a session each address has.
  std::map<Address, std::size_t> sessionless_;
  /// When sessions may be over because of their users' silence. An input does not move its session, which is looked at
  /// again when its time has come.
  std::set<std::pair<AwakeTime, DeviceSession::Number>> idle_;
  std::optional<AwakeTime> exhausted_told_;  ///< when operators were last told
  std::optional<AwakeTime> asked_;           ///< when silent devices were last asked
  Screen drawn_{1, 1};                       ///< the screen that is being sent, whosever it is
  Counts counts_;
  bool stopping_ = false;
};

}  // namespace lekt
