// A TCP connection to a host that users of devices work on. It connects, reads and sends bytes, and knows nothing of what
// they mean.
//
// Nothing waits: a name is looked up by another thread (host_lookup.h), and connecting takes at most `connect` in all, its
// addresses one after the other. It reads in turns with all others (host_pace.h), 4 KB at once, and not while the owner has
// paused it or `reading_stops_at` bytes wait for the host: so the answers of a terminal to a host that does not read do
// not grow. What a user types to such a host is kept up to `waiting_max`; then the connection is over.
//
// A host that has vanished is noticed within about two minutes, whether anything is sent or not.
//
// Owned by who uses it, on the thread that runs the io_context; it may be destroyed at any time, also while it calls its
// outside. What is under way then ends by itself and calls nobody.
#pragma once

#include <asio/io_context.hpp>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>

#include "common/bytes.h"
#include "server/net/host_lookup.h"
#include "server/net/host_pace.h"

namespace lekt {

struct HostLimits {
  std::chrono::milliseconds connect{10'000};
  std::size_t reading_stops_at = 64 * 1024;  ///< of bytes that wait for the host
  std::size_t waiting_max = 256 * 1024;
};

class HostConnection {
 public:
  /// Whom it tells. Nothing is called from within a call of the owner, and nothing after failed() or closed().
  class Outside {
   public:
    virtual ~Outside() = default;
    virtual void connected() = 0;
    /// It could not connect: "connection refused", "no answer within 10s".
    virtual void failed(const std::string& reason) = 0;
    virtual void received(ByteView bytes) = 0;
    /// The host has closed the connection, and everything that it sent before has been received; or it broke. `reason` is
    /// empty if the host has closed it.
    virtual void closed(const std::string& reason) = 0;
  };

  /// Connects to a name or an address in digits. All of these outlive it. `ask` is for tests.
  HostConnection(asio::io_context& io, HostPace& pace, const std::string& host, std::uint16_t port,
                 Outside& outside, const HostLimits& limits = {},
                 const HostLookup::Ask& ask = ask_machine_for_host);
  ~HostConnection();
  HostConnection(const HostConnection&) = delete;
  HostConnection& operator=(const HostConnection&) = delete;

  /// Sends at once or when it can; before connected() it waits. When it is over nothing is done.
  void send(ByteView bytes);
  /// Nothing is read until resume(), so that the host waits as well. That it has closed is noticed only then.
  void pause();
  void resume();

  /// How much waits for the host.
  std::size_t waiting_bytes() const;

 private:
  class Link;
  const std::shared_ptr<Link> link_;
};

}  // namespace lekt
