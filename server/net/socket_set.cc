#include "server/net/socket_set.h"

#include <algorithm>
#include <cerrno>
#include <system_error>
#include <utility>

namespace lekt {

namespace {

int make_epoll() {
  const int epoll = epoll_create1(EPOLL_CLOEXEC);
  if (epoll < 0) throw std::system_error(errno, std::generic_category());
  return epoll;
}

}  // namespace

SocketSet::SocketSet(asio::io_context& io) : epoll_(io, make_epoll()) {}

void SocketSet::add(int socket, std::uint32_t key) {
  epoll_event event{};
  event.events = EPOLLIN;
  event.data.u32 = key;
  if (epoll_ctl(epoll_.native_handle(), EPOLL_CTL_ADD, socket, &event) != 0)
    throw std::system_error(errno, std::generic_category());
}

void SocketSet::wait(std::function<void()> ready) {
  epoll_.async_wait(asio::posix::stream_descriptor::wait_read,
                    [ready = std::move(ready)](const asio::error_code& error) {
                      if (!error) ready();
                    });
}

std::span<const std::uint32_t> SocketSet::take_ready() {
  const int count = epoll_wait(epoll_.native_handle(), events_.data(), static_cast<int>(ready_max), 0);
  const auto found = static_cast<std::size_t>(std::max(count, 0));
  for (std::size_t index = 0; index < found; ++index) keys_.at(index) = events_.at(index).data.u32;
  return {keys_.data(), found};
}

}  // namespace lekt
