// Committed changes as server-sent events (the HTML standard's text/event-stream), for a bounded number of listeners.
//
// An event "change" is one entry of the feed; its id is the sequence number, and a listener that comes back with the last
// id continues behind it. An event "missed" says that some changes are not kept any more: read the list of clients again.
#pragma once

#include <atomic>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>

#include "admin/http.h"
#include "server/operators/change_feed.h"

namespace lekt::admin {

class EventStream {
 public:
  using Clock = std::chrono::steady_clock;
  static constexpr std::chrono::milliseconds wait_max{1000};
  static constexpr std::chrono::seconds keep_alive{15};

  /// The feed outlives it. `after`: the sequence number that the listener knows.
  EventStream(ChangeFeed& feed, std::uint64_t after) : feed_(feed), after_(after) {}

  /// Waits at most `patience` for what comes next. An empty text: nothing has to be sent yet. Nothing: the server is
  /// stopping. `now` is the time at which it is sent.
  std::optional<std::string> next(Clock::time_point now, std::chrono::milliseconds patience = wait_max);

 private:
  ChangeFeed& feed_;
  std::uint64_t after_;
  Clock::time_point said_{};
  bool begun_ = false;
};

/// Counts the listeners, and limits them.
class Listeners {
 public:
  explicit Listeners(std::size_t count_max) : count_max_(count_max) {}

  /// Takes a place, which is held until its last copy is destroyed; yields none when all are taken. This object outlives
  /// it.
  std::shared_ptr<void> enter();

 private:
  const std::size_t count_max_;
  std::atomic<std::size_t> count_{0};
};

}  // namespace lekt::admin
