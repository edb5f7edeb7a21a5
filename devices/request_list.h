// The newest connection requests (packet 1). The server needs none of this to serve a device: the token says all that
// packet 3 has to prove. So a forged request costs a place here and nothing else, and losing a place harms nobody.
//
// What it is for: a repeated packet 1 is offered the same port again; the list of connections shows who is on its way; a
// device from which no packet 3 came is told to operators (E902); and the handler log gets the lines of packets 1 and 2,
// which have no file yet when they happen.
//
// Places are in the order of their first packet 2, and a new one takes that of the oldest. A request keeps its place
// after it has registered, so that one of its packets that the network delivers late is not taken for a new device.
//
// Invariants: at most `requests_max` places, allocated at once; one for each address and registration. Everything but
// for_each_on_its_way() takes the same time, however many requests there are (requests that have registered are passed
// over once each), and a stranger cannot choose numbers that share a chain, because the secret is in their hash.
//
// Knows no clock: times are awake time, and never go back. Used by one thread.
#pragma once

#include <array>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "common/address.h"
#include "devices/handler_log.h"

namespace lekt {

struct DeviceRequest {
  /// The most times that a device sends packet 1.
  static constexpr std::size_t accepts_max = 5;

  DeviceEndpoint device;               ///< where packet 1 came from last
  std::uint64_t registration = 0;      ///< the device's number
  std::uint16_t port = 0;              ///< the dedicated port that was offered
  Address local;                       ///< the server's address, at which packet 1 arrived
  bool is_registered = false;          ///< packet 3 has come
  std::chrono::milliseconds since{0};  ///< awake time of the first packet 2
  /// When packet 2 was sent, for the handler log: the first `accepts` of them.
  std::array<LoggedTime, accepts_max> accepted{};
  std::uint8_t accepts = 0;

  /// Notes that packet 2 is sent, for the first time or once more.
  void note_accept(LoggedTime time) {
    if (accepts < accepts_max) accepted.at(accepts++) = time;
  }
};

struct LoggedEvent {
  LoggedTime time;
  HandlerEvent event;
};

/// The events of packets 1 and 2, which would have been logged when they happened, for the file that packet 3 makes.
/// `first_port` and `last_port` are the range.
std::vector<LoggedEvent> handler_events(const DeviceRequest& request, std::uint16_t first_port,
                                        std::uint16_t last_port);

class RequestList {
 public:
  using Time = std::chrono::milliseconds;

  static constexpr std::size_t requests_max = 1024;
  /// A device from which no packet 3 has come this long after the first packet 2 could not complete its registration
  /// (E902). By then it has given up, too.
  static constexpr Time patience = std::chrono::seconds(10);

  /// `secret` is random.
  explicit RequestList(std::uint64_t secret);

  /// The request of this address and registration; nullptr when the list has none. It may be changed, except for these
  /// two and `since`. Valid until the next add() or take_incomplete().
  DeviceRequest* find(Address address, std::uint64_t registration);

  /// Gives a request its place; find() knows none of its address and registration. `since` is not before that of any
  /// other one. Valid as long as what find() returns.
  DeviceRequest& add(const DeviceRequest& request);

  /// The next request that is out of patience without having registered; call it until it returns nothing. Forgets it,
  /// and those before it that have registered.
  std::optional<DeviceRequest> take_incomplete(Time now);
  /// When take_incomplete() has something to look at; nothing when the list is empty.
  std::optional<Time> next_look() const;

  std::size_t size() const { return count_; }

  /// Calls `use(const DeviceRequest&)` for each request that has not registered, oldest first.
  template <class Use>
  void for_each_on_its_way(Use use) const {
    for (std::size_t place = 0; place < count_; ++place) {
      const DeviceRequest& request = places_[(first_ + place) % requests_max].request;
      if (!request.is_registered) use(request);
    }
  }

 private:
  using Index = std::uint16_t;
  static constexpr Index none = requests_max;
  static constexpr std::size_t chains = 2 * requests_max;

  struct Place {
    DeviceRequest request;
    Index next = none;  ///< in its chain
  };

  Index& chain_of(Address address, std::uint64_t registration);
  void forget_oldest();

  std::uint64_t secret_;
  std::vector<Place> places_;  ///< a ring
  std::vector<Index> chains_;  ///< the first place of each chain
  std::size_t first_ = 0;
  std::size_t count_ = 0;
};

}  // namespace lekt
