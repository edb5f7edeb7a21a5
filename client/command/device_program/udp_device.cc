#include "client/command/device_program/udp_device.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/socket.h>

#include <cerrno>
#include <cstring>
#include <random>

#include "common/device_packets.h"
#include "common/errors.h"

namespace lekt::command {

namespace {

/// The number of a registration's first screen: packets 5, 7 and 8 come before it.
constexpr std::uint32_t first_screen = 4;

std::uint64_t random_number() {
  std::random_device device;
  return std::uint64_t{device()} << 32 | device();
}

sockaddr_in to_socket_address(Address address, std::uint16_t port) {
  sockaddr_in name{};
  name.sin_family = AF_INET;
  name.sin_addr.s_addr = htonl(address.as_v4());
  name.sin_port = htons(port);
  return name;
}

Descriptor open_socket(Address address, std::uint16_t port) {
  Descriptor made(::socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
  if (!made.is_open())
    throw CodedError(ErrorCode::connect_failed,
                     std::string("cannot make a UDP socket: ") + std::strerror(errno));
  // A network whose limit is smaller than a datagram fragments it. Otherwise the kernel would have to learn of the
  // limit by messages that many routers do not let through.
  const int never = IP_PMTUDISC_DONT;
  setsockopt(made.value(), IPPROTO_IP, IP_MTU_DISCOVER, &never, sizeof never);
  const sockaddr_in name = to_socket_address(address, port);
  if (::bind(made.value(), reinterpret_cast<const sockaddr*>(&name), sizeof name) != 0)
    throw CodedError(ErrorCode::connect_failed,
                     "cannot use UDP port " + std::to_string(port) + " of " + to_string(address) + ": " +
                         std::strerror(errno) +
                         (port == 0 ? "" : "; --client-port 0 takes any port that is free"));
  return made;
}

DeviceLink::Settings link_settings(const UdpDevice::Settings& settings) {
  DeviceLink::Settings made = settings.device;
  made.encrypted = settings.dtls.has_value();
  return made;
}

}  // namespace

UdpDevice::UdpDevice(const Settings& settings, AwakeTime now)
    : socket_(open_socket(settings.own_address, settings.own_port)),
      server_(settings.server),
      server_port_(settings.server_port),
      link_(link_settings(settings), random_number, now),
      wire_(link_, settings.dtls),
      buffer_(dtls_datagram_bytes_max + 1, '\0') {}

bool UdpDevice::receive(AwakeTime now) {
  const auto received = receive_datagram();
  if (!received) return false;
  wire_.receive(received->first == server_port_ ? std::uint16_t{0} : received->first, received->second, now);
  const Delivery* const delivery = link_.delivery();
  has_screen_ = has_screen_ || (delivery != nullptr && delivery->received() >= first_screen);
  return true;
}

void UdpDevice::send(AwakeTime now) {
  while (const auto datagram = wire_.next(now))
    send_datagram(datagram->first == 0 ? server_port_ : datagram->first, datagram->second);
}

void UdpDevice::send_datagram(std::uint16_t port, ByteView datagram) {
  const sockaddr_in name = to_socket_address(server_, port);
  const ssize_t sent = ::sendto(socket_.value(), datagram.data(), datagram.size(), MSG_NOSIGNAL,
                                reinterpret_cast<const sockaddr*>(&name), sizeof name);
  error_ = sent < 0 ? errno : 0;
}

std::optional<std::pair<std::uint16_t, ByteView>> UdpDevice::receive_datagram() {
  while (true) {
    sockaddr_in name{};
    socklen_t size = sizeof name;
    const ssize_t received = ::recvfrom(socket_.value(), buffer_.data(), buffer_.size(), MSG_TRUNC,
                                        reinterpret_cast<sockaddr*>(&name), &size);
    if (received < 0 && errno == EINTR) continue;
    if (received < 0) return std::nullopt;
    if (static_cast<std::size_t>(received) > dtls_datagram_bytes_max) continue;
    if (ntohl(name.sin_addr.s_addr) != server_.as_v4()) continue;
    return std::pair(ntohs(name.sin_port), ByteView(buffer_.data(), static_cast<std::size_t>(received)));
  }
}

Rejection UdpDevice::trouble() const {
  Rejection trouble =
      link_.ending().value_or(Rejection{ErrorCode::host_timeout, "the server has not answered yet"});
  if (error_ != 0) trouble.message += " (" + send_error() + ")";
  return trouble;
}

std::string UdpDevice::send_error() const { return error_ == 0 ? "" : std::strerror(error_); }

}  // namespace lekt::command
