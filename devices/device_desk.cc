// The desk's side of ports and time; that of sessions is device_desk_sessions.cc.
#include "devices/device_desk.h"

#include <algorithm>
#include <array>
#include <stdexcept>

#include "common/invariant.h"

namespace lekt {

namespace {

/// So many silent devices are asked at once whether they are there, when no port is free.
constexpr std::size_t asked_at_once = 8;

/// Between two alerts that no port is free.
constexpr AwakeTime exhausted_alerts_apart = std::chrono::minutes(1);

const Rejection stopping{ErrorCode::server_stopping, "the server is shutting down; register again later"};
const Rejection no_port{ErrorCode::ports_exhausted, "no port is free; try again later"};

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

void DeviceDesk::use(const Settings& settings) { book_.use(settings.limits, settings.groups); }

const Registration* DeviceDesk::registration(std::uint16_t port) const {
  return ports_.contains(port) ? place(port).registration.get() : nullptr;
}

Registration::Send DeviceDesk::sender(std::uint16_t port) {
  return [this, port, device = place(port).registration->device()](ByteView datagram) {
    outside_.send(port, device, datagram);
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

// ---- Packet 1 ----

void DeviceDesk::receive_at_contact(const DeviceEndpoint& from, Address local, ByteView datagram,
                                    AwakeTime now) {
  ++counts_.received;
  const auto head = read_head_to_server(datagram);
  if (!head || head->type != DatagramType::connection_request) {
    ++counts_.malformed;
    return;
  }
  if (!is_admitted(0, from, *head)) return;
  if (head->version.major != version_spoken.major || head->version.minor != version_spoken.minor)
    return refuse(0, from, head->registration,
                  {ErrorCode::version_unsupported, "this server speaks version " +
                                                       std::to_string(version_spoken.major) + "." +
                                                       std::to_string(version_spoken.minor)},
                  limits::device_request_bytes);

  DeviceRequest* known = requests_.find(from.address, head->registration);
  const bool keeps_port = known != nullptr && (ports_.is_free(known->port) ||
                                               place(known->port).last_number == head->registration);
  if (!keeps_port) {
    const auto port = choose_port(now);
    if (!port) {
      tell_exhausted(from, now);
      return refuse(0, from, head->registration, no_port, limits::device_request_bytes);
    }
    if (known == nullptr) known = &requests_.add({from, head->registration, *port, local, false, now, {}, 0});
    known->port = *port;
  }
  known->device = from;
  accept_connection(*known, now);
}

void DeviceDesk::accept_connection(DeviceRequest& request, AwakeTime now) {
  request.note_accept(outside_.time());
  const TokenSubject subject{request.device.address, request.port, request.registration, 0};
  outside_.send(0, request.device,
                encode_datagram({DatagramType::connection_accept, version_spoken, request.registration, 0, 0},
                                ConnectionAccept{request.port, tokens_.make(subject, now)}));
}

// ---- Ports ----

/// The next free port whose socket is open.
std::optional<std::uint16_t> DeviceDesk::offer_port(AwakeTime now) {
  while (const auto port = ports_.offer(now)) {
    if (outside_.open(*port)) return port;
    ports_.set_aside(*port, now);
  }
  return std::nullopt;
}

std::optional<std::uint16_t> DeviceDesk::choose_port(AwakeTime now) {
  if (const auto port = offer_port(now)) return port;
  const Place* longest_away = nullptr;
  for (const Place& place : places_)
    if (place.registration != nullptr && place.registration->state() == Registration::State::away &&
        (longest_away == nullptr ||
         place.registration->away_since() < longest_away->registration->away_since()))
      longest_away = &place;
  if (longest_away == nullptr) {
    ask_silent_ones(now);
    return std::nullopt;
  }
  // Its device hears nothing, so nobody is told; the session stays.
  end_registration(static_cast<std::uint16_t>(ports_.first() + (longest_away - places_.data())),
                   std::nullopt);
  return offer_port(now);
}

/// Operators hear of it once in a while, and not for each device that comes.
void DeviceDesk::tell_exhausted(const DeviceEndpoint& device, AwakeTime now) {
  if (exhausted_told_ && now < *exhausted_told_ + exhausted_alerts_apart) return;
  exhausted_told_ = now;
  alert(no_port.code, device, {}, "no port is free for a device; widen --device-ports");
}

/// A device that says nothing may be dead, and nobody would know. Asked, it is away unless it answers.
void DeviceDesk::ask_silent_ones(AwakeTime now) {
  std::array<std::pair<AwakeTime, std::uint16_t>, asked_at_once> silent{};
  std::size_t count = 0;
  for (std::size_t index = 0; index < places_.size(); ++index) {
    const Registration* const registration = places_[index].registration.get();
    if (registration == nullptr || registration->state() != Registration::State::serving) continue;
    const std::pair candidate(registration->heard(), static_cast<std::uint16_t>(ports_.first() + index));
    if (count < silent.size()) {
      silent[count++] = candidate;
      std::ranges::push_heap(silent.begin(), silent.begin() + static_cast<std::ptrdiff_t>(count));
    } else if (candidate < silent.front()) {
      std::ranges::pop_heap(silent);
      silent.back() = candidate;
      std::ranges::push_heap(silent);
    }
  }
  for (std::size_t index = 0; index < count; ++index) {
    const std::uint16_t port = silent[index].second;
    place(port).registration->ask(now, sender(port));
    schedule(port);
  }
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
  switch (here.registration->advance(now, sender(port))) {
    case Registration::Fate::lives:
      if (before == Registration::State::registered &&
          here.registration->state() == Registration::State::configuring)
        log(here.registration->device().address, handler_event::getting_device_config());
      return schedule(port);
    case Registration::Fate::lost:
      return end_registration(port, std::nullopt);
    case Registration::Fate::used_up:
      return end_registration(port, Rejection{ErrorCode::registration_unknown, "register again"});
    case Registration::Fate::config_missing:
      const Rejection missing{ErrorCode::device_config_missing, "eSP0008 could not get the device config"};
      alert(missing.code, here.registration->device(), {}, missing.message);
      return end_registration(port, missing);
  }
}

void DeviceDesk::schedule(std::uint16_t port) {
  Place& here = place(port);
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
  for (std::size_t index = 0; index < places_.size(); ++index) {
    const Place& here = places_[index];
    const auto port = static_cast<std::uint16_t>(ports_.first() + index);
    if (here.registration == nullptr) {
      expect_invariant(here.session == nullptr && !here.scheduled,
                       "a port without a registration has nothing");
      continue;
    }
    ++used;
    here.registration->check();
    expect_invariant(!ports_.is_free(port), "the port of a registration is in use");
    expect_invariant(here.registration->due() == here.scheduled,
                     "what a registration has to do is scheduled");
    expect_invariant(here.session == nullptr || here.session->port() == port,
                     "a registration and its session know each other");
  }
  expect_invariant(used == counts.used, "a port is used exactly if it has a registration");
  expect_invariant(deadlines_.size() <= used, "only registrations have deadlines");
  expect_invariant(idle_.size() <= book_.size(), "only sessions are looked at");
  book_.for_each([&](const DeviceSession& session) {
    if (session.port())
      expect_invariant(place(*session.port()).session == &session,
                       "a session and its registration know each other");
  });
}

}  // namespace lekt
