#include "server/net/udp_socket.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/socket.h>

#include <cerrno>
#include <cstring>
#include <system_error>

namespace lekt {

namespace {

/// Room for the one control message that a datagram has: at which address it came, or is to leave from.
union Control {
  cmsghdr aligned;
  char bytes[CMSG_SPACE(sizeof(in_pktinfo))];
};

sockaddr_in socket_address(Address address, std::uint16_t port) {
  sockaddr_in result{};
  result.sin_family = AF_INET;
  result.sin_port = htons(port);
  result.sin_addr.s_addr = htonl(address.as_v4());
  return result;
}

/// One datagram as the kernel takes and gives it; refers to all three.
msghdr message_of(sockaddr_in& peer, iovec& part, Control& control) {
  msghdr message{};
  message.msg_name = &peer;
  message.msg_namelen = sizeof(peer);
  message.msg_iov = &part;
  message.msg_iovlen = 1;
  message.msg_control = &control;
  message.msg_controllen = sizeof(control);
  return message;
}

void set_option(int socket, int level, int option, int value) {
  if (setsockopt(socket, level, option, &value, sizeof(value)) != 0)
    throw std::system_error(errno, std::generic_category());
}

}  // namespace

UdpSocket::UdpSocket(Address address, std::uint16_t port)
    : descriptor_(::socket(AF_INET, SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0)) {
  if (!descriptor_.is_open()) throw std::system_error(errno, std::generic_category());
  set_option(descriptor(), IPPROTO_IP, IP_PKTINFO, 1);
  // A way with a smaller limit than a datagram has fragments it, and does not drop it.
  set_option(descriptor(), IPPROTO_IP, IP_MTU_DISCOVER, IP_PMTUDISC_DONT);
  sockaddr_in bound = socket_address(address, port);
  if (bind(descriptor(), reinterpret_cast<const sockaddr*>(&bound), sizeof(bound)) != 0)
    throw std::system_error(errno, std::generic_category());
  socklen_t size = sizeof(bound);
  if (getsockname(descriptor(), reinterpret_cast<sockaddr*>(&bound), &size) != 0)
    throw std::system_error(errno, std::generic_category());
  port_ = ntohs(bound.sin_port);
}

void UdpSocket::ask_for_buffer(int bytes) {
  setsockopt(descriptor(), SOL_SOCKET, SO_RCVBUF, &bytes, sizeof(bytes));
}

std::optional<UdpSocket::Arrival> UdpSocket::receive(std::span<char> buffer) {
  sockaddr_in from{};
  iovec part{buffer.data(), buffer.size()};
  Control control{};
  msghdr message = message_of(from, part, control);
  const ssize_t count = recvmsg(descriptor(), &message, 0);
  if (count < 0) return std::nullopt;
  Arrival arrival;
  arrival.from = {Address::v4(ntohl(from.sin_addr.s_addr)), ntohs(from.sin_port)};
  arrival.datagram = {buffer.data(), static_cast<std::size_t>(count)};
  for (cmsghdr* header = CMSG_FIRSTHDR(&message); header != nullptr; header = CMSG_NXTHDR(&message, header)) {
    if (header->cmsg_level != IPPROTO_IP || header->cmsg_type != IP_PKTINFO) continue;
    in_pktinfo information{};
    std::memcpy(&information, CMSG_DATA(header), sizeof(information));
    arrival.local = Address::v4(ntohl(information.ipi_spec_dst.s_addr));
  }
  return arrival;
}

bool UdpSocket::send(Address local, const DeviceEndpoint& to, ByteView datagram) {
  sockaddr_in target = socket_address(to.address, to.port);
  iovec part{const_cast<char*>(datagram.data()), datagram.size()};
  Control control{};
  msghdr message = message_of(target, part, control);
  cmsghdr* const header = CMSG_FIRSTHDR(&message);
  header->cmsg_level = IPPROTO_IP;
  header->cmsg_type = IP_PKTINFO;
  header->cmsg_len = CMSG_LEN(sizeof(in_pktinfo));
  in_pktinfo information{};
  information.ipi_spec_dst.s_addr = htonl(local.as_v4());
  std::memcpy(CMSG_DATA(header), &information, sizeof(information));
  return sendmsg(descriptor(), &message, 0) == static_cast<ssize_t>(datagram.size());
}

}  // namespace lekt
