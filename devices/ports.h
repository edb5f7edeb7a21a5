// The dedicated ports, and the order in which they are offered to devices.
//
// All free ports of the range stand in one list, in ascending order at the start. The first is offered and goes to the
// end; a port that becomes free goes to the end. So what is offered is the next port of the range, the range wraps, and
// a port that was in use rests as long as possible. An offered port remains free: nothing is reserved, so forged requests
// can use up nothing.
//
// A port that another program has is set aside, and comes back to the end of the list after a while.
//
// Invariant: each port of the range is free, used or taken, and none is ever lost; everything takes the same time,
// however many ports there are. (Ports that come back are looked at by the next offer(), each once.)
//
// Opens no socket and knows no clock. Used by one thread.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <vector>

namespace lekt {

class DevicePorts {
 public:
  using Time = std::chrono::milliseconds;

  /// How long a port is set aside before it is tried again.
  static constexpr Time set_aside_for = std::chrono::seconds(60);

  struct Counts {
    std::size_t free = 0;
    std::size_t used = 0;   ///< ports that registrations use
    std::size_t taken = 0;  ///< ports that other programs have

    bool operator==(const Counts&) const = default;
  };

  /// Both ends are in the range; `first` is not above `last`.
  DevicePorts(std::uint16_t first, std::uint16_t last);

  /// The port to offer next; nothing when none is free. `now` is awake time, and never goes back.
  std::optional<std::uint16_t> offer(Time now);

  /// Sets a free port aside whose socket could not be opened, because another program has the port. Ask for another
  /// offer then; this happens to each port once at most, until it comes back.
  void set_aside(std::uint16_t port, Time now);

  /// Gives the port to a registration. False, and nothing happens, unless the port is free.
  bool use(std::uint16_t port);
  /// Frees a used port, whose registration is over.
  void release(std::uint16_t port);

  /// Whether the port is free. False for a port that is not in the range.
  bool is_free(std::uint16_t port) const {
    return contains(port) && nodes_[index_of(port)].state == State::free;
  }
  bool contains(std::uint16_t port) const { return port >= first_ && port <= last_; }
  std::uint16_t first() const { return first_; }
  std::uint16_t last() const { return last_; }
  Counts counts() const { return counts_; }

 private:
  enum class State : std::uint8_t { free, used, taken };
  using Index = std::uint32_t;

  /// A place in one of two rings. Those of ports come first, then one for the beginning of each ring.
  struct Node {
    Index before = 0;
    Index after = 0;
    State state = State::free;
    Time until{0};  ///< taken: when it comes back
  };

  Index index_of(std::uint16_t port) const { return Index{port} - first_; }
  std::uint16_t port_of(Index index) const { return static_cast<std::uint16_t>(first_ + index); }
  Index size() const { return Index{last_} - first_ + 1; }
  Index free_ring() const { return size(); }
  Index taken_ring() const { return size() + 1; }

  std::size_t& count_of(State state);
  void unlink(Index index);
  void append(Index ring, Index index);
  void enter(Index index, State state);
  void take_back(Time now);

  std::uint16_t first_;
  std::uint16_t last_;
  std::vector<Node> nodes_;
  Counts counts_;
};

}  // namespace lekt
