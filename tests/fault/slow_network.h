// A slow and bad network between one device and the server: each datagram is on its way for as long as the path says, unless
// it is lost. It needs no machine of its own: to the device it is the server, at an address of its own, and to the server it
// is a NAT that maps each port differently.
//
// Its thread owns the sockets and what is on its way.
#pragma once

#include <netinet/in.h>

#include <atomic>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <map>
#include <string>
#include <thread>
#include <vector>

#include "common/bytes.h"
#include "common/descriptor.h"
#include "tests/support/support.h"

namespace lekt::test {

class SlowNetwork {
 public:
  struct Path {
    std::chrono::milliseconds delay;  ///< one way
    unsigned loss;                    ///< percent, each way
  };

  /// Takes the device's datagrams at these ports of `address` to the same ports of `server`. Throws std::system_error when
  /// another program has one of them.
  SlowNetwork(const std::string& address, const std::string& server, const std::vector<std::uint16_t>& ports,
              Path path, std::uint64_t seed);
  ~SlowNetwork();
  SlowNetwork(const SlowNetwork&) = delete;
  SlowNetwork& operator=(const SlowNetwork&) = delete;

  /// Of the device's datagrams, and of the server's.
  std::size_t lost_of_device() const { return lost_of_device_; }
  std::size_t lost_of_server() const { return lost_of_server_; }

 private:
  using Clock = std::chrono::steady_clock;

  struct Port {
    Descriptor to_device;
    Descriptor to_server;
    sockaddr_in device{};  ///< where it was heard last
  };
  struct Flight {
    Port* port;
    bool is_for_server;
    Bytes bytes;
  };

  void run();
  void receive(Port& port, bool is_for_server);
  void deliver();

  const Path path_;
  Random random_;
  std::vector<Port> ports_;
  std::multimap<Clock::time_point, Flight> flights_;
  std::atomic<std::size_t> lost_of_device_ = 0;
  std::atomic<std::size_t> lost_of_server_ = 0;
  std::atomic<bool> stopping_ = false;
  std::thread thread_;
};

}  // namespace lekt::test
