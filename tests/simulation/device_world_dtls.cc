#include "tests/simulation/device_world_dtls.h"

#include "tests/simulation/device_world.h"
#include "tests/simulation/device_world_site.h"
#include "tests/tls/dtls_pair.h"

namespace lekt::test {

namespace {

using DtlsPhase = DtlsSession::Phase;

/// The files are needed only while they are read.
struct WorldCertificates {
  WorldCertificates() : WorldCertificates(TestCertificates()) {}
  explicit WorldCertificates(const TestCertificates& files)
      : server(settings_of(files.server)),
        device(std::make_shared<const DtlsContext>(make_dtls_context({.authorities = files.ca}))) {}

  DtlsContext server;
  std::shared_ptr<const DtlsContext> device;
};

const WorldCertificates& world_certificates() {
  static const WorldCertificates certificates;
  return certificates;
}

}  // namespace

// ---- The server's sessions ----

DeviceWorldDtls::Session::Session(const DeviceEndpoint& its_device, std::uint64_t its_registration,
                                  AwakeTime now)
    : device(its_device), registration(its_registration), dtls(world_certificates().server, now) {}

DeviceWire::Dtls DeviceWorldDtls::of_device() { return {world_certificates().device, "127.0.0.1"}; }

void DeviceWorldDtls::registered(std::uint16_t port, const DeviceEndpoint& device,
                                 std::uint64_t registration) {
  sessions_.try_emplace(port, device, registration, now_);
}

void DeviceWorldDtls::registration_ended(std::uint16_t port, bool is_told) {
  const auto found = sessions_.find(port);
  if (found == sessions_.end()) return;
  DtlsSession::Datagrams last;
  if (is_told) found->second.dtls.close(last);
  send_(port, found->second.device, last);
  sessions_.erase(found);
}

void DeviceWorldDtls::send(std::uint16_t port, ByteView datagram) {
  Session& session = sessions_.at(port);
  DtlsSession::Datagrams records;
  session.dtls.send(datagram, records);
  send_(port, session.device, records);
}

void DeviceWorldDtls::note(DtlsPhase before, const Session& session) {
  if (before != DtlsPhase::handshaking) return;
  if (session.dtls.phase() == DtlsPhase::open) ++handshakes_;
  if (session.dtls.phase() == DtlsPhase::failed) ++failures_;
}

void DeviceWorldDtls::receive(DeviceDesk& desk, std::uint16_t port, const DeviceEndpoint& from,
                              ByteView record) {
  const auto found = sessions_.find(port);
  if (found == sessions_.end() || found->second.device != from) return;
  Session& session = found->second;
  const DtlsPhase before = session.dtls.phase();
  const std::uint64_t registration = session.registration;
  DtlsSession::Datagrams to_send;
  DtlsSession::Datagrams received;
  session.dtls.receive(record, now_, to_send, received);
  send_(port, from, to_send);
  note(before, session);
  if (before == DtlsPhase::handshaking && session.dtls.phase() == DtlsPhase::open)
    desk.handshake_done(port, now_);
  for (const Bytes& datagram : received)
    if (is_open(port, registration)) desk.receive_decrypted(port, datagram, now_);
}

void DeviceWorldDtls::advance(AwakeTime now) {
  clock_.advance(now - now_);
  now_ = now;
  for (auto& [port, session] : sessions_) {
    if (const auto due = session.dtls.due(); !due || now < *due) continue;
    const DtlsPhase before = session.dtls.phase();
    DtlsSession::Datagrams records;
    session.dtls.on_timer(now, records);
    send_(port, session.device, records);
    note(before, session);
  }
}

std::optional<AwakeTime> DeviceWorldDtls::due() const {
  std::optional<AwakeTime> due;
  for (const auto& [port, session] : sessions_) earliest(due, session.dtls.due());
  return due;
}

bool DeviceWorldDtls::is_open(std::uint16_t port, std::uint64_t registration) const {
  const auto found = sessions_.find(port);
  return found != sessions_.end() && found->second.registration == registration &&
         found->second.dtls.phase() == DtlsPhase::open;
}

// ---- The oracle's rules ----

/// Of a device that wants DTLS, packets 1 to 4 travel as they are, and refusals until the handshake is done.
void DeviceWorld::check_secrecy(const Flight& flight) const {
  const Device& device = devices_[flight.device];
  const bool is_record = is_dtls_record(flight.bytes);
  expect_guarantee(device.encrypted || !is_record, "who has not agreed to DTLS gets no records");
  if (!device.encrypted || is_record) return;
  const std::string_view plain = flight.to_server ? "CG" : "PYF";
  const char type = flight.bytes[4];
  expect_guarantee(plain.find(type) != plain.npos,
                   "packet " + std::string(1, type) + " of " + device.uid + " travels in a record");
  if (flight.to_server || flight.port == 0) return;
  const auto head = read_head_to_device(flight.bytes);
  expect_guarantee(head && !dtls_->is_open(flight.port, head->registration),
                   "nothing is said to " + device.uid + " as it is once its handshake is done");
}

/// A device that wants DTLS has its session in it, and in nothing else.
void DeviceWorld::check_secrecy(const DeviceSession& session) const {
  for (const Device& device : devices_) {
    if (device.uid != session.device().uid || !device.encrypted || !session.port()) continue;
    const Registration* const registration = desk_->registration(*session.port());
    expect_guarantee(registration->is_encrypted() && dtls_->is_open(*session.port(), registration->number()),
                     "the session of " + device.uid + " is in DTLS");
  }
}

void DeviceWorld::impersonate(std::size_t index) {
  Device& device = devices_[index];
  if (!device.encrypted || device.link->phase() != DeviceLink::Phase::serving) return;
  const auto encrypted = device.link->encrypted();
  if (encrypted.size() != 1 || device.link->delivery() == nullptr) return;  // it registers anew
  const auto [number, port] = encrypted.front();
  const Registration* registration = desk_->registration(port);
  if (!dtls_->is_open(port, number) || registration->device() != device.endpoint) return;
  pump(index);
  ++statistics_.impersonated;
  const std::uint64_t datagrams = statistics_.datagrams;
  const std::uint64_t inputs = statistics_.inputs;

  const std::uint32_t next = registration->delivery().received() + 1;
  Bytes items;
  append_item(items, TypedItem{device.uid + " 1000000"});
  const DatagramHead to_server{DatagramType::message, version_spoken, number, next, next - 1};
  for (const Bytes& forged : {encode_datagram(to_server, InputMessage{1'000'000, items}),
                              encode_datagram(to_server, Bye{}), random_record()}) {
    if (is_dtls_record(forged))
      dtls_->receive(*desk_, port, device.endpoint, forged);
    else
      desk_->receive(port, device.endpoint, forged, now_);
  }
  const std::uint32_t next_to_device = device.link->delivery()->received() + 1;
  const DatagramHead to_device{DatagramType::message, version_spoken, number, next_to_device, 0};
  Bytes screen;
  append_item(screen, BellItem{});
  const std::uint64_t bells = device.link->bells();
  for (const Bytes& forged :
       {encode_datagram(to_device, ScreenMessage{screen}),
        encode_failure(number, {ErrorCode::host_hung_up, "somebody else"}), random_record()})
    device.wire->receive(port, forged, now_);

  pump(index);
  registration = desk_->registration(port);
  expect_guarantee(registration != nullptr && registration->number() == number &&
                       dtls_->is_open(port, number) && device.link->phase() == DeviceLink::Phase::serving &&
                       device.link->encrypted().size() == 1,
                   "what somebody else sends as it is ends nothing");
  expect_guarantee(inputs == statistics_.inputs && bells == device.link->bells(),
                   "what somebody else sends as it is is not taken");
  expect_guarantee(datagrams == statistics_.datagrams, "what somebody else sends as it is is not answered");
}

/// Of any type, before or after the keys.
Bytes DeviceWorld::random_record() {
  const Bytes content = random_.bytes(random_.below(100));
  Bytes record;
  ByteWriter writer(record);
  writer.u8(static_cast<std::uint8_t>(random_.between(20, 25)));
  writer.u16(0xfefd);
  writer.u16(static_cast<std::uint16_t>(random_.below(3)));
  writer.zeros(2);
  writer.u32(static_cast<std::uint32_t>(random_.below(100)));
  writer.u16(static_cast<std::uint16_t>(content.size()));
  writer.bytes(content);
  return record;
}

}  // namespace lekt::test
