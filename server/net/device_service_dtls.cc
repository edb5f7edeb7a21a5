// DTLS of devices: handshakes, and what is opened and sealed.
#include <utility>

#include "server/net/device_measure.h"
#include "server/net/device_service.h"

namespace lekt {

void DeviceService::registered(std::uint16_t port, const DeviceEndpoint& device, bool encrypted) {
  Port& here = port_at(port);
  here.sent = 0;
  here.input_taken.reset();
  if (current_) here.local = current_->local;
  if (!encrypted) return;
  here.encryption = std::make_unique<Encryption>(*settings_.dtls, now_, device);
  schedule_handshake(port, here.encryption->session.due());
}

/// Who is not told why hears nothing of the end of DTLS either: its address may be somebody else's by now.
void DeviceService::registration_ended(std::uint16_t port, const std::optional<Rejection>& reason) {
  Port& here = port_at(port);
  if (here.encryption == nullptr) return;
  DtlsSession::Datagrams last;
  if (reason) here.encryption->session.close(last);
  send_records(port, last);
  schedule_handshake(port, std::nullopt);
  here.encryption.reset();
}

void DeviceService::send_encrypted(std::uint16_t port, ByteView datagram) {
  Encryption& encryption = *port_at(port).encryption;
  note_sent(port, encryption.device, datagram);
  DtlsSession::Datagrams records;
  encryption.session.send(datagram, records);
  send_records(port, records);
}

void DeviceService::send_records(std::uint16_t port, const std::vector<Bytes>& datagrams) {
  Port& here = port_at(port);
  for (const Bytes& bytes : datagrams) {
    device_meters_.datagrams_sent.add();
    device_meters_.bytes_sent.add(bytes.size());
    here.socket->send(here.local, here.encryption->device, bytes);
  }
}

/// What comes from elsewhere than the registration, or without one, is nobody's.
void DeviceService::take_record(std::uint16_t port, const UdpSocket::Arrival& arrival) {
  Port& here = port_at(port);
  if (here.encryption == nullptr || here.encryption->device != arrival.from)
    return device_meters_.malformed.add();
  const Encryption* const encryption = here.encryption.get();
  DtlsSession& dtls = here.encryption->session;
  const bool was_open = dtls.phase() != DtlsSession::Phase::handshaking;
  here.local = arrival.local;
  DtlsSession::Datagrams to_send;
  DtlsSession::Datagrams received;
  dtls.receive(arrival.datagram, now_, to_send, received);
  send_records(port, to_send);
  schedule_handshake(port, dtls.due());
  if (!was_open && dtls.phase() == DtlsSession::Phase::failed) report_failure(*encryption);
  if (!was_open && dtls.phase() == DtlsSession::Phase::open) desk_.handshake_done(port, now_);
  for (const Bytes& datagram : received) {
    if (here.encryption.get() != encryption) return;  // the registration is over
    note_received(arrival.from, datagram);
    log_received(port, arrival.from, datagram);
    const Measured measured(desk_, port, device_meters_);
    desk_.receive_decrypted(port, datagram, now_);
    was_heard(port, arrival.local);
  }
}

/// The registration itself ends when its time for the handshake is over.
void DeviceService::report_failure(const Encryption& encryption) {
  log_event(
      level_of_line(encryption.device.address), "device_handshake_failed",
      {{"address", to_string(encryption.device.address)}, {"reason", encryption.session.failure().text()}});
}

/// Notes when the handshake of the port has something to do; nothing when it never has.
void DeviceService::schedule_handshake(std::uint16_t port, std::optional<AwakeTime> due) {
  Encryption& encryption = *port_at(port).encryption;
  if (due == encryption.due) return;
  if (encryption.due) handshakes_.erase({*encryption.due, port});
  if (due) handshakes_.emplace(*due, port);
  encryption.due = due;
}

void DeviceService::advance_handshakes() {
  while (!handshakes_.empty() && handshakes_.begin()->first <= now_) {
    const std::uint16_t port = handshakes_.begin()->second;
    Encryption& encryption = *port_at(port).encryption;
    DtlsSession::Datagrams to_send;
    encryption.session.on_timer(now_, to_send);
    send_records(port, to_send);
    schedule_handshake(port, encryption.session.due());
    if (encryption.session.phase() == DtlsSession::Phase::failed) report_failure(encryption);
  }
}

}  // namespace lekt
