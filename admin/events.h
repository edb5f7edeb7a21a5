// Committed changes as server-sent events (the HTML standard's text/event-stream), for at most so many
// listeners at a time.
//
// An event "change" is one entry of the feed, its id the sequence number; who comes back with the last id
// goes on behind it. An event "missed" says that some are not kept any more: read the list of clients again.
#pragma once

#include <atomic>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>

#include "admin/http.h"
#include "server/change_feed.h"

namespace lekt::admin {

class EventStream {
 public:
  using Clock = std::chrono::steady_clock;
  static constexpr std::chrono::milliseconds wait_max{1000};
  static constexpr std::chrono::seconds keep_alive{15};

  /// The feed outlives it. `after`: the sequence number that the listener knows.
  EventStream(ChangeFeed& feed, std::uint64_t after) : feed_(feed), after_(after) {}

  /// What comes next, waiting at most `patience`; empty when nothing has to be said yet, nothing at all when
  /// the server stops. `now` is the time at which it is sent.
  std::optional<std::string> next(Clock::time_point now, std::chrono::milliseconds patience = wait_max);

 private:
  ChangeFeed& feed_;
  std::uint64_t after_;
  Clock::time_point said_{};
  bool begun_ = false;
};

/// Counts those who listen.
class Listeners {
 public:
  explicit Listeners(std::size_t count_max) : count_max_(count_max) {}

  /// A place, until the last copy goes away; none when all are taken. The listeners outlive it.
  std::shared_ptr<void> enter();

 private:
  const std::size_t count_max_;
  std::atomic<std::size_t> count_{0};
};

}  // namespace lekt::admin
