// A connection: the socket of one member, and nothing that the member (server/core/member.h) could decide itself.
//
// It reads into 18 bytes of its own, into which a heartbeat (16 bytes) fits. Asio looks once when a read begins, and again
// when the socket has become readable: the heartbeat of a client that waits between two of them costs a recv that finds
// nothing, one that finds the heartbeat, and a send. The look cannot be spared: an end of the stream that came together
// with a heartbeat is the same edge of epoll, which tells of it once. Waiting without a look costs an epoll_ctl instead.
// What does not fit is read through the worker's shared buffer. An idle connection holds no other buffer.
//
// While output waits for the socket, a join waits for the writer, or heartbeats came too fast, nothing is
// read, and nothing that was kept is looked at: a client that sends and does not read is held back by TCP,
// not by memory. These reasons to wait overlap. So each of them, when it ends, only calls proceed(), which
// goes on when no other is left.
//
// A reject is the last thing sent: then the sending side is shut down and what the client still sends is read
// and dropped for a moment, since closing with unread input would make the kernel destroy the message in
// flight.
//
// The memory of the read under way is a part of the connection, so an idle connection is one block on the
// heap besides what Asio keeps for each descriptor; and it may be destroyed only when can_be_freed() says so.
//
// A connection of TLS waits until its socket is ready, and reads and sends through TlsStream; the rest is the
// same.
//
// Owned by its worker's lists; every member runs on the worker's thread.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <list>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "common/time.h"
#include "server/core/member.h"
#include "server/core/output.h"
#include "server/net/admission.h"
#include "server/net/entrance.h"
#include "server/net/membership.h"
#include "server/net/socket.h"
#include "server/net/tls.h"

namespace lekt {

class Worker;

/// Room for one asynchronous operation, which Asio would otherwise take from the heap. One operation at a
/// time.
class OperationMemory {
 public:
  /// For handlers, as Asio asks for it.
  template <class T>
  class Allocator {
   public:
    using value_type = T;
    explicit Allocator(OperationMemory& memory) : memory_(&memory) {}
    template <class Other>
    Allocator(const Allocator<Other>& other) : memory_(other.memory_) {}  // converts, as allocators do

    T* allocate(std::size_t) const {
      static_assert(sizeof(T) <= bytes && alignof(T) <= alignof(void*));
      return reinterpret_cast<T*>(memory_->bytes_.data());
    }
    void deallocate(T*, std::size_t) const {}
    bool operator==(const Allocator&) const = default;

   private:
    template <class Other>
    friend class Allocator;
    OperationMemory* memory_;
  };

 private:
  static constexpr std::size_t bytes = 112;
  alignas(void*) std::array<std::byte, bytes> bytes_;
};

class Connection {
 public:
  using List = std::list<Connection>;

  /// `socket`: of the worker's context.
  Connection(Socket socket, SessionId id, Address address);
  ~Connection();
  Connection(const Connection&) = delete;
  Connection& operator=(const Connection&) = delete;

  /// Begins to read, or refuses at once. `entrance`: what has to come before LEKT; null for nothing.
  void start(std::unique_ptr<Entrance> entrance, const std::optional<Rejection>& rejection);
  /// Refuses the client whatever it sends, and closes readably.
  void refuse(const Rejection& rejection);
  /// The writer has let the client join.
  void joined(std::int64_t second);
  /// The writer has not.
  void join_was_refused(const Rejection& rejection);
  /// The time for what it is doing has passed.
  void expire();
  /// It is slowed down, and a tick of the worker has come: it goes on, or waits for the next one.
  void resume();
  /// Its turn has come to do what takes long in a TLS handshake.
  void shake_hands();
  /// What it is told of changes without asking.
  enum class Pushed : std::uint8_t {
    nothing,  ///< it holds everything, or asks for another round once the socket has taken earlier output
    later,    ///< it is sent too much: a later round
    sent,
  };
  Pushed push();
  /// Closes now; the client is told nothing.
  void close();

  /// Nothing of it waits to be read, so an expired one is really silent.
  bool is_silent() const;
  /// What waits for it to read has waited for too long.
  bool reads_too_slowly(AwakeTime now) const;
  /// What waits for it to read keeps a view in memory that is not this one.
  bool holds_other_than(const std::shared_ptr<const ChangeView>& view) const;
  /// Closes, because of what it does not read. E302.
  void let_go_unread();

  const Member& member() const { return member_; }
  /// See Member::take_heard() and Member::hold().
  std::optional<std::int64_t> take_heard(AwakeTime now, std::int64_t wall) {
    return member_.take_heard(now, wall);
  }
  void hold(bool held) { member_.hold(held); }
  /// Whether an operator has switched on a trace of the client's address.
  void watch();
  bool is_slowed() const { return extras().place != nullptr && !is_entering(); }
  bool is_encrypted() const { return tls() != nullptr; }
  /// Of an answer that the client has not read yet.
  std::size_t waiting_bytes() const {
    const auto& blocked = extras().blocked;
    return blocked != nullptr ? blocked->output.size() - blocked->sent : 0;
  }
  bool can_be_freed() const { return is_closed() && operations_ == 0; }

 private:
  friend class Worker;  // keeps self_, verdict_ and push_place_

  /// Output that the socket did not take at once, with what keeps its shared bytes alive.
  struct Blocked {
    Output output;
    std::size_t sent = 0;
    std::shared_ptr<const ChangeView> view;  ///< null when nothing of the output is shared
    AwakeTime deadline;                      ///< for all of it
    Membership<Connection> place;            ///< among those that are blocked; who reads goes to the end
  };

  /// What few connections have, and most of these not for long.
  struct Extras {
    std::unique_ptr<Blocked> blocked;
    /// If it has to wait: among those whose TLS handshake goes on in its turn while it is entering, and afterwards among
    /// those that go on with a later tick, because they are slowed down.
    std::unique_ptr<Membership<Connection>> place;
    std::unique_ptr<Entrance> entrance;  ///< until LEKT may begin; for TLS until the end
  };

  /// What Asio calls when a read is over, or a wait for the socket before a read through TLS.
  struct ReadHandler {
    using allocator_type = OperationMemory::Allocator<void>;
    Connection* connection;

    allocator_type get_allocator() const { return allocator_type(connection->read_memory_); }
    void operator()(const asio::error_code& error, std::size_t size = 0) const;
  };

  /// Found through the socket, which spares each connection 8 bytes.
  Worker& worker();
  void enter();
  void follow(Entrance::Step step);
  void identify();
  void trace(std::string_view what);
  void trace_sent(Output& output);
  void read();
  void wait(bool for_output);
  void read_encrypted();
  /// Null for plain text.
  TlsStream* tls() const { return extras().entrance != nullptr ? extras().entrance->tls() : nullptr; }
  const Extras& extras() const { return extras_ != nullptr ? *extras_ : no_extras; }
  /// Gives it one of these; drop() takes it away again.
  template <class Part>
  void give(std::unique_ptr<Part> Extras::*which, std::unique_ptr<Part> part) {
    if (extras_ == nullptr) extras_ = std::make_unique<Extras>();
    extras_.get()->*which = std::move(part);
  }
  template <class Part>
  void drop(std::unique_ptr<Part> Extras::*which) {
    if (extras_ == nullptr) return;
    (extras_.get()->*which).reset();
    if (!extras_->blocked && !extras_->place && !extras_->entrance) extras_.reset();
  }
  void on_read(const asio::error_code& error, std::size_t size);
  void read_more();
  void drop_input(std::size_t size);
  void on_writable(const asio::error_code& error);
  void note_received(ByteView input);
  void process(ByteView input);
  void proceed();
  void go_on();
  void slow_down();
  void catch_up();
  bool send(Output& output);
  bool send_from(Output& output, std::size_t& sent, asio::error_code& error);
  std::size_t send_parts(Output& output, std::size_t sent, asio::error_code& error);
  std::size_t send_encrypted(Output& output, std::size_t sent, asio::error_code& error);
  void wait_writable();
  void end(Output& output);
  void drain();
  void lose(const asio::error_code& error);
  void leave(LeaveReason reason, std::string_view words);
  std::string peer() const;
  bool can_proceed() const;
  bool is_entering() const { return member_.state() == Member::State::entering; }
  bool is_closed() const { return member_.state() == Member::State::closed; }

  static const Extras no_extras;

  // In the order in which a heartbeat uses them, and so that none of them leaves a gap: there are many of these.
  Socket socket_;
  OperationMemory read_memory_;
  std::array<char, 18> received_;
  std::uint8_t operations_ : 4 = 0;  ///< asynchronous ones under way
  bool reading_ : 1 = false;
  bool was_slowed_ : 1 = false;  ///< at some time, and the log has said so
  bool traced_ : 1 = false;
  Admission::Verdict verdict_ = Admission::Verdict::admitted;
  union {
    std::uint32_t push_place_ = 0;  ///< in the worker's rounds, while it has joined and is pushed to
    std::uint32_t drained_;         ///< KiB since the reject was sent; each read counts as one more
  };
  std::unique_ptr<Extras> extras_;
  Member member_;
  List::iterator self_;  ///< in the worker's list of its state
};

}  // namespace lekt
