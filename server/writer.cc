#include "server/writer.h"

#include <algorithm>
#include <utility>

namespace lekt {

namespace {

using namespace std::chrono_literals;

/// Rows of operators' columns per transaction, so that joins never wait for a long one.
constexpr std::size_t presences_per_commit = 5000;
/// How often removals are looked through for those to forget.
constexpr AwakeTime forgetting_interval = 10s;
/// How soon an unusable database is tried again.
constexpr AwakeTime retry_interval = 1s;
/// A turn at least so often, whatever else is due.
constexpr AwakeTime idle_interval = 1s;

}  // namespace

Writer::Writer(storage::Database& database, const WriterSettings& settings, Moment now)
    : database_(database),
      settings_(settings),
      registry_(settings.limits),
      change_log_(settings.limits.packet_bytes_max),
      grace_ends_(now.awake + settings.restart_grace),
      presences_due_(now.awake + settings.presence_interval),
      forgetting_due_(now.awake),
      last_turn_(now.awake) {
  load(true);
  state_ = database_.state();
  view_ = change_log_.publish(state_, state_.second - 1);
}

void Writer::load(bool waiting) {
  database_.load([&](storage::Change&& change) {
    change_log_.restore(change);
    if (change.kind == UpdateKind::added) registry_.restore(change.address, change.methods, waiting);
    last_change_second_ = change.second;
  });
  change_log_.settle();
}

void Writer::join(SessionId session, Ipv4Address address, const Methods& methods, Moment now) {
  if (auto rejection = registry_.join(session, address, methods)) {
    refused_.push_back({session, 0, std::move(rejection)});
    return;
  }
  waiting_joins_.push_back({session, address, now.awake + settings_.join_wait});
  // The row of a client that is new is written with its addition, as one session heard just now.
  if (registry_.is_present(address) || registry_.sessions_of(address) > 1)
    presences_[address] = {address, registry_.sessions_of(address), now.wall};
}

void Writer::leave(SessionId session, Ipv4Address address, Moment) {
  std::erase_if(waiting_joins_, [&](const WaitingJoin& join) { return join.session == session; });
  registry_.leave(session, address);
  note_sessions(address);
}

void Writer::note_sessions(Ipv4Address address) {
  const std::uint32_t sessions = registry_.sessions_of(address);
  if (sessions == 0) {
    presences_.erase(address);  // its row goes with its removal
    return;
  }
  storage::Presence& presence = presences_[address];
  presence.address = address;
  presence.sessions = sessions;
}

void Writer::note_code(ErrorCode code, std::uint64_t count, Moment now) {
  storage::CodeCount& noted = codes_[code];
  noted = {code, noted.count + count, now.wall};
}

void Writer::warn(ErrorCode code, const std::string& message, Moment now) {
  const auto found = std::ranges::find(warnings_, code, &storage::Warning::code);
  if (found == warnings_.end())
    warnings_.push_back({code, now.wall, message});
  else
    found->message = message;
  warnings_written_ = false;
}

void Writer::clear_warning(ErrorCode code) {
  if (std::erase_if(warnings_, [&](const storage::Warning& warning) { return warning.code == code; }) > 0)
    warnings_written_ = false;
}

void Writer::ban(const storage::Ban& ban) { ban_changes_.push_back({ban, false}); }

void Writer::unban(const Cidr& block) { ban_changes_.push_back({{block, 0, {}}, true}); }

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

void Writer::use(const WriterSettings& settings, const MethodCatalogue& catalogue) {
  const std::size_t packet_bytes_max = settings_.limits.packet_bytes_max;
  settings_ = settings;
  settings_.limits.packet_bytes_max = packet_bytes_max;
  registry_.use(settings_.limits);
  database_.use(catalogue);
}

AwakeTime Writer::grace_left() const {
  return registry_.waiting() == 0 ? AwakeTime(0) : std::max(grace_ends_ - last_turn_, AwakeTime(0));
}

void Writer::heard(Ipv4Address address, std::int64_t wall) {
  const std::uint32_t sessions = registry_.sessions_of(address);
  if (sessions != 0) presences_[address] = {address, sessions, wall};
}

Writer::Turn Writer::turn(Moment now) {
  Turn turn;
  last_turn_ = now.awake;
  turn.completions.swap(refused_);
  if (!failure_.empty()) {
    retry_at_ = now.awake + retry_interval;
    set_trouble(StorageState::failed, std::exchange(failure_, {}), turn);
  }
  if (now.awake >= grace_ends_ && registry_.waiting() > 0) registry_.end_grace();
  const bool recovering = trouble_ == StorageState::failed;
  if (!recovering || (now.awake >= retry_at_ && recover(now, turn))) {
    Plan planned = plan(now);
    if (recovering || is_worth_a_commit(planned, now)) commit(planned, now, turn);
  }
  finish_joins(now, turn);
  turn.trouble = trouble_;
  return turn;
}

Writer::Plan Writer::plan(Moment now) {
  Plan plan;
  plan.differences = registry_.differences();
  plan.state = state_;
  plan.state.second = std::max(state_.second, now.wall);
  plan_changes(plan);
  plan_presences(now, plan);
  plan_forgetting(now, plan);
  if (now.awake >= presences_due_)
    for (const auto& [code, count] : codes_) plan.codes.push_back(count);
  return plan;
}

void Writer::plan_changes(Plan& plan) {
  plan.changes.reserve(plan.differences.size());
  for (const Registry::Difference& difference : plan.differences)
    plan.changes.push_back(
        {++plan.state.sequence, plan.state.second, difference.kind, difference.address, difference.methods});
}

/// Those of clients that are added now, so that an operator sees them connected at once, and the others when
/// they are due.
void Writer::plan_presences(Moment now, Plan& plan) {
  if (now.awake >= presences_due_) {
    for (const auto& [address, presence] : presences_) {
      if (plan.presences.size() >= presences_per_commit) break;
      plan.presences.push_back(presence);
    }
    return;
  }
  for (const storage::Change& change : plan.changes) {
    const auto found = presences_.find(change.address);
    if (found != presences_.end()) plan.presences.push_back(found->second);
  }
}

void Writer::plan_forgetting(Moment now, Plan& plan) {
  if (now.awake < forgetting_due_) return;
  // At least the last two seconds are kept: the beginning of history must not pass the closing timestamp.
  const std::int64_t before = plan.state.second - std::max<std::int64_t>(settings_.retention.count(), 1);
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
  if (!plan.changes.empty() || plan.forget_before != 0 || !warnings_written_ || !ban_changes_.empty())
    return true;
  if ((!plan.presences.empty() || !plan.codes.empty()) && now.awake >= presences_due_) return true;
  const bool settled = state_.sequence == 0 || state_.second - 1 > last_change_second_;
  return !settled && plan.state.second - 1 > last_change_second_;
}

void Writer::commit(Plan& plan, Moment now, Turn& turn) {
  const storage::Batch batch{plan.state,         plan.changes, plan.presences,
                             plan.forget_before, plan.codes,   warnings_written_ ? nullptr : &warnings_,
                             ban_changes_};
  turn.attempted = true;
  try {
    if (database_.commit(batch) == storage::CommitResult::busy) {
      set_trouble(
          StorageState::busy,
          CodedError(ErrorCode::database_busy, "another program holds the database's write lock").what(),
          turn);
      return;
    }
  } catch (const CodedError& error) {
    retry_at_ = now.awake + retry_interval;
    set_trouble(StorageState::failed, error.what(), turn);
    return;
  }
  turn.committed = true;
  set_trouble(StorageState::usable, {}, turn);
  apply(plan, now, turn);
}

void Writer::apply(Plan& plan, Moment now, Turn& turn) {
  registry_.committed(plan.differences);
  change_log_.append(plan.changes);
  if (plan.forget_before != 0) change_log_.forget(plan.forget_before);
  state_ = plan.state;
  if (!plan.changes.empty()) last_change_second_ = state_.second;
  for (const storage::Presence& presence : plan.presences) presences_.erase(presence.address);
  for (const storage::CodeCount& count : plan.codes) codes_.erase(count.code);
  warnings_written_ = true;
  ban_changes_.clear();
  if (now.awake >= presences_due_ && presences_.empty())
    presences_due_ = now.awake + settings_.presence_interval;
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
  std::erase_if(waiting_joins_, [&](const WaitingJoin& join) {
    if (trouble_ != StorageState::failed && registry_.is_stored(join.address)) {
      turn.completions.push_back({join.session, state_.second, std::nullopt});
      return true;
    }
    if (trouble_ != StorageState::failed && now.awake < join.deadline) return false;
    registry_.take_back(join.session, join.address);
    note_sessions(join.address);
    turn.completions.push_back(
        {join.session, 0,
         Rejection{ErrorCode::storage_unavailable,
                   trouble_ == StorageState::failed
                       ? "the server's database cannot be written at the moment; try again later"
                       : "another program has held the server's database for too long; try again later"}});
    return true;
  });
}

void Writer::stop(Moment now) {
  presences_due_ = now.awake;
  turn(now);
  database_.note_stop(std::max(state_.second, now.wall));
}

AwakeTime Writer::wake_at() const {
  if (trouble_ == StorageState::failed) return retry_at_;  // nothing else can be done before
  AwakeTime at = last_turn_ + idle_interval;
  if (!waiting_joins_.empty() || !refused_.empty()) return last_turn_;
  if (registry_.waiting() > 0) at = std::min(at, grace_ends_);
  if (!presences_.empty() || !codes_.empty()) at = std::min(at, presences_due_);
  return at;
}

}  // namespace lekt
