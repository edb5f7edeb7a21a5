// Stands between a DeviceLink and the network: it makes the DTLS handshakes of its registrations, and opens and seals
// what travels in their records (docs/device-protocol.md, "DTLS"). Without DTLS everything passes as it is.
//
// DTLS is not closed at the end: the device protocol has its own goodbye. Knows no socket and no clock. Used by one
// thread.
#pragma once

#include <cstdint>
#include <deque>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "client/device_link.h"
#include "tls/dtls_context.h"
#include "tls/dtls_session.h"

namespace lekt {

class DeviceWire {
 public:
  struct Dtls {
    std::shared_ptr<const DtlsContext> context;  ///< whom the device trusts, and what it shows
    std::string host;                            ///< what the server's certificate has to name
  };
  /// What the socket sends: to which port of the server (0: its contact port), and what.
  using Datagram = std::pair<std::uint16_t, Bytes>;

  /// The link outlives it. It wants encryption if `dtls` is given, and only then.
  DeviceWire(DeviceLink& link, std::optional<Dtls> dtls) : link_(link), dtls_(std::move(dtls)) {}

  /// Takes a datagram of the network; `port` as in DeviceLink::receive().
  void receive(std::uint16_t port, ByteView datagram, AwakeTime now);
  /// What is to be sent now; call it until it yields nothing.
  std::optional<Datagram> next(AwakeTime now);
  /// When to call next() if nothing happens before.
  std::optional<AwakeTime> due() const;

 private:
  struct Registration {
    DeviceLink::Encrypted of;
    std::unique_ptr<DtlsSession> session;
    bool is_open = false;  ///< the link knows that the handshake is done
  };

  void follow_link(AwakeTime now);
  void take_record(std::uint16_t port, ByteView record, AwakeTime now);
  bool tell_link(Registration& registration, AwakeTime now);
  void send_records(std::uint16_t port, std::vector<Bytes>& records);
  void advance(AwakeTime now);

  DeviceLink& link_;
  const std::optional<Dtls> dtls_;
  std::vector<Registration> registrations_;  ///< as the link has them: the newest first
  std::deque<Datagram> to_send_;
};

}  // namespace lekt
