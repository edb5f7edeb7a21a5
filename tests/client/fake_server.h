// A server that follows a script, on a free port of 127.0.0.1 or where a test wants it: for everything that a
// sound server never does.
//
// It has one thread; each connection is led by the next script, one after the other. A script that meets what
// it did not expect throws, which the destructor reports as a failure of the running test.
#pragma once

#include <openssl/types.h>

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <stdexcept>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

#include "common/address.h"
#include "common/bytes.h"
#include "common/catalogue.h"
#include "common/packets.h"
#include "tests/support/certificates.h"

namespace lekt::test {

/// An entry of an answer: 'A' with methods.
AddedEntry added(std::string_view address, Methods methods);
/// One tcp method.
Methods tcp(std::uint16_t port);

/// Bytes of one update packet.
Bytes update(std::int64_t timestamp, const std::vector<AddedEntry>& entries);
Bytes update(std::int64_t timestamp, const std::vector<std::string_view>& removed);
Bytes closing(std::int64_t timestamp);

/// How a connection speaks TLS.
struct FakeTls {
  CertifiedKey certificate;
  std::filesystem::path client_authority = {};  ///< empty: no client's certificate is wanted
  int version_last = 0;                         ///< for example TLS1_2_VERSION; 0: the newest
};

/// The server's end of one connection. Reading waits for at most 10 s, then throws.
class FakeConnection {
 public:
  FakeConnection(int descriptor, Address peer) : descriptor_(descriptor), peer_(peer) {}
  ~FakeConnection();
  FakeConnection(const FakeConnection&) = delete;
  FakeConnection& operator=(const FakeConnection&) = delete;

  Address peer() const { return peer_; }

  /// Speaks TLS from now on. Yields the server's name as the client said it, empty if it said none. Throws if
  /// the handshake fails.
  std::string begin_tls(const FakeTls& tls);

  void send(ByteView bytes);
  /// The next packet of the client; anything else throws.
  template <class Packet>
  Packet receive(std::uint32_t index_requested = 0);
  /// Reads as many bytes as `expected` has; throws if they are others.
  void receive_bytes(ByteView expected);
  /// Reads until the client has closed; throws if that is not a clean end, or if more bytes come.
  void expect_end();

  /// Handshake, setup of all methods that the client announces, zero index. Yields what the client offers. With an
  /// identity the server has that feature.
  Methods let_join(const std::optional<LogIdentity>& identity = {});
  /// Receives a heartbeat and answers it with one packet and the closing one.
  std::int64_t answer(std::int64_t timestamp, const std::vector<AddedEntry>& entries);

  /// Makes the kernel send RST.
  void reset();
  /// Ends TLS as a killed process does it: with the end of the TCP connection alone.
  void forget_tls() { tls_.reset(); }

 private:
  int receive_into(char* bytes, std::size_t size);
  void receive_some();

  int descriptor_;
  Address peer_;
  std::shared_ptr<SSL> tls_;
  Bytes input_;
  MethodCatalogue catalogue_;
};

class FakeServer {
 public:
  using Script = std::function<void(FakeConnection&)>;

  explicit FakeServer(std::vector<Script> scripts, std::string_view address = "127.0.0.1",
                      std::uint16_t port = 0);
  /// Waits for the script that runs.
  ~FakeServer();
  FakeServer(const FakeServer&) = delete;
  FakeServer& operator=(const FakeServer&) = delete;

  /// "127.0.0.1:40123"
  std::string name() const { return address_ + ":" + std::to_string(port_); }
  std::uint16_t port() const { return port_; }

 private:
  void work(const std::vector<Script>& scripts);

  const std::string address_;
  int listener_;
  std::uint16_t port_;
  std::string failure_;
  std::thread thread_;
};

/// A port where nothing is answered, as behind a firewall that drops: the kernel's queue of connections is
/// full.
class DroppingPort {
 public:
  explicit DroppingPort(std::string_view address, std::uint16_t port = 0);
  ~DroppingPort();
  DroppingPort(const DroppingPort&) = delete;
  DroppingPort& operator=(const DroppingPort&) = delete;

  std::uint16_t port() const { return port_; }

 private:
  int listener_;
  std::uint16_t port_;
  std::vector<int> fillers_;
};

template <class Packet>
Packet FakeConnection::receive(std::uint32_t index_requested) {
  const ReadContext context{.catalogue = catalogue_, .index_requested = index_requested};
  for (;;) {
    Packet packet;
    Rejection rejection{ErrorCode::not_lekt, {}};
    ByteView rest = input_;
    const ReadStatus status = read(rest, packet, context, rejection);
    if (status == ReadStatus::wrong) throw std::runtime_error("the client sent: " + rejection.text());
    if (status == ReadStatus::complete) {
      input_.erase(0, input_.size() - rest.size());
      return packet;
    }
    receive_some();
  }
}

}  // namespace lekt::test
