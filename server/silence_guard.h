// The guard against mass silence: when more clients than a set share fall silent within one heartbeat timeout
// without closing, it is rather the server's own network that has failed, and they still run. Then the server
// doubts: it removes nobody for half of its patience, the rest in even steps during the other half, and
// whoever is heard meanwhile stays, on the same connection (compare Eureka's self-preservation).
//
// So what is removed too early is at most the share, and what is removed too late is so by at most the
// patience, whatever happens.
//
// Workers ask about each session that is overdue, again and again until it may end. Any thread; a lock is
// taken only for sessions that are overdue.
#pragma once

#include <cstddef>
#include <cstdint>
#include <mutex>

#include "server/rate.h"
#include "server/registry.h"
#include "server/time.h"

namespace lekt {

class SilenceGuard {
 public:
  struct Settings {
    std::uint32_t share_percent = 15;
    std::size_t sessions_min = 10;  ///< so many may fall silent in any case
    AwakeTime timeout = std::chrono::seconds(90);
    AwakeTime patience = std::chrono::seconds(90);  ///< 0: nobody is waited for
    AwakeTime calm = std::chrono::seconds(10);      ///< nothing overdue for so long: the doubt is over
  };

  /// What an operator should know; `changed` since the last look.
  struct State {
    bool doubting = false;
    bool changed = false;
    std::size_t held = 0;     ///< sessions that were waited for, in this doubt or the last
    std::size_t removed = 0;  ///< of these
  };

  explicit SilenceGuard(const Settings& settings) : settings_(settings) {}

  void use(const Settings& settings) {
    const std::lock_guard lock(mutex_);
    settings_ = settings;
  }
  /// Whether the session, silent for `overdue` longer than the timeout, ends now. `sessions`: how many there
  /// are. `held`: the last answer for it was no; is set. `now`: of one clock that never goes back.
  bool may_end(SessionId session, AwakeTime overdue, std::size_t sessions, bool& held, Rate::Time now);

  /// A doubt ends when nobody is overdue any more.
  State look(Rate::Time now);

 private:
  bool is_within_share(std::size_t sessions, Rate::Time now);

  std::mutex mutex_;
  Settings settings_;
  Rate::Time paid_until_{0};
  Rate::Time asked_at_{0};
  State state_;
};

}  // namespace lekt
