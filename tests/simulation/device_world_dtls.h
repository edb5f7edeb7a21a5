// The server's DTLS in a DeviceWorld: real sessions (tls/dtls_session.h) in the world's time, as the server has them for its
// ports. Devices have theirs in client/device_wire.h.
//
// OpenSSL draws random numbers of its own. They change no more than the length of a signature, by a few bytes, and nothing
// in a world depends on it: the same seed still makes the same world.
#pragma once

#include <functional>
#include <map>
#include <optional>

#include "client/device_wire.h"
#include "devices/device_desk.h"
#include "tests/tls/virtual_wall_clock.h"

namespace lekt::test {

class DeviceWorldDtls {
 public:
  using Send =
      std::function<void(std::uint16_t port, const DeviceEndpoint& device, const DtlsSession::Datagrams&)>;

  explicit DeviceWorldDtls(Send send) : send_(std::move(send)) {}

  /// What a device needs. All worlds have the same certificates.
  static DeviceWire::Dtls of_device();

  // ---- What the desk tells of its registrations, and sends ----

  void registered(std::uint16_t port, const DeviceEndpoint& device, std::uint64_t registration);
  /// `is_told`: its device hears why.
  void registration_ended(std::uint16_t port, bool is_told);
  void send(std::uint16_t port, ByteView datagram);

  // ---- What happens ----

  void receive(DeviceDesk& desk, std::uint16_t port, const DeviceEndpoint& from, ByteView record);
  void advance(AwakeTime now);
  std::optional<AwakeTime> due() const;
  /// The server has died, and its sessions with it.
  void forget() { sessions_.clear(); }

  /// The registration is that of the port, and its handshake is done.
  bool is_open(std::uint16_t port, std::uint64_t registration) const;
  std::uint64_t handshakes() const { return handshakes_; }
  std::uint64_t failures() const { return failures_; }

 private:
  struct Session {
    Session(const DeviceEndpoint& its_device, std::uint64_t its_registration, AwakeTime now);

    DeviceEndpoint device;
    std::uint64_t registration;
    DtlsSession dtls;
  };

  void note(DtlsSession::Phase before, const Session& session);

  Send send_;
  VirtualWallClock clock_;
  AwakeTime now_{0};
  std::map<std::uint16_t, Session> sessions_;  ///< by port
  std::uint64_t handshakes_ = 0;
  std::uint64_t failures_ = 0;
};

}  // namespace lekt::test
