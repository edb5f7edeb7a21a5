// The server's end of the control socket: a Unix socket beside the database, through which operators steer.
//
// Who may use it is said by the file: mode 0660, owner and group as the database. Requests
// (control/requests.h) are carried out one after the other on a thread of its own, so nobody's heartbeat
// waits for an operator. A connection that says nothing, too much, or does not read, is closed; when all
// connections are taken, the next one waits in the kernel.
//
// The caller holds the database's lock: a socket that is left there is a dead server's, and is replaced.
#pragma once

#include <asio/io_context.hpp>
#include <asio/local/stream_protocol.hpp>
#include <asio/steady_timer.hpp>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <thread>

#include "server/operations.h"

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

  /// Listens, and answers from then on. Throws CodedError E511 or E509. `operations` outlives this.
  ControlServer(const Settings& settings, Operations& operations);
  /// Removes the socket. Waits for the request that is being carried out.
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

  // Sessions end with io_ at the latest, and tell what stands before it.
  Settings settings_;
  Operations& operations_;
  File file_;
  std::size_t sessions_ = 0;
  bool accepting_ = false;
  bool closing_ = false;
  asio::io_context io_{1};
  asio::steady_timer pause_;
  Protocol::acceptor acceptor_;
  std::thread thread_;
};

}  // namespace lekt::control
