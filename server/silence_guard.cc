#include "server/silence_guard.h"

#include <algorithm>
#include <utility>

namespace lekt {

namespace {

/// A number from 0 to 999 for each session, evenly spread also over neighbours: Fibonacci hashing.
std::int64_t turn_of(SessionId session) {
  return static_cast<std::int64_t>((session * 0x9e3779b97f4a7c15u >> 32) * 1000 >> 32);
}

}  // namespace

bool SilenceGuard::may_end(SessionId session, AwakeTime overdue, std::size_t sessions, bool& held,
                           Rate::Time now) {
  const std::lock_guard lock(mutex_);
  asked_at_ = now;
  if (!state_.doubting && (settings_.patience == AwakeTime(0) || is_within_share(sessions, now))) return true;
  if (!state_.doubting) state_ = {.doubting = true, .changed = true};
  if (!std::exchange(held, true)) ++state_.held;
  const bool ends = overdue >= settings_.patience / 2 + settings_.patience / 2 * turn_of(session) / 1000;
  if (ends) ++state_.removed;
  return ends;
}

/// The rate of the share: as many at once as it allows in one timeout (Rate, with a price that follows the
/// sessions).
bool SilenceGuard::is_within_share(std::size_t sessions, Rate::Time now) {
  const std::size_t allowed = std::max(settings_.sessions_min, sessions * settings_.share_percent / 100);
  const Rate::Time window = settings_.timeout;
  const Rate::Time after = std::max(paid_until_, now) + window / static_cast<std::int64_t>(allowed);
  if (after > now + window) return false;
  paid_until_ = after;
  return true;
}

SilenceGuard::State SilenceGuard::look(Rate::Time now) {
  const std::lock_guard lock(mutex_);
  if (state_.doubting && now - asked_at_ >= settings_.calm) {
    state_.doubting = false;
    state_.changed = true;
  }
  const State seen = state_;
  state_.changed = false;
  return seen;
}

}  // namespace lekt
