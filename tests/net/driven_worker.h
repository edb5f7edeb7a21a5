// A real worker that the test drives: no thread, time that passes only when the test says so, and clients at
// the other ends of pairs of sockets with small buffers.
//
// Joins wait until the test decides about them; the list that clients are told has been made before.
#pragma once

#include <chrono>
#include <cstddef>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "common/descriptor.h"
#include "server/net/worker.h"

namespace lekt::test {

/// So many and so fast that no test is refused.
Admission::Limits limits_without_effect();

/// The client's end of a connection.
class ClientEnd {
 public:
  explicit ClientEnd(Descriptor socket) : socket_(std::move(socket)) {}

  /// What the socket takes now; false when it does not take all of it.
  bool send(ByteView bytes);
  /// At most so many of the bytes that are there.
  Bytes receive(std::size_t bytes_max = SIZE_MAX);
  bool has_bytes();
  /// Whether the server has ended the stream, or broken it.
  bool has_ended();
  void half_close();
  /// With what it has not read, the server's end sees a reset of the connection.
  void close() { socket_ = Descriptor(-1); }
  bool is_open() const { return socket_.is_open(); }

 private:
  Descriptor socket_;
};

class DrivenWorker {
 public:
  /// The worker of this server speaks of these clients until another view is published.
  DrivenWorker(const WorkerSettings& settings, PublishedView::Pointer view);

  /// A connection that the worker has taken over.
  ClientEnd connect(Address address, bool proxied = false, std::shared_ptr<TlsContext> tls = nullptr);
  /// What is ready is done, and nothing more.
  void turn() { worker_->turn(now_); }
  /// Time passes, with a tick after each 10 ms.
  void pass(std::chrono::milliseconds time);
  std::chrono::milliseconds passed() const;
  /// As the writer's thread does.
  void publish(PublishedView::Pointer view) {
    doors_.published.publish(std::move(view));
    worker_->view_was_published();
  }

  /// Joins that wait for a decision.
  std::size_t joins_waiting();
  /// Decides about the oldest one that waits, if there is one.
  void decide_join(std::optional<Rejection> rejection = {});
  /// Sessions that have asked to join and have not left; those that were refused do not count.
  std::size_t sessions_kept();

  /// Of each session that has left, whether it had been told that it has joined; in order.
  std::vector<bool> leaves_told();

  Worker& worker() { return *worker_; }
  Admission& admission() { return doors_.admission; }
  const RecentRejects& rejects() const { return seen_.rejects; }
  /// Codes that were given to clients, the newest first: "E301 E107".
  std::string codes() const;
  /// The worker ends, and its connections with it.
  void end();

 private:
  void take_commands();

  MethodCatalogue catalogue_;
  SessionRules rules_{.catalogue = catalogue_, .features = Features::all()};
  Seen seen_{".", 0};
  Doors doors_;
  std::vector<Command> commands_;
  std::vector<SessionId> joining_;
  std::set<SessionId> sessions_;
  std::vector<bool> leaves_told_;
  const std::chrono::steady_clock::time_point began_ = std::chrono::steady_clock::now();
  std::chrono::steady_clock::time_point now_ = began_;
  std::unique_ptr<Worker> worker_;
};

/// The handshake of a client that offers nothing, and is asked for nothing.
Bytes handshake_bytes(Features asked = {});
/// The first record of a client of TLS.
Bytes client_hello();
/// What a server of TLS needs, with a certificate of the tests.
std::shared_ptr<TlsContext> test_tls();
/// This number of heartbeats with one timestamp.
Bytes heartbeats(std::int64_t timestamp, std::size_t count = 1);
/// One that is later than any that was given out: an answer to it holds only what is new.
inline constexpr std::int64_t nothing_new = std::int64_t{1} << 40;

}  // namespace lekt::test
