// Whether a coordinator is there and would talk to us: one handshake, and nothing that others could see.
#pragma once

#include <chrono>
#include <optional>
#include <string>

#include "client/server_name.h"
#include "client/tls.h"
#include "common/address.h"

namespace lekt {

struct PingOptions {
  ServerName server;
  std::optional<Ipv4Address> source = {};   ///< local address to connect from
  std::chrono::milliseconds timeout{5000};  ///< for connecting, and again for the answer
  std::optional<TlsOptions> tls = {};       ///< none: plain TCP
};

struct PingResult {
  bool accepted = false;
  std::string reason;                         ///< why not; one printable line that begins with a code
  std::chrono::microseconds connect_time{0};  ///< until the connection stood, resolving and TLS included
  std::chrono::microseconds round_trip{0};    ///< from then until the handshake was accepted
};

/// Connects, sends a handshake that announces method tcp, waits for the answer, and leaves before it has told
/// a port: so the server never registers it. Blocks for at most twice the timeout and a second. Throws
/// CodedError E705 if a file of TLS cannot be used.
PingResult ping(const PingOptions& options);

}  // namespace lekt
