#include "server/core/writer.h"

#include <algorithm>
#include <utility>

namespace lekt {

namespace {

using namespace std::chrono_literals;

/// How often removals are looked through for those to forget.
constexpr AwakeTime forgetting_interval = 10s;
/// How soon an unusable database is tried again.
constexpr AwakeTime retry_interval = 1s;
/// How many changes are loaded from one call of `loading` to the next.
constexpr std::size_t loading_interval = 1024;
/// The longest time between two turns, whatever else is due.
constexpr AwakeTime idle_interval = 1s;
/// How soon changes that were kept for later are tried again.
constexpr AwakeTime kept_interval = 100ms;
/// How much slower than time the log goes on while the clock is behind it.
constexpr int slowness = 2;
/// One in this many of the remembered removals is forgotten at once when there are too many: looking through all of
/// them to forget a single one would be too dear.
constexpr std::size_t forgotten_share = 8;

Rejection refusal_of_change() {
  return {ErrorCode::storage_unavailable,
          "the server's database does not take a record of this address; its operator finds why in the "
          "server's log"};
}

}  // namespace

Writer::Writer(storage::Database& database, const WriterSettings& settings, Moment now,
               const std::function<void()>& loading)
    : database_(database),
      settings_(settings),
      registry_(settings.limits),
      change_log_(settings.limits.packet_bytes_max),
      side_rows_(settings.presence_interval, now.awake),
      change_rates_(settings.changes, settings.secret, 8),
      second_since_(now.awake),
      grace_ends_(now.awake + settings.restart_grace),
      forgetting_due_(now.awake),
      last_turn_(now.awake) {
  load(true, loading);
  state_ = database_.state();
  view_ = change_log_.publish(state_, state_.second - 1);
}

void Writer::load(bool waiting, const std::function<void()>& loading) {
  std::size_t loaded = 0;
  const std::size_t stored = database_.count();
  change_log_.expect(stored);
  registry_.expect(stored);
  database_.load([&](storage::Change&& change) {
    if (loading && loaded++ % loading_interval == 0) loading();
    change_log_.restore(change);
    if (change.kind == UpdateKind::added) registry_.restore(change.address, change.methods, waiting);
    last_change_second_ = change.second;
  });
  change_log_.settle();
  oversize_ = registry_.oversize();
}

void Writer::join(SessionId session, Address address, const Methods& methods, Moment now) {
  auto rejection = barred_.contains(address) ? std::optional(refusal_of_change()) : std::nullopt;
  if (!rejection) rejection = registry_.join(session, address, methods);
  if (rejection) {
    refused_.push_back({session, 0, std::move(rejection)});
    return;
  }
  waiting_joins_.emplace(session, WaitingJoin{address, now.awake + settings_.join_wait});
  joins_have_gathered_ = true;
  // The row of a client that is new is written with its addition, as one session heard just now.
  if (registry_.is_present(address) || registry_.sessions_of(address) > 1)
    side_rows_.heard(address, registry_.sessions_of(address), now.wall);
}

void Writer::leave(SessionId session, Address address, LeaveReason reason, bool was_told) {
  if (waiting_joins_.erase(session) > 0) was_told = false;
  if (was_told)
    registry_.leave(session, address, reason);
  else
    registry_.take_back(session, address, reason);
  side_rows_.has_sessions(address, registry_.sessions_of(address));
}

void Writer::use(const WriterSettings& settings, const MethodCatalogue& catalogue) {
  const std::size_t packet_bytes_max = settings_.limits.packet_bytes_max;
  settings_ = settings;
  settings_.limits.packet_bytes_max = packet_bytes_max;
  side_rows_.use(settings_.presence_interval);
  change_rates_.use(settings_.changes);
  registry_.use(settings_.limits);
  database_.use(catalogue);
}

AwakeTime Writer::grace_left() const {
  return registry_.waiting() == 0 ? AwakeTime(0) : std::max(grace_ends_ - last_turn_, AwakeTime(0));
}

void Writer::heard(Address address, std::int64_t wall) {
  const std::uint32_t sessions = registry_.sessions_of(address);
  if (sessions != 0) side_rows_.heard(address, sessions, wall);
}

Writer::Turn Writer::turn(Moment now) {
  Turn turn;
  now.wall = clamp_wall(now.wall);
  last_turn_ = now.awake;
  joins_have_gathered_ = false;
  turn.completions.swap(refused_);
  if (!failure_.empty()) {
    retry_at_ = now.awake + retry_interval;
    set_trouble(StorageState::failed, std::exchange(failure_, {}), turn);
  }
  if (now.awake >= grace_ends_ && registry_.waiting() > 0) registry_.end_grace();
  const bool recovering = trouble_ == StorageState::failed;
  if (!recovering || (now.awake >= retry_at_ && recover(now, turn))) {
    // Each address whose change is refused is barred, so this ends.
    for (bool again = true; again;) {
      Plan planned = plan(now);
      again = (recovering || is_worth_a_commit(planned, now)) && !commit(planned, now, turn);
    }
  }
  finish_joins(now, turn);
  turn.trouble = trouble_;
  return turn;
}

/// The wall clock's second, or a later one: the log never goes back. While the clock is behind, as when it was
/// ahead once, the log goes on more slowly than time. So seconds differ, the retention ends, and one day the
/// clock has caught up.
std::int64_t Writer::log_second(Moment now) const {
  if (now.wall >= state_.second) return now.wall;
  const auto passed = std::chrono::duration_cast<std::chrono::seconds>(now.awake - second_since_);
  return std::max(state_.second, std::min(state_.second + passed.count() / slowness, wall_second_max));
}

bool Writer::may_change(Address address, Moment now) {
  if (barred_.contains(address)) return false;
  if (!change_rates_.is_used_up(address, now.awake)) return true;
  kept_some_ = true;
  return false;
}

Writer::Plan Writer::plan(Moment now) {
  Plan plan;
  kept_some_ = false;
  plan.differences = registry_.differences([&](Address address) { return may_change(address, now); });
  if (plan.differences.empty() && !kept_some_) dismissal_is_stored_ = true;
  plan.state = state_;
  plan.state.second = log_second(now);
  plan_changes(plan);
  plan.side_rows = side_rows_.choose(plan.changes, now);
  plan_forgetting(now, plan);
  return plan;
}

void Writer::plan_changes(Plan& plan) {
  plan.changes.reserve(plan.differences.size());
  for (const Registry::Difference& difference : plan.differences)
    plan.changes.push_back({++plan.state.sequence, plan.state.second, difference.kind, difference.address,
                            difference.methods, difference.reason});
}

void Writer::plan_forgetting(Moment now, Plan& plan) {
  const bool too_many = change_log_.removals() > settings_.removals_max;
  if (now.awake < forgetting_due_ && !too_many) return;
  if (oversize_.clients > 0 && now.awake >= forgetting_due_) oversize_ = registry_.oversize();
  // At least the last two seconds are kept: the beginning of history must not pass the closing timestamp.
  std::int64_t before = plan.state.second - std::max<std::int64_t>(settings_.retention.count(), 1);
  if (too_many) {
    const std::size_t kept = settings_.removals_max - settings_.removals_max / forgotten_share;
    before = std::max(before, std::min(change_log_.second_after_oldest(change_log_.removals() - kept),
                                       plan.state.second - 1));
  }
  const ChangeLog::Forgettable forgettable = change_log_.forgettable(before);
  if (forgettable.count == 0) {
    forgetting_due_ = now.awake + forgetting_interval;
    return;
  }
  plan.forget_before = before;
  plan.state.history_begins = std::max(state_.history_begins, forgettable.newest_second + 1);
  plan.state.forgotten_sequence = std::max(state_.forgotten_sequence, forgettable.newest_sequence);
}

/// Besides changes, one more commit after the last of them: it moves the closing timestamp beyond their
/// second, so that a client that resumes later is not told of them again. An idle server then writes nothing.
bool Writer::is_worth_a_commit(const Plan& plan, Moment now) const {
  if (!plan.changes.empty() || plan.forget_before != 0) return true;
  if (side_rows_.are_worth_a_commit(plan.side_rows, now)) return true;
  const bool settled = state_.sequence == 0 || state_.second - 1 > last_change_second_;
  return !settled && plan.state.second - 1 > last_change_second_;
}

/// False when one change was refused, and the others are to be planned anew.
bool Writer::commit(Plan& plan, Moment now, Turn& turn) {
  storage::Batch batch{.state = plan.state, .changes = plan.changes, .forget_before = plan.forget_before};
  side_rows_.fill(plan.side_rows, settings_.retention, now, batch);
  turn.attempted = true;
  try {
    if (database_.commit(batch) == storage::CommitResult::busy) {
      set_trouble(
          StorageState::busy,
          CodedError(ErrorCode::database_busy, "another program holds the database's write lock").what(),
          turn);
      return true;
    }
  } catch (const storage::ChangeRefused& refused) {
    barred_.insert(refused.address());
    turn.refused_changes.push_back(to_string(refused.address()) + ": " + refused.what());
    return false;
  } catch (const CodedError& error) {
    retry_at_ = now.awake + retry_interval;
    set_trouble(StorageState::failed, error.what(), turn);
    return true;
  }
  turn.committed = true;
  set_trouble(StorageState::usable, {}, turn);
  apply(plan, now, turn);
  return true;
}

void Writer::apply(Plan& plan, Moment now, Turn& turn) {
  registry_.committed(plan.differences);
  if (!kept_some_) dismissal_is_stored_ = true;
  for (const storage::Change& change : plan.changes) change_rates_.charge(change.address, now.awake);
  if (plan.state.second != state_.second)
    second_since_ =
        now.wall >= state_.second
            ? now.awake
            : second_since_ + std::chrono::seconds(slowness * (plan.state.second - state_.second));
  change_log_.append(plan.changes);
  if (plan.forget_before != 0) change_log_.forget(plan.forget_before);
  state_ = plan.state;
  if (!plan.changes.empty()) last_change_second_ = state_.second;
  turn.refused_rows = database_.refused_rows();
  side_rows_.committed(plan.side_rows, turn.refused_rows, now);
  if (now.awake >= forgetting_due_) forgetting_due_ = now.awake + forgetting_interval;
  view_ = change_log_.publish(state_, state_.second - 1);
  turn.published = true;
  turn.changes = std::move(plan.changes);
}

/// After a failed commit nothing in memory says what the database holds: open it anew and read everything
/// again. The sessions are still true, and comparing them with what was read yields what is left to write.
/// The trouble is over only when a commit has worked.
bool Writer::recover(Moment now, Turn& turn) {
  try {
    database_.reopen();
    registry_.begin_reload();
    change_log_ = ChangeLog(settings_.limits.packet_bytes_max);
    load(false);
    registry_.end_reload();
  } catch (const CodedError& error) {
    retry_at_ = now.awake + retry_interval;
    set_trouble(StorageState::failed, error.what(), turn);
    return false;
  }
  const storage::LogState& stored = database_.state();
  state_.sequence = std::max(state_.sequence, stored.sequence);
  state_.second = std::max(state_.second, stored.second);
  state_.history_begins = std::max(state_.history_begins, stored.history_begins);
  state_.forgotten_sequence = std::max(state_.forgotten_sequence, stored.forgotten_sequence);
  view_ = change_log_.publish(state_, state_.second - 1);
  turn.published = true;
  turn.recovered = true;
  return true;
}

void Writer::set_trouble(StorageState trouble, const std::string& message, Turn& turn) {
  if (trouble == trouble_) return;
  trouble_ = trouble;
  turn.message = trouble == StorageState::usable ? "the database can be written again" : message;
}

void Writer::finish_joins(Moment now, Turn& turn) {
  std::erase_if(waiting_joins_, [&](const auto& waiting) {
    const auto& [session, join] = waiting;
    if (trouble_ != StorageState::failed && registry_.is_stored(join.address)) {
      turn.completions.push_back({session, state_.second, std::nullopt});
      return true;
    }
    const bool barred = barred_.contains(join.address);
    if (trouble_ != StorageState::failed && now.awake < join.deadline && !barred) return false;
    registry_.take_back(session, join.address, leave_reason(ErrorCode::storage_unavailable));
    side_rows_.has_sessions(join.address, registry_.sessions_of(join.address));
    if (barred) {
      turn.completions.push_back({session, 0, refusal_of_change()});
      return true;
    }
    turn.completions.push_back(
        {session, 0,
         Rejection{ErrorCode::storage_unavailable,
                   trouble_ == StorageState::failed
                       ? "the server's database cannot be written at the moment; try again later"
                       : "another program has held the server's database for too long; try again later"}});
    return true;
  });
}

void Writer::stop(Moment now) {
  side_rows_.hasten(now);
  // A turn writes a part of them, so that joins never wait for long; nobody joins any more.
  while (turn(now).committed && !side_rows_.presences_are_stored()) continue;
  database_.note_stop(std::max(state_.second, now.wall));
}

std::size_t Writer::dismiss(const Block& block, LeaveReason reason) {
  const std::size_t dismissed = registry_.dismiss(block, reason);
  if (dismissed > 0) dismissal_is_stored_ = false;
  return dismissed;
}

void Writer::compact(const std::function<void()>& progress) {
  if (trouble_ == StorageState::failed)
    throw CodedError(ErrorCode::commit_failed, "the database cannot be written at the moment");
  try {
    database_.compact(progress);
  } catch (const CodedError& error) {
    if (error.code() != ErrorCode::database_busy) failure_ = error.what();
    throw;
  }
}

AwakeTime Writer::wake_at() const {
  if (trouble_ == StorageState::failed) return retry_at_;  // nothing else can be done before
  AwakeTime at = last_turn_ + idle_interval;
  if (joins_have_gathered_ || !refused_.empty()) return last_turn_;
  if (!waiting_joins_.empty() && trouble_ == StorageState::busy) return last_turn_;
  if (kept_some_) at = last_turn_ + kept_interval;
  if (registry_.waiting() > 0) at = std::min(at, grace_ends_);
  return side_rows_.due_before(at);
}

}  // namespace lekt
