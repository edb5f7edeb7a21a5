#include "server/net/writer_thread.h"

#include <algorithm>
#include <optional>
#include <utility>

#include "server/operators/clock.h"
#include "server/operators/log.h"

namespace lekt {

namespace {

using namespace std::chrono_literals;

constexpr AwakeTime step_max = 2s;

/// How often the counts of codes are looked at.
constexpr AwakeTime codes_interval = 1s;

/// A write-ahead log of this size that a reader holds is worth a warning; the next one comes when it has
/// doubled.
constexpr std::size_t wal_bytes_worrying = 64 * 1024 * 1024;

/// A log that is ahead of the clock by so much is worth a warning, which ends when little is left.
constexpr std::chrono::seconds clock_worrying = 5min;
constexpr std::chrono::seconds clock_settled = 1min;

}  // namespace

WriterThread::WriterThread(const Shared& shared, const MethodCatalogue& catalogue)
    : shared_(shared),
      writer_(shared.writer),
      catalogue_(&catalogue),
      clock_(std::chrono::steady_clock::now(), step_max),
      turns_(shared.doors.writer_turns),
      wal_warned_at_(wal_bytes_worrying) {
  measure({}, {});
}

Moment WriterThread::now() { return {clock_.advance(std::chrono::steady_clock::now()), wall_seconds()}; }

void WriterThread::run() {
  tell_of_lost_log();
  std::vector<Command> commands;
  bool open = true;
  while (open) {
    turns_.add();
    const AwakeTime patience = std::max(writer_.wake_at() - now().awake, AwakeTime(0));
    open = shared_.doors.inbox.take(commands, patience);
    const Moment moment = now();
    apply(commands, moment);
    note_codes(moment);
    note_warnings();
    const auto begun = std::chrono::steady_clock::now();
    Writer::Turn turn = take_turn(moment);
    measure(turn, std::chrono::steady_clock::now() - begun);
    report(turn);
    deliver(turn);
    tell_what_is_stored();
    watch_wal();
    watch_loopback();
    watch_clock();
    watch_oversize();
  }
  codes_due_ = AwakeTime(0);
  note_codes(now());
  note_warnings();
  writer_.stop(now());
}

/// Takes a turn of the writer. One that may read the whole database again takes as long as a start.
Writer::Turn WriterThread::take_turn(Moment moment) {
  std::optional<LongStep> recovery;
  if (shared_.seen.writer.storage == StorageState::failed) recovery.emplace(turns_);
  return writer_.turn(moment);
}

void WriterThread::note_codes(Moment now) {
  if (now.awake < codes_due_) return;
  codes_due_ = now.awake + codes_interval;
  for (const CodeCounts::Count& count : shared_.seen.codes.take())
    writer_.side_rows().note_code(count.code, count.count, now);
}

void WriterThread::note_warnings() {
  if (auto warnings = shared_.seen.warnings.take()) writer_.side_rows().show_warnings(std::move(*warnings));
}

void WriterThread::apply(std::vector<Command>& commands, Moment now) {
  struct Apply {
    Writer& writer;
    std::vector<std::function<void(Writer&)>>& waiting_tasks;
    Moment now;
    void operator()(const JoinCommand& join) const {
      writer.join(join.session, join.address, join.methods, now);
    }
    void operator()(const LeaveCommand& leave) const {
      writer.leave(leave.session, leave.address, leave.reason, leave.was_told);
    }
    void operator()(const HeardCommand& command) const {
      for (const auto& [address, second] : command.heard) writer.heard(address, second);
    }
    void operator()(const TaskCommand& task) const {
      task.run(writer, now);
      if (task.stored) waiting_tasks.push_back(task.stored);
    }
    void operator()(DevicesCommand& devices) const { writer.side_rows().tell_of_devices(std::move(devices)); }
  };
  for (Command& command : commands) std::visit(Apply{writer_, waiting_tasks_, now}, command);
}

void WriterThread::measure(const Writer::Turn& turn, std::chrono::nanoseconds time) {
  WriterMeters& meters = shared_.seen.writer;
  for (const storage::Change& change : turn.changes)
    (change.kind == UpdateKind::added ? meters.added : meters.removed).add();
  if (turn.attempted && !turn.committed) meters.commits_failed.add();
  if (turn.committed) {
    meters.commits.add();
    meters.commit.add(time);
    meters.last_commit = wall_seconds();
    meters.last_commit_nanoseconds = static_cast<std::uint64_t>(time.count());
  }
  meters.sequence = writer_.state().sequence;
  meters.clients = writer_.registry().clients();
  meters.waiting = writer_.registry().absent();
  meters.grace_milliseconds_left = writer_.grace_left().count();
  meters.wal_bytes_held = shared_.database.wal_bytes_held();
  meters.storage = turn.trouble;
}

void WriterThread::tell_what_is_stored() {
  if (!writer_.wishes_are_stored()) return;
  for (const auto& stored : std::exchange(waiting_tasks_, {})) stored(writer_);
}

/// Publishes the view first, and then completes the joins that it holds.
void WriterThread::deliver(Writer::Turn& turn) {
  if (turn.published) {
    shared_.doors.published.publish(writer_.view());
    for (Front* const front : shared_.fronts) front->view_was_published();
  }
  if (turn.recovered)
    shared_.seen.changes.begin_anew(turn.changes.empty() ? writer_.state().sequence
                                                         : turn.changes.front().sequence - 1);
  shared_.seen.changes.publish(turn.changes, *catalogue_);
  std::vector<std::vector<Writer::Completion>> completions(shared_.fronts.size());
  for (Writer::Completion& completion : turn.completions)
    completions[front_of(completion.session, shared_.fronts.size())].push_back(std::move(completion));
  for (std::size_t index = 0; index < shared_.fronts.size(); ++index)
    if (!completions[index].empty()) shared_.fronts[index]->deliver(std::move(completions[index]));
}

void WriterThread::report(const Writer::Turn& turn) {
  if (log_enabled(LogLevel::debug))
    for (const storage::Change& change : turn.changes)
      log_event(LogLevel::debug, "change",
                {{"sequence", change.sequence},
                 {"kind", change.kind == UpdateKind::added ? "added" : "removed"},
                 {"address", to_string(change.address)}});
  for (const std::string& refused : turn.refused_changes) {
    const Rejection refusal{ErrorCode::change_refused, "the database does not take a change of " + refused};
    log_event(LogLevel::error, "change_refused", {{"message", refusal.text()}});
    shared_.seen.warnings.raise(refusal.code, refusal.message);
  }
  for (const storage::RefusedRow& row : turn.refused_rows) report(row);
  if (turn.message.empty()) return;
  const bool good = turn.trouble == StorageState::usable;
  for (const ErrorCode code : {ErrorCode::commit_failed, ErrorCode::database_busy})
    shared_.seen.warnings.clear(code);
  const std::string words = turn.message.substr(turn.message.find(' ') + 1);  // behind the code
  if (turn.trouble == StorageState::failed) shared_.seen.warnings.note(ErrorCode::commit_failed, words);
  if (turn.trouble == StorageState::busy) shared_.seen.warnings.note(ErrorCode::database_busy, words);
  log_event(good ? LogLevel::info : LogLevel::error, good ? "storage_recovered" : "storage_trouble",
            {{"message", turn.message}});
}

/// Reports the first refused row of each kind: what is refused once is as a rule refused each time. Each ban is
/// reported: bans are few, and each is missed.
void WriterThread::report(const storage::RefusedRow& row) {
  if (!refused_kinds_.insert(row.kind).second && row.kind != storage::RowKind::ban) return;
  const Rejection refusal{ErrorCode::row_refused,
                          "the database does not take a row for operators, " + row.what + ": " + row.why};
  log_event(LogLevel::error, "row_refused", {{"message", refusal.text()}});
  shared_.seen.warnings.raise(refusal.code, refusal.message);
}

void WriterThread::watch_clock() {
  const std::chrono::seconds ahead(writer_.ahead_of(wall_seconds()));
  if (clock_is_behind_ ? ahead > clock_settled : ahead < clock_worrying) return;
  clock_is_behind_ = !clock_is_behind_;
  if (!clock_is_behind_) return shared_.seen.warnings.clear(ErrorCode::clock_behind);
  const Rejection behind{ErrorCode::clock_behind,
                         "times in the database are " + std::to_string(ahead.count()) +
                             " s ahead of the machine's clock, which was ahead once or is behind now; until "
                             "it has caught up, they go on at half the speed"};
  log_event(LogLevel::warn, "clock_behind", {{"message", behind.text()}});
  shared_.seen.warnings.raise(behind.code, behind.message);
}

void WriterThread::watch_oversize() {
  const Registry::Oversize& oversize = writer_.oversize();
  if (oversize.clients == oversize_told_) return;
  oversize_told_ = oversize.clients;
  if (oversize.clients == 0) return shared_.seen.warnings.clear(ErrorCode::records_oversize);
  const Rejection too_large{ErrorCode::records_oversize,
                            std::to_string(oversize.clients) +
                                " stored clients do not fit --max-packet-bytes, and are sent in packets of "
                                "their own; " +
                                std::to_string(oversize.bytes_max) + " would be enough for all"};
  log_event(LogLevel::warn, "records_oversize", {{"message", too_large.text()}});
  shared_.seen.warnings.raise(too_large.code, too_large.message);
}

void WriterThread::tell_of_lost_log() {
  const std::string& why = shared_.database.lost_log();
  if (why.empty()) return;
  const Rejection lost{ErrorCode::log_lost, "the database is not the newest state: " + why +
                                                "; history begins anew, and every client gets the full list"};
  log_event(LogLevel::warn, "history_begins_anew", {{"message", lost.text()}});
  shared_.seen.warnings.raise(lost.code, lost.message);
}

void WriterThread::watch_wal() {
  const std::size_t held = shared_.database.wal_bytes_held();
  if (held < wal_bytes_worrying) {
    wal_warned_at_ = wal_bytes_worrying;
    shared_.seen.warnings.clear(ErrorCode::wal_growing);
  }
  if (held < wal_warned_at_) return;
  wal_warned_at_ = 2 * held;
  const Rejection growing{ErrorCode::wal_growing,
                          "the write-ahead log has grown to " + std::to_string(held / (1024 * 1024)) +
                              " MiB; a program holds a read transaction on the database"};
  log_event(LogLevel::warn, "wal_growing", {{"message", growing.text()}});
  shared_.seen.warnings.raise(growing.code, growing.message);
}

/// A program on the server's machine that joins through localhost is known to all by an address under which
/// each machine finds itself. Clients of one machine alone may well do so.
void WriterThread::watch_loopback() {
  const std::size_t loopback = writer_.registry().present_on_loopback();
  const std::size_t present = writer_.registry().present();
  const bool mixed = loopback > 0 && loopback < present;
  if (mixed == std::exchange(loopback_warned_, mixed)) return;
  if (!mixed) return shared_.seen.warnings.clear(ErrorCode::known_as_loopback);
  const Rejection warning{
      ErrorCode::known_as_loopback,
      std::to_string(loopback) + " of " + std::to_string(present) +
          " clients are listed under a loopback address, by which no other machine can reach "
          "them; let them join by the server's address in the network, not by localhost"};
  log_event(LogLevel::warn, "known_as_loopback", {{"message", warning.text()}});
  shared_.seen.warnings.raise(warning.code, warning.message);
}

}  // namespace lekt
