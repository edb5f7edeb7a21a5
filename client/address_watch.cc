#include "client/address_watch.h"

#include <linux/netlink.h>
#include <linux/rtnetlink.h>
#include <netinet/in.h>
#include <sys/socket.h>

#include <cerrno>
#include <cstddef>
#include <utility>

#include "common/descriptor.h"

namespace lekt {

namespace {

/// A socket for rtnetlink's messages; -1 if it cannot be opened.
int open_netlink() {
  Descriptor socket(::socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC | SOCK_NONBLOCK, NETLINK_ROUTE));
  sockaddr_nl name{};
  name.nl_family = AF_NETLINK;
  name.nl_groups = RTMGRP_IPV4_IFADDR;
  if (!socket.is_open() || ::bind(socket.value(), reinterpret_cast<const sockaddr*>(&name), sizeof name) != 0)
    return -1;
  return socket.release();
}

/// Whether one of the messages says that an address is new.
bool tells_of_new(const char* bytes, std::size_t size) {
  auto left = static_cast<int>(size);
  const auto* message = reinterpret_cast<const nlmsghdr*>(bytes);
  for (; NLMSG_OK(message, static_cast<unsigned>(left)); message = NLMSG_NEXT(message, left))
    if (message->nlmsg_type == RTM_NEWADDR) return true;
  return false;
}

}  // namespace

AddressWatch::AddressWatch(asio::io_context& context, std::function<void(bool)> changed)
    : socket_(context), changed_(std::move(changed)) {
  const int descriptor = open_netlink();
  if (descriptor < 0) return;
  socket_.assign(descriptor);
  wait();
}

void AddressWatch::wait() {
  socket_.async_wait(asio::posix::stream_descriptor::wait_read, [this](const asio::error_code& error) {
    if (error) return;
    const bool appeared = read_messages();
    wait();
    changed_(appeared);
  });
}

/// Reads all messages that are there. True if an address may be new.
bool AddressWatch::read_messages() {
  bool appeared = false;
  for (;;) {
    const auto size = ::recv(socket_.native_handle(), buffer_.data(), buffer_.size(), 0);
    if (size > 0) {
      appeared |= tells_of_new(buffer_.data(), static_cast<std::size_t>(size));
    } else if (size < 0 && errno == ENOBUFS) {
      appeared = true;  // the kernel dropped messages that it could not keep
    } else if (size == 0 || errno != EINTR) {
      return appeared;
    }
  }
}

bool is_own_address(Address address) {
  const Descriptor socket(::socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0));
  sockaddr_in name{};
  name.sin_family = AF_INET;
  name.sin_addr.s_addr = htonl(address.as_v4());
  if (::bind(socket.value(), reinterpret_cast<const sockaddr*>(&name), sizeof name) == 0) return true;
  return errno != EADDRNOTAVAIL;
}

}  // namespace lekt
