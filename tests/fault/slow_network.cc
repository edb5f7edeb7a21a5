#include "tests/fault/slow_network.h"

#include <arpa/inet.h>
#include <poll.h>
#include <sys/socket.h>

#include <array>
#include <cerrno>
#include <system_error>
#include <utility>

namespace lekt::test {

namespace {

sockaddr_in endpoint_of(const std::string& address, std::uint16_t port) {
  sockaddr_in endpoint{};
  endpoint.sin_family = AF_INET;
  endpoint.sin_port = htons(port);
  inet_pton(AF_INET, address.c_str(), &endpoint.sin_addr);
  return endpoint;
}

const sockaddr* as_any(const sockaddr_in& endpoint) { return reinterpret_cast<const sockaddr*>(&endpoint); }

Descriptor datagrams_at(const sockaddr_in& endpoint) {
  Descriptor made(::socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
  if (!made.is_open() || ::bind(made.value(), as_any(endpoint), sizeof endpoint) != 0)
    throw std::system_error(errno, std::generic_category(), "slow network");
  return made;
}

}  // namespace

SlowNetwork::SlowNetwork(const std::string& address, const std::string& server,
                         const std::vector<std::uint16_t>& ports, Path path, std::uint64_t seed)
    : path_(path), random_(seed) {
  for (const std::uint16_t port : ports) {
    Port made{datagrams_at(endpoint_of(address, port)), datagrams_at(endpoint_of(address, 0))};
    const sockaddr_in its_server = endpoint_of(server, port);
    if (::connect(made.to_server.value(), as_any(its_server), sizeof its_server) != 0)
      throw std::system_error(errno, std::generic_category(), "slow network");
    ports_.push_back(std::move(made));
  }
  thread_ = std::thread([this] { run(); });
}

SlowNetwork::~SlowNetwork() {
  stopping_ = true;
  thread_.join();
}

void SlowNetwork::run() {
  while (!stopping_) {
    std::vector<pollfd> waiting;
    for (const Port& port : ports_) {
      waiting.push_back({port.to_device.value(), POLLIN, 0});
      waiting.push_back({port.to_server.value(), POLLIN, 0});
    }
    ::poll(waiting.data(), waiting.size(), 5);
    for (Port& port : ports_)
      for (const bool is_for_server : {true, false}) receive(port, is_for_server);
    deliver();
  }
}

/// Takes what has come from the device, or from the server.
void SlowNetwork::receive(Port& port, bool is_for_server) {
  std::array<char, 2048> buffer;
  sockaddr_in from{};
  socklen_t size_of_from = sizeof from;
  const Descriptor& socket = is_for_server ? port.to_device : port.to_server;
  ssize_t size = 0;
  while ((size = ::recvfrom(socket.value(), buffer.data(), buffer.size(), 0,
                            reinterpret_cast<sockaddr*>(&from), &size_of_from)) >= 0) {
    if (is_for_server) port.device = from;
    if (random_.chance(path_.loss))
      ++(is_for_server ? lost_of_device_ : lost_of_server_);
    else
      flights_.emplace(Clock::now() + path_.delay,
                       Flight{&port, is_for_server, {buffer.data(), static_cast<std::size_t>(size)}});
  }
}

/// What a socket does not take is lost as well.
void SlowNetwork::deliver() {
  while (!flights_.empty() && flights_.begin()->first <= Clock::now()) {
    const auto& [port, is_for_server, bytes] = flights_.begin()->second;
    if (is_for_server)
      ::send(port->to_server.value(), bytes.data(), bytes.size(), 0);
    else
      ::sendto(port->to_device.value(), bytes.data(), bytes.size(), 0, as_any(port->device),
               sizeof port->device);
    flights_.erase(flights_.begin());
  }
}

}  // namespace lekt::test
