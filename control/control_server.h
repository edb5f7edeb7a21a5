// The server's end of the control socket: a Unix socket next to the database, through which operators steer.
//
// The file decides who may use it: mode 0660, owner and group as the database. Requests (control/requests.h) are carried
// out on its own threads, one for each lane: no heartbeat waits for an operator, and operators who look do not wait for
// those who steer. A connection that sends nothing, sends too much or does not read is closed; when all connections are
// taken, the next one waits in the kernel.
//
// The caller holds the database's lock, so a socket file that is already there was left by a dead server, and is
// replaced.
#pragma once

#include <array>
#include <asio/executor_work_guard.hpp>
#include <asio/io_context.hpp>
#include <asio/local/stream_protocol.hpp>
#include <asio/steady_timer.hpp>
#include <asio/thread_pool.hpp>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <optional>
#include <thread>

#include "control/requests.h"
#include "server/operators/operations.h"

namespace lekt::control {

class ControlServer {
 public:
  static constexpr std::size_t connections_max = 16;
  static constexpr std::size_t request_bytes_max = 64 * 1024;

  struct Settings {
    std::filesystem::path socket;
    std::filesystem::path database;             ///< whose owner and group the socket gets
    std::chrono::milliseconds patience{5'000};  ///< for a request to arrive, and for an answer to be read
  };

  /// Begins to listen and to answer. Throws CodedError E511 or E509. `operations` outlives the server.
  ControlServer(const Settings& settings, Operations& operations);
  /// Removes the socket, and waits for the requests that are being carried out.
  ~ControlServer();
  ControlServer(const ControlServer&) = delete;
  ControlServer& operator=(const ControlServer&) = delete;

 private:
  using Protocol = asio::local::stream_protocol;
  class Session;

  /// The file of the socket, removed at the end of the scope if it still is the one that was made.
  class File {
   public:
    ~File();
    void bind(Protocol::acceptor& acceptor, const Settings& settings);

   private:
    std::filesystem::path path_;
    std::uint64_t number_ = 0;  ///< inode; 0 until there is one
  };

  void listen();
  void accept();
  void pause();
  void session_ended();
  asio::thread_pool& lane(Lane lane);

  // Sessions end with io_ at the latest, and use the members above it.
  Settings settings_;
  Operations& operations_;
  File file_;
  std::size_t sessions_ = 0;
  bool accepting_ = false;
  bool closing_ = false;
  asio::io_context io_{1};
  /// Keeps io_ running: while all requests are in their lanes, nothing is under way on the sockets.
  asio::executor_work_guard<asio::io_context::executor_type> stays_{io_.get_executor()};
  asio::steady_timer pause_;
  Protocol::acceptor acceptor_;
  std::array<std::optional<asio::thread_pool>, lanes> lanes_;  ///< each has one thread
  std::thread thread_;
};

}  // namespace lekt::control
