// The other ends of a device service: devices with sockets of their own, driven by the test, and a registry that takes
// every join.
#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <future>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include "client/device_link.h"
#include "server/net/device_service.h"
#include "server/net/udp_socket.h"
#include "tests/support/support.h"

namespace lekt::test {

/// An address of this machine that other processes of the tests do not use.
Address own_address(std::uint32_t number = 0);

/// "AB~001~...~UID~..." of a device with this uid.
std::string string_of(const std::string& uid);

/// A device: its link, and a socket to a server.
class DeviceEnd {
 public:
  DeviceEnd(DeviceEndpoint server, const std::string& uid, const Ticket& ticket = {});

  DeviceLink& link() { return link_; }
  /// Sends and receives until the condition holds; false when it does not within some seconds.
  bool until(const std::function<bool()>& condition);
  bool until_served();
  /// The rows of its screen, with line feeds.
  std::string screen() const;
  std::uint16_t port() const { return socket_.port(); }

 private:
  void turn();

  DeviceEndpoint server_;
  UdpSocket socket_{own_address(), 0};
  std::chrono::steady_clock::time_point began_ = std::chrono::steady_clock::now();
  DeviceLink link_;
};

/// A service that runs on a thread of its own.
class RunningDevices {
 public:
  static constexpr std::uint16_t first_port = 5000;

  /// It has `ports` dedicated ports.
  explicit RunningDevices(std::uint16_t ports = 8, DeviceService::Settings settings = {},
                          Address listens_at = own_address(), std::uint16_t first = first_port);
  ~RunningDevices();

  DeviceService& service() { return *service_; }
  Seen& seen() { return seen_; }
  Admission& admission() { return doors_.admission; }
  /// The contact port, at the service's address or another one of the machine.
  DeviceEndpoint contact(Address address = own_address()) const;
  /// What the question yields on the service's thread.
  template <class Answer>
  Answer ask(std::function<Answer(DeviceService&)> question) {
    std::promise<Answer> answer;
    service_->post([&] { answer.set_value(question(*service_)); });
    return answer.get_future().get();
  }
  /// The handler log of a device; empty when there is none.
  std::string handler_log(Address device) const;
  /// Everything that the writer was told since the last call; each join is taken.
  std::vector<Command> take_commands();
  void stop();

 private:
  TempDirectory directory_;
  MethodCatalogue catalogue_;
  SessionRules rules_{catalogue_};
  Seen seen_{".", 0};
  Doors doors_;
  std::unique_ptr<DeviceService> service_;
  std::thread thread_;
};

}  // namespace lekt::test
