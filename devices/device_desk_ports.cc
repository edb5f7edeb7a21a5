// The desk's side of packet 1 and of ports: which one is offered to whom.
#include <algorithm>
#include <array>

#include "devices/device_desk.h"

namespace lekt {

namespace {

/// How many silent devices are asked at once whether they are there, when no port is free.
constexpr std::size_t asked_at_once = 8;

/// The time between two alerts that no port is free.
constexpr AwakeTime exhausted_alerts_apart = std::chrono::minutes(1);

/// A registration that has no session after this time gives way when no port is free.
constexpr AwakeTime sessionless_patience = std::chrono::seconds(2);

const Rejection no_port{ErrorCode::ports_exhausted, "no port is free; try again later"};

}  // namespace

// ---- Packet 1 ----

void DeviceDesk::receive_at_contact(const DeviceEndpoint& from, Address local, ByteView datagram,
                                    AwakeTime now) {
  ++counts_.received;
  const auto head = read_head_to_server(datagram);
  if (!head || head->type != DatagramType::connection_request || from.port == 0) {
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
  const bool offers_encryption = (head->version.extra & extra_dtls) != 0;
  if (encryption_ == DeviceEncryption::required && !offers_encryption)
    return refuse(0, from, head->registration, encryption_wanted, limits::device_request_bytes);

  DeviceRequest* known = requests_.find(from.address, head->registration);
  const bool keeps_port = known != nullptr && (is_to_be_had(known->port, now) ||
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
  accept_connection(*known, offers_encryption && encryption_ != DeviceEncryption::off, now);
}

void DeviceDesk::accept_connection(DeviceRequest& request, bool encrypted, AwakeTime now) {
  request.note_accept(outside_.time());
  const Version version = version_with(encrypted);
  const TokenSubject subject{request.device.address, request.port, request.registration, version.extra};
  outside_.send(0, request.device,
                encode_datagram({DatagramType::connection_accept, version, request.registration, 0, 0},
                                ConnectionAccept{request.port, tokens_.make(subject, now)}));
}

// ---- Ports ----

/// The next free port whose socket is open.
std::optional<std::uint16_t> DeviceDesk::offer_free_port(AwakeTime now) {
  while (const auto port = ports_.offer(now)) {
    if (outside_.open(*port)) return port;
    ports_.set_aside(*port, now);
  }
  return std::nullopt;
}

/// The next port whose registration gives way. It keeps the port until packet 3 of the other device has come: packet 1
/// proves nothing, so it can take nothing from anybody.
std::optional<std::uint16_t> DeviceDesk::offer_used_port(AwakeTime now) {
  auto first = yields_.begin();
  if (first != yields_.end() && std::get<AwakeTime>(*first) > now)
    first = yields_.lower_bound({Yields::away, AwakeTime::min(), 0});
  if (first == yields_.end()) return std::nullopt;
  const auto port = std::get<std::uint16_t>(*first);
  place(port).offered = now;
  schedule(port);
  return port;
}

std::optional<std::uint16_t> DeviceDesk::choose_port(AwakeTime now) {
  auto port = offer_free_port(now);
  if (!port) port = offer_used_port(now);
  if (!port) ask_silent_ones(now);
  return port;
}

/// Whether a device to which the port was offered may have it.
bool DeviceDesk::is_to_be_had(std::uint16_t port, AwakeTime now) const {
  const Place& here = place(port);
  return ports_.is_free(port) || (here.offered && here.yield && std::get<AwakeTime>(*here.yield) <= now);
}

std::optional<DeviceDesk::Yield> DeviceDesk::yield_of(std::uint16_t port) const {
  const Place& here = place(port);
  if (here.registration == nullptr) return std::nullopt;
  if (here.session == nullptr)
    return Yield{Yields::sessionless,
                 here.offered.value_or(here.registration->since() + sessionless_patience), port};
  if (here.registration->state() != Registration::State::away) return std::nullopt;
  const AwakeTime since = here.registration->away_since();
  return Yield{Yields::away, std::max(since, here.offered.value_or(since)), port};
}

/// Tells operators that no port is free, once in a while and not for each device that comes.
void DeviceDesk::tell_exhausted(const DeviceEndpoint& device, AwakeTime now) {
  if (exhausted_told_ && now < *exhausted_told_ + exhausted_alerts_apart) return;
  exhausted_told_ = now;
  alert(no_port.code, device, {}, "no port is free for a device; widen --device-ports");
}

/// Asks silent devices whether they are there: one of them may be dead, and nobody would know. Once asked, a
/// device is away unless it answers. Asks those at an address, or all; all of them not with every request.
void DeviceDesk::ask_silent_ones(AwakeTime now, const std::optional<Address>& at) {
  if (!at && asked_ && now < *asked_ + Registration::asked_patience) return;
  if (!at) asked_ = now;
  std::array<std::pair<AwakeTime, std::uint16_t>, asked_at_once> silent{};
  std::size_t count = 0;
  for (std::size_t index = 0; index < places_.size(); ++index) {
    const Registration* const registration = places_[index].registration.get();
    if (registration == nullptr || registration->state() != Registration::State::serving) continue;
    if (at && registration->device().address != *at) continue;
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

}  // namespace lekt
