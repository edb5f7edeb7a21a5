#include "admin/http_listener.h"

#include <netdb.h>
#include <netinet/in.h>
#include <poll.h>
#include <pthread.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cerrno>
#include <chrono>
#include <memory>
#include <system_error>
#include <utility>

#include "common/errors.h"

namespace lekt::admin {

namespace {

constexpr int waiting_max = 64;  ///< in the kernel's queue

[[noreturn]] void fail(const HttpSettings& settings, const std::string& why) {
  throw CodedError(ErrorCode::listen_failed, "cannot listen on " + settings.address + ":" +
                                                 std::to_string(settings.port) +
                                                 " for the admin page: " + why);
}

std::string system_message() { return std::system_category().message(errno); }

struct Resolved {
  sockaddr_storage address{};
  socklen_t size = 0;
};

Resolved resolve(const HttpSettings& settings) {
  addrinfo hints{};
  hints.ai_flags = AI_NUMERICHOST | AI_NUMERICSERV | AI_PASSIVE;
  hints.ai_socktype = SOCK_STREAM;
  addrinfo* found = nullptr;
  const int error =
      getaddrinfo(settings.address.c_str(), std::to_string(settings.port).c_str(), &hints, &found);
  if (error != 0) fail(settings, gai_strerror(error));
  const std::unique_ptr<addrinfo, decltype(&freeaddrinfo)> owned(found, freeaddrinfo);
  Resolved resolved;
  resolved.size = found->ai_addrlen;
  std::copy_n(reinterpret_cast<const char*>(found->ai_addr), found->ai_addrlen,
              reinterpret_cast<char*>(&resolved.address));
  return resolved;
}

bool loops_back(const sockaddr_storage& address) {
  if (address.ss_family == AF_INET6)
    return IN6_IS_ADDR_LOOPBACK(&reinterpret_cast<const sockaddr_in6&>(address).sin6_addr);
  return ntohl(reinterpret_cast<const sockaddr_in&>(address).sin_addr.s_addr) >> 24 == IN_LOOPBACKNET;
}

std::uint16_t port_of(const sockaddr_storage& address) {
  return ntohs(address.ss_family == AF_INET6 ? reinterpret_cast<const sockaddr_in6&>(address).sin6_port
                                             : reinterpret_cast<const sockaddr_in&>(address).sin_port);
}

/// Gives new threads large stacks: the library matches a header with a recursive regular expression, which
/// takes 4 MB of stack for the longest one.
void expect_large_stacks() {
  constexpr std::size_t bytes = 8 * 1024 * 1024;
  pthread_attr_t attributes;
  std::size_t size = bytes;
  if (pthread_getattr_default_np(&attributes) != 0) return;
  pthread_attr_getstacksize(&attributes, &size);
  if (size < bytes && pthread_attr_setstacksize(&attributes, bytes) == 0)
    pthread_setattr_default_np(&attributes);
  pthread_attr_destroy(&attributes);
}

}  // namespace

HttpListener::HttpListener(const HttpSettings& settings, Answerer answerer)
    : limits_(settings.limits),
      undisturbed_(settings.undisturbed),
      protocol_(std::move(answerer), settings.host_names),
      stopped_(eventfd(0, EFD_CLOEXEC)) {
  listen(settings);
  try {
    expect_large_stacks();
    for (std::size_t index = 0; index < settings.threads; ++index) threads_.emplace_back([this] { serve(); });
    threads_.emplace_back([this] { accept_all(); });
  } catch (const std::system_error& error) {
    stop();
    throw CodedError(ErrorCode::start_failed, "cannot start " + std::to_string(settings.threads) +
                                                  " threads for the admin page: " + error.code().message() +
                                                  "; raise the limits of threads and memory");
  }
}

HttpListener::~HttpListener() { stop(); }

void HttpListener::listen(const HttpSettings& settings) {
  if (!stopped_.is_open()) fail(settings, system_message());
  Resolved resolved = resolve(settings);
  auto* address = reinterpret_cast<sockaddr*>(&resolved.address);
  socket_ = Descriptor(::socket(address->sa_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
  const int yes = 1;
  if (!socket_.is_open() || setsockopt(socket_.value(), SOL_SOCKET, SO_REUSEADDR, &yes, sizeof yes) != 0 ||
      bind(socket_.value(), address, resolved.size) != 0 || ::listen(socket_.value(), waiting_max) != 0 ||
      getsockname(socket_.value(), address, &resolved.size) != 0)
    fail(settings, system_message());
  port_ = port_of(resolved.address);
  is_loopback_ = loops_back(resolved.address);
}

void HttpListener::accept_all() {
  for (;;) {
    Descriptor connection = accept();
    if (!connection.is_open()) return;
    hand_over(std::move(connection));
  }
}

void HttpListener::hand_over(Descriptor connection) {
  const MutexLock lock(mutex_);
  while (!stopping_ && (free_ == 0 || next_.is_open())) {
    if (free_ == 0) giving_way_.end_longest(undisturbed_, GivingWay::Clock::now());
    changed_.wait_for(mutex_, undisturbed_ / 10);
  }
  next_ = std::move(connection);
  changed_.notify_all();
}

Descriptor HttpListener::take() {
  const MutexLock lock(mutex_);
  ++free_;
  changed_.notify_all();
  changed_.wait(mutex_, [this]() LEKT_REQUIRES(mutex_) { return stopping_ || next_.is_open(); });
  --free_;
  return stopping_ ? Descriptor(-1) : std::exchange(next_, Descriptor(-1));
}

void HttpListener::serve() {
  for (;;) {
    Descriptor connection = take();
    if (!connection.is_open()) return;
    ConnectionStream stream(std::move(connection), limits_, stopped_.value(), giving_way_);
    protocol_.serve(stream);
  }
}

Descriptor HttpListener::accept() {
  for (;;) {
    pollfd waited[] = {{stopped_.value(), POLLIN, 0}, {socket_.value(), POLLIN, 0}};
    if (poll(waited, 2, -1) < 0 && errno != EINTR) return Descriptor(-1);
    if (waited[0].revents != 0) return Descriptor(-1);
    Descriptor connection(accept4(socket_.value(), nullptr, nullptr, SOCK_CLOEXEC | SOCK_NONBLOCK));
    if (connection.is_open()) return connection;
    // Without a free descriptor the connection stays in the queue, so do not ask again at once.
    if (errno == EMFILE || errno == ENFILE || errno == ENOBUFS || errno == ENOMEM)
      poll(waited, 1, static_cast<int>(std::chrono::milliseconds(100).count()));
  }
}

void HttpListener::stop() {
  eventfd_write(stopped_.value(), 1);
  {
    const MutexLock lock(mutex_);
    stopping_ = true;
  }
  changed_.notify_all();
  for (std::thread& thread : threads_) thread.join();
  threads_.clear();
}

}  // namespace lekt::admin
