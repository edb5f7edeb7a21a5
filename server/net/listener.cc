#include "server/net/listener.h"

#include <netinet/tcp.h>
#include <sys/socket.h>

#include <algorithm>
#include <asio/error.hpp>
#include <asio/ip/v6_only.hpp>
#include <cerrno>

#include "server/operators/clock.h"
#include "server/operators/log.h"

namespace lekt {

namespace {

using namespace std::chrono_literals;

/// How long accepting pauses when no descriptor or memory is left.
constexpr auto exhausted_pause = 100ms;

/// Connections that are taken before they are handed over and signals are looked at.
constexpr int accepted_at_once = 256;

using UserTimeout = asio::detail::socket_option::integer<IPPROTO_TCP, TCP_USER_TIMEOUT>;

// What the kernel may keep for one connection, which is about twice these. Left to itself it keeps 4 MB for a client
// that asks for much and does not read; this is enough for 1 MB in a second to a client 100 ms away. What clients
// send is small.
constexpr int send_buffer_bytes = 128 * 1024;
constexpr int receive_buffer_bytes = 64 * 1024;

/// The address by which the protocol can name a peer; nothing for one that really came over IPv6.
std::optional<Address> ipv4_of(const asio::ip::address& address) {
  if (address.is_v4()) return Address::v4(address.to_v4().to_uint());
  if (!address.to_v6().is_v4_mapped()) return std::nullopt;
  return Address::v4(asio::ip::make_address_v4(asio::ip::v4_mapped, address.to_v6()).to_uint());
}

/// Whether bound to an IPv4 or an IPv6 address.
asio::ip::tcp protocol_of(const Descriptor& socket) {
  asio::ip::tcp::endpoint bound;
  auto size = static_cast<socklen_t>(bound.capacity());
  if (getsockname(socket.value(), bound.data(), &size) != 0)
    throw std::system_error(errno, std::generic_category());
  bound.resize(size);
  return bound.protocol();
}

Rejection not_ipv4(const asio::ip::address& peer) {
  return {ErrorCode::address_not_ipv4,
          "you came from " + peer.to_string() +
              ", but the protocol names clients by IPv4 address; connect to an IPv4 address of this server"};
}

}  // namespace

Listener::Listener(asio::io_context& io, std::vector<Block> proxies,
                   const std::vector<std::unique_ptr<Worker>>& workers, Admission& admission,
                   Warnings& warnings)
    : proxies_(std::move(proxies)),
      workers_(workers),
      admission_(admission),
      warnings_(warnings),
      acceptor_(io),
      pause_(io),
      arrivals_(workers.size()) {}

Listener::Listener(asio::io_context& io, const Settings& settings,
                   const std::vector<std::unique_ptr<Worker>>& workers, Admission& admission,
                   Warnings& warnings)
    : Listener(io, settings.proxies, workers, admission, warnings) {
  const ListenAddress& address = settings.address;
  const asio::ip::tcp::endpoint endpoint(asio::ip::make_address(address.address), address.port);
  try {
    acceptor_.open(endpoint.protocol());
    acceptor_.set_option(asio::socket_base::reuse_address(true));
    if (endpoint.address().is_v6()) acceptor_.set_option(asio::ip::v6_only(false));
    acceptor_.bind(endpoint);
    listen(settings.user_timeout);
  } catch (const std::system_error& error) {
    throw CodedError(ErrorCode::listen_failed,
                     "cannot listen on " + address.text() + ": " + error.code().message() +
                         "; choose a free port and an address of this machine (--listen)");
  }
}

Listener::Listener(asio::io_context& io, const Settings& settings, Descriptor passed,
                   const std::vector<std::unique_ptr<Worker>>& workers, Admission& admission,
                   Warnings& warnings)
    : Listener(io, settings.proxies, workers, admission, warnings) {
  try {
    acceptor_.assign(protocol_of(passed), passed.value());
    passed.release();
    listen(settings.user_timeout);
  } catch (const std::system_error& error) {
    throw CodedError(ErrorCode::passed_socket_wrong,
                     "cannot accept from a socket of the service manager: " + error.code().message());
  }
}

/// Called also for a socket that listens already: the kernel then keeps as many clients waiting as with one of ours.
void Listener::listen(AwakeTime user_timeout) {
  // The connections inherit these four.
  acceptor_.set_option(asio::ip::tcp::no_delay(true));
  acceptor_.set_option(UserTimeout(static_cast<int>(user_timeout.count())));
  acceptor_.set_option(asio::socket_base::send_buffer_size(send_buffer_bytes));
  acceptor_.set_option(asio::socket_base::receive_buffer_size(receive_buffer_bytes));
  acceptor_.listen(asio::socket_base::max_listen_connections);
  acceptor_.non_blocking(true);
}

ListenAddress Listener::local_address() const {
  const auto endpoint = acceptor_.local_endpoint();
  return {endpoint.address().to_string(), endpoint.port()};
}

void Listener::start() { wait(); }

void Listener::stop() {
  asio::error_code ignored;
  acceptor_.close(ignored);
  pause_.cancel();
}

void Listener::wait() {
  acceptor_.async_wait(asio::socket_base::wait_read, [this](const asio::error_code& error) {
    if (!error && acceptor_.is_open()) accept_waiting();
  });
}

void Listener::accept_waiting() {
  Accepted accepted = Accepted::one;
  for (int count = 0; accepted == Accepted::one && count < accepted_at_once; ++count) accepted = accept_one();
  hand_over();
  accepted == Accepted::exhausted ? pause() : wait();
}

Listener::Accepted Listener::accept_one() {
  asio::ip::tcp::endpoint peer;
  auto size = static_cast<socklen_t>(peer.capacity());
  Descriptor socket(accept4(acceptor_.native_handle(), peer.data(), &size, SOCK_CLOEXEC));
  if (!socket.is_open()) {
    if (errno == EAGAIN || errno == EWOULDBLOCK) return Accepted::none;
    if (errno == EMFILE || errno == ENFILE || errno == ENOBUFS || errno == ENOMEM) return Accepted::exhausted;
    return Accepted::one;  // that one was gone before it was accepted
  }
  if (std::exchange(exhausted_, false)) warnings_.clear(ErrorCode::descriptors_exhausted);
  take(std::move(socket), peer.address());
  return Accepted::one;
}

void Listener::take(Descriptor socket, const asio::ip::address& peer) {
  const auto known = ipv4_of(peer);
  const Address address = known.value_or(Address{});
  const bool proxied = known && is_proxy(address);
  Admission::Decision decision = !known    ? admission_.refuse(address, not_ipv4(peer))
                                 : proxied ? admission_.admit_proxy(address)
                                           : admission_.admit(address, steady_now(), tls_ != nullptr);
  if (decision.verdict == Admission::Verdict::dropped) return;
  arrivals_[next_worker_].push_back({std::move(socket), address, std::move(decision), proxied, tls_});
  next_worker_ = (next_worker_ + 1) % workers_.size();
}

bool Listener::is_proxy(Address address) const {
  return std::ranges::any_of(proxies_, [&](const Block& block) { return block.contains(address); });
}

void Listener::hand_over() {
  for (std::size_t index = 0; index < workers_.size(); ++index)
    if (!arrivals_[index].empty()) workers_[index]->adopt(std::exchange(arrivals_[index], {}));
}

void Listener::pause() {
  if (!exhausted_) {
    const Rejection exhausted{
        ErrorCode::descriptors_exhausted,
        "no file descriptor is left, so accepting pauses; raise the limit of open files"};
    log_event(LogLevel::warn, "accept_paused", {{"message", exhausted.text()}});
    warnings_.raise(exhausted.code, exhausted.message);
  }
  exhausted_ = true;
  pause_.expires_after(exhausted_pause);
  pause_.async_wait([this](const asio::error_code& error) {
    if (!error) accept_waiting();
  });
}

}  // namespace lekt
