// A server's DTLS session and a client's, with a network between them that does what a test wants, in virtual time.
#pragma once

#include <functional>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "client/device_dtls.h"
#include "tests/support/certificates.h"
#include "tests/tls/virtual_wall_clock.h"
#include "tls/dtls_session.h"

namespace lekt::test {

TlsSettings settings_of(const CertifiedKey& server, const std::filesystem::path& client_authorities = {});

class DtlsPair {
 public:
  using Phase = DtlsSession::Phase;

  /// A datagram, and which way it goes.
  struct Passing {
    bool to_server;
    Bytes bytes;
  };
  /// What arrives of a datagram, in this order; `number` counts those of both directions, from 0.
  using Network = std::function<std::vector<Passing>(const Passing& sent, std::size_t number)>;

  /// A client that knows the authority, and uses the server as `host`.
  explicit DtlsPair(const TlsSettings& server, const TlsOptions& client,
                    const std::string& host = "127.0.0.1");

  /// Everything arrives, without a network of its own.
  void set_network(Network network) { network_ = std::move(network); }

  /// Passes on what was sent, until nothing is under way.
  void pump();
  /// Goes on until both are done with the handshake, or 30 s have passed.
  void shake_hands();
  /// The earliest deadline of both; false if there is none.
  bool go_to_next_deadline();
  void wait(AwakeTime time);

  void client_sends(ByteView plain);
  void server_sends(ByteView plain);

  bool both_are(Phase phase) const { return server.phase() == phase && client.phase() == phase; }

  VirtualWallClock clock;
  AwakeTime now{0};
  DtlsContext server_context;
  DtlsContext client_context;
  DtlsSession server;
  DtlsSession client;
  std::vector<Bytes> at_server;  ///< the datagrams that it has received from the client
  std::vector<Bytes> at_client;
  std::vector<Passing> sent;  ///< all that either has given to the network

 private:
  void take(bool to_server, std::vector<Bytes>& datagrams);

  Network network_;
  std::size_t passed_on_ = 0;  ///< of `sent`
};

}  // namespace lekt::test
