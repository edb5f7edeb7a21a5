// The guard against mass silence. If more clients than a set share fall silent within one heartbeat timeout without
// closing, it is more likely that the server's own network has failed and that they are still running. Then the server
// doubts: it removes no client for half of its patience, and the rest in even steps during the other half. A client
// that is heard meanwhile stays, on the same connection (compare Eureka's self-preservation).
//
// So at most the share is removed too early, and nothing is removed too late by more than the patience, whatever
// happens.
//
// The guard counts clients, that is addresses: one with many sessions counts once, so nobody can begin or keep up a
// doubt alone. The doubt is over as soon as the clients that are still silent fit within the share again.
//
// Workers ask about each overdue session, again and again until it may end. Any thread; a lock is taken only for
// overdue sessions. Memory is proportional to the clients that are silent.
#pragma once

#include <cstddef>
#include <cstdint>
#include <unordered_map>

#include "common/mutex.h"
#include "common/rate.h"
#include "common/time.h"
#include "server/core/registry.h"

namespace lekt {

class SilenceGuard {
 public:
  struct Settings {
    std::uint32_t share_percent = 15;
    std::size_t clients_min = 10;  ///< how many may fall silent in any case
    AwakeTime timeout = std::chrono::seconds(90);
    AwakeTime patience = std::chrono::seconds(90);  ///< 0: no client is waited for
    /// Workers ask about an overdue session at least this often. A client that nobody asks about is no longer silent.
    AwakeTime calm = std::chrono::seconds(10);
  };

  /// What an operator should know; `changed` since the last look.
  struct State {
    bool doubting = false;
    bool changed = false;
    std::size_t held = 0;     ///< sessions that were waited for, in this doubt or the last one
    std::size_t removed = 0;  ///< those of them that were removed
  };

  explicit SilenceGuard(const Settings& settings) : settings_(settings) {}

  void use(const Settings& settings) {
    const MutexLock lock(mutex_);
    settings_ = settings;
  }
  struct Overdue {
    Address client;
    SessionId session = 0;
    AwakeTime time{0};  ///< how much longer than the timeout it has been silent
  };

  /// Whether the session ends now. `clients` is how many there are. `held` is whether the last answer for the session
  /// was no; the call sets it. `now` comes from one clock that never goes back.
  bool may_end(const Overdue& overdue, std::size_t clients, bool& held, Rate::Time now);

  /// Ends a doubt when it is time. Call it from time to time.
  State look(Rate::Time now);

 private:
  struct Silent {
    Rate::Time asked_at{0};
    Rate::Time counted_until{0};  ///< when it no longer takes a part of the share
  };

  bool is_within_share(Silent& silent, Rate::Time now) LEKT_REQUIRES(mutex_);
  std::size_t left_of_share(Rate::Time now) const LEKT_REQUIRES(mutex_);
  Rate::Time price() const LEKT_REQUIRES(mutex_) {
    return settings_.timeout / static_cast<std::int64_t>(allowed_);
  }

  Mutex mutex_;
  Settings settings_ LEKT_GUARDED_BY(mutex_);
  std::size_t allowed_ LEKT_GUARDED_BY(mutex_) = 1;  ///< clients that may fall silent within one timeout
  Rate::Time paid_until_ LEKT_GUARDED_BY(mutex_){0};
  Rate::Time looked_at_ LEKT_GUARDED_BY(mutex_){0};
  std::unordered_map<Address, Silent> silent_ LEKT_GUARDED_BY(mutex_);
  State state_ LEKT_GUARDED_BY(mutex_);
};

}  // namespace lekt
