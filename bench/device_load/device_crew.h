// The devices of a run, and the one epoll instance that moves them all.
//
// Each device is bound to a loopback address of its own, as terminals on a LAN are. Whatever goes wrong ends the run with
// words (BenchError): a benchmark that drops devices in silence measures something else.
//
// One thread, which is meant to have a core to itself.
#pragma once

#include <chrono>
#include <cstdint>
#include <deque>
#include <functional>
#include <memory>
#include <optional>
#include <random>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "bench/load/crew.h"
#include "client/device_link.h"
#include "common/descriptor.h"
#include "server/net/udp_socket.h"

namespace lekt::bench {

class DeviceCrew {
 public:
  /// Where a device is registered, and how far its numbers are.
  struct Registered {
    std::uint64_t registration = 0;
    std::uint16_t port = 0;      ///< of the server
    std::uint32_t sent = 0;      ///< the last number of a message to the server
    std::uint32_t received = 0;  ///< the last number of a message from the server
  };

  /// What the devices are, and what lies between them and the server.
  struct Manner {
    std::size_t rows = 16;
    std::size_t columns = 26;
    bool hosted = false;  ///< they are served when they see what their host greets with (device_hosts.h)
    std::chrono::milliseconds delay{0};  ///< each way
    /// So many of all datagrams, each way, once all devices are served; only with a delay.
    double loss = 0;
  };

  /// `server`: the contact port.
  DeviceCrew(const Target& server, std::size_t devices, const Manner& manner);

  std::size_t size() const { return devices_.size(); }

  // ---- Registering, with all that the protocol asks of a device ----

  /// Those from `first` on, before `last`, register at once.
  void begin(std::size_t first, std::size_t last);
  /// All end their sessions.
  void leave();
  /// Receives what has come, waits for it at most so long, and sends what is due.
  void turn(std::chrono::nanoseconds wait);
  /// Waits until something comes or is due, but not beyond `latest`: what shares the core works meanwhile.
  void turn_by(Time latest);
  /// Turns until `count` of them have their first screens, and what they owe the server is sent.
  void turn_until_served(std::size_t count);
  void turn_until_left();

  /// The device with this number sends items of an input.
  void type(std::size_t number, ByteView items);
  const Screen& screen(std::size_t number) const { return devices_[number].link->screen(); }
  /// Is called for each datagram that a device has been given.
  using Taken = std::function<void(std::size_t number, const DatagramHead& head, ByteView datagram)>;
  void tell(Taken taken) { taken_ = std::move(taken); }

  /// Of them, how many have packet 4, and how many a screen.
  std::size_t accepted() const { return accepted_; }
  std::size_t served() const { return served_; }
  /// When the last one got it.
  Time last_accepted() const { return last_accepted_; }
  Time last_served() const { return last_served_; }
  /// Datagrams from the server.
  std::uint64_t datagrams() const { return datagrams_; }

  // ---- Below the protocol ----

  Registered registered(std::size_t number) const;
  /// Sends as the device with this number, whose link is not asked, without a delay.
  void send_now(std::size_t number, std::uint16_t port, ByteView datagram);
  /// Calls `use(number, datagram)` for what has come, whose links are not told; waits so long if nothing has.
  template <class Use>
  void receive(std::chrono::nanoseconds time, Use use) {
    for (const std::uint32_t number : wait(time))
      while (const auto arrival = receive_from(number)) use(std::size_t{number}, arrival->datagram);
  }

 private:
  enum class Progress : std::uint8_t { begun, accepted, served };

  struct Device {
    Device(Address source_given, std::uint32_t number_given)
        : source(source_given), socket(source_given, 0), number(number_given) {}

    Address source;
    UdpSocket socket;
    std::uint32_t number;
    std::optional<DeviceLink> link;
    std::uint64_t registration = 0;
    std::uint16_t port = 0;
    Progress progress = Progress::begun;
    std::optional<AwakeTime> scheduled;
  };

  /// A datagram on its way.
  struct Travelling {
    Time arrives;
    std::uint32_t number;  ///< of the device
    std::uint16_t port;    ///< of the server
    Bytes datagram;
  };

  AwakeTime awake() const;
  bool is_lost();
  void let_arrive();
  const std::vector<std::uint32_t>& wait(std::chrono::nanoseconds time);
  std::optional<UdpSocket::Arrival> receive_from(std::size_t number);
  void take(Device& device, std::uint16_t port, ByteView datagram);
  bool sees_its_host(const Device& device) const;
  void send_what_is_due(Device& device);
  template <class Condition>
  void turn_until(const char* what, Condition condition);

  DeviceEndpoint server_;
  Manner manner_;
  Taken taken_;
  std::mt19937_64 chance_{1};  // the same losses in each run
  std::deque<Travelling> to_server_;
  std::deque<Travelling> to_devices_;
  Time began_ = now();
  Descriptor epoll_;
  std::vector<Device> devices_;
  std::vector<std::uint32_t> ready_;
  std::vector<char> buffer_;
  std::set<std::pair<AwakeTime, std::uint32_t>> deadlines_;
  std::size_t accepted_ = 0;
  std::size_t served_ = 0;
  std::size_t left_ = 0;
  Time last_accepted_;
  Time last_served_;
  std::uint64_t datagrams_ = 0;
};

}  // namespace lekt::bench
