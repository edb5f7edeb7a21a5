#include "server/net/silence_guard.h"

#include <algorithm>
#include <utility>

namespace lekt {

namespace {

/// A number from 0 to 999 for each session, evenly spread also over neighbours: Fibonacci hashing.
std::int64_t turn_of(SessionId session) {
  return static_cast<std::int64_t>((session * 0x9e3779b97f4a7c15u >> 32) * 1000 >> 32);
}

}  // namespace

bool SilenceGuard::may_end(const Overdue& overdue, std::size_t clients, bool& held, Rate::Time now) {
  const MutexLock lock(mutex_);
  if (!state_.doubting && settings_.patience == AwakeTime(0)) return true;
  allowed_ = std::max({settings_.clients_min, clients * settings_.share_percent / 100, std::size_t{1}});
  Silent& silent = silent_[overdue.client];
  silent.asked_at = now;
  if (!state_.doubting && is_within_share(silent, now)) return true;
  if (!state_.doubting) state_ = {.doubting = true, .changed = true};
  if (!std::exchange(held, true)) ++state_.held;
  const AwakeTime half = settings_.patience / 2;
  const bool ends = overdue.time >= half + half * turn_of(overdue.session) / 1000;
  if (ends) ++state_.removed;
  return ends;
}

/// The rate of the share: as many at once as it allows in one timeout (Rate, with a price that follows the
/// clients). One that is counted is not counted again within the timeout, whatever its other sessions do.
bool SilenceGuard::is_within_share(Silent& silent, Rate::Time now) {
  if (now < silent.counted_until) return true;
  if (left_of_share(now) == 0) return false;
  paid_until_ = std::max(paid_until_, now) + price();
  silent.counted_until = now + settings_.timeout;
  return true;
}

std::size_t SilenceGuard::left_of_share(Rate::Time now) const {
  const Rate::Time window = settings_.timeout;
  const Rate::Time left = now + window - std::max(paid_until_, now);
  return left < price() ? 0 : static_cast<std::size_t>(left / std::max(price(), Rate::Time(1)));
}

SilenceGuard::State SilenceGuard::look(Rate::Time now) {
  const MutexLock lock(mutex_);
  if (now - looked_at_ >= settings_.calm / 4) {
    looked_at_ = now;
    std::size_t still = 0;
    std::erase_if(silent_, [&](const auto& entry) LEKT_REQUIRES(mutex_) {
      const bool is_silent = now - entry.second.asked_at < settings_.calm;
      if (is_silent) ++still;
      return !is_silent && now >= entry.second.counted_until;
    });
    if (state_.doubting && still <= left_of_share(now)) {
      state_.doubting = false;
      state_.changed = true;
    }
  }
  const State seen = state_;
  state_.changed = false;
  return seen;
}

}  // namespace lekt
