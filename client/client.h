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
// When a connection ends, the client connects again by itself and continues where it was: at once if the
// server's name has other addresses, and after a growing wait once all of them have failed. It does the same when
// the machine loses the address from which the client was connected. The handler hears each real change once,
// over all connections. Trouble with the server is told to the handler and never thrown.
//
// Link lekt::client. This header needs nothing but standard C++20, and shows no sockets. One thread constructs,
// runs, asks and destroys a client; only stop() may be called from anywhere.
#pragma once

#include <chrono>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>

#include "client/client_state.h"
#include "client/endpoints.h"
#include "client/peer_view.h"
#include "client/tls.h"
#include "common/address.h"
#include "common/catalogue.h"
#include "common/features.h"

namespace lekt {

struct ClientOptions {
  /// The server as HOST or HOST:PORT, with a name or an IPv4 address. The default port is 7890.
  std::string server;
  /// How others can reach this program: at most one method of each index, and none that the server gives. Without
  /// any it is listed, and nobody can connect to it.
  Methods methods = {};
  /// Time from one heartbeat to the next. Must be well below the server's --heartbeat-timeout (90 s by default).
  std::chrono::milliseconds interval{5000};
  /// Local address to connect from, and so the one by which others know this program.
  std::optional<Address> source = {};
  /// How to speak TLS with the server, on its port for TLS. Nothing: plain TCP.
  std::optional<TlsOptions> tls = {};
  /// Methods whose information this program can read when it hears of others; tcp and device are built in.
  MethodCatalogue catalogue = {};
  /// Which of the protocol's optional features to ask for. The server may have fewer.
  Features features = Features::all();
  /// What an earlier program knew, from Client::state(). If the server's log is the one that it was of, the server sends
  /// only what has changed since; otherwise the whole list. All that is there is told as added in any case.
  std::optional<ClientState> state = {};

  /// Time until the connection is established: name lookup, all addresses in turn, TLS.
  std::chrono::milliseconds connect_timeout{5000};
  std::chrono::milliseconds answer_timeout{10000};  ///< longest silence of the server when it is its turn
  std::chrono::milliseconds retry_first{500};       ///< shortest wait before the next attempt
  std::chrono::milliseconds retry_last{30000};      ///< longest wait
  std::optional<std::uint64_t> random_seed = {};    ///< makes the waits repeatable; nothing: random
};

/// Why a connection ended, and what happens next.
struct Disconnection {
  /// One printable line that begins with a stable code, for example "E701 cannot connect to ...".
  std::string reason;
  /// Whether the server refused this client; the reason is then the server's text.
  bool rejected = false;
  /// Whether it would refuse the same client again: version, address or methods do not suit it.
  bool permanent = false;
  /// Time until the client tries again, unless the machine gets a new address earlier. It tries again even if the
  /// reason is permanent: call stop() if that is of no use.
  std::chrono::milliseconds retry_in{0};
  /// Whether the server's name has other addresses, which are tried first, at once.
  bool others_left = false;
};

/// Receives what a client hears. All calls come from inside run() or run_for(), and each may call stop(). An
/// exception that a handler throws leaves run(); the client can then only be destroyed.
class ClientHandler {
 public:
  /// The server has registered this client.
  virtual void on_joined() {}
  /// A peer came, went, or can now be reached in another way. All clients are peers, this one included.
  virtual void on_change(const PeerChange&) {}
  /// An answer is complete, and its changes have been told: peers() is the server's list as of now.
  virtual void on_synchronised() {}
  /// The connection ended, or could not be made. peers() stays as it was.
  virtual void on_disconnected(const Disconnection&) {}
  /// Something works now but will stop working: one printable line that begins with a stable code, for example
  /// "E709 the server's certificate ... expires at ...". Each warning is given once.
  virtual void on_warning(const std::string&) {}

 protected:
  ~ClientHandler() = default;
};

class Client {
 public:
  /// A client that does not connect yet. The handler outlives it. Throws CodedError E705 if an option makes no
  /// sense or a TLS file cannot be used.
  Client(ClientOptions options, ClientHandler& handler);
  /// Closes at once if the client is still connected; stop() and run() leave cleanly. A question to silent name
  /// servers is left behind, on a thread that ends when the machine's resolver gives up.
  ~Client();
  Client(const Client&) = delete;
  Client& operator=(const Client&) = delete;

  /// Connects and stays a member until stop() is called.
  void run();

  /// Runs for at most `duration`, for programs with a loop of their own; false once the client has stopped.
  /// Heartbeats are sent only inside, so call it more often than the server's timeout demands.
  bool run_for(std::chrono::milliseconds duration);

  /// Leaves for good: closes the connection cleanly (and waits up to a second for the server to do the same),
  /// then run() returns. May be called from any thread, from the handler, and from a signal handler.
  void stop() noexcept;

  /// The server's list as of the last complete answer.
  const Peers& peers() const;

  /// The list as of the last complete answer with what it takes to continue from it: ClientOptions::state of the next
  /// program, which client/client_state.h turns into text and back. A copy of the list.
  ClientState state() const;

  /// Both ends of the connection; nothing while there is no connection.
  std::optional<Endpoints> endpoints() const;

 private:
  class Implementation;
  std::unique_ptr<Implementation> implementation_;
};

}  // namespace lekt
