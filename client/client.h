// A member of the network: stays connected to the coordinator, says how it can be reached, and hears of the
// others.
//
//     struct Printer : lekt::ClientHandler {
//       void on_change(const lekt::PeerChange& change) override { ... }
//     } printer;
//     lekt::ClientOptions options;
//     options.server = "10.0.0.1";
//     options.methods = {{lekt::tcp_index, lekt::tcp_information(4000)}};
//     lekt::Client client(options, printer);
//     client.run();
//
// When a connection ends it connects again by itself, waits longer after each failure, and continues where it
// was: the handler hears each real change once, over all connections. Trouble with the server is told to the
// handler and never thrown.
//
// Link lekt::client; every header of this library is standard C++20. A program that includes this one sees no
// sockets. One thread constructs, runs, asks and destroys a client; stop() alone may be called from anywhere.
#pragma once

#include <chrono>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>

#include "client/peer_view.h"
#include "client/tls.h"
#include "common/address.h"
#include "common/catalogue.h"

namespace lekt {

struct ClientOptions {
  /// HOST or HOST:PORT; a name or an IPv4 address. Without a port it is 7890.
  std::string server;
  /// How others can reach this program: at most one method of each index. None: it is present, and nobody can
  /// connect.
  Methods methods = {};
  /// From one heartbeat to the next. Must be well below the server's --heartbeat-timeout (90 s by default).
  std::chrono::milliseconds interval{5000};
  /// Local address to connect from, and so the one under which the others know this program.
  std::optional<Ipv4Address> source = {};
  /// Speak TLS with the server, on its port for TLS. None: plain TCP.
  std::optional<TlsOptions> tls = {};
  /// Methods whose information can be read in what the server tells of others; tcp is built in.
  MethodCatalogue catalogue = {};

  std::chrono::milliseconds connect_timeout{5000};  ///< includes resolving the name, and TLS
  std::chrono::milliseconds answer_timeout{10000};  ///< silence of the server when it is its turn
  std::chrono::milliseconds retry_first{500};       ///< shortest wait before the next attempt
  std::chrono::milliseconds retry_last{30000};      ///< longest wait
  std::optional<std::uint64_t> random_seed = {};    ///< of the waits; drawn from the machine if not given
};

/// Why a connection has ended, and what happens next.
struct Disconnection {
  /// One printable line that begins with a stable code, for example "E701 cannot connect to ...".
  std::string reason;
  /// The server refused this client; the reason is its text.
  bool rejected = false;
  /// It would refuse the same client again: version, address or methods do not suit it.
  bool permanent = false;
  /// The client tries again after this time, also when the reason is permanent; stop() if that is of no use.
  std::chrono::milliseconds retry_in{0};
};

/// What a client tells. All calls come from inside run() or run_for(); each may call stop(). An exception
/// thrown by a handler leaves run(); the client can then only be destroyed.
class ClientHandler {
 public:
  /// The server has registered this client.
  virtual void on_joined() {}
  /// A peer came, went or can be reached in another way. All clients are peers, this one included.
  virtual void on_change(const PeerChange&) {}
  /// An answer is complete and its changes are told: peers() is the server's list as of now.
  virtual void on_synchronised() {}
  /// The connection ended, or could not be made. peers() stays as it was.
  virtual void on_disconnected(const Disconnection&) {}

 protected:
  ~ClientHandler() = default;
};

class Client {
 public:
  /// Does not connect yet. The handler outlives the client. Throws CodedError E705 if an option makes no
  /// sense or a file of TLS cannot be used.
  Client(ClientOptions options, ClientHandler& handler);
  /// Closes at once if the client still runs; stop() and run() leave cleanly.
  ~Client();
  Client(const Client&) = delete;
  Client& operator=(const Client&) = delete;

  /// Connects and stays a member until stop() is called.
  void run();

  /// The same for at most `duration`, for programs with a loop of their own; false once the client has
  /// stopped. Heartbeats are only sent inside, so call it more often than the server's timeout demands.
  bool run_for(std::chrono::milliseconds duration);

  /// Leaves: closes the connection cleanly (it waits up to a second for the server to do the same), then
  /// run() returns. Final. May be called from every thread, from the handler, and from a signal handler.
  void stop() noexcept;

  /// The server's list as of the last complete answer.
  const Peers& peers() const;

 private:
  class Implementation;
  std::unique_ptr<Implementation> implementation_;
};

}  // namespace lekt
