// Finds out whether a coordinator is there and would talk to us, with one handshake that others do not see.
#pragma once

#include <chrono>
#include <optional>
#include <string>
#include <vector>

#include "client/endpoints.h"
#include "client/server_name.h"
#include "client/tls.h"
#include "common/address.h"

namespace lekt {

struct PingOptions {
  ServerName server;
  std::optional<Address> source = {};       ///< local address to connect from
  std::chrono::milliseconds timeout{5000};  ///< for connecting, and again for the answer
  std::optional<TlsOptions> tls = {};       ///< nothing: plain TCP
};

struct PingResult {
  bool accepted = false;
  std::string reason;                         ///< why not, in one printable line that begins with a code
  Endpoints endpoints;                        ///< the ends of the connection that was made last
  std::vector<std::string> warnings;          ///< see ClientHandler::on_warning()
  std::chrono::microseconds connect_time{0};  ///< to establish the connection, with name lookup and TLS
  std::chrono::microseconds round_trip{0};    ///< from then until the handshake is accepted
};

/// Connects, sends a handshake that announces method tcp, waits for the answer, and leaves before it has told a
/// port. So the server never registers it. The addresses of a name share the timeouts; one that fails leaves its
/// turn to the others. Blocks for at most twice the timeout plus one second. Throws CodedError E705 if a TLS file
/// cannot be used.
PingResult ping(const PingOptions& options);

}  // namespace lekt
