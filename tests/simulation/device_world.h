// Devices and the server's desk in one thread and virtual time, with the network between them: it delays, loses, repeats,
// overtakes and forges. The product's own code on both sides (devices/device_desk.h, client/device_link.h).
//
// Each session has its workplace (devices/workplace.h). If its group has hosts, its user chooses one on the screen, where
// there are several. A host echoes what is typed, some time later; sometimes it writes much, refuses, or hangs up.
//
// The oracle looks at every datagram and every input: what a user types arrives once and in order in the session, and at the
// host that the user has chosen; nobody sees another's screen; a stranger gets no more bytes than it sent; no port is lost; a
// session has one registration; what belongs to a device with DTLS travels in records (device_world_dtls.cc).
//
// Pure: the same seed makes the same world.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "client/device_link.h"
#include "devices/device_desk.h"
#include "devices/workplace.h"
#include "tests/simulation/device_world_dtls.h"
#include "tests/support/support.h"

namespace lekt::test {

class DeviceWorld : private DeviceDesk::Outside {
 public:
  struct Network {
    AwakeTime delay_min{5};
    AwakeTime delay_max{5};
    unsigned loss = 0;           ///< percent, each way
    unsigned loss_of_large = 0;  ///< percent, in addition, of datagrams above `large`
    std::size_t large = 100;     ///< bytes
    unsigned duplication = 0;    ///< percent
  };

  struct Statistics {
    std::uint64_t datagrams = 0;
    std::uint64_t lost = 0;
    std::uint64_t lost_for_size = 0;
    std::uint64_t duplicated = 0;
    std::uint64_t forged = 0;
    std::uint64_t inputs = 0;
    std::uint64_t sessions = 0;
    std::uint64_t resumed = 0;
    std::uint64_t ended = 0;
    std::uint64_t moves = 0;
    std::uint64_t reboots = 0;
    std::uint64_t restarts = 0;
    std::uint64_t repeated = 0;
    std::uint64_t ports_taken = 0;
    std::uint64_t connections = 0;  ///< to hosts
    std::uint64_t refusals = 0;     ///< of hosts
    std::uint64_t hang_ups = 0;
    std::uint64_t chosen = 0;     ///< connections of those who have several hosts
    std::uint64_t given_up = 0;   ///< attempts to connect
    std::uint64_t came_back = 0;  ///< to the selection, since a host hung up
    std::uint64_t echoes = 0;
    std::uint64_t floods = 0;
    std::uint64_t handshakes = 0;  ///< of DTLS, that the server has seen to their end
    std::uint64_t handshakes_failed = 0;
    std::uint64_t impersonated = 0;
    std::map<ErrorCode, std::uint64_t> alerts;
    std::map<ErrorCode, std::uint64_t> failures;  ///< codes that devices were told

    Statistics& operator+=(const Statistics& other);
  };

  /// A datagram on its way.
  struct Flight {
    bool to_server = false;
    std::size_t device = 0;   ///< index; strangers have none
    DeviceEndpoint endpoint;  ///< of the device
    std::uint16_t port = 0;   ///< of the server; 0: the contact port
    Bytes bytes;
  };

  DeviceWorld(Random& random, std::uint16_t first, std::uint16_t last);
  ~DeviceWorld() override;

  Network network;
  /// Decides what happens to a datagram before the network does: false, and it is lost.
  std::function<bool(const Flight&)> passes;
  /// Hosts refuse and hang up no more if not.
  bool hosts_are_moody = true;
  /// Ports that a foreign program has.
  std::set<std::uint16_t> foreign_ports;

  DeviceDesk& desk() { return *desk_; }
  void use(const DeviceDesk::Settings& settings);
  AwakeTime now() const { return now_; }
  Statistics& statistics() {
    statistics_.handshakes = dtls_ ? dtls_->handshakes() : 0;
    statistics_.handshakes_failed = dtls_ ? dtls_->failures() : 0;
    return statistics_;
  }
  const std::vector<DeviceDesk::Alert>& alerts() const { return alerts_; }
  const std::vector<std::string>& log() const { return log_; }

  // ---- Devices ----

  /// Switches on a new device; yields its index.
  std::size_t add_device(const std::string& uid, Address address, const std::string& text = {},
                         const Ticket& ticket = no_ticket, bool encrypted = false);
  std::size_t devices() const { return devices_.size(); }
  DeviceLink& link(std::size_t device) { return *devices_[device].link; }
  /// It types the next word of its own.
  void type(std::size_t device);
  /// Its user looks at the screen: chooses one of the hosts that it shows, or tries again if one could not be reached.
  void go_to_host(std::size_t device);
  /// Gives up if the screen says that a host is being connected, or could not be.
  void leave_host(std::size_t device);
  /// Words that its session has taken.
  std::uint64_t taken(std::size_t device) const { return devices_[device].taken; }
  /// It gets another address, or a NAT another port for it.
  void move(std::size_t device, const DeviceEndpoint& endpoint);
  const DeviceEndpoint& endpoint(std::size_t device) const { return devices_[device].endpoint; }
  /// Its battery is changed. `keeps_ticket`: its memory survives.
  void reboot(std::size_t device, bool keeps_ticket);
  /// It hears nothing and is not heard.
  void cut_off(std::size_t device, bool off) { devices_[device].cut_off = off; }

  // ---- The rest of the world ----

  /// The server dies, and starts again. What was under way arrives at the new one.
  void restart();
  /// Somebody without registration sends this.
  void forge(const DeviceEndpoint& from, std::uint16_t port, Bytes bytes);
  /// Somebody who reads the radio sends what is not sealed in the name of a device that has DTLS, and of the server. Does
  /// nothing while the device has no session, or no DTLS.
  void impersonate(std::size_t device);
  /// Lets time pass. Throws std::logic_error when a guarantee is broken.
  void run(AwakeTime time);
  /// Until the condition holds; false when it does not within `time`.
  bool run_until(const std::function<bool()>& holds, AwakeTime time);
  /// Datagrams that were sent since the world began.
  std::uint64_t datagrams() const { return statistics_.datagrams; }
  /// The device has a session, shows its own screen, and nothing waits.
  bool is_settled(std::size_t device);
  /// Its session is connected to a host, or has none.
  bool is_at_work(std::size_t device);
  /// Throws std::logic_error when a guarantee is broken now.
  void check();
  /// The network, the limits and groups, every device and every registration, for the message of a failure.
  std::string describe();

 private:
  struct Device {
    std::string uid;
    std::string text;
    DeviceEndpoint endpoint;
    std::unique_ptr<DeviceLink> link;
    std::unique_ptr<DeviceWire> wire;
    bool encrypted = false;
    Ticket ticket{};
    std::uint64_t typed = 0;
    std::uint64_t taken = 0;  ///< the last word that a session of it has taken
    std::set<std::uint64_t>
        lost_to;  ///< words up to these were typed before it was switched off or forgot its session
    bool cut_off = false;
  };

  /// A session at its host.
  class Site;
  /// What comes from a host, or arrives there.
  struct HostEvent {
    DeviceSession::Number session;
    std::function<void(Site&)> happens;
  };

  bool open(std::uint16_t port) override { return !foreign_ports.contains(port); }
  void send(std::uint16_t from, const DeviceEndpoint& to, ByteView datagram) override;
  DeviceDesk::Judgement judge(Address address) override;
  Ticket random_ticket() override;
  LoggedTime time() override;
  void log(Address device, LoggedTime time, const HandlerEvent& event) override;
  void send_encrypted(std::uint16_t port, ByteView datagram) override;
  void registered(std::uint16_t port, const DeviceEndpoint& device, bool encrypted) override;
  void registration_ended(std::uint16_t port, const std::optional<Rejection>& reason) override;
  void alert(const DeviceDesk::Alert& alert) override;
  void session_began(const DeviceSession& session) override;
  void session_resumed(const DeviceSession& session, const DeviceEndpoint& before) override;
  void session_described(const DeviceSession& session) override;
  void session_ended(const DeviceSession& session, const Rejection& reason) override;
  void input(const DeviceSession& session, ByteView items) override;
  Liveliness draw(const DeviceSession& session, Screen& screen) override;

  void check_secrecy(const Flight& flight) const;
  void check_secrecy(const DeviceSession& session) const;
  Bytes random_record();
  void start_desk();
  void fly(Flight flight);
  void arrive(const Flight& flight);
  void pump(std::size_t device);
  void press(std::size_t device, const Bytes& items);
  void step(AwakeTime until);
  void take_host_events();
  void tell_desk();
  std::optional<std::size_t> device_at(const DeviceEndpoint& endpoint) const;

  Random& random_;
  std::uint16_t first_;
  std::uint16_t last_;
  DeviceDesk::Settings settings_;
  std::unique_ptr<DeviceWorldDtls> dtls_;  ///< null where nobody may have DTLS
  std::unique_ptr<DeviceDesk> desk_;
  AwakeTime now_{0};
  std::multimap<AwakeTime, Flight> flights_;
  std::multimap<AwakeTime, HostEvent> host_events_;
  std::map<DeviceSession::Number, std::unique_ptr<Site>> sites_;
  std::set<DeviceSession::Number> changed_;          ///< sessions whose screen has changed
  std::map<DeviceSession::Number, Rejection> over_;  ///< sessions that their host has ended
  std::vector<Device> devices_;
  std::set<std::uint16_t> registered_;
  std::map<DeviceSession::Number, std::uint64_t> words_;  ///< the last word of each session
  /// Bytes that addresses without a device have sent and been sent.
  std::map<Address, std::pair<std::uint64_t, std::uint64_t>> strangers_;
  std::vector<DeviceDesk::Alert> alerts_;
  std::vector<std::string> log_;
  Statistics statistics_;
};

}  // namespace lekt::test
