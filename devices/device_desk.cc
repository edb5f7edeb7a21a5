// The desk itself, and its side of time. Packet 1 and ports are in device_desk_ports.cc, registrations and sessions in
// device_desk_sessions.cc.
#include "devices/device_desk.h"

#include <stdexcept>

#include "common/invariant.h"

namespace lekt {

namespace {

const Rejection stopping{ErrorCode::server_stopping, "the server is shutting down; register again later"};

}  // namespace

DeviceDesk::DeviceDesk(std::uint16_t first, std::uint16_t last, const Secrets& secrets, Outside& outside)
    : outside_(outside),
      tokens_(secrets.token),
      ports_(first, last),
      requests_(secrets.list),
      book_([this](std::uint16_t port) {
        return place(port).registration->state() == Registration::State::away;
      }),
      places_(static_cast<std::size_t>(last - first) + 1) {}

void DeviceDesk::use(const Settings& settings) {
  book_.use(settings.limits, settings.groups);
  encryption_ = settings.encryption;
}

const Registration* DeviceDesk::registration(std::uint16_t port) const {
  return ports_.contains(port) ? place(port).registration.get() : nullptr;
}

/// The version that packets 2 and 4 carry.
Version DeviceDesk::version_with(bool encrypted) {
  Version version = version_spoken;
  version.extra = encrypted ? extra_dtls : 0;
  return version;
}

Registration::Send DeviceDesk::sender(std::uint16_t port) {
  const Registration& registration = *place(port).registration;
  // The handshake itself is not the desk's business. If a registration ends before it is done, the device is told in
  // plain.
  if (registration.is_encrypted() && registration.is_ready())
    return [this, port](ByteView datagram) { outside_.send_encrypted(port, datagram); };
  return [this, port, device = registration.device()](ByteView datagram) {
    outside_.send(port, device, datagram);
  };
}

Registration::Draw DeviceDesk::drawer(std::uint16_t port) {
  return [this, port] {
    const Liveliness liveliness = outside_.draw(*place(port).session, drawn_);
    return Registration::Picture{drawn_, liveliness};
  };
}

void DeviceDesk::alert(ErrorCode code, const DeviceEndpoint& device, const std::string& uid,
                       std::string message) {
  outside_.alert({code, device, uid, std::move(message)});
}

/// Answers a datagram that belongs to no registration, with no more bytes than it has.
void DeviceDesk::refuse(std::uint16_t from, const DeviceEndpoint& to, std::uint64_t registration,
                        const Rejection& rejection, std::size_t bytes_max) {
  outside_.send(from, to, encode_failure(registration, rejection, bytes_max));
}

/// Whether packet 1 or 3 is served; otherwise it has been answered, if it gets an answer.
bool DeviceDesk::is_admitted(std::uint16_t port, const DeviceEndpoint& from, const DatagramHead& head) {
  const Judgement judgement =
      stopping_ ? Judgement{Admitted::refused, stopping} : outside_.judge(from.address);
  if (judgement.admitted == Admitted::yes) return true;
  if (judgement.admitted == Admitted::refused)
    refuse(port, from, head.registration, judgement.rejection, limits::device_request_bytes);
  else
    ++counts_.too_fast;
  return false;
}

// ---- Time ----

std::optional<AwakeTime> DeviceDesk::due() const {
  std::optional<AwakeTime> due = requests_.next_look();
  if (!deadlines_.empty()) earliest(due, deadlines_.begin()->first);
  if (!idle_.empty()) earliest(due, idle_.begin()->first);
  return due;
}

void DeviceDesk::advance(AwakeTime now) {
  look_at_requests(now);
  look_at_idle(now);
  while (!deadlines_.empty() && deadlines_.begin()->first <= now) go_on(deadlines_.begin()->second, now);
}

/// Sends what is due to a registration, or ends it, and notes when to look again.
void DeviceDesk::go_on(std::uint16_t port, AwakeTime now) {
  Place& here = place(port);
  if (here.registration == nullptr) return;
  const Registration::State before = here.registration->state();
  switch (here.registration->advance(now, sender(port), drawer(port))) {
    case Registration::Fate::lives:
      if (before == Registration::State::registered &&
          here.registration->state() == Registration::State::configuring)
        log(here.registration->device().address, handler_event::getting_device_config());
      return schedule(port);
    case Registration::Fate::lost:
      return end_registration(port, std::nullopt);
    case Registration::Fate::used_up:
      return end_registration(port, Rejection{ErrorCode::registration_unknown, "register again"});
    case Registration::Fate::handshake_missing:
      return end_registration(
          port, Rejection{ErrorCode::tls_handshake_failed, "the DTLS handshake was not done within 10 s"});
    case Registration::Fate::config_missing:
      const Rejection missing{ErrorCode::device_config_missing, "eSP0008 could not get the device config"};
      alert(missing.code, here.registration->device(), {}, missing.message);
      return end_registration(port, missing);
  }
}

/// Notes when to look at the registration again, and when it gives way to another one.
void DeviceDesk::schedule(std::uint16_t port) {
  Place& here = place(port);
  if (const auto yield = yield_of(port); yield != here.yield) {
    if (here.yield) yields_.erase(*here.yield);
    if (yield) yields_.insert(*yield);
    here.yield = yield;
  }
  const auto due = here.registration == nullptr ? std::nullopt : here.registration->due();
  if (due == here.scheduled) return;
  if (here.scheduled) deadlines_.erase({*here.scheduled, port});
  if (due) deadlines_.emplace(*due, port);
  here.scheduled = due;
}

void DeviceDesk::look_at_requests(AwakeTime now) {
  while (const auto incomplete = requests_.take_incomplete(now))
    alert(ErrorCode::registration_incomplete, incomplete->device, {}, "could not complete registration");
}

/// Notes when to look whether the session is idle; nothing if it never is.
void DeviceDesk::look_at_later(DeviceSession& session) {
  if (session.looked_at()) idle_.erase({*session.looked_at(), session.number()});
  session.look_at(session.idle_at());
  if (session.looked_at()) idle_.emplace(*session.looked_at(), session.number());
}

void DeviceDesk::look_at_idle(AwakeTime now) {
  while (!idle_.empty() && idle_.begin()->first <= now) {
    DeviceSession& session = *book_.find(idle_.begin()->second);
    if (const auto at = session.idle_at(); at && *at > now) {
      look_at_later(session);
      continue;
    }
    const Rejection idle{ErrorCode::session_idle, "no input for too long; the session has ended"};
    alert(idle.code, session.endpoint(), session.device().uid, idle.message);
    end_session(session, idle);
  }
}

void DeviceDesk::check() {
  const auto counts = ports_.counts();
  expect_invariant(counts.free + counts.used + counts.taken == places_.size(), "no port is lost");
  std::size_t used = 0;
  std::map<Address, std::size_t> sessionless;
  for (std::size_t index = 0; index < places_.size(); ++index) {
    const Place& here = places_[index];
    const auto port = static_cast<std::uint16_t>(ports_.first() + index);
    if (here.registration == nullptr) {
      expect_invariant(here.session == nullptr && !here.scheduled && !here.yield,
                       "a port without a registration has nothing");
      continue;
    }
    ++used;
    here.registration->check();
    expect_invariant(!ports_.is_free(port), "the port of a registration is in use");
    expect_invariant(here.registration->due() == here.scheduled,
                     "what a registration has to do is scheduled");
    expect_invariant(here.yield == yield_of(port) && (!here.yield || yields_.contains(*here.yield)),
                     "a registration that would give way stands in their order");
    if (here.session == nullptr) ++sessionless[here.registration->device().address];
    expect_invariant(here.session == nullptr || here.session->port() == port,
                     "a registration and its session know each other");
  }
  expect_invariant(used == counts.used, "a port is used exactly if it has a registration");
  expect_invariant(deadlines_.size() <= used, "only registrations have deadlines");
  expect_invariant(yields_.size() <= used, "only registrations give way");
  expect_invariant(sessionless_ == sessionless, "registrations without a session are counted");
  expect_invariant(idle_.size() <= book_.size(), "only sessions are looked at");
  book_.check();
  book_.for_each([&](const DeviceSession& session) {
    if (session.port())
      expect_invariant(place(*session.port()).session == &session,
                       "a session and its registration know each other");
  });
}

}  // namespace lekt
