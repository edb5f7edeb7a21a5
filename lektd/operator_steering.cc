// The part of the desk that changes something: sessions, bans, traces, the database's size.
#include <algorithm>
#include <chrono>
#include <future>

#include "common/outcome.h"
#include "lektd/ask_fronts.h"
#include "lektd/operator_desk.h"
#include "server/operators/clock.h"
#include "server/operators/log.h"
#include "storage/database_files.h"

namespace lekt {

namespace {

using namespace std::chrono_literals;

/// How long to wait for a compaction, which may take long.
constexpr std::chrono::minutes compact_patience = 5min;

}  // namespace

/// Ends the sessions of a block. Never throws: an operator whose command has ended sessions has to hear so, whatever
/// else could not be done.
OperatorDesk::Ended OperatorDesk::end_sessions(const Block& block, const Rejection& rejection) {
  Ended ended;
  const auto counts = ask<std::size_t>(
      shared_.fronts, [=](Front& front) { return front.end_sessions(block, rejection); }, patience);
  for (const auto& count : counts) {
    ended.all_answered &= count.has_value();
    ended.sessions += count.value_or(0);
  }
  return ended;
}

Rejection OperatorDesk::kick_rejection() {
  return {ErrorCode::ended_by_operator, "the operator has ended this session; it may connect again"};
}

/// Waits for the writer even where its answer is known, so that a client has left when the operator is told so; but not
/// during a compaction, which may take minutes.
Operations::Kicked OperatorDesk::kick(Address address) {
  const Ended ended = end_sessions(Block(address), kick_rejection());
  const auto dismissed = std::make_shared<std::promise<bool>>();
  const auto stored = store([=](Writer& writer) {
    dismissed->set_value(writer.dismiss(Block(address), leave_reason(ErrorCode::ended_by_operator)) > 0);
  });
  const bool may_be_waiting = shared_.seen.writer.grace_milliseconds_left > 0;
  const auto deadline = std::chrono::steady_clock::now() + patience;
  auto answer = dismissed->get_future();
  const bool asks = may_be_waiting || !shared_.doors.writer_turns.may_take_long();
  const bool answered = asks && answer.wait_until(deadline) == std::future_status::ready;
  const bool was_waiting = answered && answer.get();
  if (!ended.all_answered) fail_partly(ended.text());
  if (!answered && may_be_waiting)
    fail_partly(
        ended.text() +
        "; if it is waited for since the restart, that ends as soon as the writer can: " + why_unwritten());
  if (was_waiting && stored.wait_until(deadline) != std::future_status::ready)
    fail_partly(ended.text() + "; it is no longer waited for, but that " + unstored());
  return {ended.sessions, was_waiting};
}

void OperatorDesk::apply_bans(std::vector<storage::Ban> bans) {
  bans_ = std::move(bans);
  bans_count_ = bans_.size();
  std::vector<Block> blocks;
  const std::int64_t now = wall_seconds();
  for (const storage::Ban& ban : bans_)
    if (!ban.is_over(now)) blocks.push_back(ban.block);
  shared_.doors.admission.ban(std::move(blocks));
}

void OperatorDesk::post(TaskCommand task) {
  if (!shared_.doors.inbox.post(std::move(task)))
    throw CodedError(ErrorCode::control_refused, "the server stops");
}

/// Has the writer make a change. The future is ready when it is committed, and holds why the database refuses the ban,
/// if so.
std::future<OperatorDesk::Refusal> OperatorDesk::store(std::function<void(Writer&)> change,
                                                       std::optional<Block> ban) {
  const auto stored = std::make_shared<std::promise<Refusal>>();
  post(TaskCommand{[change = std::move(change)](Writer& writer, Moment) { change(writer); },
                   [stored, ban](Writer& writer) {
                     stored->set_value(ban ? writer.side_rows().refusal_of(*ban) : std::nullopt);
                   }});
  return stored->get_future();
}

std::string OperatorDesk::Ended::text() const {
  return std::to_string(sessions) + (sessions == 1 ? " session" : " sessions") + " ended" +
         (all_answered ? ""
                       : "; a worker did not answer within " + std::to_string(patience.count()) +
                             " s, and ends its sessions as soon as it can");
}

/// Reports that a part could not be done. What was done holds, and the rest follows by itself.
void OperatorDesk::fail_partly(const std::string& what) {
  throw CodedError(ErrorCode::control_refused, what);
}

std::string OperatorDesk::why_unwritten() const {
  const StorageState storage = shared_.seen.writer.storage;
  if (storage == StorageState::busy) return "another program holds the database's write lock";
  if (storage == StorageState::failed) return "the database cannot be written at the moment";
  if (shared_.doors.writer_turns.may_take_long()) return "the database is being compacted";
  return "the writer is overloaded, waits for the disk, or stops";
}

std::string OperatorDesk::unstored() const {
  return "is not stored yet: " + why_unwritten() +
         "; it is stored as soon as that is over, unless the server ends before";
}

/// The sessions of those who are banned end at once, even during a compaction, after which the ban is stored.
Operations::Banned OperatorDesk::ban(const Block& block, const std::string& reason,
                                     std::optional<std::chrono::seconds> duration) {
  const MutexLock lock(bans_mutex_);
  Banned banned;
  std::vector<storage::Ban> bans = bans_;
  const storage::Ban ban = storage::make_ban(block, reason, wall_seconds(), duration);
  banned.is_new = std::erase_if(bans, [&](const storage::Ban& old) { return old.block == block; }) == 0;
  if (bans.size() >= storage::bans_max)
    throw CodedError(ErrorCode::control_refused, "there are " + std::to_string(storage::bans_max) +
                                                     " bans, as many as there may be; ban larger blocks");
  banned.until = ban.until;
  bans.push_back(ban);
  apply_bans(std::move(bans));
  // A client that is told that it is banned stays banned, even if the server ends a moment later.
  auto stored = store(
      [ban](Writer& writer) {
        writer.side_rows().ban(ban);
        writer.dismiss(ban.block, leave_reason(ErrorCode::address_banned));
      },
      block);
  const auto deadline = std::chrono::steady_clock::now() + patience;
  if (!shared_.doors.writer_turns.may_take_long()) stored.wait_until(deadline);
  const Ended ended =
      end_sessions(block, {ErrorCode::address_banned, "the operator of this server has banned this address"});
  banned.sessions = ended.sessions;
  const bool is_stored = stored.wait_until(deadline) == std::future_status::ready;
  if (!is_stored) fail_partly("the ban holds, but " + unstored() + "; " + ended.text());
  if (const Refusal refusal = stored.get())
    throw CodedError(ErrorCode::row_refused,
                     "the ban holds until the server ends, since its database does not take it: " + *refusal +
                         "; " + ended.text());
  if (!ended.all_answered) fail_partly("the ban is stored and holds; " + ended.text());
  return banned;
}

bool OperatorDesk::unban(const Block& block) {
  const MutexLock lock(bans_mutex_);
  std::vector<storage::Ban> bans = bans_;
  if (std::erase_if(bans, [&](const storage::Ban& old) { return old.block == block; }) == 0) return false;
  apply_bans(std::move(bans));
  auto stored = store([block](Writer& writer) { writer.side_rows().unban(block); }, block);
  if (stored.wait_for(patience) != std::future_status::ready)
    fail_partly("the ban is lifted, but that " + unstored());
  if (const Refusal refusal = stored.get())
    throw CodedError(
        ErrorCode::row_refused,
        "the ban is lifted until the server ends, since its database does not take that: " + *refusal);
  return true;
}

/// Ends bans that are over. If a command that changes bans is waiting for workers or the disk, a later second does it.
void OperatorDesk::end_bans_that_are_over() {
  if (!bans_mutex_.try_lock()) return;
  const MutexLock lock(bans_mutex_, std::adopt_lock);
  const std::int64_t now = wall_seconds();
  std::vector<storage::Ban> left;
  for (const storage::Ban& ban : bans_) {
    if (!ban.is_over(now)) {
      left.push_back(ban);
      continue;
    }
    log_event(LogLevel::info, "ban_over", {{"block", to_string(ban.block)}, {"reason", ban.reason}});
    shared_.doors.inbox.post(TaskCommand{
        [block = ban.block](Writer& writer, Moment) { writer.side_rows().unban(block); }, nullptr});
  }
  if (left.size() != bans_.size()) apply_bans(std::move(left));
}

Operations::Compacted OperatorDesk::compact() {
  const auto sizes = [this] {
    return storage::size_of(database_) + storage::size_of(storage::log_of(database_));
  };
  Compacted compacted;
  compacted.bytes_before = sizes();
  const auto done = std::make_shared<std::promise<Outcome<bool>>>();
  post(TaskCommand{[done, &turns = shared_.doors.writer_turns](Writer& writer, Moment) {
                     const LongStep compaction(turns);
                     done->set_value(outcome_of([&] {
                       writer.compact([&turns] { turns.add(); });
                       return true;
                     }));
                   },
                   nullptr});
  auto answer = done->get_future();
  if (answer.wait_for(compact_patience) != std::future_status::ready)
    fail_partly("the database is not compacted yet after " + std::to_string(compact_patience / 1min) +
                " minutes; that goes on, or is done as soon as the writer can");
  result_of(answer.get());
  compacted.bytes_after = sizes();
  return compacted;
}

TraceStatus OperatorDesk::trace(const Block& block, std::chrono::seconds duration) {
  const TraceStatus trace = shared_.seen.tracer.start(block, duration, std::chrono::steady_clock::now());
  for (Front* front : shared_.fronts) front->post([front, block] { front->watch(block); });
  return trace;
}

bool OperatorDesk::end_trace(const Block& block) {
  const bool found = shared_.seen.tracer.end(block);
  for (Front* front : shared_.fronts) front->post([front, block] { front->watch(block); });
  if (found && !shared_.seen.tracer.flush())
    throw CodedError(
        ErrorCode::trace_failed,
        "the trace has ended, but the disk does not take what waits for it: its file is not complete");
  return found;
}

}  // namespace lekt
