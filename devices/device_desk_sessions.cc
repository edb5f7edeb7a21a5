// The desk's side of registrations and sessions; that of ports and time is device_desk.cc.
#include <algorithm>
#include <utility>

#include "devices/device_desk.h"

namespace lekt {

namespace {

const Rejection no_port_left{ErrorCode::ports_exhausted, "another device has the port; try again later"};
const Rejection goes_on_elsewhere{ErrorCode::registration_replaced, "the session goes on elsewhere"};

}  // namespace

// ---- Packet 3, and what comes after it ----

void DeviceDesk::receive(std::uint16_t port, const DeviceEndpoint& from, ByteView datagram, AwakeTime now) {
  ++counts_.received;
  const auto head = read_head_to_server(datagram);
  if (!head || head->type == DatagramType::connection_request || !ports_.contains(port) || from.port == 0) {
    ++counts_.malformed;
    return;
  }
  if (head->type == DatagramType::registration_request)
    return receive_registration(port, from, *head, datagram, now);
  Place& here = place(port);
  if (here.registration == nullptr || here.registration->number() != head->registration ||
      here.registration->device() != from)
    return receive_from_nobody(port, from, *head, datagram);
  if (here.registration->is_encrypted()) {
    ++counts_.malformed;
    return;
  }
  receive_from_device(port, *head, datagram, now);
}

void DeviceDesk::receive_decrypted(std::uint16_t port, ByteView datagram, AwakeTime now) {
  ++counts_.received;
  const auto head = read_head_to_server(datagram);
  const Registration* const registration = this->registration(port);
  const bool is_its_own = head && head->type != DatagramType::connection_request &&
                          head->type != DatagramType::registration_request && registration != nullptr &&
                          registration->is_encrypted() && registration->is_ready() &&
                          registration->number() == head->registration;
  if (!is_its_own) {
    ++counts_.malformed;
    return;
  }
  receive_from_device(port, *head, datagram, now);
}

void DeviceDesk::receive_from_device(std::uint16_t port, const DatagramHead& head, ByteView datagram,
                                     AwakeTime now) {
  use(port, place(port).registration->receive(head, datagram, now), now);
  go_on(port, now);
}

void DeviceDesk::handshake_done(std::uint16_t port, AwakeTime now) {
  Registration* const registration = place(port).registration.get();
  if (registration == nullptr) return;
  registration->handshake_done(now);
  schedule(port);
}

void DeviceDesk::receive_registration(std::uint16_t port, const DeviceEndpoint& from,
                                      const DatagramHead& head, ByteView datagram, AwakeTime now) {
  if (!is_admitted(port, from, head)) return;
  const BodyOrFault<BodyToServer> body = read_body_to_server(head, datagram);
  const Registration* const registration = place(port).registration.get();
  if (registration != nullptr && registration->number() == head.registration &&
      registration->device() == from) {
    // Packet 4 was lost. It only says that the registration is there.
    if (registration->is_encrypted() && registration->is_ready())
      ++counts_.malformed;
    else
      accept_registration(port);
    return;
  }
  const auto& token = std::get<RegistrationRequest>(std::get<BodyToServer>(body)).token;
  if (const auto refusal = why_not_registered(port, from, head, token, now)) {
    if (refusal->code == ErrorCode::sessions_too_many) alert(refusal->code, from, {}, refusal->message);
    return refuse(port, from, head.registration, *refusal, datagram.size());
  }
  // A registration that gives way: the device of one that is away hears nothing.
  const bool is_heard = place(port).session == nullptr;
  end_registration(port, is_heard ? std::optional(no_port_left) : std::nullopt);
  begin_registration(port, from, head, now);
}

/// Why packet 3 is refused; nothing if it registers.
std::optional<Rejection> DeviceDesk::why_not_registered(std::uint16_t port, const DeviceEndpoint& from,
                                                        const DatagramHead& head, const Token& token,
                                                        AwakeTime now) const {
  const auto extra = static_cast<std::uint8_t>(head.version.extra & extra_dtls);
  const bool can_be_agreed = extra == 0 || encryption_ != DeviceEncryption::off;
  if (!can_be_agreed || !is_to_be_had(port, now) || place(port).last_number == head.registration ||
      !tokens_.is_good(token, {from.address, port, head.registration, extra}, now))
    return Rejection{ErrorCode::token_refused, "the token does not fit; begin anew"};
  // Registrations with a session are limited as sessions are. A device that registers anew still has its old
  // registration, which must not count.
  const auto found = sessionless_.find(from.address);
  if (found != sessionless_.end() && found->second >= book_.limits().per_address_max)
    return Rejection{ErrorCode::sessions_too_many, "too many registrations of this address"};
  return std::nullopt;
}

void DeviceDesk::begin_registration(std::uint16_t port, const DeviceEndpoint& from, const DatagramHead& head,
                                    AwakeTime now) {
  ports_.use(port);
  Place& here = place(port);
  here.last_number = head.registration;
  here.over.reset();
  here.offered.reset();
  here.registration =
      std::make_unique<Registration>(head.registration, from, (head.version.extra & extra_dtls) != 0, now);
  ++sessionless_[from.address];
  ++counts_.registrations;
  if (DeviceRequest* const request = requests_.find(from.address, head.registration)) {
    request->is_registered = true;
    for (const LoggedEvent& logged : handler_events(*request, ports_.first(), ports_.last()))
      outside_.log(from.address, logged.time, logged.event);
  }
  log(from.address, handler_event::processing_registration(from));
  log(from.address, handler_event::sending_registration_accept(from));
  outside_.registered(port, from, here.registration->is_encrypted());
  accept_registration(port);
  schedule(port);
}

void DeviceDesk::accept_registration(std::uint16_t port) {
  const Registration& registration = *place(port).registration;
  outside_.send(port, registration.device(),
                encode_datagram({DatagramType::registration_accept, version_with(registration.is_encrypted()),
                                 registration.number(), 0, 0},
                                RegistrationAccept{}));
}

/// Answers a datagram of a registration that the port does not have at this address. Whoever has the port is not
/// disturbed.
void DeviceDesk::receive_from_nobody(std::uint16_t port, const DeviceEndpoint& from, const DatagramHead& head,
                                     ByteView datagram) {
  if (outside_.judge(from.address).admitted == Admitted::too_fast) {
    ++counts_.too_fast;
    return;
  }
  // A session whose registration is over for another reason may live elsewhere, so its device is not told that it has ended.
  const Place& here = place(port);
  const bool is_over = here.over && here.last_number == head.registration;
  refuse(port, from, head.registration,
         is_over ? *here.over : Rejection{ErrorCode::registration_unknown, "register again"},
         datagram.size());
}

void DeviceDesk::use(std::uint16_t port, const Registration::Received& received, AwakeTime now) {
  if (std::holds_alternative<Registration::TooFast>(received)) {
    ++counts_.too_fast;
  } else if (std::holds_alternative<Registration::Impossible>(received)) {
    ++counts_.malformed;
  } else if (const auto* broken = std::get_if<Registration::Broken>(&received)) {
    ++counts_.malformed;
    end_registration(port, Rejection{ErrorCode::datagram_malformed, broken->fault});
  } else if (const auto* config = std::get_if<DeviceConfig>(&received)) {
    configure(port, *config, now);
  } else if (const auto* input = std::get_if<InputMessage>(&received)) {
    take_input(port, *input, now);
  } else if (std::holds_alternative<Bye>(received)) {
    const Rejection over{ErrorCode::session_ended, "the user has ended the session"};
    if (DeviceSession* const session = place(port).session)
      end_session(*session, over);
    else
      end_registration(port, over);
    place(port).over = over;
  }
}

// ---- Packet 6 ----

void DeviceDesk::configure(std::uint16_t port, const DeviceConfig& config, AwakeTime now) {
  Place& here = place(port);
  const DeviceEndpoint& device = here.registration->device();
  log(device.address, handler_event::got_device_config(config.string));
  auto read = read_device_string(config.string);
  if (std::string* const fault = std::get_if<std::string>(&read))
    return end_registration(port, Rejection{ErrorCode::device_string_unusable, std::move(*fault)});
  DeviceString& string = std::get<DeviceString>(read);
  if (!string.has_size) log(device.address, handler_event::size_unusable(string));
  if (here.session != nullptr) {
    here.session->describe(std::move(string), std::string(config.string));
    outside_.session_described(*here.session);
    here.registration->screen_changed();
    return;
  }
  SessionBook::Request request{config.ticket, std::move(string), std::string(config.string), device, port};
  const bool is_plain = !here.registration->is_encrypted();
  if (is_plain &&
      (encryption_ == DeviceEncryption::required || book_.group_for(request)->group.encryption_required))
    return end_registration(port, encryption_wanted);
  const SessionBook::Decision decision = book_.decide(request);
  if (const auto* refused = std::get_if<SessionBook::Refused>(&decision))
    return refuse_session(port, request, *refused, now);
  if (const auto* resumed = std::get_if<SessionBook::Resumed>(&decision)) {
    if (is_plain && resumed->session->group().encryption_required)
      return end_registration(port, encryption_wanted);
    if (is_newer(resumed->replaced, port)) return end_registration(port, goes_on_elsewhere);
    return resume_session(port, request, *resumed, now);
  }
  if (const auto* over = std::get_if<SessionBook::Over>(&decision))
    return tell_over(port, config.ticket, over->reason);
  const auto& begins = std::get<SessionBook::Begins>(decision);
  const bool is_late = std::ranges::any_of(
      begins.ends, [&](const SessionBook::Ending& ending) { return is_newer(ending.session->port(), port); });
  if (is_late) return end_registration(port, goes_on_elsewhere);
  begin_session(port, std::move(request), begins, now);
}

/// Whether the registration of the port `other` was made after that of `port`. A packet 6 that the network has kept back
/// takes nothing from a registration that its device has made since.
bool DeviceDesk::is_newer(std::optional<std::uint16_t> other, std::uint16_t port) const {
  return other && place(*other).registration->since() > place(port).registration->since();
}

void DeviceDesk::begin_session(std::uint16_t port, SessionBook::Request request,
                               const SessionBook::Begins& decision, AwakeTime now) {
  for (const SessionBook::Ending& ending : decision.ends) end_session(*ending.session, ending.reason);
  DeviceSession& session = book_.begin(std::move(request), decision, outside_.random_ticket(), now);
  look_at_later(session);
  log(session.endpoint().address, handler_event::session_started(session.device(), session.group().name));
  serve(port, session, now);
  outside_.session_began(session);
}

void DeviceDesk::resume_session(std::uint16_t port, const SessionBook::Request& request,
                                const SessionBook::Resumed& decision, AwakeTime now) {
  DeviceSession& session = *decision.session;
  if (decision.replaced) end_registration(*decision.replaced, goes_on_elsewhere);
  const DeviceEndpoint before = session.endpoint();
  session.describe(request.device, request.text);
  book_.attach(session, port, request.endpoint);
  log(request.endpoint.address, handler_event::session_resumed(session.device().uid, request.endpoint));
  serve(port, session, now);
  outside_.session_resumed(session, before);
}

void DeviceDesk::refuse_session(std::uint16_t port, const SessionBook::Request& request,
                                const SessionBook::Refused& decision, AwakeTime now) {
  if (decision.full != SessionBook::Full::uid) {
    alert(decision.rejection.code, request.endpoint, request.device.uid, decision.rejection.message);
  } else {
    alert(ErrorCode::uid_in_use, request.endpoint, request.device.uid,
          "the uid is in use at " + to_string(decision.in_use.front()->endpoint().address) + " and at " +
              to_string(request.endpoint.address));
  }
  // One of them may be dead, which nobody has noticed; then the device's next try succeeds.
  if (decision.full == SessionBook::Full::address) ask_silent_ones(now, request.endpoint.address);
  if (decision.full == SessionBook::Full::server) ask_silent_ones(now);
  for (const DeviceSession* const other : decision.in_use) {
    if (!other->port()) continue;
    place(*other->port()).registration->ask(now, sender(*other->port()));
    schedule(*other->port());
  }
  end_registration(port, decision.rejection);
}

/// Says that the session of the ticket has ended while its device was away, or did not hear of it.
void DeviceDesk::tell_over(std::uint16_t port, const Ticket& ticket, Rejection reason) {
  book_.told(ticket);
  reason.message += "; start again for a new session";
  end_registration(port, reason);
  place(port).over = std::move(reason);
}

/// Serves the session on this port: packets 7 and 8 and the screen follow.
void DeviceDesk::serve(std::uint16_t port, DeviceSession& session, AwakeTime now) {
  Place& here = place(port);
  count_out(here);
  here.session = &session;
  session.tell_time(outside_.time());
  here.registration->serve(
      {session.ticket(), session.taken(), encode_rules(session.group(), here.registration->is_encrypted()),
       session.told_time()},
      now, sender(port));
}

void DeviceDesk::screen_changed(const DeviceSession& session, AwakeTime now) {
  if (!session.port()) return;
  place(*session.port()).registration->screen_changed();
  go_on(*session.port(), now);
}

void DeviceDesk::ring(const DeviceSession& session, AwakeTime now) {
  if (!session.port()) return;
  place(*session.port()).registration->ring();
  go_on(*session.port(), now);
}

void DeviceDesk::take_input(std::uint16_t port, const InputMessage& input, AwakeTime now) {
  DeviceSession& session = *place(port).session;
  // A sign of life is no input, whatever number it carries.
  if (input.items.empty() && input.input <= session.taken() + 1) return;
  switch (session.take(input.input, now)) {
    case DeviceSession::Input::taken:
      return;
    case DeviceSession::Input::beyond:
      ++counts_.malformed;
      return end_registration(port, Rejection{ErrorCode::datagram_malformed,
                                              "input " + std::to_string(input.input) + " came after input " +
                                                  std::to_string(session.taken())});
    case DeviceSession::Input::next:
      ++counts_.inputs;
      outside_.input(session, input.items);
  }
}

/// Counts a registration no longer among those without a session: it is over, or has a session from now on.
void DeviceDesk::count_out(const Place& place) {
  const auto found = sessionless_.find(place.registration->device().address);
  if (--found->second == 0) sessionless_.erase(found);
}

// ---- Ends ----

/// Ends the registration; its session, if it has one, waits for the next. Without a reason nobody is told.
void DeviceDesk::end_registration(std::uint16_t port, const std::optional<Rejection>& reason) {
  Place& here = place(port);
  if (here.registration == nullptr) return;
  if (reason) sender(port)(encode_failure(here.registration->number(), *reason));
  if (here.session == nullptr)
    count_out(here);
  else
    book_.detach(*here.session, here.registration->heard());
  here.session = nullptr;
  here.registration.reset();
  ports_.release(port);
  schedule(port);
  outside_.registration_ended(port, reason);
}

void DeviceDesk::end_session(DeviceSession& session, const Rejection& reason) {
  log(session.endpoint().address, handler_event::session_ended(session.device().uid, reason.text()));
  if (session.port()) end_registration(*session.port(), reason);
  outside_.session_ended(session, reason);
  if (session.looked_at()) idle_.erase({*session.looked_at(), session.number()});
  book_.end(session, reason);
}

void DeviceDesk::end_session(DeviceSession::Number session, const Rejection& reason) {
  if (DeviceSession* const found = book_.find(session)) end_session(*found, reason);
}

std::size_t DeviceDesk::end_sessions(const std::function<bool(const DeviceSession&)>& chosen,
                                     const Rejection& reason) {
  std::vector<DeviceSession*> ending;
  book_.for_each([&](DeviceSession& session) {
    if (chosen(session)) ending.push_back(&session);
  });
  for (DeviceSession* const session : ending) end_session(*session, reason);
  return ending.size();
}

void DeviceDesk::end_registrations(const std::function<bool(Address)>& chosen, const Rejection& reason) {
  for (std::size_t index = 0; index < places_.size(); ++index) {
    const Place& here = places_[index];
    if (here.registration != nullptr && here.session == nullptr &&
        chosen(here.registration->device().address))
      end_registration(static_cast<std::uint16_t>(ports_.first() + index), reason);
  }
}

void DeviceDesk::stop() {
  stopping_ = true;
  for (std::size_t index = 0; index < places_.size(); ++index)
    end_registration(
        static_cast<std::uint16_t>(ports_.first() + index),
        Rejection{ErrorCode::server_stopping, "the server is shutting down; register again later"});
}

}  // namespace lekt
