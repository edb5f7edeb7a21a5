// Who reads next of all connections to hosts: a host that floods must starve neither the devices nor other hosts.
//
// A connection that has something to read waits for its turn behind those that wait already. One turn is taken at a time,
// and between two of them the thread does what else is due. Of the processor time that turns take, at most `share` is spent
// in each `slice`: what is more is made up for by a pause, so hosts get half of the thread when they have much to say.
// Nothing is reserved for them. Time in which another program has the core is no host's: nobody has to pause for it.
//
// Used by the thread that runs the io_context, which outlives it.
#pragma once

#include <array>
#include <asio/io_context.hpp>
#include <asio/steady_timer.hpp>
#include <chrono>
#include <deque>
#include <memory>
#include <span>

namespace lekt {

class HostPace {
 public:
  using Clock = std::chrono::steady_clock;

  static constexpr std::chrono::milliseconds slice{10};
  static constexpr std::chrono::milliseconds share{5};

  /// Who has turns.
  class Reader {
   public:
    virtual ~Reader() = default;
    /// Reads once, at most what fits into `buffer`, and does with it what has to be done. Throws nothing.
    virtual void take_turn(std::span<char> buffer) = 0;
  };

  explicit HostPace(asio::io_context& io) : io_(io), pause_(io) {}
  HostPace(const HostPace&) = delete;
  HostPace& operator=(const HostPace&) = delete;

  /// Gives the reader a turn, later; it lives until then. To be called again for another turn, and only after this one.
  void ask_for_turn(std::shared_ptr<Reader> reader);

  /// The processor time that all turns together have taken.
  std::chrono::nanoseconds spent() const { return spent_; }

 private:
  void go_on();
  void take_turn();

  asio::io_context& io_;
  asio::steady_timer pause_;
  std::deque<std::shared_ptr<Reader>> waiting_;
  bool is_going_on_ = false;  ///< a turn or the end of a pause will come
  Clock::time_point slice_began_{};
  std::chrono::nanoseconds spent_in_slice_{0};
  std::chrono::nanoseconds spent_{0};
  std::array<char, 4096> buffer_;
};

}  // namespace lekt
