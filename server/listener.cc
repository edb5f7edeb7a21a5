#include "server/listener.h"

#include <asio/error.hpp>
#include <asio/ip/v6_only.hpp>

#include "server/log.h"

namespace lekt {

namespace {

using namespace std::chrono_literals;

/// How long accepting pauses when no descriptor or memory is left.
constexpr auto exhausted_pause = 100ms;

/// The address by which the protocol can name a peer; nothing for one that really came over IPv6.
std::optional<Ipv4Address> ipv4_of(const asio::ip::address& address) {
  if (address.is_v4()) return Ipv4Address{address.to_v4().to_uint()};
  if (!address.to_v6().is_v4_mapped()) return std::nullopt;
  return Ipv4Address{asio::ip::make_address_v4(asio::ip::v4_mapped, address.to_v6()).to_uint()};
}

}  // namespace

Listener::Listener(asio::io_context& io, const ListenAddress& address,
                   const std::vector<std::unique_ptr<Worker>>& workers,
                   const std::atomic<std::size_t>& connections, std::size_t connections_max)
    : workers_(workers),
      connections_(connections),
      connections_max_(connections_max),
      acceptor_(io),
      pause_(io) {
  const asio::ip::tcp::endpoint endpoint(asio::ip::make_address(address.address), address.port);
  try {
    acceptor_.open(endpoint.protocol());
    acceptor_.set_option(asio::socket_base::reuse_address(true));
    if (endpoint.address().is_v6()) acceptor_.set_option(asio::ip::v6_only(false));
    acceptor_.bind(endpoint);
    acceptor_.listen(asio::socket_base::max_listen_connections);
  } catch (const std::system_error& error) {
    throw CodedError(ErrorCode::listen_failed,
                     "cannot listen on " + address.text() + ": " + error.code().message() +
                         "; choose a free port and an address of this machine (--listen)");
  }
}

ListenAddress Listener::local_address() const {
  const auto endpoint = acceptor_.local_endpoint();
  return {endpoint.address().to_string(), endpoint.port()};
}

void Listener::start() { accept(); }

void Listener::stop() {
  asio::error_code ignored;
  acceptor_.close(ignored);
  pause_.cancel();
}

void Listener::accept() {
  Worker& worker = *workers_[next_worker_];
  acceptor_.async_accept(worker.io().get_executor(), peer_,
                         [this, &worker](const asio::error_code& error, Socket socket) {
                           if (acceptor_.is_open()) on_accept(error, worker, std::move(socket));
                         });
}

void Listener::on_accept(const asio::error_code& error, Worker& worker, Socket socket) {
  // The rest are errors of one connection that was gone before it was accepted.
  if (error == asio::error::no_descriptors || error == asio::error::no_buffer_space ||
      error == asio::error::no_memory || error == std::errc::too_many_files_open_in_system)
    return pause();
  exhausted_ = false;
  if (!error) {
    next_worker_ = (next_worker_ + 1) % workers_.size();
    hand_over(worker, std::move(socket));
  }
  accept();
}

void Listener::hand_over(Worker& worker, Socket socket) {
  const auto address = ipv4_of(peer_.address());
  std::optional<Rejection> rejection;
  if (!address)
    rejection =
        Rejection{ErrorCode::address_not_ipv4,
                  "you came from " + peer_.address().to_string() +
                      ", but the protocol names clients by IPv4 address; connect to an IPv4 address of this "
                      "server"};
  else if (connections_.load(std::memory_order_relaxed) >= connections_max_)
    rejection =
        Rejection{ErrorCode::server_full, "the server has " + std::to_string(connections_max_) +
                                              " connections, as many as it may have; try again later"};
  worker.adopt(std::move(socket), address.value_or(Ipv4Address{}), std::move(rejection));
}

void Listener::pause() {
  if (!exhausted_) {
    const CodedError error(ErrorCode::descriptors_exhausted,
                           "no file descriptor is left, so accepting pauses; raise the limit of open files");
    log_event(LogLevel::warn, "accept_paused", {{"message", error.what()}});
  }
  exhausted_ = true;
  pause_.expires_after(exhausted_pause);
  pause_.async_wait([this](const asio::error_code& error) {
    if (!error) accept();
  });
}

}  // namespace lekt
