#include "client/device_wire.h"

#include <algorithm>

#include "client/device_dtls.h"

namespace lekt {

namespace {

using Phase = DtlsSession::Phase;

}  // namespace

void DeviceWire::receive(std::uint16_t port, ByteView datagram, AwakeTime now) {
  if (is_dtls_record(datagram))
    take_record(port, datagram, now);
  else if (datagram.size() <= limits::datagram_bytes_max)
    link_.receive(port, datagram, now);
  follow_link(now);
}

std::optional<DeviceWire::Datagram> DeviceWire::next(AwakeTime now) {
  advance(now);
  while (to_send_.empty()) {
    auto datagram = link_.next(now);
    follow_link(now);
    if (!datagram) return std::nullopt;
    if (datagram->sealed_for == 0) return Datagram{datagram->port, std::move(datagram->bytes)};
    for (Registration& registration : registrations_) {
      if (registration.of.registration != datagram->sealed_for) continue;
      std::vector<Bytes> records;
      registration.session->send(datagram->bytes, records);
      send_records(registration.of.port, records);
      if (!tell_link(registration, now)) break;
    }
  }
  Datagram first = std::move(to_send_.front());
  to_send_.pop_front();
  return first;
}

std::optional<AwakeTime> DeviceWire::due() const {
  auto due = link_.due();
  for (const Registration& registration : registrations_)
    if (const auto of_session = registration.session->due()) earliest(due, *of_session);
  return due;
}

/// Keeps a DTLS session for each registration that travels in DTLS, and none for others.
void DeviceWire::follow_link(AwakeTime now) {
  if (!dtls_) return;
  std::vector<Registration> followed;
  for (const DeviceLink::Encrypted& encrypted : link_.encrypted()) {
    const auto known =
        std::ranges::find(registrations_, encrypted.registration,
                          [](const Registration& registration) { return registration.of.registration; });
    if (known != registrations_.end())
      followed.push_back(std::move(*known));
    else
      followed.push_back(
          {encrypted, std::make_unique<DtlsSession>(*dtls_->context, make_dtls_check(dtls_->host), now)});
  }
  registrations_ = std::move(followed);
}

void DeviceWire::take_record(std::uint16_t port, ByteView record, AwakeTime now) {
  const auto found = std::ranges::find(registrations_, port,
                                       [](const Registration& registration) { return registration.of.port; });
  if (port == 0 || found == registrations_.end()) return;
  std::vector<Bytes> records;
  std::vector<Bytes> received;
  found->session->receive(record, now, records, received);
  send_records(port, records);
  const std::uint64_t number = found->of.registration;
  if (!found->is_open && found->session->phase() == Phase::open) (void)tell_link(*found, now);
  for (const Bytes& datagram : received) link_.receive_decrypted(number, datagram, now);
  (void)tell_link(*found, now);
}

/// Tells the link what has become of the session. False: the session is over, and so is the registration.
bool DeviceWire::tell_link(Registration& registration, AwakeTime now) {
  const std::uint64_t number = registration.of.registration;
  switch (registration.session->phase()) {
    case Phase::handshaking:
      return true;
    case Phase::open:
      if (!std::exchange(registration.is_open, true)) link_.handshake_done(number, now);
      return true;
    case Phase::closed:
      // The server says why before it closes. If that was lost, the registration is simply gone.
      link_.dtls_ended(number, {ErrorCode::registration_unknown, "the server has closed DTLS"}, now);
      return false;
    case Phase::failed:
      link_.dtls_ended(number, registration.session->failure(), now);
      return false;
  }
  return false;
}

void DeviceWire::send_records(std::uint16_t port, std::vector<Bytes>& records) {
  for (Bytes& record : records) to_send_.emplace_back(port, std::move(record));
}

/// Begins handshakes, continues them, and gives them up.
void DeviceWire::advance(AwakeTime now) {
  for (Registration& registration : registrations_) {
    if (const auto due = registration.session->due(); !due || now < *due) continue;
    std::vector<Bytes> records;
    registration.session->on_timer(now, records);
    send_records(registration.of.port, records);
    (void)tell_link(registration, now);
  }
  follow_link(now);
}

}  // namespace lekt
