// A device with its socket: gives a DeviceLink what comes from the server, and sends what the link wants to be sent.
// One socket for both ports of the server, so that a router sees one sender.
//
// Its owner does the waiting: it calls receive() when the descriptor is readable, and send() after every other call and
// when due() has come. A datagram that the system refuses to send is as lost as one that the network loses. Knows no
// clock. Used by one thread.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <utility>

#include "client/device_link.h"
#include "client/device_wire.h"
#include "common/address.h"
#include "common/descriptor.h"

namespace lekt::command {

class UdpDevice {
 public:
  struct Settings {
    Address server;
    std::uint16_t server_port = 0;  ///< its contact port
    Address own_address{};          ///< 0.0.0.0: the machine chooses
    std::uint16_t own_port = 0;     ///< 0: any
    DeviceLink::Settings device;
    std::optional<DeviceWire::Dtls> dtls = {};  ///< given if the device wants DTLS
  };

  /// Opens the socket. Throws CodedError E701 if that is not possible.
  UdpDevice(const Settings& settings, AwakeTime now);
  UdpDevice(const UdpDevice&) = delete;
  UdpDevice& operator=(const UdpDevice&) = delete;

  int descriptor() const { return socket_.value(); }
  /// Takes one datagram; false if none has come.
  bool receive(AwakeTime now);
  /// The most datagrams of one turn, so that a flood does not keep the user from being heard.
  static constexpr int datagrams_at_once = 64;
  /// Sends what is to be sent.
  void send(AwakeTime now);
  std::optional<AwakeTime> due() const { return wire_.due(); }

  /// Uses another address of the server. For a device without a registration.
  void turn_to(Address server) { server_ = server; }

  DeviceLink& link() { return link_; }
  const DeviceLink& link() const { return link_; }
  /// Whether the server has shown anything yet; before that the device shows its own messages.
  bool has_screen() const { return has_screen_; }
  /// Why the system has not sent the last datagram; empty if it has.
  std::string send_error() const;
  /// Why the device makes no progress: the server's words, or its own, and the system's last error.
  Rejection trouble() const;

 private:
  // Everything that enters and leaves the socket goes through these two.
  void send_datagram(std::uint16_t port, ByteView datagram);
  /// A datagram of the server and the port that it came from; nothing when none is left. Strangers are passed over.
  std::optional<std::pair<std::uint16_t, ByteView>> receive_datagram();

  Descriptor socket_;
  Address server_;
  const std::uint16_t server_port_;
  DeviceLink link_;
  DeviceWire wire_;
  bool has_screen_ = false;
  int error_ = 0;  ///< why the last datagram could not be sent; 0 if it could
  Bytes buffer_;
};

}  // namespace lekt::command
