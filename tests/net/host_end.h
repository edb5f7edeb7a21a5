// The other ends of connections to hosts: a host with a listening socket, driven by the test, and a user that notes what it
// is told.
#pragma once

#include <sys/resource.h>

#include <asio/io_context.hpp>
#include <chrono>
#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "common/descriptor.h"
#include "server/net/host_connection.h"

namespace lekt::test {

/// The host's side of a connection. Its calls wait, but for ten seconds at most.
class HostSocket {
 public:
  explicit HostSocket(int descriptor);

  /// Sends all of it; false if the connection is over, or nobody has read for too long.
  bool send(ByteView bytes);
  /// Exactly so many bytes, or what came before the connection was over.
  Bytes receive(std::size_t size);
  /// What can be sent of it, and what has come, without waiting.
  std::size_t send_some(ByteView bytes);
  Bytes receive_some();
  /// No more is sent; it still receives.
  void finish_sending();
  /// Whether the other end has closed, or broken, the connection; waits for that.
  bool is_closed();
  /// Breaks the connection, so that the other end gets a reset.
  void reset();
  void close() { descriptor_.reset(); }
  /// Of the other end.
  std::uint16_t peer_port() const;

 private:
  std::optional<Descriptor> descriptor_;
};

/// Listens at an address that other processes of the tests do not use.
class HostEnd {
 public:
  HostEnd();

  std::string address() const;
  std::uint16_t port() const { return port_; }
  HostSocket accept();
  /// Makes it drop who wants to connect from now on, as a host does that is switched off.
  void fall_silent();

 private:
  Descriptor descriptor_;
  std::uint16_t port_ = 0;
  std::vector<Descriptor> connecting_;
};

/// A host that writes as much as it can: the lines "000000", "000001", ..., so that the screen shows how much of it is read.
class Flood {
 public:
  explicit Flood(HostSocket& socket) : socket_(socket) {}

  /// Writes what it can without waiting; how much that was.
  std::size_t write_some();
  /// The highest number in the text of a screen.
  static std::size_t highest_number(const std::string& screen);
  /// What has been read when this is the highest number.
  static std::size_t bytes_until(std::size_t number) { return (number + 1) * line_bytes; }

 private:
  static constexpr std::size_t line_bytes = 8;

  HostSocket& socket_;
  Bytes rest_;  ///< of the line that was written in part
  std::size_t next_ = 0;
};

/// While it lives, the process gets no new file descriptor.
class NoDescriptors {
 public:
  NoDescriptors();
  ~NoDescriptors();
  NoDescriptors(const NoDescriptors&) = delete;
  NoDescriptors& operator=(const NoDescriptors&) = delete;

 private:
  rlimit before_{};
};

/// A port at the address of HostEnd that nobody listens on.
std::uint16_t unused_port();

/// What a user of the connection was told.
struct HostUser final : HostConnection::Outside {
  void connected() override { note("connected"); }
  void failed(const std::string& reason) override { note("failed: " + reason); }
  void received(ByteView bytes) override {
    text += bytes;
    if (on_received) on_received(bytes);
  }
  void closed(const std::string& reason) override { note("closed: " + reason); }

  void note(const std::string& what) {
    told.push_back(what);
    if (on_told) on_told();
  }
  bool was_told(const std::string& what) const { return !told.empty() && told.back() == what; }

  std::vector<std::string> told;
  Bytes text;
  std::function<void()> on_told;
  std::function<void(ByteView)> on_received;
};

/// Runs the context until the condition holds; false when it does not within ten seconds.
bool run_until(asio::io_context& io, const std::function<bool()>& condition);

}  // namespace lekt::test
