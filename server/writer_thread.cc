#include "server/writer_thread.h"

#include <algorithm>

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

WriterThread::WriterThread(Writer& writer, const storage::Database& database, CodeCounts& counts,
                           Inbox& inbox, PublishedView& published,
                           const std::vector<std::unique_ptr<Worker>>& workers)
    : writer_(writer),
      database_(database),
      counts_(counts),
      inbox_(inbox),
      published_(published),
      workers_(workers),
      clock_(std::chrono::steady_clock::now(), step_max),
      wal_warned_at_(wal_bytes_worrying) {}

Moment WriterThread::now() { return {clock_.advance(std::chrono::steady_clock::now()), wall_seconds()}; }

void WriterThread::run() {
  std::vector<Command> commands;
  bool open = true;
  while (open) {
    const AwakeTime patience = std::max(writer_.wake_at() - now().awake, AwakeTime(0));
    open = inbox_.take(commands, patience);
    const Moment moment = now();
    apply(commands, moment);
    note_codes(moment);
    Writer::Turn turn = writer_.turn(moment);
    report(turn);
    deliver(turn);
    watch_wal();
  }
  codes_due_ = AwakeTime(0);
  note_codes(now());
  writer_.stop(now());
}

void WriterThread::note_codes(Moment now) {
  if (now.awake < codes_due_) return;
  codes_due_ = now.awake + codes_interval;
  for (const CodeCounts::Count& count : counts_.take()) writer_.note_code(count.code, count.count, now);
}

void WriterThread::apply(std::vector<Command>& commands, Moment now) {
  struct Apply {
    Writer& writer;
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
  };
  for (const Command& command : commands) std::visit(Apply{writer_, now}, command);
}

/// First the view, then the joins that it holds.
void WriterThread::deliver(Writer::Turn& turn) {
  if (turn.published) published_.publish(writer_.view());
  std::vector<std::vector<Writer::Completion>> completions(workers_.size());
  for (Writer::Completion& completion : turn.completions)
    completions[completion.session % workers_.size()].push_back(std::move(completion));
  for (std::size_t index = 0; index < workers_.size(); ++index)
    if (!completions[index].empty()) workers_[index]->deliver(std::move(completions[index]));
}

void WriterThread::report(const Writer::Turn& turn) {
  if (log_enabled(LogLevel::debug))
    for (const storage::Change& change : turn.changes)
      log_event(LogLevel::debug, "change",
                {{"sequence", change.sequence},
                 {"kind", change.kind == UpdateKind::added ? "added" : "removed"},
                 {"address", to_string(change.address)}});
  if (turn.message.empty()) return;
  const bool good = turn.trouble == Writer::Trouble::none;
  log_event(good ? LogLevel::info : LogLevel::error, good ? "storage_recovered" : "storage_trouble",
            {{"message", turn.message}});
}

void WriterThread::watch_wal() {
  const std::size_t held = database_.wal_bytes_held();
  if (held < wal_bytes_worrying) wal_warned_at_ = wal_bytes_worrying;
  if (held < wal_warned_at_) return;
  wal_warned_at_ = 2 * held;
  const CodedError error(ErrorCode::wal_growing,
                         "the write-ahead log has grown to " + std::to_string(held / (1024 * 1024)) +
                             " MiB; a program holds a read transaction on the database");
  log_event(LogLevel::warn, "wal_growing", {{"message", error.what()}});
}

}  // namespace lekt
