// A device with its socket: gives a DeviceLink what comes from the server, and sends what it wants to be sent. One socket
// for both ports of the server, so that a router sees one sender.
//
// Its owner waits: it calls receive() when the descriptor is readable, and send() after everything and when due() has come. What the system refuses to send is as lost as what the network loses. Knows no clock. Used by one thread.
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
    std::optional<DeviceWire::Dtls> dtls = {};  ///< the device wants it if it is given
  };

  /// Throws CodedError E701 if there can be no such socket.
  UdpDevice(const Settings& settings, AwakeTime now);
  UdpDevice(const UdpDevice&) = delete;
  UdpDevice& operator=(const UdpDevice&) = delete;

  int descriptor() const { return socket_.value(); }
  /// Takes one datagram that has come; false: none has.
  bool receive(AwakeTime now);
  /// Of one turn, so that a flood does not keep the user from being heard.
  static constexpr int datagrams_at_once = 64;
  /// Sends what is to be sent.
  void send(AwakeTime now);
  std::optional<AwakeTime> due() const { return wire_.due(); }

  /// The server has another address. For a device without a registration.
  void turn_to(Address server) { server_ = server; }

  DeviceLink& link() { return link_; }
  const DeviceLink& link() const { return link_; }
  /// Whether the server has shown anything yet; before that the device shows its own messages.
  bool has_screen() const { return has_screen_; }
  /// Why the system has not sent the last datagram; empty if it has.
  std::string send_error() const;
  /// What it can say about why it does not get on: the server's words, or its own, and what the system has said last.
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
  int error_ = 0;  ///< of the last datagram that could not be sent; 0 if it could
  Bytes buffer_;
};

}  // namespace lekt::command
