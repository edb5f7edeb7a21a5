// DTLS of devices: handshakes, and what is opened and sealed.
#include <utility>

#include "server/net/device_measure.h"
#include "server/net/device_service.h"

namespace lekt {

void DeviceService::registered(std::uint16_t port, const DeviceEndpoint& device, bool encrypted) {
  Port& here = port_at(port);
  here.device = device;
  here.sent = 0;
  if (current_) here.local = current_->local;
  if (!encrypted) return;
  here.dtls = std::make_unique<DtlsSession>(*settings_.dtls, now_);
  schedule_handshake(port);
}

void DeviceService::registration_ended(std::uint16_t port, const std::optional<Rejection>&) {
  Port& here = port_at(port);
  if (here.dtls == nullptr) return;
  DtlsSession::Datagrams last;
  here.dtls->close(last);
  send_records(port, last);
  here.dtls.reset();
  schedule_handshake(port);
}

void DeviceService::send_encrypted(std::uint16_t port, ByteView datagram) {
  Port& here = port_at(port);
  note_sent(port, here.device, datagram);
  if (here.dtls == nullptr) return;
  DtlsSession::Datagrams records;
  here.dtls->send(datagram, records);
  send_records(port, records);
}

void DeviceService::send_records(std::uint16_t port, const std::vector<Bytes>& datagrams) {
  Port& here = port_at(port);
  for (const Bytes& bytes : datagrams) {
    device_meters_.datagrams_sent.add();
    device_meters_.bytes_sent.add(bytes.size());
    here.socket->send(here.local, here.device, bytes);
  }
}

/// What comes from elsewhere than the registration, or without one, is nobody's.
void DeviceService::take_record(std::uint16_t port, const UdpSocket::Arrival& arrival) {
  Port& here = port_at(port);
  if (here.dtls == nullptr || here.device != arrival.from) return device_meters_.malformed.add();
  DtlsSession& dtls = *here.dtls;
  const DtlsSession::Phase before = dtls.phase();
  here.local = arrival.local;
  DtlsSession::Datagrams to_send;
  DtlsSession::Datagrams received;
  dtls.receive(arrival.datagram, now_, to_send, received);
  send_records(port, to_send);
  schedule_handshake(port);
  if (before == DtlsSession::Phase::handshaking && dtls.phase() == DtlsSession::Phase::open)
    desk_.handshake_done(port, now_);
  if (before == DtlsSession::Phase::handshaking && dtls.phase() == DtlsSession::Phase::failed)
    log_event(level_of_line(here.device.address), "device_handshake_failed",
              {{"address", to_string(here.device.address)}, {"reason", dtls.failure().text()}});
  for (const Bytes& datagram : received) {
    if (here.dtls.get() != &dtls) return;  // the registration is over
    note_received(arrival.from, datagram);
    log_received(port, arrival.from, datagram);
    const Measured measured(desk_, port, device_meters_);
    desk_.receive_decrypted(port, datagram, now_);
    was_heard(port, arrival.local);
  }
}

/// Notes when the handshake of the port has something to do; nothing without one.
void DeviceService::schedule_handshake(std::uint16_t port) {
  Port& here = port_at(port);
  const auto due = here.dtls == nullptr ? std::nullopt : here.dtls->due();
  if (due == here.dtls_due) return;
  if (here.dtls_due) handshakes_.erase({*here.dtls_due, port});
  if (due) handshakes_.emplace(*due, port);
  here.dtls_due = due;
}

void DeviceService::advance_handshakes() {
  while (!handshakes_.empty() && handshakes_.begin()->first <= now_) {
    const std::uint16_t port = handshakes_.begin()->second;
    DtlsSession::Datagrams to_send;
    port_at(port).dtls->on_timer(now_, to_send);
    send_records(port, to_send);
    schedule_handshake(port);
  }
}

}  // namespace lekt
