#include "admin/connection_stream.h"

#include <poll.h>
#include <sys/socket.h>

#include <algorithm>
#include <cerrno>
#include <cstring>

namespace lekt::admin {

ConnectionStream::ConnectionStream(Descriptor socket, const ConnectionLimits& limits, int stopped,
                                   GivingWay& giving_way)
    : socket_(std::move(socket)),
      place_(giving_way, socket_.value()),
      limits_(limits),
      stopped_(stopped),
      request_until_(Clock::now() + limits.request_time_max) {}

bool ConnectionStream::wait_for(short events, Clock::time_point until) const {
  const Clock::time_point begin = Clock::now();
  if (begin >= until) return false;
  place_.waits(begin);
  pollfd waited[] = {{socket_.value(), events, 0}, {stopped_, POLLIN, 0}};
  int ready = -1;
  do {
    const auto left = std::chrono::ceil<std::chrono::milliseconds>(until - Clock::now());
    ready = poll(waited, 2, static_cast<int>(std::max<std::int64_t>(left.count(), 0)));
  } while (ready < 0 && errno == EINTR);
  place_.goes_on();
  return ready > 0 && waited[1].revents == 0 && (waited[0].revents & (POLLERR | POLLNVAL)) == 0;
}

bool ConnectionStream::is_readable() const { return begin_ < end_ || wait_for(POLLIN, request_until_); }

bool ConnectionStream::is_writable() const {
  pollfd gone{socket_.value(), POLLRDHUP, 0};
  if (poll(&gone, 1, 0) > 0) return false;
  return wait_for(POLLOUT, Clock::now() + limits_.write_time_max);
}

/// The size limit bounds what is read of the socket, so it is exact to the size of the buffer.
bool ConnectionStream::fill() {
  if (request_bytes_ >= limits_.request_bytes_max || !wait_for(POLLIN, request_until_)) return false;
  const ssize_t size = recv(socket_.value(), buffer_.data(), buffer_.size(), MSG_DONTWAIT);
  if (size <= 0) return false;
  begin_ = 0;
  end_ = static_cast<std::size_t>(size);
  request_bytes_ += end_;
  return true;
}

ssize_t ConnectionStream::read(char* data, std::size_t size) {
  if (begin_ == end_ && !fill()) return -1;
  const std::size_t taken = std::min(size, end_ - begin_);
  std::memcpy(data, buffer_.data() + begin_, taken);
  begin_ += taken;
  return static_cast<ssize_t>(taken);
}

/// Writes all of it, or reports an error.
ssize_t ConnectionStream::write(const char* data, std::size_t size) {
  const auto until =
      Clock::now() + limits_.write_time_max + std::chrono::seconds(size / limits_.write_bytes_per_second);
  for (std::size_t sent = 0; sent < size;) {
    if (!wait_for(POLLOUT, until)) return -1;
    const ssize_t part = send(socket_.value(), data + sent, size - sent, MSG_DONTWAIT | MSG_NOSIGNAL);
    if (part < 0 && errno != EAGAIN && errno != EINTR) return -1;
    if (part > 0) sent += static_cast<std::size_t>(part);
  }
  return static_cast<ssize_t>(size);
}

void ConnectionStream::finish() {
  const auto until = Clock::now() + limits_.drain_time_max;
  shutdown(socket_.value(), SHUT_WR);
  while (wait_for(POLLIN, until) && recv(socket_.value(), buffer_.data(), buffer_.size(), MSG_DONTWAIT) > 0) {
  }
}

}  // namespace lekt::admin
