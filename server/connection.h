// A connection: the socket of one session, and nothing that the session could do itself.
//
// It reads into 32 bytes of its own: a heartbeat (16 bytes) fits, a short read tells the reactor that the
// socket is empty, and so a heartbeat costs one recv and one send and no further system call. What does not
// fit is read through the worker's shared buffer. An idle connection holds no other buffer.
//
// While output waits for the socket, or a join waits for the writer, nothing is read: a client that sends and
// does not read is held back by TCP, not by memory.
//
// A reject is the last thing sent: then the sending side is shut down and what the client still sends is read
// and dropped for a moment, since closing with unread input would make the kernel destroy the message in
// flight.
//
// Owned by its worker's lists; every member runs on the worker's thread.
#pragma once

#include <array>
#include <asio/io_context.hpp>
#include <asio/ip/tcp.hpp>
#include <cstdint>
#include <list>
#include <memory>
#include <string_view>

#include "server/output.h"
#include "server/session.h"
#include "server/time.h"

namespace lekt {

class Worker;

using Socket = asio::basic_stream_socket<asio::ip::tcp, asio::io_context::executor_type>;

class Connection {
 public:
  using List = std::list<Connection>;

  Connection(Worker& worker, Socket socket, SessionId id, Ipv4Address address);
  Connection(const Connection&) = delete;
  Connection& operator=(const Connection&) = delete;

  /// Begins to read.
  void start();
  /// Refuses the client whatever it sends, and closes readably.
  void refuse(const Rejection& rejection);
  /// The writer has decided about the join.
  void joined(std::int64_t second);
  /// The time for what it is doing has passed.
  void expire();
  /// Closes now; the client is told nothing.
  void close();

  const Session& session() const { return session_; }
  bool can_be_freed() const { return state_ == State::closed && operations_ == 0; }

 private:
  friend class Worker;  // keeps place_ and since_

  enum class State : std::uint8_t {
    open,
    ending,    ///< a reject is being sent
    draining,  ///< it was sent; what still comes is dropped
    closed,    ///< waits for its operations to be cancelled
  };

  /// Output that the socket did not take at once, with what keeps its shared bytes alive.
  struct Blocked {
    Output output;
    std::size_t sent = 0;
    std::shared_ptr<const ChangeView> view;
  };

  void read();
  void on_read(const asio::error_code& error, std::size_t size);
  void read_more();
  void on_writable(const asio::error_code& error);
  void process(ByteView input);
  void go_on();
  bool send(Output& output);
  bool send_from(Output& output, std::size_t& sent);
  void wait_writable();
  void end(Output& output);
  void drain();
  void lose(const asio::error_code& error);
  void leave(std::string_view reason);
  bool can_read() const;

  Worker& worker_;
  Socket socket_;
  Session session_;
  struct Place {
    List* list = nullptr;
    List::iterator self;
  };
  Place place_;      ///< in the worker's lists
  AwakeTime since_;  ///< last heard, or when the current phase began
  std::unique_ptr<Blocked> blocked_;
  std::array<char, 32> received_;
  std::uint32_t drained_ = 0;
  std::uint8_t operations_ = 0;  ///< asynchronous ones under way
  bool reading_ = false;
  bool registered_ = false;  ///< the writer knows the session
  bool joined_ = false;
  State state_ = State::open;
};

}  // namespace lekt
