// A listener: accepts connections on one address and hands them to the workers in turn.
//
// It waits until clients are there, and accepts many at a time: after a switch has rebooted, all clients come at once,
// and the kernel keeps only a few thousand waiting (the others try again after a second).
//
// Over its cap, a client is told why (E401). When descriptors run out, accepting pauses instead of spinning. Runs on the main thread's io_context.
#pragma once

#include <asio/io_context.hpp>
#include <asio/ip/tcp.hpp>
#include <asio/steady_timer.hpp>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <vector>

#include "server/net/listen_address.h"
#include "server/net/worker.h"
#include "server/operators/warnings.h"

namespace lekt {

class Listener {
 public:
  struct Settings {
    ListenAddress address;
    /// How long a client may leave what it was sent without an acknowledgement before the kernel gives it up
    /// (tcp(7), TCP_USER_TIMEOUT).
    AwakeTime user_timeout{0};
    /// Proxies, whose connections begin with a header that says for whom they are.
    std::vector<Block> proxies;
  };

  /// Binds and listens at once; throws CodedError E502.
  Listener(asio::io_context& io, const Settings& settings,
           const std::vector<std::unique_ptr<Worker>>& workers, Admission& admission, Warnings& warnings);
  /// Takes over a listening TCP socket, whatever address the settings have; throws CodedError E512.
  Listener(asio::io_context& io, const Settings& settings, Descriptor passed,
           const std::vector<std::unique_ptr<Worker>>& workers, Admission& admission, Warnings& warnings);

  /// Speaks TLS with clients that connect from now on.
  void use(std::shared_ptr<TlsContext> tls) { tls_ = std::move(tls); }

  /// Sets the proxies whose connections begin with a header from now on.
  void use(std::vector<Block> proxies) { proxies_ = std::move(proxies); }

  /// The address on which it listens, with the port that was picked if 0 was asked for.
  ListenAddress local_address() const;

  void start();
  void stop();

 private:
  enum class Accepted : std::uint8_t { one, none, exhausted };

  Listener(asio::io_context& io, std::vector<Block> proxies,
           const std::vector<std::unique_ptr<Worker>>& workers, Admission& admission, Warnings& warnings);

  void listen(AwakeTime user_timeout);
  void wait();
  void accept_waiting();
  Accepted accept_one();
  void take(Descriptor socket, const asio::ip::address& peer);
  bool is_proxy(Address address) const;
  void hand_over();
  void pause();

  std::vector<Block> proxies_;
  std::shared_ptr<TlsContext> tls_;
  const std::vector<std::unique_ptr<Worker>>& workers_;
  Admission& admission_;
  Warnings& warnings_;
  asio::ip::tcp::acceptor acceptor_;
  asio::steady_timer pause_;
  std::vector<std::vector<Arrival>> arrivals_;  ///< for each worker; handed over after each round
  std::size_t next_worker_ = 0;
  bool exhausted_ = false;
};

}  // namespace lekt
