#include "server/writer_thread.h"

#include <algorithm>
#include <utility>

#include "server/log.h"

namespace lekt {

namespace {

using namespace std::chrono_literals;

constexpr AwakeTime step_max = 2s;

/// How often the counts of codes are looked at.
constexpr AwakeTime codes_interval = 1s;

/// A write-ahead log of this size that a reader holds is worth a warning; the next one comes when it has
/// doubled.
constexpr std::size_t wal_bytes_worrying = 64 * 1024 * 1024;

}  // namespace

WriterThread::WriterThread(const Shared& shared, const MethodCatalogue& catalogue)
    : shared_(shared),
      writer_(shared.writer),
      catalogue_(&catalogue),
      clock_(std::chrono::steady_clock::now(), step_max),
      turns_(shared.turns),
      wal_warned_at_(wal_bytes_worrying) {
  measure({}, {});
}

Moment WriterThread::now() { return {clock_.advance(std::chrono::steady_clock::now()), wall_seconds()}; }

void WriterThread::run() {
  std::vector<Command> commands;
  bool open = true;
  while (open) {
    turns_.add();
    const AwakeTime patience = std::max(writer_.wake_at() - now().awake, AwakeTime(0));
    open = shared_.inbox.take(commands, patience);
    const Moment moment = now();
    apply(commands, moment);
    note_codes(moment);
    const auto begun = std::chrono::steady_clock::now();
    Writer::Turn turn = writer_.turn(moment);
    measure(turn, std::chrono::steady_clock::now() - begun);
    report(turn);
    deliver(turn);
    tell_what_is_stored();
    watch_wal();
  }
  codes_due_ = AwakeTime(0);
  note_codes(now());
  writer_.stop(now());
}

void WriterThread::note_codes(Moment now) {
  if (now.awake < codes_due_) return;
  codes_due_ = now.awake + codes_interval;
  for (const CodeCounts::Count& count : shared_.counts.take())
    writer_.note_code(count.code, count.count, now);
}

void WriterThread::apply(std::vector<Command>& commands, Moment now) {
  struct Apply {
    Writer& writer;
    std::vector<std::function<void()>>& waiting_tasks;
    Moment now;
    void operator()(const JoinCommand& join) const {
      writer.join(join.session, join.address, join.methods, now);
    }
    void operator()(const LeaveCommand& leave) const { writer.leave(leave.session, leave.address, now); }
    void operator()(const HeardCommand& command) const {
      for (const auto& [address, second] : command.heard) writer.heard(address, second);
    }
    void operator()(const WarningCommand& warning) const {
      if (warning.message.empty()) return writer.clear_warning(warning.code);
      writer.warn(warning.code, warning.message, now);
    }
    void operator()(const TaskCommand& task) const {
      task.run(writer, now);
      if (task.stored) waiting_tasks.push_back(task.stored);
    }
  };
  for (const Command& command : commands) std::visit(Apply{writer_, waiting_tasks_, now}, command);
}

void WriterThread::measure(const Writer::Turn& turn, std::chrono::nanoseconds time) {
  WriterMeters& meters = shared_.meters;
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
  if (!writer_.bans_are_stored()) return;
  for (const auto& stored : std::exchange(waiting_tasks_, {})) stored();
}

/// First the view, then the joins that it holds.
void WriterThread::deliver(Writer::Turn& turn) {
  if (turn.published) shared_.published.publish(writer_.view());
  if (turn.recovered)
    shared_.feed.begin_anew(turn.changes.empty() ? writer_.state().sequence
                                                 : turn.changes.front().sequence - 1);
  shared_.feed.publish(turn.changes, *catalogue_);
  std::vector<std::vector<Writer::Completion>> completions(shared_.workers.size());
  for (Writer::Completion& completion : turn.completions)
    completions[completion.session % shared_.workers.size()].push_back(std::move(completion));
  for (std::size_t index = 0; index < shared_.workers.size(); ++index)
    if (!completions[index].empty()) shared_.workers[index]->deliver(std::move(completions[index]));
}

void WriterThread::report(const Writer::Turn& turn) {
  if (log_enabled(LogLevel::debug))
    for (const storage::Change& change : turn.changes)
      log_event(LogLevel::debug, "change",
                {{"sequence", change.sequence},
                 {"kind", change.kind == UpdateKind::added ? "added" : "removed"},
                 {"address", to_string(change.address)}});
  if (turn.message.empty()) return;
  const bool good = turn.trouble == StorageState::usable;
  for (const ErrorCode code : {ErrorCode::commit_failed, ErrorCode::database_busy})
    shared_.warnings.forget(code);
  const std::string words = turn.message.substr(turn.message.find(' ') + 1);  // behind the code
  if (turn.trouble == StorageState::failed) shared_.warnings.note(ErrorCode::commit_failed, words);
  if (turn.trouble == StorageState::busy) shared_.warnings.note(ErrorCode::database_busy, words);
  log_event(good ? LogLevel::info : LogLevel::error, good ? "storage_recovered" : "storage_trouble",
            {{"message", turn.message}});
}

void WriterThread::watch_wal() {
  const std::size_t held = shared_.database.wal_bytes_held();
  if (held < wal_bytes_worrying) {
    wal_warned_at_ = wal_bytes_worrying;
    shared_.warnings.clear(ErrorCode::wal_growing);
  }
  if (held < wal_warned_at_) return;
  wal_warned_at_ = 2 * held;
  const Rejection growing{ErrorCode::wal_growing,
                          "the write-ahead log has grown to " + std::to_string(held / (1024 * 1024)) +
                              " MiB; a program holds a read transaction on the database"};
  log_event(LogLevel::warn, "wal_growing", {{"message", growing.text()}});
  shared_.warnings.raise(growing.code, growing.message);
}

}  // namespace lekt
